//! [`Address`]: where a server is, and who asks it, as its URL says.

use std::{fmt, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    aio::MultiplexedConnection,
};

use super::{cause::because, tls};
use crate::error::{StoreError, StoreErrorKind};

/// The longest that Redis is waited for.
pub(super) const LIMIT: Duration = Duration::from_millis(500);

/// Where a sentinel listens whose URL has no port.
const SENTINEL_PORT: u16 = 26379;

/// What URLs begin with.
const SCHEMES: &[&str] = &["redis://", "rediss://", "valkey://", "valkeys://"];

/// Where a server is, and who asks it. It is shown without user and password.
#[derive(Clone)]
pub(super) struct Address(ConnectionInfo);

impl Address {
    /// Reads a URL.
    pub(super) fn read(url: &str) -> Result<Self, StoreError> {
        // The client takes others, and has a way to switch checks of certificates off.
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) || url.contains('#') {
            return Err(unusable("redis's url has to begin with redis:// or rediss://, and has no `#`"));
        }
        let words = "redis's url can't be read; look for letters in the password that have to be encoded";
        let info = url.into_connection_info().map_err(|_| unusable(words))?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            tls::choose_provider();
        }
        Ok(Self(info))
    }

    /// Reads a sentinel's URL.
    pub(super) fn read_sentinel(url: &str) -> Result<Self, StoreError> {
        let address = Self::read(url)?;
        if address.has_number() {
            return Err(unusable("a sentinel has no databases; give the number in the primary's url"));
        }
        Ok(if has_port(url) { address } else { address.at(address.host(), SENTINEL_PORT) })
    }

    /// Reads a URL whose host is the name that sentinels know a primary by.
    pub(super) fn read_name(url: &str) -> Result<Self, StoreError> {
        if !url.contains("://") || has_port(url) {
            return Err(unusable(
                "the primary's url has the name that sentinels know it by in place of host and port: write redis://NAME, or \
                 with tls rediss://NAME",
            ));
        }
        Self::read(url)
    }

    /// The same who asks in the same way, at another place.
    pub(super) fn at(&self, host: &str, port: u16) -> Self {
        let host = host.to_owned();
        Self(self.0.clone().set_addr(match self.0.addr() {
            ConnectionAddr::TcpTls { .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
            }
            _ => ConnectionAddr::Tcp(host, port),
        }))
    }

    pub(super) fn host(&self) -> &str {
        match self.0.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
            _ => "",
        }
    }

    /// Host and port, as servers name each other.
    pub(super) fn place(&self) -> String {
        self.0.addr().to_string()
    }

    /// Whether it says which database, and not the first one.
    pub(super) fn has_number(&self) -> bool {
        self.0.redis_settings().db() != 0
    }

    /// Connects to it.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        let client = Client::open(self.0.clone()).map_err(|error| because(&error))?;
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        connected.map_err(|error| because(&error))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if matches!(self.0.addr(), ConnectionAddr::TcpTls { .. }) { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}", self.0.addr())
    }
}

/// Whether there is a port in a URL, behind the user, and the colons of an address.
fn has_port(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    place.rsplit(']').next().unwrap_or_default().contains(':')
}

/// That a URL can't be used.
pub(super) fn unusable(words: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Config, words)
}
