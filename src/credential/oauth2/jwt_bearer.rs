//! [`JwtBearer`]: a signed assertion is exchanged for a token.

use super::{
    assertion::Assertion,
    client_authentication::ClientAuthentication,
    grant::Grant,
    methods::{refresh_methods, setup_methods},
    server::AuthorizationServer,
    setup::Setup,
};

/// Tokens for whoever a JWT is about (RFC 7523 §2.1): service accounts, identities of a platform.
///
/// Each attempt sends an assertion of its own.
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AuthLayer, ConfigError, Transport,
///     oauth2::{ClientAuthentication, JwtBearer, SecretSource},
/// };
///
/// fn layer(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let assertion = SecretSource::file("/var/run/secrets/tokens/idp");
///     JwtBearer::new("https://login.example.com/oauth2/token", ClientAuthentication::unidentified(), assertion)
///         .layer("https://api.example.com", transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct JwtBearer {
    setup: Setup,
    grant: Assertion,
}

impl JwtBearer {
    /// Tokens of `server` for what `assertion` says. Many servers want no client beside it:
    /// [`ClientAuthentication::unidentified`].
    pub fn new(
        server: impl Into<AuthorizationServer>,
        client: ClientAuthentication,
        assertion: impl Into<Assertion>,
    ) -> Self {
        Self { setup: Setup::new(server, client), grant: assertion.into() }
    }
}

setup_methods!(JwtBearer, |Assertion(assertion)| Grant::JwtBearer { assertion });
refresh_methods!(JwtBearer);
