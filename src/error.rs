//! Every error of the crate: what a user configured wrongly, why a credential failed, what a caller is told.
//!
//! No error text holds a secret: messages are either ours, or a server's text that went through
//! [`crate::credential`]'s redaction first.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::StatusCode;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::error_code::ErrorCode;

/// A boxed error, as in Tower's own layers.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A configuration that can't work, reported when it is built and not at the first call.
///
/// # Examples
///
/// ```
/// use tower_reauth::{ConfigErrorKind, Origin};
///
/// let error = Origin::parse("http://api.example.com").unwrap_err();
/// assert_eq!(error.kind(), ConfigErrorKind::InsecureUrl);
/// ```
#[derive(Debug)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    message: String,
    source: Option<BoxError>,
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A URL or an origin that can't be parsed, or lacks a part.
    Url,
    /// `http` to a host that is not loopback.
    InsecureUrl,
    /// A secret that is empty or can't be sent.
    Secret,
    /// A user-id that HTTP Basic can't carry, because it holds a colon (RFC 7617 §2).
    UserId,
    /// A header name or value that HTTP can't carry.
    Header,
    /// A token endpoint's declaration that is incomplete or contradicts itself.
    Declaration,
    /// Trust anchors or TLS settings that can't be used.
    Tls,
}

impl ConfigError {
    pub(crate) fn new(kind: ConfigErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// Why a [`Credential`](crate::Credential) brought no token.
///
/// The kind decides what happens next: another attempt, another grant, a pause, or failing fast.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::{AcquireError, AcquireErrorKind};
///
/// let error = AcquireError::transient("the vault is sealed").with_retry_after(Duration::from_secs(5));
/// assert_eq!(error.kind(), AcquireErrorKind::Transient);
/// ```
#[derive(Debug)]
pub struct AcquireError {
    kind: AcquireErrorKind,
    message: String,
    status: Option<StatusCode>,
    code: Option<ErrorCode>,
    retry_after: Option<Duration>,
    refresh_token: Option<SecretString>,
    source: Option<BoxError>,
}

/// The kinds of failure that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcquireErrorKind {
    /// It may work later: a network error, 408, 425, 429, 5xx, or an answer that makes no sense.
    Transient,
    /// The server refused the credentials themselves. Asking again soon may lock the account.
    Rejected,
    /// The server refused only the grant that was tried (a spent refresh token, an expired token that can't be
    /// renewed any more); the credential has another one.
    GrantRejected,
    /// The credential can't do what was asked, ever: a static key can't be renewed.
    Unsupported,
    /// The attempt's time was up. Whether the server saw the request is not known.
    TimedOut,
    /// The credential's code panicked.
    Panicked,
}

impl AcquireError {
    /// It may work later.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(AcquireErrorKind::Transient, message)
    }

    /// The server refused the credentials themselves.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::new(AcquireErrorKind::Rejected, message)
    }

    /// The server refused the grant that was tried, and there is another: the flight goes on with
    /// [`Reason::Rejected`](crate::Reason::Rejected), which asks for a token from scratch.
    pub fn grant_rejected(message: impl Into<String>) -> Self {
        Self::new(AcquireErrorKind::GrantRejected, message)
    }

    /// The credential can't do what was asked.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(AcquireErrorKind::Unsupported, message)
    }

    pub(crate) fn new(kind: AcquireErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            code: None,
            retry_after: None,
            refresh_token: None,
            source: None,
        }
    }

    /// Adds the status that the token endpoint answered with.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds the error code that an OAuth 2.0 server gave (RFC 6749 §5.2).
    #[must_use]
    pub fn with_code(mut self, code: ErrorCode) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds the time for which the server asked to be left alone (RFC 9110 §10.2.3).
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds the refresh token that the server sent beside an access token that can't be used. The one before it may
    /// be spent, so this one takes its place.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: impl Into<SecretString>) -> Self {
        self.refresh_token = Some(refresh_token.into());
        self
    }

    /// Adds the error that caused this one. Its text must not hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> AcquireErrorKind {
        self.kind
    }

    /// The status that the token endpoint answered with, if it answered.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The error code that the server gave, if it is one of RFC 6749 §5.2 or its extensions.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// How long the server asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The refresh token that came all the same.
    pub(crate) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// Whether the server asked everybody to stay away for a while: 429, 503, or any `Retry-After`.
    pub(crate) fn is_throttled(&self) -> bool {
        self.retry_after.is_some()
            || matches!(self.status, Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE))
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.status {
            Some(status) => write!(f, " (status {})", status.as_u16()),
            None => Ok(()),
        }
    }
}

impl StdError for AcquireError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// What a caller is told when there is no token for its request, or when a refresh failed.
///
/// The services of this crate return it as [`BoxError`]; [`AuthError::find`] gets it back from any chain of
/// errors. It is cheap to clone: everyone who waited on one flight gets the same failure.
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
    /// The token endpoint can't be reached, is overloaded, or answers nonsense.
    Unavailable,
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
}

impl AuthError {
    pub(crate) fn new(kind: AuthErrorKind) -> Self {
        Self { kind, retry_at: None, source: None }
    }

    /// What the callers who waited for `error`'s flight are told.
    pub(crate) fn from_acquire(error: Arc<AcquireError>) -> Self {
        let kind = match error.kind {
            AcquireErrorKind::Rejected | AcquireErrorKind::GrantRejected => {
                AuthErrorKind::CredentialsRejected
            }
            AcquireErrorKind::Unsupported => AuthErrorKind::NotRenewable,
            AcquireErrorKind::TimedOut => AuthErrorKind::TimedOut,
            AcquireErrorKind::Panicked => AuthErrorKind::Panicked,
            AcquireErrorKind::Transient => AuthErrorKind::Unavailable,
        };
        Self { kind, retry_at: None, source: Some(error) }
    }

    pub(crate) fn with_retry_at(mut self, at: Option<Instant>) -> Self {
        self.retry_at = at;
        self
    }

    /// Whether the token endpoint can't be reached or doesn't work, as far as anybody knows only for now.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self.kind, AuthErrorKind::Unavailable | AuthErrorKind::TimedOut)
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
            AuthErrorKind::Unavailable => "the token endpoint is unavailable; try again later",
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
        })
    }
}

impl StdError for AuthError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
