//! [`RefreshTokens`]: the refresh token that is in force, where a credential keeps it and not the cache.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use crate::sync::{Mutex, MutexGuard, PoisonError};

/// The refresh token that is in force: one for all clones of a credential, and for all caches that ask it.
///
/// A cache keeps the refresh token that came with its token, and hands it to the credential with the next request. That
/// will do for credentials with another way to get a token: each of their caches has logged in for itself. A credential
/// that *is* a refresh token has only the one. So it keeps that itself, in one of these, which its
/// [`Description`](crate::Description::refresh_tokens) shows to its caches. Then they keep none: what
/// [`Acquire::previous`](crate::Acquire::previous) has is what is here at that time.
///
/// Clones share it. `Debug` shows no secret.
///
/// # Examples
///
/// ```
/// use secrecy::{ExposeSecret, SecretString};
/// use tower_reauth::{AccessToken, Acquire, AcquireError, Credential, Description, RefreshTokens};
///
/// struct Session {
///     first: SecretString,
///     refresh_tokens: RefreshTokens,
/// }
///
/// impl Credential for Session {
///     async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
///         let sent = self.refresh_tokens.newest().unwrap_or_else(|| self.first.clone());
///         let (token, rotated) = ask(&sent).await?;
///         // Before anything else is awaited: the one that was sent is spent.
///         self.refresh_tokens.replace(rotated);
///         Ok(token)
///     }
///
///     fn describe(&self) -> Description {
///         Description::new("session").refresh_tokens(self.refresh_tokens.clone())
///     }
/// }
/// # async fn ask(sent: &SecretString) -> Result<(AccessToken, SecretString), AcquireError> {
/// #     Ok((AccessToken::new(sent.expose_secret())?, sent.clone()))
/// # }
/// ```
#[derive(Clone, Default)]
pub struct RefreshTokens {
    newest: Arc<Mutex<Option<SecretString>>>,
}

impl RefreshTokens {
    /// What one takes without its text, in bytes.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(crate) const BYTES: usize = size_of::<Mutex<Option<SecretString>>>() + 2 * size_of::<usize>();

    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The newest one. `None` before the first: then the credential sends what it was given.
    #[must_use]
    pub fn newest(&self) -> Option<SecretString> {
        self.lock().clone()
    }

    /// Takes the place of the one there is.
    pub fn replace(&self, refresh_token: impl Into<SecretString>) {
        *self.lock() = Some(refresh_token.into());
    }

    /// Forgets it: it was revoked, or refused.
    pub fn forget(&self) {
        *self.lock() = None;
    }

    /// Whether `refresh_token` is the newest one.
    #[must_use]
    pub fn is_newest(&self, refresh_token: &SecretString) -> bool {
        self.lock().as_ref().is_some_and(|newest| newest.expose_secret() == refresh_token.expose_secret())
    }

    fn lock(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokens").field("rotated", &self.lock().is_some()).finish_non_exhaustive()
    }
}
