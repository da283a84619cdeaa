//! [`TokenExchange`]: one token is exchanged for another.

use std::borrow::Cow;

use super::{
    client_authentication::ClientAuthentication,
    grant::{Exchange, Grant, TypedToken},
    methods::{refresh_methods, setup_methods},
    server::AuthorizationServer,
    setup::Setup,
};
use crate::secret::SecretSource;

/// Tokens in exchange for another token (RFC 8693): one for another service, or to act on somebody's behalf.
///
/// The answer's token has to be a bearer token.
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AuthLayer, ConfigError, Transport,
///     oauth2::{ClientAuthentication, SecretSource, TokenExchange},
/// };
///
/// fn layer(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let client = ClientAuthentication::secret_basic("gateway", SecretSource::env("CLIENT_SECRET"));
///     let subject = SecretSource::file("/var/run/secrets/tokens/workload");
///     TokenExchange::new("https://login.example.com/token", client, subject, TokenExchange::JWT)
///         .resource("https://backend.example.com/api")
///         .layer("https://backend.example.com", transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenExchange {
    setup: Setup,
    grant: Exchange,
}

impl TokenExchange {
    /// The type of an OAuth 2.0 access token (RFC 8693 §3).
    pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    /// The type of an OAuth 2.0 refresh token.
    pub const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
    /// The type of an OpenID Connect ID token.
    pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
    /// The type of a JWT, whatever it is used for.
    pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

    /// Tokens of `server` in exchange for `subject_token`, which says on whose behalf and is of type
    /// `subject_token_type`.
    pub fn new(
        server: impl Into<AuthorizationServer>,
        client: ClientAuthentication,
        subject_token: impl Into<SecretSource>,
        subject_token_type: impl Into<Cow<'static, str>>,
    ) -> Self {
        let subject = TypedToken { token: subject_token.into().0, token_type: subject_token_type.into() };
        Self { setup: Setup::new(server, client), grant: Exchange { subject, actor: None, requested: None } }
    }

    /// Sets the token of the one who acts on the subject's behalf, and its type. By default there is none.
    pub fn actor(mut self, token: impl Into<SecretSource>, token_type: impl Into<Cow<'static, str>>) -> Self {
        self.grant.actor = Some(TypedToken { token: token.into().0, token_type: token_type.into() });
        self
    }

    /// Sets the type of token that is asked for. By default the server decides.
    pub fn requested_token_type(mut self, token_type: impl Into<Cow<'static, str>>) -> Self {
        self.grant.requested = Some(token_type.into());
        self
    }
}

setup_methods!(TokenExchange, |exchange| Grant::TokenExchange(Box::new(exchange)));
refresh_methods!(TokenExchange);
