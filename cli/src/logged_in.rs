//! [`LoggedIn`]: the credential of somebody who has logged in, as long as that is so.

use tower_reauth::{
    AccessToken, Acquire, AcquireError, AcquireErrorKind, Credential, Description, ErrorCode, TokenCache,
    oauth2::OAuth2Credential,
};

use crate::message::chain;

/// A refresh token that a login has put into the store. Without one no server is asked.
#[derive(Clone)]
pub(crate) struct LoggedIn {
    inner: OAuth2Credential,
    /// The command that has somebody log in.
    command: String,
}

impl LoggedIn {
    pub(crate) fn new(inner: OAuth2Credential, command: String) -> Self {
        Self { inner, command }
    }
}

impl Credential for LoggedIn {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        if self.inner.refresh_token().is_none() {
            let words = format!("nobody is logged in; run `{}`", self.command);
            return Err(AcquireError::grant_rejected(words));
        }
        self.inner.acquire(acquire).await.map_err(|error| {
            let is_over = error.code() == Some(ErrorCode::InvalidGrant);
            if !is_over || error.kind() != AcquireErrorKind::Rejected {
                return error;
            }
            let words = format!("the login has ended; run `{}`", self.command);
            AcquireError::grant_rejected(words).with_code(ErrorCode::InvalidGrant).with_source(error)
        })
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        self.inner.revoke(token).await
    }

    fn has_new_secret(&self) -> bool {
        self.inner.has_new_secret()
    }

    fn current_secret(&self) -> Option<secrecy::SecretString> {
        self.inner.current_secret()
    }

    fn describe(&self) -> Description {
        self.inner.describe()
    }
}

/// What to do where there is no token, if it is that somebody logs in.
pub(crate) async fn hint(login: Option<&str>, tokens: &TokenCache) -> Option<String> {
    let command = login?;
    match tokens.stored().await {
        Ok(None) => Some(format!("nobody is logged in; run `{command}`")),
        Ok(Some(stored)) if !stored.has_refresh_token() && !stored.is_usable() => {
            Some(format!("the login has ended; run `{command}`"))
        }
        Ok(Some(stored)) if stored.is_dead() => Some(format!("the login has ended; run `{command}`")),
        Ok(Some(_)) => None,
        Err(error) => Some(format!("nobody knows who is logged in: {}", chain(&error))),
    }
}
