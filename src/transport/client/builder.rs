//! What can be set on a [`Client`]: whom it trusts, and its bounds.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{connect::Connector, pool::Client};
use crate::error::{ConfigError, ConfigErrorKind};

/// How long a HTTP/2 connection may be silent before it is pinged, and how long the answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// A client with the defaults, which trusts the system's root certificates.
    ///
    /// It reads these from disk, so call it once, when the program starts.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Tls`](crate::ConfigErrorKind::Tls) if the system has no usable root certificates; see
    /// [`Roots`] for the alternatives.
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
    connect_timeout: Duration,
    idle_timeout: Duration,
    idle_per_host: usize,
}

/// Which root certificates a [`Client`] trusts, beside those given with [`ClientBuilder::root_pem`] and
/// [`ClientBuilder::root_der`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// The operating system's, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. What can't be read is
    /// skipped; it is an error if nothing is left.
    #[default]
    System,
    /// Mozilla's, as compiled into the program: for containers that have none. They are as old as the build.
    Bundled,
    /// No others: only those that were given.
    Given,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            roots: Roots::default(),
            extra: RootCertStore::empty(),
            connect_timeout: Duration::from_secs(10),
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

    /// Sets how long making a connection may take: name resolution, TCP and the TLS handshake together. Where a
    /// name has several addresses, each gets its share. 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
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
    /// [`ConfigErrorKind::Tls`] if there is no root certificate to trust; the message says what to do.
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
        let connector = Connector::new(tls_config(self.roots, self.extra)?, self.connect_timeout);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.idle_timeout)
            .pool_max_idle_per_host(self.idle_per_host)
            // All requests to an origin share its connection. When a network drops that silently, the kernel goes
            // on for a quarter of an hour, and every new request would join the lost ones.
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            // hyper hands a request back only if no byte of it was written, so this can't deliver one twice.
            .retry_canceled_requests(true)
            .build(connector);
        Ok(Client::over(inner))
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
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("idle_per_host", &self.idle_per_host)
            .finish()
    }
}

/// The provider is named here and not looked up: a library must neither rely on nor install a process-wide one.
fn tls_config(roots: Roots, extra: RootCertStore) -> Result<ClientConfig, ConfigError> {
    let mut trusted = match roots {
        Roots::System => system_roots()?,
        Roots::Bundled => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        Roots::Given if extra.is_empty() => {
            return Err(tls("no root certificate was given; add one with root_pem or root_der"));
        }
        Roots::Given => RootCertStore::empty(),
    };
    trusted.roots.extend(extra.roots);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls("no TLS version can be used").with_source(error))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(config)
}

fn system_roots() -> Result<RootCertStore, ConfigError> {
    let found = rustls_native_certs::load_native_certs();
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(found.certs);
    if !trusted.is_empty() {
        return Ok(trusted);
    }
    let error = tls(
        "the system has no usable root certificates; install them (often a package called ca-certificates), set \
         SSL_CERT_FILE to a PEM file, or choose Roots::Bundled",
    );
    Err(match found.errors.into_iter().next() {
        Some(cause) => error.with_source(cause),
        None => error,
    })
}

fn tls(message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Tls, message)
}
