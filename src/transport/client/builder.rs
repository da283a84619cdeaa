//! What can be set on a [`Client`]: whom it trusts, who it is, its way and its bounds.

use std::{env, fmt, time::Duration};

use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{
    connect::Connector,
    environment,
    guard::Reach,
    identity::Identity,
    pool::Client,
    proxy::Proxies,
    roots::Roots,
    tls::{Tls, Versions},
    uploads::Uploads,
};
use crate::error::{ConfigError, ConfigErrorKind};

/// How long a HTTP/2 connection may be silent before it is pinged, and how long the answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the head of an answer over HTTP/2 may be, in bytes: as over HTTP/1.1, where hyper has it so.
const LONGEST_HEAD: u32 = 408 * 1024;

impl Client {
    /// A client with the defaults, which trusts the system's root certificates, and goes through the proxies that the
    /// environment names.
    ///
    /// It reads these from disk and the environment, so call it once, when the program starts.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Tls`](crate::ConfigErrorKind::Tls) if the system has no usable root certificates; see
    /// [`Roots`] for the alternatives. [`ConfigErrorKind::Url`](crate::ConfigErrorKind::Url) if the environment names a
    /// proxy that can't be used; see [the table](crate::client#proxies).
    pub fn new() -> Result<Self, ConfigError> {
        Self::builder().build()
    }

    /// A builder with the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }
}

/// Builds a [`Client`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::client::{Client, Roots};
///
/// let client = Client::builder().roots(Roots::Bundled).connect_timeout(Duration::from_secs(3)).build()?;
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    roots: Roots,
    extra: RootCertStore,
    identity: Option<Identity>,
    /// Those of the environment, if nothing is set.
    proxies: Option<Proxies>,
    versions: Versions,
    connect_timeout: Duration,
    write_timeout: Option<Duration>,
    idle_timeout: Duration,
    idle_per_host: usize,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            roots: Roots::default(),
            extra: RootCertStore::empty(),
            identity: None,
            proxies: None,
            versions: Versions::Negotiated,
            connect_timeout: Duration::from_secs(10),
            write_timeout: None,
            idle_timeout: Duration::from_secs(50),
            idle_per_host: 100,
        }
    }

    /// Sets which root certificates are trusted. By default the system's.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Trusts every certificate in `pem` as well: the text that starts with `-----BEGIN CERTIFICATE-----`. It may be as a
    /// variable keeps it: with the two characters `\n` in place of line breaks, in one line, or in base64 as a whole.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Tls`] if there is none, or one that is no certificate.
    pub fn root_pem(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        let pem = &crate::secret::certificates_pem(pem)?;
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| tls("the PEM text is malformed").with_source(error))?;
            self = self.trust(certificate)?;
            found = true;
        }
        if found {
            Ok(self)
        } else {
            Err(tls("the PEM text holds no certificate; expected -----BEGIN CERTIFICATE-----"))
        }
    }

    /// Trusts the certificate `der` as well.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Tls`] if it is no certificate.
    pub fn root_der(self, der: &[u8]) -> Result<Self, ConfigError> {
        self.trust(CertificateDer::from(der))
    }

    /// Sets the certificate with which the client says who it is, where a server asks. By default none.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Goes through the proxy at `url` to all servers but loopback, whatever the environment says: `http` or `https`,
    /// with credentials as in `http://name:password@proxy.example.com:3128`. Without a port it is 80 or 443.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`] if it can't be read, or speaks something else, such as SOCKS. The error doesn't show it.
    pub fn proxy(mut self, url: &str) -> Result<Self, ConfigError> {
        self.proxies = Some(Proxies::one(url)?);
        Ok(self)
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxies = Some(Proxies::none());
        self
    }

    /// Speaks HTTP/2 alone. To `http` it does so from the first byte (RFC 9113 §3.3), so know that the server does, as
    /// there is no way back; to `https` it offers nothing else. By default servers choose by TLS, and without TLS it is
    /// HTTP/1.1.
    ///
    /// A server that doesn't speak it makes each request fail, by an error that says so, or, where it says nothing at
    /// all, by the ping after 30 s.
    pub fn http2_prior_knowledge(mut self) -> Self {
        self.versions = Versions::Http2;
        self
    }

    /// Speaks HTTP/1.1 alone, and offers TLS nothing else. By default servers choose by TLS, and over HTTP/2 no connection can
    /// be upgraded (RFC 9113 §8.6): so this is for WebSocket and the like. What comes of the upgrade is
    /// [`hyper::upgrade::on`] of the response.
    ///
    /// A server that speaks nothing but HTTP/2 makes each request fail.
    pub fn http1_only(mut self) -> Self {
        self.versions = Versions::Http1;
        self
    }

    /// Sets how long making a connection may take: name resolution, TCP, a proxy and the TLS handshake together. Where
    /// a name has several addresses, each gets its share. 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long nothing may move on a connection whose server doesn't take in what is sent to it. It fails then. Over
    /// HTTP/2 a body of which the server takes in nothing for as long is given up, and all else goes on. By default there
    /// is no bound: what a server reads no more of is kept for as long as it likes, also when the response is there, or
    /// nobody waits for it any more.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = Some(timeout);
        self
    }

    /// Sets after how long an unused connection is closed. 50 s by default: common load balancers hang up after
    /// 60 s, and a request that meets them doing so is lost.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets how many unused HTTP/1.1 connections are kept for each origin. 100 by default; with 0, every request
    /// opens its own.
    pub fn idle_per_host(mut self, connections: usize) -> Self {
        self.idle_per_host = connections;
        self
    }

    /// The client, for the body type that most programs send.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Tls`] if there is no root certificate to trust, and [`ConfigErrorKind::Url`] if the
    /// environment names a proxy that can't be used; the message says what to do.
    pub fn build(self) -> Result<Client, ConfigError> {
        self.build_for::<Full<Bytes>>()
    }

    /// The client, for requests with bodies of type `B`. Clients for different body types share no connections.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_for<B>(self) -> Result<Client<B>, ConfigError>
    where
        B: Body + Send,
        B::Data: Send,
    {
        let tls = Tls::new(self.roots, self.extra, self.identity.as_ref(), self.versions)?;
        let proxies = match self.proxies {
            Some(proxies) => proxies,
            None => environment::proxies(|name| env::var_os(name))?,
        };
        let mut pool = match self.write_timeout {
            Some(limit) => legacy::Client::builder(Uploads::new(limit)),
            None => legacy::Client::builder(TokioExecutor::new()),
        };
        pool.timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.idle_timeout)
            .pool_max_idle_per_host(self.idle_per_host)
            // All requests to an origin share its connection. When a network drops that silently, the kernel goes
            // on for a quarter of an hour, and every new request would join the lost ones.
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            // Of one that is longer by a few times, HPACK can't be followed, and all requests of the connection fail.
            .http2_max_header_list_size(LONGEST_HEAD)
            // hyper hands a request back only if no byte of it was written, so this can't deliver one twice.
            .retry_canceled_requests(true)
            .http2_only(self.versions == Versions::Http2);
        let reaching = |reach| {
            let connector =
                Connector::new(tls.clone(), proxies.clone(), self.versions, self.connect_timeout, reach);
            pool.build(connector.write_timeout(self.write_timeout))
        };
        Ok(Client::over(reaching(Reach::Anywhere), reaching(Reach::Outwards), self.write_timeout.is_some()))
    }

    fn trust(mut self, certificate: CertificateDer<'_>) -> Result<Self, ConfigError> {
        match self.extra.add(certificate) {
            Ok(()) => Ok(self),
            Err(error) => Err(tls("a root certificate can't be used").with_source(error)),
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("roots", &self.roots)
            .field("given", &self.extra.len())
            .field("identity", &self.identity)
            .field("proxies", &self.proxies)
            .field("versions", &self.versions)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("idle_per_host", &self.idle_per_host)
            .finish()
    }
}

fn tls(message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Tls, message)
}
