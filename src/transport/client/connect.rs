//! [`Connector`]: how a connection is made, by TCP, maybe a proxy, and TLS, all of it within one bound.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connection, HttpConnector, dns::GaiResolver};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use super::{
    guard::{Guard, Reach},
    last_words::LastWords,
    link::Link,
    moving::Moving,
    prior::{NotHttp2, Prior},
    proxy::{Proxies, Proxy},
    proxy_error::{Fault, ProxyError},
    tls::{Tls, Versions},
    tunnel::tunnel,
};
use crate::{error::BoxError, observe::tell_tunnel, time::after};

/// How long a connection may be silent before TCP probes it, and the pause between probes.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// Connects to `http` and `https`, or fails in time.
pub(super) struct Connector<R = GaiResolver> {
    steps: Arc<Steps<R>>,
    write_timeout: Option<Duration>,
}

struct Steps<R> {
    tcp: HttpConnector<Guard<R>>,
    /// To proxies, which the program has chosen.
    to_proxies: HttpConnector<Guard<R>>,
    reach: Reach,
    tls: Tls,
    proxies: Proxies,
    versions: Versions,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(
        tls: Tls,
        proxies: Proxies,
        versions: Versions,
        timeout: Duration,
        reach: Reach,
    ) -> Self {
        Self::resolving(GaiResolver::new(), tls, proxies, versions, timeout, reach)
    }
}

impl<R: Clone> Connector<R> {
    /// One that has names resolved by `resolver`.
    pub(super) fn resolving(
        resolver: R,
        tls: Tls,
        proxies: Proxies,
        versions: Versions,
        timeout: Duration,
        reach: Reach,
    ) -> Self {
        let to_proxies = tcp(Guard::new(resolver.clone(), Reach::Anywhere), timeout);
        let tcp = tcp(Guard::new(resolver, reach), timeout);
        let steps = Steps { tcp, to_proxies, reach, tls, proxies, versions, timeout };
        Self { steps: Arc::new(steps), write_timeout: None }
    }

    /// The same, with a bound for connections that are there: on how long nothing may move while something is to be written.
    pub(super) fn write_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.write_timeout = timeout;
        self
    }
}

/// A connector to TCP alone.
pub(super) fn tcp<R>(resolver: Guard<R>, timeout: Duration) -> HttpConnector<Guard<R>> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    // The bound below would let the first of several addresses use up all the time; this one divides it.
    tcp.set_connect_timeout(Some(timeout));
    tcp
}

impl<R> Clone for Connector<R> {
    fn clone(&self) -> Self {
        Self { steps: Arc::clone(&self.steps), ..*self }
    }
}

/// What HTTP is spoken over.
pub(super) type Stream = MaybeHttpsStream<Prior<Link>>;

impl<R> Service<Uri> for Connector<R>
where
    HttpConnector<Guard<R>>: Tcp,
    R: Send + Sync + 'static,
{
    type Response = LastWords<Moving<Stream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<LastWords<Moving<Stream>>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (steps, write_timeout) = (Arc::clone(&self.steps), self.write_timeout);
        Box::pin(async move {
            let stream = steps.connect(uri).await?;
            Ok(LastWords::of(Moving::new(stream, write_timeout)))
        })
    }
}

/// hyper-util's connector to TCP, whatever its resolver.
pub(super) trait Tcp {
    /// Connects to the host and the port of `uri`.
    fn link(&self, uri: Uri) -> impl Future<Output = Result<Link, BoxError>> + Send;
}

impl<R> Tcp for HttpConnector<Guard<R>>
where
    Self: Service<Uri, Response = hyper_util::rt::TokioIo<tokio::net::TcpStream>> + Clone + Send + Sync,
    <Self as Service<Uri>>::Error: Into<BoxError>,
    <Self as Service<Uri>>::Future: Send,
{
    fn link(&self, uri: Uri) -> impl Future<Output = Result<Link, BoxError>> + Send {
        // It is always ready.
        let connecting = self.clone().call(uri);
        async move { connecting.await.map(Link::Tcp).map_err(Into::into) }
    }
}

impl<R> Steps<R>
where
    HttpConnector<Guard<R>>: Tcp,
{
    async fn connect(&self, uri: Uri) -> Result<Stream, BoxError> {
        let Some("http" | "https") = uri.scheme_str() else {
            return Err(io::Error::other("the scheme is neither http nor https").into());
        };
        uri.host().map_or(Ok(()), |host| self.reach.check_host(host))?;
        let deadline = after(Instant::now(), self.timeout);
        let stream = match self.proxies.find(&uri) {
            None => {
                let connecting = async { self.tls(self.tcp.link(uri.clone()).await?, &uri).await };
                timeout_at(deadline, connecting).await.map_err(|_| self.timed_out())??
            }
            Some(proxy) => {
                let failed = |fault| ProxyError::new(proxy.name(), fault);
                tell_tunnel(proxy.name(), &uri);
                let tunnel = timeout_at(deadline, self.tunnel(&proxy, &uri))
                    .await
                    .unwrap_or(Err(Fault::TimedOut))
                    .map_err(failed)?;
                timeout_at(deadline, self.tls(tunnel, &uri))
                    .await
                    .unwrap_or_else(|_| Err(self.timed_out().into()))
                    .map_err(|error| failed(Fault::Within(error)))?
            }
        };
        let is_tls = matches!(stream, MaybeHttpsStream::Https(_));
        if self.versions == Versions::Http2 && is_tls && !stream.connected().is_negotiated_h2() {
            return Err(NotHttp2.into());
        }
        Ok(stream)
    }

    /// Through `proxy` to the host and port of `origin`.
    async fn tunnel(&self, proxy: &Proxy, origin: &Uri) -> Result<Link, Fault> {
        let link = self.to_proxies.link(proxy.uri().clone()).await.map_err(Fault::Unreachable)?;
        let stream = secure(Prior::none(link), proxy.uri(), &self.tls.proxies).await;
        tunnel(stream.map_err(Fault::Unreachable)?, proxy, origin).await.map(Link::Tunnel)
    }

    async fn tls(&self, link: Link, uri: &Uri) -> Result<Stream, BoxError> {
        let link = match self.versions {
            // Over TLS both have said what they speak.
            Versions::Http2 if uri.scheme_str() == Some("http") => Prior::knowledge(link),
            Versions::Http2 | Versions::Http1 | Versions::Negotiated => Prior::none(link),
        };
        secure(link, uri, &self.tls.servers).await
    }

    fn timed_out(&self) -> io::Error {
        let message = format!("not connected within {:?}, TLS handshake included", self.timeout);
        io::Error::new(io::ErrorKind::TimedOut, message)
    }
}

/// Over `link`, TLS with the host of `uri` if that is `https`.
async fn secure(link: Prior<Link>, uri: &Uri, tls: &Arc<ClientConfig>) -> Result<Stream, BoxError> {
    HttpsConnector::from((Connected(Some(link)), Arc::clone(tls))).call(uri.clone()).await
}

/// A connection that is there already, for a connector that wants to make one. It is handed out once.
struct Connected(Option<Prior<Link>>);

impl Service<Uri> for Connected {
    type Response = Prior<Link>;
    type Error = io::Error;
    type Future = Ready<io::Result<Prior<Link>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests;
