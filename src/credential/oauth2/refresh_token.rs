//! [`RefreshToken`]: somebody logged in once, and the program goes on from there.

use std::{fmt, future::Future};

use secrecy::SecretString;

use super::{
    client_authentication::ClientAuthentication,
    grant::{Grant, Login},
    methods::setup_methods,
    rotation::Persist,
    server::AuthorizationServer,
    setup::Setup,
};
use crate::{error::BoxError, secret::SecretSource};

/// Tokens by a refresh token that the program was given (RFC 6749 §6).
///
/// Where the server rotates refresh tokens, the new one is used from then on, and [`persist`](Self::persist) saves
/// it. Where it says `invalid_grant` to the last one, the source is read again: somebody may have logged in, or
/// another process may have saved a newer one there.
///
/// # Examples
///
/// ```
/// use std::path::Path;
/// use secrecy::ExposeSecret;
/// use tower_reauth::{
///     AuthLayer, ConfigError, Transport,
///     oauth2::{ClientAuthentication, RefreshToken, SecretSource},
/// };
///
/// fn layer(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     const PATH: &str = "/var/lib/my-app/refresh-token";
///     RefreshToken::new("https://login.example.com/token", ClientAuthentication::public("my-app"), SecretSource::file(PATH))
///         .persist(|token| async move {
///             // Written beside it and renamed, so that there is one of them in any case.
///             let next = Path::new(PATH).with_extension("next");
///             std::fs::write(&next, token.expose_secret())?;
///             std::fs::rename(&next, PATH)?;
///             Ok(())
///         })
///         .layer("https://api.example.com", transport)
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RefreshToken {
    setup: Setup,
    grant: (SecretSource, Option<Persist>),
}

impl RefreshToken {
    /// Tokens of `server` for whoever granted `refresh_token` to `client`. Each request is a refresh: the
    /// [`scope`](Self::scope), if there is one, is in all of them, and must not be wider than what was granted.
    pub fn new(
        server: impl Into<AuthorizationServer>,
        client: ClientAuthentication,
        refresh_token: impl Into<SecretSource>,
    ) -> Self {
        Self { setup: Setup::new(server, client), grant: (refresh_token.into(), None) }
    }

    /// Sets what saves a new refresh token. It is called before the access token that came with it is used.
    ///
    /// If it fails, or takes more than 5 s, the new refresh token is used from memory,
    /// [`OAuth2Credential::unsaved`](super::OAuth2Credential::unsaved) says so, and it is called again at each
    /// acquisition. Its error's text must not hold a secret.
    pub fn persist<F, Fut>(mut self, save: F) -> Self
    where
        F: Fn(SecretString) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.grant.1 = Some(Persist::by(save));
        self
    }
}

setup_methods!(RefreshToken, |(SecretSource(initial), persist)| Grant::RefreshToken(Login {
    initial,
    persist
}));

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (initial, persist) = &self.grant;
        f.debug_struct("RefreshToken")
            .field("setup", &self.setup)
            .field("refresh_token", initial)
            .field("persists", &persist.is_some())
            .finish()
    }
}
