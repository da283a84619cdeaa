//! What a token endpoint's answer means: whether it is a success, who refused if it is none, and what to do about it.
//!
//! The credentials are taken for refused only where the server says so: by a code of RFC 6749 §5.2, by 401, or by what
//! the vendor was declared to mean. All else is about the endpoint, or passes.

use http::{Method, Uri, header::LOCATION};

use super::{
    answer::{Answer, Content},
    request::TokenRequest,
    shape::{Presence, Shape, is_bound},
};
use crate::{
    error::{AcquireErrorKind, ErrorCode},
    secret::Redactor,
};

/// What many servers call it when they are asked too often, beside the codes that have an RFC. All of these in small
/// letters, and without what is between words.
const TOO_OFTEN: [&str; 7] = [
    "ratelimit",
    "ratelimited",
    "ratelimiting",
    "ratelimitexceeded",
    "toomanyrequests",
    "throttled",
    "slowdown",
];

/// What they call it when they aren't well.
const UNWELL: [&str; 11] = [
    "internalfailure",
    "internalerror",
    "internalservererror",
    "servererror",
    "serverbusy",
    "serviceunavailable",
    "temporarilyunavailable",
    "temporarilyfailed",
    "timeout",
    "requesttimeout",
    "tryagainlater",
];

/// Why an answer brings no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// What was sent is refused.
    Refused,
    /// The server isn't well, or doesn't say.
    Unavailable,
    /// The server was asked too often, and wants to be left alone.
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
    /// What it sent, and what to look at.
    Nonsense(&'static str, &'static str),
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
            Self::TokenType => AcquireErrorKind::TokenType,
            Self::Nonsense(..) => AcquireErrorKind::Unintelligible,
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
    let differs = |(field, wanted, presence): &(_, String, _)| {
        *presence == Presence::Optional && answer.text(field).is_some_and(|found| found != *wanted)
    };
    if shape.success.iter().any(differs) {
        return Err(passing(answer).unwrap_or(Problem::Nonsense("says that it failed", "")));
    }
    Ok(())
}

/// What keeps an answer from being one to a login, though nothing says that it failed. A logout's has nothing to say.
pub(super) fn lack(shape: &Shape, answer: &Answer<'_>) -> Result<(), Problem> {
    let lacks = |(field, wanted, presence): &(_, String, _)| {
        *presence == Presence::Required && answer.text(field).is_none_or(|found| found != *wanted)
    };
    if shape.success.iter().any(lacks) {
        let problem = Problem::Nonsense("doesn't say that it succeeded", "; check what a success says");
        return Err(passing(answer).unwrap_or(problem));
    }
    Ok(())
}

/// The token of a success, or what is in its place.
pub(super) fn token(answer: &Answer<'_>) -> Result<String, Problem> {
    if let Some(token) = answer.token() {
        return if answer.odd_token_type().is_some() { Err(Problem::TokenType) } else { Ok(token) };
    }
    // Some servers put the errors of RFC 6749 §5.2 into a success.
    Err(match passing(answer) {
        Some(problem) => problem,
        None if answer.code().is_some() => Problem::Refused,
        None => match &answer.content {
            Content::Encoded => Problem::Nonsense(
                "sent an encoded answer, which can't be read",
                "; put decompression beneath the client for token requests, such as tower-http's `DecompressionLayer`",
            ),
            Content::Text(text) => nonsense(text),
            Content::Form(_) => Problem::Nonsense("sent a form without a token", CHECK_WHERE),
            Content::Json(_) if answer.error().is_some() => {
                Problem::Nonsense("sent an error in place of a token", "")
            }
            Content::Json(_) => Problem::Nonsense("sent an answer without a token", CHECK_WHERE),
        },
    })
}

const CHECK_WHERE: &str = "; check where in it the token is";

/// What text is that is no answer.
fn nonsense(text: &str) -> Problem {
    let (what, look_at) = match text.trim() {
        "" => ("sent an empty answer", "; check the url"),
        text if text.starts_with('<') => {
            ("sent a page, and no answer of a token endpoint", "; check the url")
        }
        text if text.starts_with(['{', '[', '"']) => ("sent an answer that breaks off, or is no json", ""),
        text if text.contains('=') => {
            ("sent text that may be a form", "; declare that its answers are forms")
        }
        _ => ("sent an answer without a token", CHECK_WHERE),
    };
    Problem::Nonsense(what, look_at)
}

/// Who refused, by an answer that is no success.
fn failure(answer: &Answer<'_>) -> Problem {
    if let Some(problem) = passing(answer) {
        return problem;
    }
    match answer.status.as_u16() {
        // Whatever else it says: it has judged nothing.
        429 => Problem::Later,
        408 | 425 => Problem::Unavailable,
        401 => Problem::Refused,
        400..500 if answer.code().is_some() => Problem::Refused,
        300..400 => Problem::Moved,
        404 | 410 | 421 => Problem::Missing,
        405 | 406 | 411 | 413..=415 | 417 | 426 | 428 | 431 => Problem::NotAccepted,
        407 => Problem::ProxyRefused,
        // Who answers in fields has looked at what was sent.
        400..500 => match (answer.status.as_u16(), &answer.content) {
            (_, Content::Json(_) | Content::Form(_)) => Problem::Undeclared,
            (403 | 451, Content::Text(_) | Content::Encoded) => Problem::Blocked,
            (_, Content::Text(_) | Content::Encoded) => {
                Problem::Nonsense("did not take the request, and doesn't say why", "; check the url")
            }
        },
        _ => Problem::Unavailable,
    }
}

/// What the server's `error` means, if that is that it may work later, whatever the status.
fn passing(answer: &Answer<'_>) -> Option<Problem> {
    match answer.code() {
        Some(ErrorCode::SlowDown) => Some(Problem::Later),
        Some(code) => code.is_transient().then_some(Problem::Unavailable),
        None => {
            let letters = answer.error()?.chars().filter(|char| char.is_alphanumeric()).collect::<String>();
            let name = &*letters.to_ascii_lowercase();
            if TOO_OFTEN.contains(&name) {
                Some(Problem::Later)
            } else {
                UNWELL.contains(&name).then_some(Problem::Unavailable)
            }
        }
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
    let wait = match answer.retry_after() {
        Some(wait) => format!(" for {} s", wait.as_secs()),
        None => String::new(),
    };
    match problem {
        Problem::Refused => {
            format!("{endpoint} refused {sent}{said}{}", refusal(answer.code(), sent.look_at_client))
        }
        Problem::Unavailable if wait.is_empty() => format!("{endpoint} isn't working: {sent} failed{said}"),
        Problem::Unavailable => {
            format!("{endpoint} isn't working, and asks to be left alone{wait}: {sent} failed{said}")
        }
        Problem::Later => format!("{endpoint} asks to be left alone{wait}{said}; it was asked by {sent}"),
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
        Problem::Missing => format!("{endpoint} was not found by {sent}{said}; check the url"),
        Problem::NotAccepted => {
            let hint = match answer.status.as_u16() {
                405 => "check the method, and the url",
                406 | 415 => "check whether it takes a form or json, and which headers",
                411 => "it wants Content-Length, which the client has to send",
                417 => "something on the way adds Expect, which it doesn't know",
                426 => "it wants another protocol",
                428 => "check which headers it wants",
                _ => "the request is too large for it",
            };
            format!("{endpoint} doesn't take a request like {sent}{said}; {hint}")
        }
        Problem::Blocked => format!(
            "{endpoint}, or a firewall in front of it, doesn't let {sent} through{said}; check whether this \
             machine's address and the request's headers are allowed there, and what the account may do"
        ),
        Problem::ProxyRefused => format!(
            "a proxy in front of {endpoint} wants credentials of its own, so {sent} didn't get there; check which \
             proxy the client uses"
        ),
        Problem::Undeclared => format!(
            "{endpoint} refused {sent} in words that nobody has declared{said}; check credentials and url, and declare \
             whether such an answer is a refusal or means later"
        ),
        Problem::TokenType => {
            let token_type = answer.odd_token_type().unwrap_or_default();
            let (shown, hint) = (
                redactor.clean(&token_type),
                if is_bound(&token_type) {
                    "it is bound to a key, and never sent as a bearer token; ask for one that isn't"
                } else {
                    "if the vendor uses it as a bearer token, name it with token_type"
                },
            );
            format!("{endpoint} answered {sent} with a token of the type \"{shown}\"; {hint}")
        }
        Problem::Nonsense(what, look_at) => {
            format!("{endpoint} {what}{said}; it was asked by {sent}{look_at}")
        }
    }
}

/// What to look at where the credentials were refused.
fn refusal(code: Option<ErrorCode>, client: &str) -> String {
    let look_at = match code {
        Some(ErrorCode::InvalidClient) => client,
        Some(ErrorCode::InvalidGrant) => "the password, assertion or refresh token",
        Some(ErrorCode::UnauthorizedClient) => "what the client may use",
        Some(ErrorCode::UnsupportedGrantType) => "the grant",
        Some(ErrorCode::InvalidScope) => "the scope",
        Some(ErrorCode::InvalidTarget) => "resource and audience",
        Some(ErrorCode::InvalidRequest) => "the request's parameters",
        _ => return String::new(),
    };
    format!("; check {look_at}")
}

/// Method and URL of a request, without the query, in which there may be secrets.
pub(super) struct Sent {
    line: String,
    look_at_client: &'static str,
}

impl Sent {
    pub(super) fn of<B>(request: &TokenRequest, rendered: &http::Request<B>) -> Self {
        Self::at(request, rendered.method(), rendered.uri())
    }

    /// As if it had been sent.
    pub(super) fn at(request: &TokenRequest, method: &Method, uri: &Uri) -> Self {
        let line = format!("{method} {}", without_query(uri));
        Self { line, look_at_client: request.look_at_client() }
    }
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

/// Where a redirect leads, as far as that may be shown.
fn target(answer: &Answer<'_>, redactor: &Redactor) -> Option<String> {
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    let location = location.split(['?', '#']).next().unwrap_or_default();
    // What is before an `@` may be a password.
    let is_fit = !location.contains('@') && location.parse::<Uri>().is_ok();
    is_fit.then(|| redactor.clean(location)).filter(|location| !location.is_empty())
}

fn without_query(uri: &Uri) -> String {
    let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority());
    format!("{scheme}://{}{}", authority.map_or("", |authority| authority.as_str()), uri.path())
}
