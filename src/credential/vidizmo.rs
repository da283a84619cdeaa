//! VIDIZMO: a user logs in, and renews the token with the token itself.

use std::time::Duration;

use http::StatusCode;

use super::endpoint::{AnswerField, Param, TokenEndpoint, TokenRequest};
use crate::{
    auth::AuthLayer,
    error::ConfigError,
    secret::SecretSource,
    signature::{Rule, Signatures, json},
    transport::Transport,
};

/// A VIDIZMO portal, one per tenant.
///
/// Its answers don't say how long a token lives; a day is its default, and a portal may have another.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::{AuthLayer, ConfigError, Transport, Vidizmo};
///
/// fn layer(secret: &str, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     Vidizmo::client_secret("acme.example.com", "john.doe@example.com", secret)
///         .lifetime(Duration::from_secs(8 * 60 * 60))
///         .layer(transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Vidizmo {
    endpoint: TokenEndpoint,
}

impl Vidizmo {
    /// The portal at `https://{domain}`, as a user with a password.
    ///
    /// The domain is where requests go, and no more: the login has the e-mail address and the password, and no name of the
    /// portal. So after [`base_url`](Self::base_url) it is not used at all. A URL
    /// in its place is refused when the layer is built.
    pub fn password(domain: &str, email: impl Into<SecretSource>, password: impl Into<SecretSource>) -> Self {
        Self::declare(domain, email.into(), "password", password.into())
    }

    /// The portal at `https://{domain}`, as a user with an application's client secret. Of the domain the same holds as
    /// of that of [`password`](Self::password).
    pub fn client_secret(
        domain: &str,
        email: impl Into<SecretSource>,
        client_secret: impl Into<SecretSource>,
    ) -> Self {
        Self::declare(domain, email.into(), "clientSecret", client_secret.into())
    }

    /// Sets how long a token lives. By default 1 day.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { endpoint: self.endpoint.fixed_lifetime(lifetime) }
    }

    /// Sets where tokens are renewed. By default `/api/v1/user/refresh-access-token`; some portals want a final
    /// slash.
    pub fn refresh_path(self, path: impl Into<String>) -> Self {
        Self {
            endpoint: self.endpoint.refresh(TokenRequest::post(path.into()).bearer(Param::access_token())),
        }
    }

    /// Replaces the origin, for a server on loopback, another environment, or a gateway, whose path is kept before every
    /// path of the vendor. With it goes the domain that was given: login, refresh and logout go there too, and the layer puts
    /// tokens on requests to it alone.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self { endpoint: self.endpoint.base_url(base_url.into()) }
    }

    /// Lets secrets and tokens travel in plain text over `http` to any host: see
    /// [`TokenEndpoint::allow_plaintext_secrets`].
    pub fn allow_plaintext_secrets(self) -> Self {
        Self { endpoint: self.endpoint.allow_plaintext_secrets() }
    }

    /// What this crate knows of VIDIZMO.
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

    fn declare(domain: &str, email: SecretSource, name: &'static str, secret: SecretSource) -> Self {
        let login = TokenRequest::post("/api/v1/user/authenticate")
            .json("emailAddress", Param::secret(email.clone()))
            .json(name, Param::secret(secret));
        let signature = |rule: Rule, name| rule.status(StatusCode::BAD_REQUEST).when(json("/name").is(name));
        let signatures = Signatures::new()
            .rule(signature(Rule::expired(), "ExpiredAccessTokenException"))
            .rule(signature(Rule::invalid(), "InvalidAccessTokenException"))
            .reason("/incidentId");
        let endpoint = TokenEndpoint::new("VIDIZMO", format!("https://{domain}"), login)
            .user(email)
            .revoke(TokenRequest::post("/api/v1/user/logout").bearer(Param::access_token()))
            .token(AnswerField::body())
            .fixed_lifetime(Duration::from_secs(24 * 60 * 60))
            // All of its documented failures are 400s. What it says to a wrong password isn't documented, and whoever
            // repeats one locks the account.
            .refusal(AnswerField::status(), 400)
            .message("/name")
            .message("/incidentId")
            .signatures(signatures);
        Self { endpoint }.refresh_path("/api/v1/user/refresh-access-token")
    }
}
