//! [`Client`]: the connection pool as a Tower service.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use tower_service::Service;

use super::{
    super::{content_length::say_no_content, erased::Transport, outward::Outward},
    connect::Connector,
    decode::decoded,
    error::ClientError,
    uploads::Upload,
};
use crate::error::BoxError;

/// An HTTPS client with a connection pool, as a Tower service. Clones are cheap and share the pool.
///
/// See the [module](crate::client) for what it does and what it leaves to others.
///
/// # Examples
///
/// ```no_run
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use tower::{Service, ServiceExt};
/// use tower_reauth::{Client, Transport};
///
/// # async fn run() -> Result<(), tower_reauth::BoxError> {
/// let mut client = Client::new()?;
/// let transport = Transport::from(client.clone());
///
/// let request = http::Request::get("https://api.example.com/videos").body(Full::<Bytes>::default())?;
/// let response = client.ready().await?.call(request).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// The futures that it returns panic when they are polled outside a Tokio runtime with I/O and time enabled.
pub struct Client<B = Full<Bytes>> {
    pools: Arc<Pools<B>>,
}

/// One for all that the program asks, and one for where [somebody else](Outward) has chosen whom to ask: they share no
/// connection.
struct Pools<B> {
    anywhere: legacy::Client<Connector, Upload<B>>,
    outwards: legacy::Client<Connector, Upload<B>>,
    watches_uploads: bool,
}

impl<B> Client<B> {
    pub(super) fn over(
        anywhere: legacy::Client<Connector, Upload<B>>,
        outwards: legacy::Client<Connector, Upload<B>>,
        watches_uploads: bool,
    ) -> Self {
        Self { pools: Arc::new(Pools { anywhere, outwards, watches_uploads }) }
    }
}

impl<B> Clone for Client<B> {
    fn clone(&self) -> Self {
        Self { pools: Arc::clone(&self.pools) }
    }
}

impl<B> fmt::Debug for Client<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for Client<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Incoming>;
    type Error = ClientError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> ResponseFuture {
        if request.body().is_end_stream() {
            say_no_content(&mut request);
        }
        let uri = request.uri();
        let names_a_server = uri.scheme().is_some() && uri.authority().is_some();
        if names_a_server || request.method() == Method::CONNECT {
            let pool = match request.extensions().get() {
                Some(Outward) => &self.pools.outwards,
                None => &self.pools.anywhere,
            };
            let request = request.map(|body| Upload::of(body, self.pools.watches_uploads));
            ResponseFuture { state: State::Sent(pool.request(request)) }
        } else {
            ResponseFuture { state: State::Refused(Some(ClientError::relative(uri))) }
        }
    }
}

/// Answers that are encoded, though nobody asked for that, are decoded: `gzip`, `deflate` and `br`, up to three of them
/// in a row, and up to 1 MiB.
impl<B> From<Client<B>> for Transport
where
    B: Body + From<Bytes> + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn from(client: Client<B>) -> Self {
        Self::reading(client, decoded)
    }
}

/// The future of [`Client`]: the response's head, with the body to be streamed.
///
/// # Cancel safety
///
/// Dropping it gives the request up. An HTTP/1.1 connection is closed then; on HTTP/2 only the stream is reset.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    state: State,
}

enum State {
    Sent(legacy::ResponseFuture),
    /// The request can't be sent. `None` once that was said.
    Refused(Option<ClientError>),
}

impl Future for ResponseFuture {
    type Output = Result<Response<Incoming>, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Sent(sent) => Pin::new(sent).poll(cx).map_err(ClientError::from),
            State::Refused(error) => Poll::Ready(Err(error.take().expect("polled after it was done"))),
        }
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
