//! [`AuthError`]: what a caller is told when there is no token.

use std::{error::Error as StdError, fmt, sync::Arc};

use tokio::time::Instant;

use super::acquire::{AcquireError, AcquireErrorKind};

/// What a caller is told when there is no token for its request, or when a refresh failed.
///
/// The services of this crate return it as [`BoxError`](crate::BoxError); [`AuthError::find`] gets it back from any
/// chain of errors. It is cheap to clone: everyone who waited on one flight gets the same failure.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthError, BoxError};
///
/// fn try_again_later(error: &BoxError) -> bool {
///     AuthError::find(&**error).is_some_and(|error| error.retry_at().is_some())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AuthError {
    kind: AuthErrorKind,
    retry_at: Option<Instant>,
    source: Option<Arc<AcquireError>>,
}

/// Why there is no (new) token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The token endpoint refused the credentials. Calls fail fast until [`AuthError::retry_at`], so that the
    /// account isn't locked; [`TokenCache::invalidate`](crate::TokenCache::invalidate) tries again at once.
    CredentialsRejected,
    /// The token endpoint can't be reached, is overloaded, or isn't working; or it can't be asked for now, since other processes may
    /// have sent what it would be asked with.
    Unavailable,
    /// A secret that is needed can't be had: its variable, file, command or vault gives none. [`AuthError::acquire_error`] says
    /// which. No server was asked, and calls go on when it is there.
    NoSecret,
    /// The token endpoint can't be used as it is: it moved, is missing or blocked, takes no request of this form, or its
    /// answer makes no sense. [`AcquireError::kind`] says which, and its text what to look at. Calls fail at once for up to
    /// 5 s at a time, and go on when it is mended; after a [refusal in words that nobody has
    /// declared](crate::AcquireErrorKind::Undeclared) for as long as after rejected credentials.
    EndpointUnusable,
    /// No attempt brought an answer in time.
    TimedOut,
    /// The credential's code panicked.
    Panicked,
    /// The flight that was waited for was lost with its runtime, again and again.
    Lost,
    /// There is no Tokio runtime with its time driver enabled on this thread, so nothing can be acquired.
    NoRuntime,
    /// The server keeps rejecting new tokens, or too many were rejected lately, or what was acquired is the rejected
    /// token again, as with a key that nobody has replaced: no refresh for now.
    Paused,
    /// The credential can't renew its token: a static key.
    NotRenewable,
    /// The credential can't revoke tokens.
    NotRevocable,
    /// The token was revoked, but the [store](crate::store) couldn't be told. Other processes may still take it from there, and
    /// find that it is dead. Revoke it again when the store is back.
    StoreLost,
    /// The token can't be sent where [`Placement`](crate::Placement) has it go: a cookie doesn't take each of its characters
    /// (RFC 6265 §4.1.1). The request isn't sent.
    NotPlaceable,
    /// The request says of no [tenant](crate::Tenants) that it is for: it has no extension of the id's type. It isn't sent.
    NoTenant,
    /// The request goes to another origin than its tenant's. It isn't sent.
    OtherTenant,
    /// The program doesn't know the tenant, or won't have it, or it was built wrongly; [`AuthError::acquire_error`] says why.
    /// The request isn't sent, and the next one asks again.
    TenantRefused,
    /// The tenant couldn't be built in time, or the program's code for that panicked; [`AuthError::acquire_error`] says which.
    /// The request isn't sent, and the next one asks again.
    TenantUnavailable,
    /// There is no room for another tenant, since all that are there are in use, or have a refresh token that would be lost
    /// with them. Allow more bytes ([`TenantsBuilder::bytes`](crate::TenantsBuilder::bytes)), or share their tokens in a
    /// [store](crate::store).
    TenantsFull,
    /// The tenant was [removed](crate::Tenants::remove) while the request waited. It isn't sent.
    TenantRemoved,
}

impl AuthError {
    pub(crate) fn new(kind: AuthErrorKind) -> Self {
        Self { kind, retry_at: None, source: None }
    }

    /// What the callers who waited for `error`'s flight are told.
    pub(crate) fn from_acquire(error: Arc<AcquireError>) -> Self {
        let kind = match error.kind() {
            AcquireErrorKind::Rejected | AcquireErrorKind::GrantRejected => {
                AuthErrorKind::CredentialsRejected
            }
            AcquireErrorKind::Unsupported => AuthErrorKind::NotRenewable,
            AcquireErrorKind::TimedOut => AuthErrorKind::TimedOut,
            AcquireErrorKind::Panicked => AuthErrorKind::Panicked,
            AcquireErrorKind::Transient => AuthErrorKind::Unavailable,
            AcquireErrorKind::NoSecret => AuthErrorKind::NoSecret,
            AcquireErrorKind::Moved
            | AcquireErrorKind::Missing
            | AcquireErrorKind::NotAccepted
            | AcquireErrorKind::Blocked
            | AcquireErrorKind::ProxyRefused
            | AcquireErrorKind::Unintelligible
            | AcquireErrorKind::TokenType
            | AcquireErrorKind::Undeclared => AuthErrorKind::EndpointUnusable,
        };
        Self { kind, retry_at: None, source: Some(error) }
    }

    /// Whether the grant is dead, and there is no other.
    #[allow(dead_code, reason = "of tenants alone")]
    pub(crate) fn is_dead_grant(&self) -> bool {
        self.source.as_ref().is_some_and(|error| error.is_dead_grant())
    }

    /// With what the program said, or was said of it.
    #[allow(dead_code, reason = "of tenants alone")]
    pub(crate) fn with_acquire_error(mut self, error: AcquireError) -> Self {
        self.source = Some(Arc::new(error));
        self
    }

    pub(crate) fn with_retry_at(mut self, at: Option<Instant>) -> Self {
        self.retry_at = at;
        self
    }

    /// Whether the server may have refused the credentials themselves.
    pub(crate) fn may_be_the_secret(&self) -> bool {
        self.source.as_ref().is_some_and(|error| error.kind().may_be_the_secret())
    }

    /// Whether the token endpoint can't be reached or doesn't work, or a secret isn't there to ask it with, as far as anybody
    /// knows only for now.
    pub(crate) fn is_outage(&self) -> bool {
        let is_wrong = self.kind == AuthErrorKind::EndpointUnusable && !self.may_be_the_secret();
        let is_down = matches!(
            self.kind,
            AuthErrorKind::Unavailable | AuthErrorKind::NoSecret | AuthErrorKind::TimedOut
        );
        is_wrong || is_down
    }

    /// The first `AuthError` in `error`'s chain of sources, `error` itself included.
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// The first moment at which another attempt would reach the token endpoint, if that is known.
    #[must_use]
    pub fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// The credential's own error, where it was asked.
    #[must_use]
    pub fn acquire_error(&self) -> Option<&AcquireError> {
        self.source.as_deref()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            AuthErrorKind::CredentialsRejected => "the token endpoint rejected the credentials; check them",
            AuthErrorKind::Unavailable if self.source.as_ref().is_some_and(|error| error.is_unasked()) => {
                "no server can be asked for a token for now; try again later"
            }
            AuthErrorKind::Unavailable => "the token endpoint is unavailable; try again later",
            AuthErrorKind::NoSecret => "a secret that is needed can't be had; look at where it comes from",
            AuthErrorKind::EndpointUnusable => {
                "the token endpoint can't be used as it is; the error's source says what to look at"
            }
            AuthErrorKind::TimedOut => "the token endpoint did not answer in time; try again later",
            AuthErrorKind::Panicked => "the credential panicked; this is a bug in its code",
            AuthErrorKind::Lost => "the runtime that was acquiring the token went away; try again",
            AuthErrorKind::NoRuntime => {
                "acquiring a token needs a tokio runtime with its time driver enabled"
            }
            AuthErrorKind::Paused => {
                "the server keeps rejecting what is acquired, new tokens or the same one again; acquiring is paused"
            }
            AuthErrorKind::NotRenewable => "the credential is static and can't be renewed; supply a new one",
            AuthErrorKind::NotRevocable => "the credential can't revoke tokens",
            AuthErrorKind::StoreLost => "the token is revoked, but the store couldn't be told; revoke it again later",
            AuthErrorKind::NoTenant => "the request names no tenant; give it an extension of the id's type",
            AuthErrorKind::OtherTenant => {
                "the request goes to another origin than its tenant's; check the url and the tenant's id"
            }
            AuthErrorKind::TenantRefused => "there is no such tenant; the error's source says why",
            AuthErrorKind::TenantUnavailable => "the tenant could not be built; the error's source says why",
            AuthErrorKind::TenantsFull => {
                "no tenant can make room for another one; allow more bytes, or keep their tokens in a store"
            }
            AuthErrorKind::TenantRemoved => "the tenant was removed",
            AuthErrorKind::NotPlaceable => {
                "the token has a quote, comma, semicolon or backslash, which no cookie can have; place it in a header"
            }
        })
    }
}

impl StdError for AuthError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
