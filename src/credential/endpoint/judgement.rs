//! What a token endpoint's answer means: whether it is a success, who refused if it is none, and what to do about it.
//!
//! The credentials are taken for refused only where the server says so: by a code of RFC 6749 §5.2, by 401, or by what
//! the vendor was declared to mean. All else is about the endpoint, or passes.

use http::{Uri, header::LOCATION};

use super::{
    answer::{Answer, Content},
    request::TokenRequest,
    shape::{Shape, is_bound},
};
use crate::{
    error::{AcquireErrorKind, ErrorCode},
    secret::Redactor,
};

/// What many servers call it when they are asked too often, beside the code that has an RFC.
const LATER: [&str; 5] =
    ["rate_limited", "ratelimited", "rate_limit_exceeded", "too_many_requests", "throttled"];

/// What many servers call it when they aren't well, beside the codes that have an RFC.
const ILL: [&str; 5] =
    ["internal_failure", "internal_error", "internal_server_error", "service_unavailable", "timeout"];

/// Why an answer brings no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// What was sent is refused.
    Refused,
    /// The server is ill, or doesn't say.
    Unavailable,
    /// The server says that it may work later.
    Later,
    Moved,
    Missing,
    NotAccepted,
    Blocked,
    ProxyRefused,
    /// It refused, in words that nobody has declared.
    Undeclared,
    /// The token is to be used in a way that isn't a bearer token's.
    TokenType,
    Nonsense(&'static str),
}

impl Problem {
    /// The kind of error. `refused` is that of a refusal.
    pub(super) fn kind(self, refused: AcquireErrorKind) -> AcquireErrorKind {
        match self {
            Self::Refused => refused,
            Self::Unavailable | Self::Later => AcquireErrorKind::Transient,
            Self::Moved => AcquireErrorKind::Moved,
            Self::Missing => AcquireErrorKind::Missing,
            Self::NotAccepted => AcquireErrorKind::NotAccepted,
            Self::Blocked => AcquireErrorKind::Blocked,
            Self::ProxyRefused => AcquireErrorKind::ProxyRefused,
            Self::Undeclared => AcquireErrorKind::Undeclared,
            Self::TokenType | Self::Nonsense(_) => AcquireErrorKind::Unintelligible,
        }
    }
}

/// What keeps `answer` to `request` from being a success, apart from what a token needs.
pub(super) fn problem(shape: &Shape, request: &TokenRequest, answer: &Answer<'_>) -> Result<(), Problem> {
    if answer.has_any(&shape.refusals) {
        return Err(Problem::Refused);
    }
    if answer.has_any(&shape.later) {
        return Err(Problem::Later);
    }
    if !request.is_success(answer.status) {
        return Err(failure(answer));
    }
    let differs = |(field, wanted): &(_, String)| answer.text(field).is_some_and(|found| found != *wanted);
    if shape.success.iter().any(differs) {
        return Err(passing(answer).unwrap_or(Problem::Nonsense("says that it failed")));
    }
    Ok(())
}

/// The token of a success, or what is in its place.
pub(super) fn token(answer: &Answer<'_>) -> Result<String, Problem> {
    match answer.token() {
        Some(_) if answer.odd_token_type().is_some() => Err(Problem::TokenType),
        Some(token) => Ok(token),
        // Some servers put the errors of RFC 6749 §5.2 into a success.
        None if answer.code().is_some() => Err(passing(answer).unwrap_or(Problem::Refused)),
        None => Err(passing(answer).unwrap_or(Problem::Nonsense(match &answer.content {
            Content::Encoded => {
                "sent an encoded answer, which can't be read; put decompression beneath the client for token \
                 requests, such as tower-http's `DecompressionLayer`"
            }
            Content::Text(text) => nonsense(text),
            Content::Form(_) => "sent a form without a token",
            Content::Json(_) if answer.error().is_some() => "sent an error in place of a token",
            Content::Json(_) => "sent an answer without a token; check where in it the token is",
        }))),
    }
}

/// What text is that is no answer.
fn nonsense(text: &str) -> &'static str {
    match text.trim() {
        "" => "sent an empty answer",
        text if text.starts_with('<') => "sent a page, and no answer of a token endpoint; check the url",
        text if text.starts_with(['{', '[', '"']) => "sent an answer that breaks off, or is no json",
        text if text.contains('=') => "sent text that may be a form; declare that its answers are forms",
        _ => "sent an answer without a token",
    }
}

/// Who refused, by an answer that is no success.
fn failure(answer: &Answer<'_>) -> Problem {
    let status = answer.status;
    if let Some(passing) = passing(answer) {
        return passing;
    }
    match status.as_u16() {
        // Whatever else it says: it has judged nothing.
        408 | 425 | 429 => Problem::Unavailable,
        401 => Problem::Refused,
        400..500 if answer.code().is_some() => Problem::Refused,
        300..400 => Problem::Moved,
        404 | 410 | 421 => Problem::Missing,
        405 | 406 | 411 | 413..=415 | 417 | 426 | 431 => Problem::NotAccepted,
        403 | 451 => Problem::Blocked,
        407 => Problem::ProxyRefused,
        // Who answers in fields has looked at what was sent.
        400..500 => match answer.content {
            Content::Json(_) | Content::Form(_) => Problem::Undeclared,
            Content::Text(_) | Content::Encoded => {
                Problem::Nonsense("did not take the request, and doesn't say why")
            }
        },
        _ => Problem::Unavailable,
    }
}

/// The problem, if the server's `error` means that it may work later, whatever the status.
fn passing(answer: &Answer<'_>) -> Option<Problem> {
    let error = answer.error()?;
    match answer.code() {
        Some(ErrorCode::SlowDown) => Some(Problem::Later),
        Some(code) => code.is_transient().then_some(Problem::Unavailable),
        None if LATER.contains(&&*error) => Some(Problem::Later),
        None => ILL.contains(&&*error).then_some(Problem::Unavailable),
    }
}

/// What there is to be said of a problem: what happened, the server's own words, and what to look at.
pub(super) fn words(
    problem: Problem,
    name: &str,
    sent: &Sent,
    answer: &Answer<'_>,
    redactor: &Redactor,
) -> String {
    let endpoint = format!("the token endpoint of {name}");
    let said = match answer.message(redactor) {
        Some(message) => format!(": \"{message}\""),
        None => String::new(),
    };
    match problem {
        Problem::Refused => format!("{endpoint} refused the request{said}"),
        Problem::Unavailable => format!("{endpoint} did not answer with a success{said}"),
        Problem::Later => format!("{endpoint} asks to be left alone for now{said}"),
        Problem::Moved => {
            let target = match target(answer, redactor) {
                Some(target) => format!(" to {target}"),
                None => String::new(),
            };
            format!(
                "{endpoint} has moved: {sent} was answered with a redirect{target}; redirects aren't followed, since \
                 the secret would go along; configure the new url, if it is the right one"
            )
        }
        Problem::Missing => format!("{endpoint} isn't at {sent}{said}; check the url"),
        Problem::NotAccepted => {
            let hint = match answer.status.as_u16() {
                405 => "check the method, and the url",
                406 | 415 => "check whether it takes a form or json, and which headers",
                411 => "it wants Content-Length, which the client has to send",
                426 => "it wants another protocol",
                _ => "the request is too large for it",
            };
            format!("{endpoint} doesn't take a request like {sent}{said}; {hint}")
        }
        Problem::Blocked => format!(
            "{endpoint}, or a firewall in front of it, doesn't let {sent} through{said}; check whether this \
             machine's address and the request's headers are allowed there"
        ),
        Problem::ProxyRefused => {
            format!("a proxy on the way to {sent} wants credentials of its own; check the client's proxy")
        }
        Problem::Undeclared => format!(
            "{endpoint} refused {sent} in words that nobody has declared{said}; check credentials and url, and declare \
             whether such an answer is a refusal or means later"
        ),
        Problem::TokenType => match answer.odd_token_type() {
            Some(token_type) if is_bound(&token_type) => format!(
                "{endpoint} sent a token of the type \"{}\", which is bound to a key and is never sent as a bearer \
                 token; ask for one that isn't",
                redactor.clean(&token_type)
            ),
            token_type => format!(
                "{endpoint} sent a token of the type \"{}\"; if the vendor uses it as a bearer token, name it with \
                 token_type",
                redactor.clean(&token_type.unwrap_or_default())
            ),
        },
        Problem::Nonsense(what) => format!("{endpoint} {what}{said}; {sent} was asked"),
    }
}

/// Method and URL of a request, without the query, in which there may be secrets.
pub(super) struct Sent(String);

impl Sent {
    pub(super) fn of<B>(request: &http::Request<B>) -> Self {
        Self(format!("{} {}", request.method(), without_query(request.uri())))
    }
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a redirect leads, as far as that may be shown.
fn target(answer: &Answer<'_>, redactor: &Redactor) -> Option<String> {
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    let location = location.split(['?', '#']).next().unwrap_or_default();
    let is_fit =
        location.parse::<Uri>().is_ok_and(|uri| uri.authority().is_none_or(|a| !a.as_str().contains('@')));
    is_fit.then(|| redactor.clean(location)).filter(|location| !location.is_empty())
}

fn without_query(uri: &Uri) -> String {
    let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority());
    format!("{scheme}://{}{}", authority.map_or("", |authority| authority.as_str()), uri.path())
}
