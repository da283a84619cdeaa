//! [`Password`]: a user's name and password, for those who must.

use super::{
    client_authentication::ClientAuthentication,
    grant::Grant,
    methods::{refresh_methods, setup_methods},
    server::AuthorizationServer,
    setup::Setup,
    text::Text,
};
use crate::secret::SecretSource;

/// Tokens for a user whose password the program knows (RFC 6749 §4.3).
///
/// RFC 9700 §2.4 forbids this grant: it gives the user's password to the client, and goes around any second factor.
/// It is here for servers that have nothing else.
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AuthLayer, ConfigError, Transport,
///     oauth2::{ClientAuthentication, Password, SecretSource},
/// };
///
/// fn layer(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let client = ClientAuthentication::secret_basic("my-service", SecretSource::env("CLIENT_SECRET"));
///     let password = SecretSource::file("/run/secrets/johndoe");
///     Password::new("https://login.example.com/oauth2/token", client, "johndoe", password)
///         .layer("https://api.example.com", transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Password {
    setup: Setup,
    grant: (Text, SecretSource),
}

impl Password {
    /// Tokens of `server` for the user `username`.
    pub fn new(
        server: impl Into<AuthorizationServer>,
        client: ClientAuthentication,
        username: impl Into<Text>,
        password: impl Into<SecretSource>,
    ) -> Self {
        Self { setup: Setup::new(server, client), grant: (username.into(), password.into()) }
    }
}

setup_methods!(Password, |(username, SecretSource(password))| Grant::Password { username, password });
refresh_methods!(Password);
