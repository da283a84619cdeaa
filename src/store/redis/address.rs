//! [`Address`]: where a server is, and who asks it, as its URL says.

use std::fmt;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    aio::MultiplexedConnection,
};

use super::{cause::because, line::LIMIT, tls};
use crate::error::{StoreError, StoreErrorKind};

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

/// That a URL can't be used.
pub(super) fn unusable(words: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Config, words)
}
