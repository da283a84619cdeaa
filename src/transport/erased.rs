//! [`Transport`]: any HTTP client with its type erased, and one request with its whole answer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower_service::Service;

use super::{cause::tell_cause, content_length::say_no_content, io_cause::io_cause, outward::mark};
use crate::error::{AcquireError, AcquireErrorKind, BoxError};

/// The longest answer that is read, in bytes, before and after whatever decoding the client does.
pub(super) const MAX_ANSWER: usize = 1024 * 1024;

/// The HTTP client with which credentials obtain tokens.
///
/// Any `Clone` Tower service will do, the authenticated client included: token requests carry a mark that makes
/// the layer pass them through untouched, so that it can't recurse. The client must not follow redirects, or it
/// would hand the secrets in a token request to whomever the redirect names.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use tower_reauth::Transport;
/// # fn client() -> impl tower_service::Service<
/// #     http::Request<Full<Bytes>>,
/// #     Response = http::Response<Full<Bytes>>,
/// #     Error = std::io::Error,
/// #     Future = std::future::Ready<Result<http::Response<Full<Bytes>>, std::io::Error>>,
/// # > + Clone + Send + 'static {
/// #     tower::service_fn(|_| std::future::ready(Ok(http::Response::default())))
/// # }
/// let transport = Transport::new(client());
/// ```
#[derive(Clone)]
pub struct Transport {
    client: Arc<dyn Exchange>,
}

impl Transport {
    /// Wraps `client`.
    pub fn new<S, B, R>(client: S) -> Self
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: From<Bytes> + Send + 'static,
        R: Body + Send + 'static,
        R::Data: Send,
        R::Error: Into<BoxError>,
    {
        Self::reading(client, Ok)
    }

    /// Wraps `client`, of whose answers `read` makes what they are to be taken for.
    pub(super) fn reading<S, B, R>(client: S, read: fn(Response<Bytes>) -> Read) -> Self
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: From<Bytes> + Send + 'static,
        R: Body + Send + 'static,
        R::Data: Send,
        R::Error: Into<BoxError>,
    {
        let client = Mutex::new(client);
        let make = move || client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let exchange = move |request| -> Answer {
            let answered = exchange(make(), request);
            Box::pin(async move { answered.await.and_then(read) })
        };
        Self { client: Arc::new(exchange) }
    }

    /// Sends one request and reads the whole answer, at most 1 MiB of it.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Read {
        request.extensions_mut().insert(TokenRequest);
        mark(request.extensions_mut());
        if request.body().is_empty() {
            say_no_content(&mut request);
        }
        (self.client)(request).await
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// The request extension that marks a credential's own request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenRequest;

/// A whole answer, or why there is none.
pub(crate) type Read = Result<Response<Bytes>, AcquireError>;

type Answer = Pin<Box<dyn Future<Output = Read> + Send>>;

/// The client without its type.
trait Exchange: Fn(Request<Bytes>) -> Answer + Send + Sync {}
impl<F: Fn(Request<Bytes>) -> Answer + Send + Sync> Exchange for F {}

async fn exchange<S, B, R>(mut client: S, request: Request<Bytes>) -> Read
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: From<Bytes>,
    R: Body,
    R::Error: Into<BoxError>,
{
    std::future::poll_fn(|cx| client.poll_ready(cx))
        .await
        .map_err(|error| failed("the client for token requests is not ready", error.into()))?;
    let host = host_of(request.uri());
    let unanswered = |error: S::Error| {
        failed(&format!("the token request to {host} could not be sent or was not answered"), error.into())
    };
    let response = client.call(request.map(B::from)).await.map_err(unanswered)?;
    let (head, body) = response.into_parts();
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long()),
        Err(error) => Err(failed("the token endpoint's answer broke off", error)),
    }
}

/// Host and port, by which a URL is known without anything that may be a secret.
fn host_of(uri: &Uri) -> String {
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}

pub(super) fn too_long() -> AcquireError {
    AcquireError::transient("the token endpoint's answer is longer than 1 MiB")
}

/// What happened, and why if that is known: whoever sees this text alone shall know what to look at.
fn failed(what: &str, mut error: BoxError) -> AcquireError {
    let told = tell_cause(&mut error)
        .or_else(|| io_cause(&*error).map(|cause| (AcquireErrorKind::Transient, cause)));
    match told {
        Some((kind, cause)) => AcquireError::new(kind, format!("{what}: {cause}")),
        None => AcquireError::transient(what),
    }
    .with_source(error)
}
