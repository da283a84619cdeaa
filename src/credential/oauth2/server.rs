//! [`AuthorizationServer`]: where tokens are asked for and given back, known or discovered.

use http::Uri;
use tokio::sync::OnceCell;

use super::{
    discovery,
    endpoints::Endpoints,
    place::{Place, See},
    text::Text,
};
use crate::{
    auth::{Origin, Plaintext},
    credential::endpoint::checked_origin,
    error::{AcquireError, ConfigError, ConfigErrorKind},
    secret::SecretSource,
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
    issuer: Option<Text>,
    /// `None` if the issuer's metadata has it.
    token_endpoint: Option<Text>,
    revocation_endpoint: Option<Text>,
    plaintext: Plaintext,
}

impl AuthorizationServer {
    /// The server with this token endpoint (RFC 6749 §3.2).
    pub fn new(token_endpoint: impl Into<Text>) -> Self {
        Self::with(None, Some(token_endpoint.into()))
    }

    /// The server that is `issuer`, whose endpoints are in its metadata (RFC 8414, or OpenID Connect Discovery).
    ///
    /// They are looked up at the first acquisition, and once for each credential that is built. The metadata's
    /// `issuer` has to be the same text as `issuer`.
    pub fn discover(issuer: impl Into<Text>) -> Self {
        Self::with(Some(issuer.into()), None)
    }

    /// Sets where tokens are revoked (RFC 7009). By default the metadata says so, or nothing can be revoked.
    pub fn revocation_endpoint(mut self, url: impl Into<Text>) -> Self {
        self.revocation_endpoint = Some(url.into());
        self
    }

    /// Sets the server's issuer, which assertions then have as their audience. By default that is the token
    /// endpoint, or the issuer that was discovered.
    pub fn issuer(mut self, issuer: impl Into<Text>) -> Self {
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

    fn with(issuer: Option<Text>, token_endpoint: Option<Text>) -> Self {
        Self { issuer, token_endpoint, revocation_endpoint: None, plaintext: Plaintext::default() }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let endpoints = [&self.token_endpoint, &self.revocation_endpoint];
        let mut known = endpoints.into_iter().flatten().filter_map(Text::known);
        known.try_for_each(|url| self.origin_of(url).map(drop))?;
        match self.issuer.as_ref().and_then(Text::known) {
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
        self.issuer.as_ref().and_then(Text::known).filter(|_| self.token_endpoint.is_none())
    }

    /// A name for logs: the host.
    pub(super) fn host(&self) -> String {
        let uri: Uri = self.identity().1.parse().unwrap_or_default();
        uri.host().unwrap_or_default().to_owned()
    }

    /// Which server it is: its token endpoint, or the issuer whose metadata names that.
    pub(super) fn identity(&self) -> (&'static str, &str) {
        match &self.token_endpoint {
            Some(url) => ("token endpoint", url.known().unwrap_or_default()),
            None => ("issuer", known(&self.issuer)),
        }
    }

    /// Shows where it may have inputs.
    pub(super) fn places(&mut self, see: &mut See<'_>) {
        let texts = [
            ("issuer", &mut self.issuer),
            ("token endpoint", &mut self.token_endpoint),
            ("revocation endpoint", &mut self.revocation_endpoint),
        ];
        for (what, text) in texts {
            if let Some(text) = text {
                see(Place::Server(what, text));
            }
        }
    }

    /// Where the token endpoint is, or a stand-in for one that isn't discovered or filled in yet.
    pub(super) fn peek(&self) -> &str {
        self.token_endpoint.as_ref().and_then(Text::known).unwrap_or("https://discovered.invalid/token")
    }

    /// The endpoints, which `discovered` keeps.
    pub(super) async fn endpoints(
        &self,
        transport: &Transport,
        discovered: &OnceCell<Endpoints>,
    ) -> Result<Endpoints, AcquireError> {
        let mut endpoints = match (&self.token_endpoint, &self.issuer) {
            (None, Some(_)) => discovered
                .get_or_try_init(|| discovery::discover(known(&self.issuer), self.plaintext, transport))
                .await?
                .clone(),
            (token, issuer) => {
                let token = known(token).to_owned();
                let audience = issuer.as_ref().and_then(Text::known).unwrap_or(&token).to_owned();
                Endpoints { token, audience, ..Endpoints::default() }
            }
        };
        if let Some(url) = &self.revocation_endpoint {
            endpoints.revocation = url.known().map(ToOwned::to_owned);
            endpoints.aliases.revocation = None;
        }
        Ok(endpoints)
    }
}

fn known(text: &Option<Text>) -> &str {
    text.as_ref().and_then(Text::known).unwrap_or_default()
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

impl From<SecretSource> for AuthorizationServer {
    fn from(token_endpoint: SecretSource) -> Self {
        Self::new(token_endpoint)
    }
}
