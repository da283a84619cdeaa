//! Vervoe: key and secret are exchanged for a ten-minute token.

use std::time::Duration;

use http::StatusCode;

use super::endpoint::{TokenEndpoint, TokenRequest};
use crate::{
    auth::AuthLayer,
    error::ConfigError,
    secret::SecretSource,
    signature::{Rule, Signatures},
    transport::Transport,
};

/// Vervoe. Its answers don't say how long a token lives; ten minutes is what it documents.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, ConfigError, Transport, Vervoe};
///
/// fn layer(key: &str, secret: &str, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     Vervoe::new(key, secret).layer(transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Vervoe {
    endpoint: TokenEndpoint,
}

impl Vervoe {
    /// `https://api.vervoe.com`, with a key and its secret. A key with a colon is refused when this is built
    /// (RFC 7617): the server would take what follows for a part of the secret.
    pub fn new(api_key: impl Into<SecretSource>, secret_key: impl Into<SecretSource>) -> Self {
        let exchange = TokenRequest::get("/api/public/ats-api/token").basic(api_key, secret_key);
        let signatures = Signatures::new()
            .rule(Rule::expired().status(StatusCode::UNAUTHORIZED))
            .rule(Rule::denied().status(StatusCode::FORBIDDEN))
            .reason("/msg");
        let endpoint = TokenEndpoint::new("Vervoe", "https://api.vervoe.com", exchange)
            .token("/data/token")
            .fixed_lifetime(Duration::from_secs(10 * 60))
            .success("/success", true)
            .refusal("/errors", "Provide apiKey/secret please.")
            .message("/msg")
            .message("/errors")
            .message("/title")
            .message("/detail")
            .signatures(signatures);
        Self { endpoint }
    }

    /// Sets how long a token lives. By default 10 minutes.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { endpoint: self.endpoint.fixed_lifetime(lifetime) }
    }

    /// Replaces the origin, for a server on loopback, another environment, or a gateway, whose path is kept before every
    /// path of the vendor.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self { endpoint: self.endpoint.base_url(base_url.into()) }
    }

    /// Lets secrets and tokens travel in plain text over `http` to any host: see
    /// [`TokenEndpoint::allow_plaintext_secrets`].
    pub fn allow_plaintext_secrets(self) -> Self {
        Self { endpoint: self.endpoint.allow_plaintext_secrets() }
    }

    /// What this crate knows of Vervoe.
    pub fn declaration(self) -> TokenEndpoint {
        self.endpoint
    }

    /// The layer, with origin, signatures and placement set.
    ///
    /// # Errors
    ///
    /// Those of [`TokenEndpoint::build`].
    pub fn layer(self, transport: impl Into<Transport>) -> Result<AuthLayer, ConfigError> {
        self.endpoint.layer(transport)
    }
}
