//! [`Keep`]: how request bodies are kept for a replay, and the two strategies that are simple.

use super::not_replayed::NotReplayed;

/// How request bodies are kept for a replay: the layer's type parameter.
///
/// [`CloneBodies`] is the default; [`RecordBodies`](crate::RecordBodies) and [`NoReplay`] are chosen on the layer. A
/// strategy may send another type of body than it is given.
///
/// For one request either [`pass`](Self::pass) is called, or [`keep`](Self::keep) and then, at most once, when the
/// answer has rejected the token, [`again`](Self::again). None of them may block. What is kept and not asked for
/// again is dropped with the response future.
#[diagnostic::on_unimplemented(
    message = "a request body of type `{B}` can't be kept for a replay by `{Self}`",
    label = "this body can't be sent twice",
    note = "`AuthLayer` clones bodies by default, which takes a body that is `Clone`, such as `Full<Bytes>`",
    note = "for any other body call `.record_bodies(RecordBodies::DEFAULT_LIMIT)` on the layer, or `.no_replay()`"
)]
pub trait Keep<B> {
    /// The body that is sent.
    type Sent;
    /// What is kept of it.
    type Kept;

    /// Takes a body apart into what is sent and what is kept, or why nothing is.
    fn keep(&self, body: B) -> (Self::Sent, Result<Self::Kept, NotReplayed>);

    /// The body of a request that will not be replayed.
    fn pass(&self, body: B) -> Self::Sent;

    /// The same body once more, whole.
    ///
    /// # Errors
    ///
    /// Why it can't be had.
    fn again(&self, kept: Self::Kept) -> Result<Self::Sent, NotReplayed>;
}

/// Keeps a clone of the body. The body's type stays what it is.
///
/// A clone must be a body of its own that starts at the beginning, as `Full<Bytes>` and `Empty` are.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneBodies;

// So that the compiler names `Keep`, which says what to do, and not `Clone`, which nobody can add to a foreign body.
#[diagnostic::do_not_recommend]
impl<B: Clone> Keep<B> for CloneBodies {
    type Sent = B;
    type Kept = B;

    fn keep(&self, body: B) -> (B, Result<B, NotReplayed>) {
        let kept = body.clone();
        (body, Ok(kept))
    }

    fn pass(&self, body: B) -> B {
        body
    }

    fn again(&self, kept: B) -> Result<B, NotReplayed> {
        Ok(kept)
    }
}

/// Keeps nothing: no request is sent twice, and any body will do. A rejected token is replaced all the same, for
/// the next request.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReplay;

impl<B> Keep<B> for NoReplay {
    type Sent = B;
    type Kept = std::convert::Infallible;

    fn keep(&self, body: B) -> (B, Result<Self::Kept, NotReplayed>) {
        (body, Err(NotReplayed::Body))
    }

    fn pass(&self, body: B) -> B {
        body
    }

    fn again(&self, kept: Self::Kept) -> Result<B, NotReplayed> {
        match kept {}
    }
}
