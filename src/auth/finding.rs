//! What a [`Finding`] about a response means for its token, and how it is made fit to be shown.

use http::StatusCode;

use super::placement::Placement;
use crate::{
    observe::Reason,
    secret::{Redactor, without_token},
    signature::{Finding, Verdict},
    token::TokenCache,
};

/// Takes the token out of the vendor's words, which end up in logs. As long as it is the newest: after that it is
/// not at hand, and of little use to anybody.
pub(super) fn censor(
    mut finding: Finding,
    tokens: &TokenCache,
    generation: u64,
    placement: &Placement,
) -> Finding {
    if let Some(reason) = &mut finding.reason
        && let Some(entry) = tokens.newest_if(generation)
    {
        let token = entry.token.expose_secret();
        if placement.alters(&entry.token) {
            // The vendor may repeat it as it was sent, which takes more to find.
            *reason = Redactor::new([token]).clean(reason).into();
        }
        if let Some(censored) = without_token(reason, token) {
            *reason = censored.into();
        }
    }
    finding
}

pub(super) fn is_rejection(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Expired | Verdict::Invalid)
}

/// What a rejection asks the credential for.
pub(super) fn reason(verdict: Verdict) -> Reason {
    match verdict {
        Verdict::Invalid => Reason::Rejected,
        _ => Reason::Expired,
    }
}

/// Whether a server that answers with this status has accepted the token.
#[inline]
pub(super) fn is_acceptance(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS
}
