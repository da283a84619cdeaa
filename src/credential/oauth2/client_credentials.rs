//! [`ClientCredentials`]: a client acts for itself.

use super::{
    client_authentication::ClientAuthentication, grant::Grant, methods::setup_methods,
    server::AuthorizationServer, setup::Setup,
};

/// Tokens for the client itself (RFC 6749 §4.4).
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AuthLayer, ConfigError, Transport,
///     oauth2::{ClientAuthentication, ClientCredentials, SecretSource},
/// };
///
/// fn layer(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let client = ClientAuthentication::secret_basic("my-service", SecretSource::env("CLIENT_SECRET"));
///     ClientCredentials::new("https://login.example.com/oauth2/token", client)
///         .scope("videos.read")
///         .layer("https://api.example.com", transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCredentials {
    setup: Setup,
    grant: (),
}

impl ClientCredentials {
    /// Tokens of `server` for `client`.
    pub fn new(server: impl Into<AuthorizationServer>, client: ClientAuthentication) -> Self {
        Self { setup: Setup::new(server, client), grant: () }
    }
}

setup_methods!(ClientCredentials, |()| Grant::ClientCredentials);
