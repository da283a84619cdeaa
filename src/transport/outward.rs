//! [`Outward`]: a mark on requests whose destination somebody else has chosen. A client that knows it doesn't connect to what
//! is reached from inside alone, whatever name leads there.

use http::Extensions;

/// The mark, as a request extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outward;

tokio::task_local! {
    /// Token requests that are sent within have the mark.
    static OUTWARD: Outward;
}

/// Has each token request that `future` sends be marked.
#[allow(dead_code, reason = "where there is one credential, the program has chosen")]
pub(crate) async fn outwards<F: Future>(future: F) -> F::Output {
    OUTWARD.scope(Outward, future).await
}

/// Marks a token request that is sent within [`outwards`].
pub(super) fn mark(extensions: &mut Extensions) {
    if let Ok(outward) = OUTWARD.try_with(|outward| *outward) {
        extensions.insert(outward);
    }
}
