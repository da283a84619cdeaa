//! What is kept of a request so that it can be sent again.

mod head;

use std::fmt;

pub(crate) use head::KeptHead;

/// How request bodies are kept for a replay: the layer's type parameter.
///
/// [`CloneBodies`] is the default. A strategy may send another type of body than it is given.
#[diagnostic::on_unimplemented(
    message = "a request body of type `{B}` can't be kept for a replay by `{Self}`",
    label = "this body can't be sent twice",
    note = "`AuthLayer` clones bodies by default: use one that is `Clone`, such as `Full<Bytes>`",
    note = "for any other body call `.no_replay()` on the layer"
)]
pub trait Keep<B> {
    /// The body that is sent.
    type Sent;
    /// What is kept of it.
    type Kept;

    /// Takes a body apart into what is sent and what is kept; nothing is kept if it can't be replayed.
    fn keep(&self, body: B) -> (Self::Sent, Option<Self::Kept>);

    /// The body of a request that will not be replayed.
    fn pass(&self, body: B) -> Self::Sent;

    /// The same body once more, whole, or nothing.
    fn again(&self, kept: Self::Kept) -> Option<Self::Sent>;
}

/// Keeps a clone of the body. The body's type stays what it is.
///
/// A clone must be a body of its own that starts at the beginning, as `Full<Bytes>` and `Empty` are.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneBodies;

#[diagnostic::do_not_recommend]
impl<B: Clone> Keep<B> for CloneBodies {
    type Sent = B;
    type Kept = B;

    fn keep(&self, body: B) -> (B, Option<B>) {
        let kept = body.clone();
        (body, Some(kept))
    }

    fn pass(&self, body: B) -> B {
        body
    }

    fn again(&self, kept: B) -> Option<B> {
        Some(kept)
    }
}

/// Keeps nothing: no request is sent twice, and any body will do. A rejected token is replaced all the same, for
/// the next request.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReplay;

impl<B> Keep<B> for NoReplay {
    type Sent = B;
    type Kept = std::convert::Infallible;

    fn keep(&self, body: B) -> (B, Option<Self::Kept>) {
        (body, None)
    }

    fn pass(&self, body: B) -> B {
        body
    }

    fn again(&self, kept: Self::Kept) -> Option<B> {
        match kept {}
    }
}

/// A request extension that exempts a request from what the layer does.
///
/// # Examples
///
/// ```
/// use tower_reauth::Exempt;
///
/// let login = http::Request::post("https://api.example.com/login").extension(Exempt::FromAuthentication).body(());
/// let order = http::Request::post("https://api.example.com/orders").extension(Exempt::FromReplay).body(());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exempt {
    /// The request passes through without a token, and its answer without inspection.
    FromAuthentication,
    /// The request carries a token, but is sent once only.
    FromReplay,
}

/// A request as it can be sent again.
pub(crate) struct KeptRequest<T> {
    pub(crate) head: KeptHead,
    pub(crate) body: T,
}

impl<T> fmt::Debug for KeptRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptRequest").finish_non_exhaustive()
    }
}
