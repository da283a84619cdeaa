//! Videsk: the API key is the token, a JWT, and nothing at the API renews it.

use http::StatusCode;

use super::{parts::Parts, static_token::StaticToken};
use crate::{
    auth::{AuthLayer, Origin, Placement, Plaintext},
    error::ConfigError,
    secret::SecretSource,
    signature::{Rule, Signatures, json},
    token::Credential,
};

/// Videsk. Requests should carry `Accept: application/json`: without it a refusal may come as HTML, which no
/// signature knows. The layer doesn't add it.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, ConfigError, Videsk};
///
/// fn layers(key: &str) -> Result<[AuthLayer; 2], ConfigError> {
///     Ok([Videsk::new(key).layer()?, Videsk::new(key).exports().layer()?])
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Videsk<C = StaticToken> {
    credential: Result<C, ConfigError>,
    signatures: Signatures,
    base_url: String,
    plaintext: Plaintext,
    header: &'static str,
}

impl Videsk {
    /// `https://api.videsk.io`, with a key. Once that has expired, callers get the server's answer, unless its source
    /// has another one by then.
    pub fn new(api_key: impl Into<SecretSource>) -> Self {
        Self::with(StaticToken::new(api_key), Rule::denied())
    }
}

impl<C: Credential> Videsk<C> {
    /// `https://api.videsk.io`, with keys that `credential` can mint whenever one has expired or is dead.
    pub fn minting(credential: C) -> Self {
        Self::with(Ok(credential), Rule::invalid())
    }

    /// Puts the key where the export endpoints, `/reports/exports/…`, want it: `X-API-Token: Bearer`.
    pub fn exports(mut self) -> Self {
        self.header = "X-API-Token";
        self
    }

    /// Replaces the origin, for a server on loopback, another environment, or a gateway, whose path is kept before every
    /// path of the vendor.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Lets secrets and tokens travel in plain text over `http` to any host: see
    /// [`TokenEndpoint::allow_plaintext_secrets`](crate::TokenEndpoint::allow_plaintext_secrets).
    pub fn allow_plaintext_secrets(mut self) -> Self {
        self.plaintext = Plaintext::Allowed;
        self
    }

    /// The credential, and what belongs to it.
    ///
    /// # Errors
    ///
    /// Those of [`StaticToken::new`] and [`Origin::parse`].
    pub fn parts(self) -> Result<Parts<C>, ConfigError> {
        Ok(Parts {
            credential: self.credential?,
            origin: Origin::of_base_url(&self.base_url, self.plaintext)?,
            signatures: self.signatures,
            placement: Placement::with_scheme(self.header, "Bearer")?,
        })
    }

    /// The layer, with origin, signatures and placement set.
    ///
    /// # Errors
    ///
    /// Those of [`parts`](Self::parts).
    pub fn layer(self) -> Result<AuthLayer, ConfigError> {
        Ok(self.parts()?.into_layer())
    }

    fn with(credential: Result<C, ConfigError>, forged: Rule) -> Self {
        let (message, unauthorized) = (|| json("/message"), StatusCode::UNAUTHORIZED);
        let refusals = message().starts_with("Unexpected token ").or(message().one_of([
            "jwt malformed",
            "Authorization header with valid JWT is required.",
            "jwt not active",
            "invalid token",
            "The token is not valid any more.", // An appointment's token, not the key.
        ]));
        let forbidden = message().starts_with("You don't have access to ");
        let revoked = message().is("The integration token it's invalid or was removed.");
        let signatures = Signatures::new()
            .rule(Rule::expired().status(unauthorized).when(message().is("jwt expired")))
            .rule(forged.status(unauthorized).when(message().is("invalid signature")))
            .rule(Rule::denied().status(unauthorized).when(refusals))
            .rule(Rule::denied().status(StatusCode::FORBIDDEN).when(forbidden.or(revoked)))
            .reason("/message");
        Self {
            credential,
            signatures,
            base_url: "https://api.videsk.io".into(),
            plaintext: Plaintext::default(),
            header: "Authorization",
        }
    }
}
