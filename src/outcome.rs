//! What the layer says of a response, as extensions of it: [`AuthOutcome`], and [`TrailersOutcome`] for what is known
//! only when its trailers come.

use std::sync::{Arc, OnceLock};

use crate::{AuthError, Verdict, signature::Finding};

/// A response extension that says what the layer did, or why it did nothing.
///
/// It is there only if something happened: a rule matched, the request was replayed, or a rule wanted a body that
/// it couldn't read. An ordinary answer to an ordinary request has none.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthOutcome, Verdict};
///
/// fn report<B>(response: &http::Response<B>) {
///     if let Some(outcome) = response.extensions().get::<AuthOutcome>() {
///         if outcome.verdict() == Verdict::Expired {
///             eprintln!("still expired; the vendor says {:?}, we {:?}", outcome.reason(), outcome.error());
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct AuthOutcome {
    verdict: Verdict,
    reason: Option<Arc<str>>,
    refreshed: bool,
    replayed: bool,
    not_replayed: Option<NotReplayed>,
    error: Option<AuthError>,
    unread: Option<Unread>,
}

/// Why a rejected request was not sent again. A new token is acquired all the same, for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotReplayed {
    /// Its body wasn't kept, or broke off.
    Body,
    /// Its body is longer than [`record_bodies`](crate::AuthLayer::record_bodies) allows for.
    BodyTooLong,
    /// The answer came while its body was still being sent.
    BodyUnfinished,
    /// It is exempt, by [`Exempt::FromReplay`](crate::Exempt::FromReplay).
    Exempt,
    /// It asks for another protocol on the connection.
    Upgrade,
    /// The rejecting response is too long, or too slow, to be set aside while a new token is acquired.
    Response,
    /// It was sent with a token that was known to be rejected, because acquiring is paused.
    Paused,
    /// The rejection is in the trailers, which come when the response has been handed out.
    Trailers,
}

/// Why a body that a rule wanted to see was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unread {
    /// It has a content coding. Put decompression beneath this layer.
    Encoded,
    /// It is longer than the byte cap, or comes in more than 1024 frames.
    TooLong,
    /// It took longer than the time cap.
    TooSlow,
    /// It broke off.
    BrokenOff,
}

impl AuthOutcome {
    pub(crate) fn new(finding: Finding) -> Self {
        Self { verdict: finding.verdict, reason: finding.reason.map(Arc::from), ..Self::default() }
    }

    pub(crate) fn with_replayed(mut self) -> Self {
        self.refreshed = true;
        self.replayed = true;
        self
    }

    pub(crate) fn with_not_replayed(mut self, why: Option<NotReplayed>) -> Self {
        self.not_replayed = why;
        self
    }

    pub(crate) fn with_refresh(mut self, refresh: Result<(), AuthError>) -> Self {
        self.refreshed = refresh.is_ok();
        self.error = refresh.err();
        self
    }

    pub(crate) fn with_unread(mut self, why: Option<Unread>) -> Self {
        self.unread = why;
        self
    }

    /// Whether there is anything to say.
    pub(crate) fn is_telling(&self) -> bool {
        self.verdict != Verdict::Accepted || self.replayed || self.unread.is_some()
    }

    /// What this response says of the token that its request carried.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The vendor's own words, where a rule captured them: a message, an incident's id.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Whether the token that the request was first sent with has been replaced, or is being replaced now.
    #[must_use]
    pub fn refreshed(&self) -> bool {
        self.refreshed
    }

    /// Whether this is the answer to a replay with a refreshed token.
    #[must_use]
    pub fn replayed(&self) -> bool {
        self.replayed
    }

    /// Why the rejected request was not sent again, where that is not because of [`error`](Self::error).
    #[must_use]
    pub fn not_replayed(&self) -> Option<NotReplayed> {
        self.not_replayed
    }

    /// Why there was no new token to replay the request with.
    #[must_use]
    pub fn error(&self) -> Option<&AuthError> {
        self.error.as_ref()
    }

    /// Why a rule's wish to see the body wasn't granted.
    #[must_use]
    pub fn unread(&self) -> Option<Unread> {
        self.unread
    }
}

/// A response extension that says, once the trailers have come, what they said of the token and what was done.
///
/// Every response has it whose trailers a [rule](crate::signature::trailer) waits for. Take a clone before the body is
/// read. Whoever needs not know can do without: the next request has a new token.
///
/// # Examples
///
/// ```
/// use http_body_util::BodyExt;
/// use tower_reauth::{AuthOutcome, NotReplayed, TrailersOutcome};
///
/// # async fn example(response: http::Response<http_body_util::Empty<bytes::Bytes>>) {
/// let (head, body) = response.into_parts();
/// let all = body.collect().await;
/// let late = head.extensions.get().and_then(TrailersOutcome::outcome);
/// if late.and_then(AuthOutcome::not_replayed) == Some(NotReplayed::Trailers) {
///     eprintln!("the token expired meanwhile; the next call has a new one");
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrailersOutcome {
    outcome: Arc<OnceLock<AuthOutcome>>,
}

impl TrailersOutcome {
    /// What the trailers said. `None` until they have come; if the body ends without them, the token was accepted.
    #[must_use]
    pub fn outcome(&self) -> Option<&AuthOutcome> {
        self.outcome.get()
    }

    /// The first one counts.
    pub(crate) fn set(&self, outcome: AuthOutcome) {
        self.outcome.get_or_init(|| outcome);
    }
}
