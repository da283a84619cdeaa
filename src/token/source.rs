//! Where tokens come from, as the cache sees it: the [`Credential`] trait, what is asked of it, and its erased twin.

use std::{future::Future, pin::Pin, sync::Arc};

use secrecy::SecretString;

use super::{access_token::AccessToken, description::Description};
use crate::{
    error::{AcquireError, AuthError},
    observe::Reason,
};

/// What a [`Credential`](crate::Credential) is asked: why a token is needed, and which one it replaces.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Acquire, Reason};
///
/// let acquire = Acquire::new(Reason::Cold, None);
/// assert!(!acquire.may_refresh());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Acquire<'a> {
    reason: Reason,
    previous: Option<&'a AccessToken>,
}

impl<'a> Acquire<'a> {
    /// Asks for a token. Public for tests of credentials, and for credentials that wrap others.
    #[must_use]
    pub fn new(reason: Reason, previous: Option<&'a AccessToken>) -> Self {
        Self { reason, previous }
    }

    /// Why the token is needed.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The token that is to be replaced, with the newest refresh token.
    #[must_use]
    pub fn previous(&self) -> Option<&'a AccessToken> {
        self.previous
    }

    /// Whether the refresh grant may be used: there is a previous token, and its grant isn't known to be spent.
    #[must_use]
    pub fn may_refresh(&self) -> bool {
        self.previous.is_some() && matches!(self.reason, Reason::Expiring | Reason::Expired)
    }
}

/// Something that can obtain access tokens.
///
/// The token cache calls it; nobody else needs to. The contract:
///
/// - `acquire` is called from a task of its own, never twice at a time for one cache, and is dropped when the
///   attempt's time is up (10 s by default). It must not block the thread.
/// - One call is one attempt with one grant. Retries, back-off, and the step from a refused refresh grant to
///   another one ([`AcquireError::grant_rejected`]) are the cache's business.
/// - It may be dropped at any await point, and then should not have lost more than that attempt.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AccessToken, Acquire, AcquireError, Credential};
///
/// struct FromVault;
///
/// impl Credential for FromVault {
///     async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
///         let secret = String::from("read it here");
///         Ok(AccessToken::new(secret.replace(' ', ""))?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a credential",
    label = "expected something that can obtain tokens",
    note = "use one of the vendors, `StaticToken::new(..)` for a fixed key, `from_fn(..)` for a closure, or implement `Credential`"
)]
pub trait Credential: Send + Sync + 'static {
    /// Obtains a token.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`] whose kind says what may be tried next.
    fn acquire(&self, request: Acquire<'_>)
    -> impl Future<Output = Result<AccessToken, AcquireError>> + Send;

    /// Makes the server forget `token` (a logout, RFC 7009). By default that is unsupported.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`]; [`AcquireErrorKind::Unsupported`](crate::AcquireErrorKind::Unsupported) by default.
    fn revoke(&self, token: &AccessToken) -> impl Future<Output = Result<(), AcquireError>> + Send {
        let _ = token;
        std::future::ready(Err(AcquireError::unsupported("this credential can't revoke tokens")))
    }

    /// Whether the secret is another one than the server last refused: then calls don't wait for
    /// [`AuthError::retry_at`](crate::AuthError::retry_at), but try it at once. By default there never is one.
    ///
    /// Asked at most once a second, on the thread of a call that would fail at once. It must not block for long.
    fn has_new_secret(&self) -> bool {
        false
    }

    /// The secret that a server would be shown now, as far as that can be told without waiting; of several, all in one. By
    /// default it can't be told.
    ///
    /// Processes that share a token by a [store](crate::store) wait together after a refusal, so that a wrong password
    /// doesn't lock its user out. Those that have another secret than was refused needn't: they have been deployed anew.
    /// Only a keyed digest of it gets into a store, and only into one that is [sealed](crate::store::SealedStore).
    ///
    /// Asked by the task of a flight, and only where there is a store. It must not block for long.
    fn current_secret(&self) -> Option<SecretString> {
        None
    }

    /// Says what the cache needs to know of this credential. By default: the type's name, and a renewal that
    /// leaves the previous token valid.
    ///
    /// Asked once by each cache, and after that, for [`unsaved_since`](Description::unsaved_since) alone, by each call
    /// of [`TokenCache::state`](crate::TokenCache::state). It must not block.
    fn describe(&self) -> Description {
        Description::new(std::any::type_name::<Self>())
    }
}

/// For a credential that several caches use, or that the program goes on to use itself.
impl<C: Credential> Credential for Arc<C> {
    fn acquire(
        &self,
        request: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        C::acquire(self, request)
    }

    fn revoke(&self, token: &AccessToken) -> impl Future<Output = Result<(), AcquireError>> + Send {
        C::revoke(self, token)
    }

    fn has_new_secret(&self) -> bool {
        C::has_new_secret(self)
    }

    fn current_secret(&self) -> Option<SecretString> {
        C::current_secret(self)
    }

    fn describe(&self) -> Description {
        C::describe(self)
    }
}

/// A boxed future of a [`Source`].
type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AcquireError>> + Send + 'a>>;

/// The object-safe twin of [`Credential`](crate::Credential): the cache names no credential's type.
pub(crate) trait Source: Send + Sync + 'static {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken>;
    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()>;
    fn has_new_secret(&self) -> bool;
    fn current_secret(&self) -> Option<SecretString>;
    fn describe(&self) -> Description;

    /// A place among those who ask the same server at a time, which is held while it is asked. Waiting for one is no part of
    /// an attempt.
    fn place(&self) -> Option<PlaceFuture<'_>> {
        None
    }

    /// Hears how each flight ends. Called under no lock.
    fn hear(&self, _landing: Result<&AccessToken, &AuthError>) {}
}

/// Whatever gives the place back when it is dropped.
pub(crate) type Place = Box<dyn Send>;

/// The wait for a [`Place`].
pub(crate) type PlaceFuture<'a> = Pin<Box<dyn Future<Output = Place> + Send + 'a>>;

impl<C: Credential> Source for C {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken> {
        Box::pin(Credential::acquire(self, request))
    }

    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()> {
        Box::pin(Credential::revoke(self, token))
    }

    fn has_new_secret(&self) -> bool {
        Credential::has_new_secret(self)
    }

    fn current_secret(&self) -> Option<SecretString> {
        Credential::current_secret(self)
    }

    fn describe(&self) -> Description {
        Credential::describe(self)
    }
}
