//! Where tokens come from, as the cache sees it: an object-safe trait, and what is asked of it.

use std::{borrow::Cow, future::Future, pin::Pin};

use super::AccessToken;
use crate::error::AcquireError;

/// Why a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There is no token yet.
    Cold,
    /// The token is still valid, but not for long. Try the refresh grant first.
    Expiring,
    /// The token has expired, by our clock or by the server's word. Try the refresh grant first.
    Expired,
    /// The token is dead, or the refresh grant failed: acquire anew, from what the program was configured with. A
    /// credential that has only a refresh token uses that.
    Rejected,
}

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

/// What renewing a token means to the one it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// The previous token stays valid until it expires. This is the default.
    #[default]
    KeepsPrevious,
    /// The previous token dies when it is renewed, so requests wait while an early renewal is under way.
    RevokesPrevious,
    /// There is nothing to renew: the token is a static key.
    Unsupported,
}

/// What a [`Credential`](crate::Credential) says of itself.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Description, Renewal};
///
/// let description = Description::new("my vendor").renewal(Renewal::RevokesPrevious);
/// assert_eq!(description.name(), "my vendor");
/// ```
#[derive(Clone, Debug)]
pub struct Description {
    name: Cow<'static, str>,
    renewal: Renewal,
}

impl Description {
    /// A description with a name for logs. It must not hold a secret.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), renewal: Renewal::default() }
    }

    /// Sets what renewing a token means to the one it replaces.
    #[must_use]
    pub fn renewal(mut self, renewal: Renewal) -> Self {
        self.renewal = renewal;
        self
    }

    /// The name for logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn renews(&self) -> Renewal {
        self.renewal
    }
}

/// A boxed future of a [`Source`].
pub(crate) type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AcquireError>> + Send + 'a>>;

/// The object-safe twin of [`Credential`](crate::Credential): the cache names no credential's type.
pub(crate) trait Source: Send + Sync + 'static {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken>;
    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()>;
    fn describe(&self) -> Description;
}
