//! [`near`]: how a credential asks the metadata service of its own machine, and nothing else.
//!
//! [`Client`](super::Client) never connects to such a service. What does is made here for one host, never leaves the
//! credential that it was made for, and goes neither through a proxy nor to where a redirect leads.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use bytes::Bytes;
use http::{Request, Response, uri::Authority};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{
        self,
        connect::{
            Connect, HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::TokioExecutor,
};
use tower_service::Service;

use super::{
    connect::tcp,
    error::ClientError,
    guard::{FarHost, Guard, InwardHost, Reach},
};
use crate::{
    error::BoxError,
    transport::{
        erased::{Read, Transport},
        outward::Outward,
    },
};

/// How long a connection may take. What is on the link answers at once, or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Sends requests to `authority` alone, over `http`, as long as that is near. Of its answers `read` makes what they are to be
/// taken for.
pub(crate) fn near(authority: Authority, read: fn(Response<Bytes>) -> Read) -> Transport {
    Transport::reading(Near::new(authority, GaiResolver::new()), read)
}

/// Whether nothing can be asked at `host`, as it stands in a URL, since it surely isn't near.
pub(crate) fn is_out_of_reach(host: &str) -> bool {
    Reach::Near.check_host(host).is_err()
}

/// A client that knows one host.
#[derive(Clone)]
struct Near<R> {
    authority: Authority,
    pool: legacy::Client<HttpConnector<Guard<R>>, Full<Bytes>>,
}

impl<R> Near<R>
where
    R: Service<Name> + Clone + Send + Sync + 'static,
    R::Response: Iterator<Item = SocketAddr>,
    R::Error: Into<BoxError>,
    R::Future: Send + 'static,
    Guard<R>: Service<Name, Response = vec::IntoIter<SocketAddr>>,
    HttpConnector<Guard<R>>: Connect,
{
    fn new(authority: Authority, resolver: R) -> Self {
        let mut connector = tcp(Guard::new(resolver, Reach::Near), CONNECT_TIMEOUT);
        connector.enforce_http(true);
        // It is asked once an hour, and a service that is being updated hangs up.
        let pool = legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { authority, pool }
    }

    /// Whether the request may go where it is to.
    fn check<B>(&self, request: &Request<B>) -> Result<(), BoxError> {
        // A tenant's data may have chosen the credential's host, and what is near is none of its business.
        if request.extensions().get::<Outward>().is_some() {
            return Err(InwardHost.into());
        }
        let uri = request.uri();
        if uri.scheme_str() != Some("http") || uri.authority() != Some(&self.authority) {
            return Err(FarHost.into());
        }
        // Of a literal address no resolver is asked.
        Reach::Near.check_host(self.authority.host())
    }
}

impl<R> Service<Request<Full<Bytes>>> for Near<R>
where
    R: Service<Name> + Clone + Send + Sync + 'static,
    R::Response: Iterator<Item = SocketAddr>,
    R::Error: Into<BoxError>,
    R::Future: Send + 'static,
    Guard<R>: Service<Name, Response = vec::IntoIter<SocketAddr>>,
    HttpConnector<Guard<R>>: Connect + Clone + Send + Sync + 'static,
{
    type Response = Response<Incoming>;
    type Error = ClientError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ClientError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        if let Err(error) = self.check(&request) {
            return Box::pin(async { Err(ClientError::out_of_reach(error)) });
        }
        let answer = self.pool.request(request);
        Box::pin(async { answer.await.map_err(ClientError::from) })
    }
}

#[cfg(test)]
mod tests;
