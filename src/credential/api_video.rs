//! api.video: a key is exchanged for an hour's token.

use http::StatusCode;

use super::{
    endpoint::{Param, TokenEndpoint, TokenRequest},
    parts::Parts,
    static_token::StaticToken,
};
use crate::{
    auth::{AuthLayer, Origin, Placement, Plaintext},
    error::ConfigError,
    secret::SecretSource,
    signature::{Rule, Signatures, json},
    token::Renewal,
    transport::Transport,
};

/// api.video, whose keys belong to [`production`](Self::production) or to the [`sandbox`](Self::sandbox).
///
/// A refresh kills both tokens that it replaces. So requests wait for an early one, for a second at most, and go out with the
/// new token ([`Renewal::RevokesPrevious`]). When the refresh token is spent, the key is exchanged again.
///
/// Of the answers of older deployments, an `access_denied`, three are an expiry, by their `hint`: `Access token is invalid`,
/// `Access token could not be verified`, and `Access token has been revoked`.
///
/// # Examples
///
/// ```
/// use tower_reauth::{ApiVideo, AuthLayer, ConfigError, Transport};
///
/// fn layer(key: &str, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     ApiVideo::sandbox(key).layer(transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiVideo {
    api_key: SecretSource,
    base_url: String,
    plaintext: Plaintext,
}

impl ApiVideo {
    /// The production environment, `https://ws.api.video`.
    pub fn production(api_key: impl Into<SecretSource>) -> Self {
        Self::at("https://ws.api.video", api_key)
    }

    /// The sandbox, `https://sandbox.api.video`.
    pub fn sandbox(api_key: impl Into<SecretSource>) -> Self {
        Self::at("https://sandbox.api.video", api_key)
    }

    /// Replaces the origin, for a server on loopback, another environment, or a gateway, whose path is kept before every
    /// path of the vendor.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Lets secrets and tokens travel in plain text over `http` to any host: see
    /// [`TokenEndpoint::allow_plaintext_secrets`].
    pub fn allow_plaintext_secrets(mut self) -> Self {
        self.plaintext = Plaintext::Allowed;
        self
    }

    /// What this crate knows of api.video.
    pub fn declaration(self) -> TokenEndpoint {
        let exchange = TokenRequest::post("/auth/api-key").json("apiKey", Param::secret(self.api_key));
        let refresh = TokenRequest::post("/auth/refresh").json("refreshToken", Param::refresh_token());
        let endpoint = TokenEndpoint::new("api.video", self.base_url, exchange);
        let endpoint = match self.plaintext {
            Plaintext::Refused => endpoint,
            Plaintext::Allowed => endpoint.allow_plaintext_secrets(),
        };
        endpoint
            .refresh(refresh)
            .renewal(Renewal::RevokesPrevious)
            .refusal("/title", "The user credentials were incorrect.")
            .refusal("/title", "Suspended account")
            .message("/title")
            .message("/hint")
            .retry_after("X-RateLimit-Retry-After")
            .signatures(signatures())
    }

    /// The layer, with origin, signatures and placement set.
    ///
    /// # Errors
    ///
    /// Those of [`TokenEndpoint::build`].
    pub fn layer(self, transport: impl Into<Transport>) -> Result<AuthLayer, ConfigError> {
        self.declaration().layer(transport)
    }

    /// The documented alternative without an exchange: the key itself, with HTTP Basic, on every call.
    ///
    /// # Errors
    ///
    /// Those of [`StaticToken::basic`] and [`Origin::parse`].
    pub fn basic(self) -> Result<Parts<StaticToken>, ConfigError> {
        Ok(Parts {
            credential: StaticToken::basic(self.api_key)?,
            origin: Origin::of_base_url(&self.base_url, self.plaintext)?,
            signatures: signatures(),
            placement: Placement::with_scheme("Authorization", "Basic")?,
        })
    }

    fn at(base_url: &str, api_key: impl Into<SecretSource>) -> Self {
        Self { api_key: api_key.into(), base_url: base_url.into(), plaintext: Plaintext::default() }
    }
}

/// A dead and an expired token get the same answer. Older deployments have league/oauth2-server's.
fn signatures() -> Signatures {
    let unauthorized = |rule: Rule, condition| rule.status(StatusCode::UNAUTHORIZED).when(condition);
    let title = || json("/title");
    let (invalid, revoked) = ("Access token is invalid", "Access token has been revoked");
    let hint = json("/hint").one_of([invalid, revoked, "Access token could not be verified"]);
    let older = json("/error").is("access_denied").and(hint);
    Signatures::new()
        .rule(unauthorized(Rule::denied(), title().is("The API key is invalid.")))
        .rule(unauthorized(Rule::denied(), title().starts_with("The \"Authorization\" header ")))
        .rule(unauthorized(Rule::denied(), title().starts_with("The upload token is ")))
        .rule(unauthorized(Rule::expired(), title().is("The access token is invalid or expired.")))
        .rule(unauthorized(Rule::expired(), older).reason("/hint"))
        .rule(Rule::denied().status(StatusCode::FORBIDDEN).when(title().is("Suspended account")))
        .reason("/title")
}
