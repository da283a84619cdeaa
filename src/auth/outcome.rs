//! What the layer says of a response, as extensions of it: [`AuthOutcome`], and [`TrailersOutcome`] for what is known
//! only when its trailers come.

use std::sync::{Arc, OnceLock};

use http::{Extensions, Response, StatusCode};

use crate::{
    body::{PeekBody, Unread},
    error::AuthError,
    keep::NotReplayed,
    observe::Passed,
    signature::{Finding, Verdict},
};

/// A response extension that says what the layer did, or why it did nothing.
///
/// It is there only if something happened: a rule matched, the request was replayed, a rule wanted a body that it
/// couldn't read, or a 401 answers a request that [passed](Self::passed). An ordinary answer to an ordinary request has
/// none.
///
/// Where several layers are in one stack, it is that of the one whose token the request carried.
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
    passed: Option<Passed>,
}

impl AuthOutcome {
    pub(super) fn new(finding: Finding) -> Self {
        Self { verdict: finding.verdict, reason: finding.reason.map(Arc::from), ..Self::default() }
    }

    pub(super) fn with_replayed(mut self) -> Self {
        self.refreshed = true;
        self.replayed = true;
        self
    }

    pub(super) fn with_not_replayed(mut self, why: Option<NotReplayed>) -> Self {
        self.not_replayed = why;
        self
    }

    pub(super) fn with_refresh(mut self, refresh: Result<(), AuthError>) -> Self {
        self.refreshed = refresh.is_ok();
        self.error = refresh.err();
        self
    }

    pub(super) fn with_unread(mut self, why: Option<Unread>) -> Self {
        self.unread = why;
        self
    }

    /// Whether there is anything to say.
    pub(super) fn is_telling(&self) -> bool {
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

    /// Why the request carried no token of this layer's, and nobody looked at its answer. It is said on a 401 alone,
    /// which a token might have kept from coming.
    #[must_use]
    pub fn passed(&self) -> Option<Passed> {
        self.passed
    }
}

/// A mark on a 401 to a request that carried the token of a layer which has nothing more to say of it. Without it, a
/// layer above that let the request pass would take its own word for the last one.
#[derive(Clone, Copy, Debug)]
struct Authenticated;

/// The answer to a request that passed, with what is to be said of that.
#[inline]
pub(super) fn passed<R>(mut response: Response<R>, why: Option<Passed>) -> Response<PeekBody<R>> {
    if response.status() == StatusCode::UNAUTHORIZED {
        say_passed(response.extensions_mut(), why);
    }
    response.map(PeekBody::plain)
}

/// Says on a 401 why its request passed, if that is to be said and nobody beneath knows better.
#[cold]
fn say_passed(extensions: &mut Extensions, why: Option<Passed>) {
    if why.is_some()
        && extensions.get::<AuthOutcome>().is_none()
        && extensions.get::<Authenticated>().is_none()
    {
        extensions.insert(AuthOutcome { passed: why, ..AuthOutcome::default() });
    }
}

/// Marks a 401 to a request that carried a token, in place of what a layer beneath says that let it pass.
#[cold]
pub(super) fn mark_authenticated(extensions: &mut Extensions) {
    if extensions.get().and_then(AuthOutcome::passed).is_some() {
        extensions.remove::<AuthOutcome>();
    }
    extensions.insert(Authenticated);
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
    pub(super) fn set(&self, outcome: AuthOutcome) {
        self.outcome.get_or_init(|| outcome);
    }
}
