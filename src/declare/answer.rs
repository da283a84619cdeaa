//! Where a token endpoint's answers have what.

use std::time::Duration;

use super::{
    node::Node,
    value::{Value, refuse, within},
};
use crate::{
    credential::{AnswerField, TokenEndpoint, check_token_type},
    error::ConfigError,
};

const KEYS: [&str; 13] = [
    "token",
    "refresh_token",
    "lifetime",
    "form",
    "success",
    "required",
    "refusal",
    "later",
    "messages",
    "retry_after",
    "token_types",
    "members",
    "strict",
];

/// Adds what the table says to `endpoint`.
pub(super) fn answer(value: Value, mut endpoint: TokenEndpoint) -> Result<TokenEndpoint, ConfigError> {
    let mut table = value.table(&KEYS)?;
    if let Some(token) = table.take("token") {
        endpoint = endpoint.token(field(token.path(), token.text()?)?);
    }
    if let Some(token) = table.take("refresh_token") {
        endpoint = endpoint.refresh_token(field(token.path(), token.text()?)?);
    }
    if let Some(value) = table.take("lifetime") {
        endpoint = lifetime(&value, endpoint)?;
    }
    for (name, value) in table.take("success").map(Value::entries).transpose()?.unwrap_or_default() {
        endpoint = endpoint.success(field(value.path(), &name)?, scalar(&value)?);
    }
    for (name, value) in table.take("required").map(Value::entries).transpose()?.unwrap_or_default() {
        endpoint = endpoint.required(field(value.path(), &name)?, scalar(&value)?);
    }
    if table.take("form").map(|value| value.flag()).transpose()?.unwrap_or_default() {
        endpoint = endpoint.form_answers();
    }
    for (place, value) in table.take("refusal").map(meanings).transpose()?.unwrap_or_default() {
        endpoint = endpoint.refusal(place, value);
    }
    for (place, value) in table.take("later").map(meanings).transpose()?.unwrap_or_default() {
        endpoint = endpoint.later(place, value);
    }
    for value in table.take("messages").map(Value::one_or_more).transpose()?.unwrap_or_default() {
        endpoint = endpoint.message(field(value.path(), value.text()?)?);
    }
    for value in table.take("retry_after").map(Value::one_or_more).transpose()?.unwrap_or_default() {
        let name = value.text()?.to_owned();
        AnswerField::header(name.clone()).check().map_err(|error| within(value.path(), &error))?;
        endpoint = endpoint.retry_after(name);
    }
    for value in table.take("token_types").map(Value::one_or_more).transpose()?.unwrap_or_default() {
        let name = value.text()?.to_owned();
        check_token_type(&name).map_err(|error| within(value.path(), &error))?;
        endpoint = endpoint.token_type(name);
    }
    for (name, value) in table.take("members").map(Value::entries).transpose()?.unwrap_or_default() {
        endpoint = endpoint.member(name, field(value.path(), value.text()?)?);
    }
    if table.take("strict").map(|value| value.flag()).transpose()?.unwrap_or_default() {
        endpoint = endpoint.strict();
    }
    Ok(endpoint)
}

/// Places, each with one or more values that mean something there.
fn meanings(value: Value) -> Result<Vec<(AnswerField, String)>, ConfigError> {
    let mut meanings = Vec::new();
    for (name, value) in value.entries()? {
        let place = field(value.path(), &name)?;
        for value in value.one_or_more()? {
            meanings.push((place.clone(), scalar(&value)?));
        }
    }
    Ok(meanings)
}

/// Seconds, a place, that the token says it itself, or that it isn't known.
fn lifetime(value: &Value, endpoint: TokenEndpoint) -> Result<TokenEndpoint, ConfigError> {
    match value.node() {
        Node::Integer(seconds) => match u64::try_from(*seconds) {
            Ok(seconds @ 1..) => Ok(endpoint.fixed_lifetime(Duration::from_secs(seconds))),
            _ => Err(value.refuse("a lifetime is at least 1 second")),
        },
        Node::Text(text) if text == "unknown" => Ok(endpoint.unknown_lifetime()),
        Node::Text(text) if text == "jwt" => Ok(endpoint.jwt_lifetime()),
        Node::Text(text) => Ok(endpoint.lifetime(field(value.path(), text)?)),
        _ => Err(value.refuse("write a number of seconds, where in the answer it is, jwt, or unknown")),
    }
}

/// A JSON Pointer, `body`, `status`, or `header:` or `cookie:` and a name.
fn field(path: &str, text: &str) -> Result<AnswerField, ConfigError> {
    let field = match text.split_once(':') {
        _ if text == "body" => AnswerField::body(),
        _ if text == "status" => AnswerField::status(),
        Some(("header", name)) => AnswerField::header(name.to_owned()),
        Some(("cookie", name)) => AnswerField::cookie(name.to_owned()),
        _ if text.starts_with('/') => AnswerField::pointer(text.to_owned()),
        // Not shown: somebody may have written the token itself.
        _ => {
            let words = "that is no place in an answer; write a json pointer such as /data/token, header:NAME, \
                         cookie:NAME, body, or status";
            return Err(refuse(path, words));
        }
    };
    field.check().map_err(|error| within(path, &error))?;
    Ok(field)
}

/// What an answer may have somewhere, as text.
fn scalar(value: &Value) -> Result<String, ConfigError> {
    match value.node() {
        Node::Text(text) => Ok(text.clone()),
        Node::Integer(number) => Ok(number.to_string()),
        Node::Flag(flag) => Ok(flag.to_string()),
        node => {
            Err(value
                .refuse(format_args!("expected text, a whole number, true or false, found {}", node.kind())))
        }
    }
}
