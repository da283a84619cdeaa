//! [`AcquireError`]: why a credential brought no token.

use std::{error::Error as StdError, fmt, time::Duration};

use http::StatusCode;
use secrecy::SecretString;

use super::{boxed::BoxError, code::ErrorCode};

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
    throttled: bool,
    /// No server was asked.
    unasked: bool,
    attempts_apart: Option<Duration>,
    refresh_token: Option<SecretString>,
    source: Option<BoxError>,
}

/// The longest that attempts are apart which double.
const LONGEST_APART: Duration = Duration::from_secs(60);

/// The kinds of failure that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcquireErrorKind {
    /// It may work later: a network error, 408, 425, 429, 5xx, or whatever the vendor is declared to mean by "later".
    Transient,
    /// The server refused the credentials themselves: by a code of RFC 6749 §5.2, a 401, or as the vendor is declared.
    /// Asking again soon may lock the account.
    Rejected,
    /// The server refused only the grant that was tried (a spent refresh token, an expired token that can't be
    /// renewed any more); the credential has another one.
    GrantRejected,
    /// A secret that is needed can't be had where it comes from: a variable, a file, a command, a vault. Nothing was sent. It may
    /// be there later, and is asked for again as after [`Transient`](Self::Transient).
    NoSecret,
    /// The credential can't do what was asked, ever: a static key can't be renewed.
    Unsupported,
    /// The attempt's time was up. Whether the server saw the request is not known.
    TimedOut,
    /// The credential's code panicked.
    Panicked,
    /// The endpoint has moved: it answered with a redirect (3xx), which isn't followed.
    Moved,
    /// The endpoint isn't where it was looked for: 404, 410, 421, or no metadata that names it.
    Missing,
    /// The endpoint takes no request of this form: its method (405), its length (411, 413), its media type (415) and so
    /// on.
    NotAccepted,
    /// The server, or something in front of it such as a firewall, doesn't let the request through: 403 or 451, without
    /// an answer in fields.
    Blocked,
    /// A proxy on the way wants credentials of its own: 407.
    ProxyRefused,
    /// The endpoint's answer makes no sense: it is no answer of a token endpoint, or has no token that can be used.
    Unintelligible,
    /// The endpoint's token is of a type that isn't sent as a bearer token (RFC 6749 §7.1), or that nobody has named:
    /// [`TokenEndpoint::token_type`](crate::TokenEndpoint::token_type).
    TokenType,
    /// The endpoint refused in words that nobody has declared. It may be the credentials that it means, so that calls
    /// fail fast as after [`Rejected`](Self::Rejected); [`TokenEndpoint::refusal`](crate::TokenEndpoint::refusal) and
    /// [`later`](crate::TokenEndpoint::later) say which it is.
    Undeclared,
}

impl AcquireErrorKind {
    /// Whether the server may have refused the credentials themselves.
    pub(crate) fn may_be_the_secret(self) -> bool {
        matches!(self, Self::Rejected | Self::GrantRejected | Self::Undeclared)
    }

    /// Whether it is the endpoint that is wrong, and not what it was sent: it has not looked at that, as far as anybody
    /// knows, and may be mended at any time.
    pub(crate) fn is_about_endpoint(self) -> bool {
        matches!(
            self,
            Self::Moved
                | Self::Missing
                | Self::NotAccepted
                | Self::Blocked
                | Self::ProxyRefused
                | Self::Unintelligible
                | Self::TokenType
        )
    }
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

    /// A secret that is needed can't be had where it comes from, and nothing was sent. `message` says which one, and not what it is.
    pub fn no_secret(message: impl Into<String>) -> Self {
        Self::new(AcquireErrorKind::NoSecret, message)
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
            throttled: false,
            unasked: false,
            attempts_apart: None,
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

    /// It may work later, and no server was asked: what it would be asked with is in other hands for now.
    pub(crate) fn unasked(message: impl Into<String>) -> Self {
        Self { unasked: true, ..Self::transient(message) }
    }

    /// Whether no server was asked.
    pub(crate) fn is_unasked(&self) -> bool {
        self.unasked
    }

    /// Says that the server asked to be left alone, without saying for how long.
    pub(crate) fn with_throttled(mut self) -> Self {
        self.throttled = true;
        self
    }

    /// Says how long a flight waits at least before its second attempt. Before each further one it is twice as long, up to a
    /// minute: for what documents such a back-off, and would be asked too soon by the policy's own. It counts for failures
    /// that [may pass](AcquireErrorKind::Transient), a 429 and a 503 included.
    ///
    /// A flight that has no time for that, or has made all its [attempts](crate::RefreshPolicy::attempts), ends with the error;
    /// then calls fail at once for as long as the wait would have been. A [`retry_after`](Self::with_retry_after) comes first.
    #[must_use]
    pub fn with_attempts_apart(mut self, first: Duration) -> Self {
        self.attempts_apart = Some(first);
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

    /// How long to wait after so many `attempts` that have failed, if that is known and the server says nothing else.
    pub(crate) fn wait_after(&self, attempts: u32) -> Option<Duration> {
        let may_pass = self.kind == AcquireErrorKind::Transient && self.retry_after.is_none();
        let first = self.attempts_apart.filter(|_| may_pass)?;
        let factor = 1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(first.saturating_mul(factor).min(LONGEST_APART))
    }

    /// The refresh token that came all the same.
    pub(crate) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// Whether the server calls the grant dead (`invalid_grant`), and there was no other: it needs a new login.
    pub(crate) fn is_dead_grant(&self) -> bool {
        self.kind.may_be_the_secret() && self.code == Some(ErrorCode::InvalidGrant)
    }

    /// Whether the server asked everybody to stay away for a while: 429, 503, any `Retry-After`, or in its own words.
    pub(crate) fn is_throttled(&self) -> bool {
        self.throttled
            || self.retry_after.is_some()
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
