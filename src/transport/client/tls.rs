//! What TLS is spoken with: trusted roots, a certificate of the client's own, and the versions of HTTP that are offered.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::{identity::Identity, roots::Roots};
use crate::error::{ConfigError, ConfigErrorKind};

/// The names of HTTP/2 and HTTP/1.1 (RFC 9113 §3.1, RFC 7301 §6).
const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What servers are shown, and what proxies are.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) servers: Arc<ClientConfig>,
    pub(super) proxies: Arc<ClientConfig>,
}

/// Which versions of HTTP are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// HTTP/1.1, or HTTP/2 where TLS has agreed on it.
    Negotiated,
    /// HTTP/2 alone, without TLS too.
    Http2,
    /// HTTP/1.1 alone.
    Http1,
}

impl Tls {
    pub(super) fn new(
        roots: Roots,
        extra: RootCertStore,
        identity: Option<&Identity>,
        versions: Versions,
    ) -> Result<Self, ConfigError> {
        let trusted = Arc::new(roots.with(extra)?);
        // Without the client's certificate: who it is, is no proxy's business.
        let mut proxies = config(Arc::clone(&trusted), None)?;
        proxies.alpn_protocols = vec![HTTP1.to_vec()];
        let mut servers = config(trusted, identity)?;
        servers.alpn_protocols = match versions {
            Versions::Negotiated => vec![H2.to_vec(), HTTP1.to_vec()],
            Versions::Http2 => vec![H2.to_vec()],
            Versions::Http1 => vec![HTTP1.to_vec()],
        };
        Ok(Self { servers: Arc::new(servers), proxies: Arc::new(proxies) })
    }
}

/// The provider is named here and not looked up: a library must neither rely on nor install a process-wide one.
fn config(trusted: Arc<RootCertStore>, identity: Option<&Identity>) -> Result<ClientConfig, ConfigError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            ConfigError::new(ConfigErrorKind::Tls, "no TLS version can be used").with_source(error)
        })?
        .with_root_certificates(trusted);
    Ok(match identity {
        Some(identity) => config.with_client_cert_resolver(identity.resolver()),
        None => config.with_no_client_auth(),
    })
}
