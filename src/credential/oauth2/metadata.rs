//! [`ServerMetadata`]: what a server says of itself, for whoever begins a login there.

use super::{discovery, endpoints::Endpoints, server::AuthorizationServer};
use crate::{
    error::{AcquireError, AcquireErrorKind},
    transport::Transport,
};

/// What a server's metadata says (RFC 8414 §2), for a program that begins a login. Each URL may be asked: it is `https`, or
/// `http` to a loopback host, and at no metadata service.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AcquireError, Transport, oauth2::AuthorizationServer};
///
/// # async fn begin(transport: Transport) -> Result<(), AcquireError> {
/// let metadata = AuthorizationServer::discover("https://login.example.com").metadata(transport).await?;
/// if let Some(url) = metadata.authorization_endpoint() {
///     println!("log in at {url}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerMetadata {
    endpoints: Endpoints,
}

impl ServerMetadata {
    /// Where tokens are asked for.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        &self.endpoints.token
    }

    /// Where people log in with a browser (RFC 6749 §3.1).
    #[must_use]
    pub fn authorization_endpoint(&self) -> Option<&str> {
        self.endpoints.authorization.as_deref()
    }

    /// Where a login at another device begins (RFC 8628 §4).
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> Option<&str> {
        self.endpoints.device_authorization.as_deref()
    }

    /// Where tokens are revoked (RFC 7009).
    #[must_use]
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.endpoints.revocation.as_deref()
    }

    /// Whether each answer of a login has the issuer, so that one without it is somebody else's (RFC 9207 §2.4).
    #[must_use]
    pub fn says_issuer(&self) -> bool {
        self.endpoints.says_issuer
    }
}

impl AuthorizationServer {
    /// Looks up what the issuer's metadata says. For a credential that is built, nobody needs to: it looks up what it needs.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`] if there is no metadata, it is another issuer's, or it has a URL that may not be asked;
    /// [`Unsupported`](AcquireErrorKind::Unsupported) if the server isn't one that is
    /// [discovered](AuthorizationServer::discover).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the request.
    pub async fn metadata(&self, transport: impl Into<Transport>) -> Result<ServerMetadata, AcquireError> {
        let Some(issuer) = self.discovered_issuer() else {
            let words =
                "the server's endpoints are given, so that there is no metadata; give the issuer alone";
            return Err(AcquireError::unsupported(words));
        };
        let unusable = |source: crate::error::ConfigError| {
            let words = "the authorization server has metadata with a url that nobody may be sent to";
            AcquireError::new(AcquireErrorKind::Unintelligible, words).with_source(source)
        };
        self.check().map_err(unusable)?;
        let endpoints = discovery::discover(issuer, self.plaintext(), &transport.into()).await?;
        let urls = [&endpoints.authorization, &endpoints.device_authorization];
        urls.into_iter().flatten().try_for_each(|url| self.origin_of(url).map(drop)).map_err(unusable)?;
        Ok(ServerMetadata { endpoints })
    }
}
