//! [`Answers`]: who answers the requests that come in.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tower_reauth::BoxError;

/// Where a request came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The address that was connected to. `None` is a Unix socket, which no web page can reach.
    pub(crate) at: Option<SocketAddr>,
}

/// Answers requests. One value is asked by all connections at once.
///
/// A future is dropped when its client has gone away, and nothing is then done any more on its behalf.
pub(crate) trait Answers: Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;

    fn answer(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}
