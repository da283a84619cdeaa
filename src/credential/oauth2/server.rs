//! [`AuthorizationServer`]: where tokens are asked for and given back, known or discovered.

use std::borrow::Cow;

use http::Uri;
use tokio::sync::OnceCell;

use super::{discovery, endpoints::Endpoints};
use crate::{
    auth::{Origin, Plaintext},
    credential::endpoint::checked_origin,
    error::{AcquireError, ConfigError, ConfigErrorKind},
    transport::Transport,
};

/// An authorization server: its endpoints, or the issuer whose metadata names them.
///
/// A URL becomes a server's token endpoint by itself. All URLs are `https`, or `http` to a loopback host. None is at a
/// metadata service, those in the issuer's metadata neither.
///
/// # Examples
///
/// ```
/// use tower_reauth::oauth2::AuthorizationServer;
///
/// let known = AuthorizationServer::new("https://login.example.com/oauth2/token")
///     .revocation_endpoint("https://login.example.com/oauth2/revoke");
/// let discovered = AuthorizationServer::discover("https://login.example.com");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizationServer {
    issuer: Option<Cow<'static, str>>,
    /// `None` if the issuer's metadata has it.
    token_endpoint: Option<Cow<'static, str>>,
    revocation_endpoint: Option<Cow<'static, str>>,
    plaintext: Plaintext,
}

impl AuthorizationServer {
    /// The server with this token endpoint (RFC 6749 §3.2).
    pub fn new(token_endpoint: impl Into<Cow<'static, str>>) -> Self {
        Self::with(None, Some(token_endpoint.into()))
    }

    /// The server that is `issuer`, whose endpoints are in its metadata (RFC 8414, or OpenID Connect Discovery).
    ///
    /// They are looked up at the first acquisition, and once for each credential that is built. The metadata's
    /// `issuer` has to be the same text as `issuer`.
    pub fn discover(issuer: impl Into<Cow<'static, str>>) -> Self {
        Self::with(Some(issuer.into()), None)
    }

    /// Sets where tokens are revoked (RFC 7009). By default the metadata says so, or nothing can be revoked.
    pub fn revocation_endpoint(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.revocation_endpoint = Some(url.into());
        self
    }

    /// Sets the server's issuer, which assertions then have as their audience. By default that is the token
    /// endpoint, or the issuer that was discovered.
    pub fn issuer(mut self, issuer: impl Into<Cow<'static, str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Lets secrets and tokens travel in plain text over `http` to any of the server's endpoints, those in its metadata
    /// included. By default `http` is for loopback alone, since anybody on the way could read them, and could send other
    /// metadata. Where the API's tokens may go is its [`Origin`]'s to say.
    pub fn allow_plaintext_secrets(mut self) -> Self {
        self.plaintext = Plaintext::Allowed;
        self
    }

    fn with(issuer: Option<Cow<'static, str>>, token_endpoint: Option<Cow<'static, str>>) -> Self {
        Self { issuer, token_endpoint, revocation_endpoint: None, plaintext: Plaintext::default() }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let endpoints = [&self.token_endpoint, &self.revocation_endpoint];
        endpoints.into_iter().flatten().try_for_each(|url| self.origin_of(url).map(drop))?;
        match &self.issuer {
            // RFC 8414 §2.
            Some(issuer) if self.token_endpoint.is_none() => {
                self.origin_of(issuer)?;
                if issuer.contains(['?', '#']) {
                    return Err(ConfigError::new(
                        ConfigErrorKind::Url,
                        "an issuer has no query and no fragment (RFC 8414 §2); give the issuer itself, and not \
                         its metadata's url",
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The origin of one of the server's URLs, if secrets may be sent there.
    pub(super) fn origin_of(&self, url: &str) -> Result<Origin, ConfigError> {
        checked_origin(url, self.plaintext)
    }

    /// Whether they may travel there in plain text.
    pub(super) fn plaintext(&self) -> Plaintext {
        self.plaintext
    }

    /// The issuer whose metadata names the endpoints, if nothing else does.
    pub(super) fn discovered_issuer(&self) -> Option<&str> {
        self.issuer.as_deref().filter(|_| self.token_endpoint.is_none())
    }

    /// A name for logs: the host.
    pub(super) fn host(&self) -> String {
        let uri: Uri = self.identity().1.parse().unwrap_or_default();
        uri.host().unwrap_or_default().to_owned()
    }

    /// Which server it is: its token endpoint, or the issuer whose metadata names that.
    pub(super) fn identity(&self) -> (&'static str, &str) {
        match &self.token_endpoint {
            Some(url) => ("token endpoint", url),
            None => ("issuer", self.issuer.as_deref().unwrap_or_default()),
        }
    }

    /// Where the token endpoint is, or a stand-in for one that isn't discovered yet.
    pub(super) fn peek(&self) -> &str {
        self.token_endpoint.as_deref().unwrap_or("https://discovered.invalid/token")
    }

    /// The endpoints, which `discovered` keeps.
    pub(super) async fn endpoints(
        &self,
        transport: &Transport,
        discovered: &OnceCell<Endpoints>,
    ) -> Result<Endpoints, AcquireError> {
        let mut endpoints = match (&self.token_endpoint, &self.issuer) {
            (None, Some(issuer)) => discovered
                .get_or_try_init(|| discovery::discover(issuer, self.plaintext, transport))
                .await?
                .clone(),
            (token, issuer) => {
                let token = token.as_deref().unwrap_or_default().to_owned();
                let audience = issuer.as_deref().unwrap_or(&token).to_owned();
                Endpoints { token, audience, ..Endpoints::default() }
            }
        };
        if let Some(url) = &self.revocation_endpoint {
            endpoints.revocation = Some(url.clone().into_owned());
            endpoints.aliases.revocation = None;
        }
        Ok(endpoints)
    }
}

impl From<&'static str> for AuthorizationServer {
    fn from(token_endpoint: &'static str) -> Self {
        Self::new(token_endpoint)
    }
}

impl From<String> for AuthorizationServer {
    fn from(token_endpoint: String) -> Self {
        Self::new(token_endpoint)
    }
}
