//! Which responses mean what.

use super::{
    condition::{Read, condition, subject},
    value::Value,
};
use crate::{
    error::ConfigError,
    signature::{Rule, Signatures, Subject},
};

const KEYS: [&str; 6] =
    ["verdict", "status", "when", "read_success_bodies", "head_requests_by_status", "reason"];

/// The rules, in their order. `reason` is where those that don't say so themselves take the vendor's words from.
pub(super) fn rules(value: Value, reason: Option<&Subject>) -> Result<Signatures, ConfigError> {
    let mut signatures = Signatures::new();
    for value in value.list()? {
        signatures = signatures.rule(rule(value, reason)?);
    }
    Ok(signatures)
}

fn rule(value: Value, reason: Option<&Subject>) -> Result<Rule, ConfigError> {
    let mut table = value.table(&KEYS)?;
    let verdict = table.need("verdict")?;
    let mut rule = match verdict.text()? {
        "expired" => Rule::expired(),
        "invalid" => Rule::invalid(),
        "denied" => Rule::denied(),
        other => {
            let words = format!("{other:?} is no verdict; there are expired, invalid and denied");
            return Err(verdict.refuse(words));
        }
    };
    let statuses = match table.take("status") {
        Some(value) => {
            let statuses: Result<Vec<_>, _> = value.one_or_more()?.iter().map(Value::status).collect();
            Some(statuses?)
        }
        None => None,
    };
    let when = table.take("when").map(condition).transpose()?;
    let reads = table.take("read_success_bodies").map(|value| value.flag()).transpose()?.unwrap_or_default();
    let by_status =
        table.take("head_requests_by_status").map(|value| value.flag()).transpose()?.unwrap_or_default();
    if by_status && statuses.is_none() {
        return Err(table.refuse_key("head_requests_by_status", "it doesn't go without a status"));
    }
    match (&statuses, &when) {
        (None, None) => return Err(table.refuse("a rule needs a status, a when, or both")),
        (Some(statuses), _) if reads && !statuses.iter().any(|status| status.is_success()) => {
            return Err(table.refuse_key("read_success_bodies", "the rule has no status of success"));
        }
        (Some(statuses), Some(when))
            if !reads && when.needs_body() && statuses.iter().all(|status| status.is_success()) =>
        {
            let words =
                "it would never hold: bodies of successes are looked at with read_success_bodies = true";
            return Err(table.refuse_key("when", words));
        }
        _ => {}
    }
    if let Some(statuses) = statuses {
        rule = rule.statuses(statuses);
    }
    if let Some(Read { condition, .. }) = when {
        rule = rule.when(condition);
    }
    if reads {
        rule = rule.read_success_bodies();
    }
    if by_status {
        rule = rule.head_requests_by_status();
    }
    let own = table.take("reason").map(subject).transpose()?;
    Ok(match own.as_ref().or(reason) {
        Some(reason) => rule.reason_from(reason.clone()),
        None => rule,
    })
}
