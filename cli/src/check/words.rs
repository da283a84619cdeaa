//! What is said of an answer.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tower_reauth::{
    AccessToken, AcquireErrorKind, AuthError, AuthOutcome, NotReplayed, Passed, Trial, Unread, Verdict,
};

use super::play::{Call, Expected, Found, Place};
use crate::message::chain;

/// What became of an answer with `status`, in one line or more.
pub(crate) fn found(trial: &Trial, place: Place, status: StatusCode, found: &Found) -> String {
    match found {
        Found::Token(answer) => token(answer, place),
        Found::NoToken { error, asked, pause } => no_token(error, *asked, *pause),
        Found::Anew(said) => {
            format!("the refresh brings nothing, and a new token is acquired at once\n    {said}")
        }
        Found::Api(call) => api(trial, status, call),
    }
}

/// Which rule an answer of the API fitted, if that is why something was done about it.
pub(crate) fn rule<'a>(
    trial: &'a Trial,
    place: Place,
    response: &Response<Bytes>,
    found: &Found,
) -> Option<&'a str> {
    let Found::Api(call) = found else { return None };
    call.outcome.as_ref().filter(|outcome| outcome.verdict() != Verdict::Accepted)?;
    match place {
        Place::Head => trial.rule_for_head(response),
        _ => trial.rule_for(response),
    }
}

/// What is said where somebody has said that the answer is something else.
pub(crate) fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Token => "but it is said to bring a token",
        Expected::Refused => "but it is said to refuse the secrets",
        Expected::Later => "but it is said to ask for a pause",
        Expected::Expired => "but it is said to be about an expired token",
        Expected::Passed => "but it is said to be one that no new token helps",
    }
}

fn token(token: &AccessToken, place: Place) -> String {
    let mut words = match place {
        Place::Refresh => "refreshed: a new token".to_owned(),
        _ => "a token".to_owned(),
    };
    match token.lifetime() {
        Some(lifetime) => {
            let early = lifetime.mul_f64(0.1).min(Duration::from_secs(300));
            words += &format!(
                ", used until it is {} old, and renewed before that, in its last {} at the earliest",
                seconds(lifetime),
                seconds(early)
            );
        }
        None => words += ", used until it is rejected, since nothing says how long it lives",
    }
    if token.refresh_token().is_some() {
        words += "; there is a refresh token with it";
    }
    words
}

fn no_token(error: &AuthError, asked: usize, pause: Duration) -> String {
    let cause = error.acquire_error();
    let (kind, is_pause) = (cause.map(|cause| cause.kind()), !pause.is_zero());
    let what = match kind {
        Some(AcquireErrorKind::Rejected) => "refused: the secrets are wrong",
        Some(AcquireErrorKind::GrantRejected) => "refused: what the token was to be renewed with",
        Some(AcquireErrorKind::Undeclared) => {
            "refused, in words that the file doesn't declare: perhaps the secrets, and so they are left alone"
        }
        // What else may pass is tried again at once.
        Some(AcquireErrorKind::Transient) if asked == 1 => {
            "waited for: the token endpoint asks to be left alone"
        }
        Some(AcquireErrorKind::Transient) => "no token for now",
        Some(_) => "no token, and it isn't the secrets: the endpoint, or what is declared of its answers",
        None => "no token",
    };
    let times = if asked == 1 { "once".to_owned() } else { format!("{asked} times in a row") };
    let rest = match kind {
        _ if !is_pause => "the next call asks again".to_owned(),
        Some(AcquireErrorKind::Rejected | AcquireErrorKind::Undeclared) => {
            format!(
                "then calls fail at once for {}, longer after each further refusal, or until a secret is replaced",
                seconds(pause)
            )
        }
        _ => format!("then calls fail at once for about {}", seconds(pause)),
    };
    let said = cause.map_or_else(|| chain(error), |cause| chain(cause));
    format!("{what}\n    {said}\n    it is asked {times}; {rest}")
}

fn api(trial: &Trial, status: StatusCode, call: &Call) -> String {
    let Some(outcome) = &call.outcome else {
        let hint = match status.as_u16() {
            401 => "; no rule knows it, so that a 401 with these words replaces no token",
            _ => "",
        };
        return format!("passed on as it is, and the token counts as good{hint}");
    };
    let reason = outcome.reason().map(|reason| format!(" ({reason:?})")).unwrap_or_default();
    if let Some(unread) = outcome.unread() {
        return format!(
            "passed on: a rule wants to see the body, which can't be read: {}",
            unread_words(unread)
        );
    }
    if let Some(passed) = outcome.passed() {
        return format!("passed on: the request carries no token: {}", passed_words(passed));
    }
    match outcome.verdict() {
        Verdict::Accepted => format!("passed on{reason}"),
        Verdict::Denied => format!("denied{reason}: passed on, since no new token would help"),
        verdict => rejected(trial, verdict, &reason, outcome, call),
    }
}

fn rejected(trial: &Trial, verdict: Verdict, reason: &str, outcome: &AuthOutcome, call: &Call) -> String {
    let what = if verdict == Verdict::Invalid { "dead" } else { "expired" };
    if !trial.acquires() {
        return format!("{what}{reason}: passed on, since a key can't be renewed");
    }
    let way = if call.renewed { "the token is refreshed" } else { "a new token is acquired" };
    let then = match (outcome.not_replayed(), call.sent) {
        (_, 2..) => "and the request is replayed with it".to_owned(),
        (Some(NotReplayed::Response), _) => {
            "for the next request; this answer is too long to be set aside, and is passed on".to_owned()
        }
        (Some(why), _) => format!("for the next request; this one isn't sent again: {why:?}"),
        (None, _) => "for the next request; this answer is passed on".to_owned(),
    };
    format!("{what}{reason}: {way}, {then}")
}

fn unread_words(unread: Unread) -> &'static str {
    match unread {
        Unread::Encoded => {
            "it has a content coding; put decompression beneath the layer, and if `curl --compressed` has recorded it, take the \
             header Content-Encoding out, which that leaves though it decodes the body"
        }
        Unread::TooLong => "it is longer than what is looked at, 16 KiB",
        _ => "it broke off, or takes too long",
    }
}

fn passed_words(passed: Passed) -> String {
    format!("{passed:?}")
}

fn seconds(duration: Duration) -> String {
    // A pause that has just begun is a little shorter by now.
    let seconds = duration.as_secs_f64().ceil();
    format!("{seconds} s")
}
