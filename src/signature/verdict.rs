//! [`Verdict`], and what the layer is told beside it.

use http::{HeaderMap, StatusCode};

/// What a response says of the token that the request carried.
///
/// # Examples
///
/// ```
/// use http::{Response, StatusCode};
/// use tower_reauth::{Rule, Signatures, Verdict};
///
/// let signatures = Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED));
/// assert_eq!(signatures.verdict(&Response::new("")), Verdict::Accepted);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// No rule objects.
    #[default]
    Accepted,
    /// The token has expired: refresh it and replay the request.
    Expired,
    /// The token is dead and can't be refreshed: acquire a new one and replay the request.
    Invalid,
    /// The request is refused for a reason that no new token would cure.
    Denied,
}

/// The part of a response that is known before its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
}

/// What the head alone says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Screening {
    /// The verdict is known.
    Done(Finding),
    /// A rule that comes first wants to see the body.
    NeedsBody,
}

/// A verdict, and the vendor's own words for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<Box<str>>,
}
