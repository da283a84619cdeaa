//! [`ErrorCode`]: the error codes of OAuth 2.0 token endpoints, typed.

use std::fmt;

/// What an OAuth 2.0 server's `error` says (RFC 6749 §5.2 and its extensions).
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthError, ErrorCode};
///
/// fn needs_a_new_login(error: &AuthError) -> bool {
///     error.acquire_error().and_then(|error| error.code()) == Some(ErrorCode::InvalidGrant)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `invalid_request`: a parameter is missing, repeated, unknown, or malformed.
    InvalidRequest,
    /// `invalid_client`: the client is unknown, or its secret or assertion is wrong.
    InvalidClient,
    /// `invalid_grant`: the refresh token, assertion or password is wrong, expired, revoked, or another client's.
    InvalidGrant,
    /// `unauthorized_client`: the client may not use this grant.
    UnauthorizedClient,
    /// `unsupported_grant_type`: the server doesn't know the grant.
    UnsupportedGrantType,
    /// `invalid_scope`: the scope is unknown, malformed, or wider than what was granted.
    InvalidScope,
    /// `invalid_target`: the resource or audience is unknown or not allowed (RFC 8707 §2).
    InvalidTarget,
    /// `access_denied`: the server or the user said no.
    AccessDenied,
    /// `unsupported_token_type`: the server can't revoke such tokens (RFC 7009 §2.2.1).
    UnsupportedTokenType,
    /// `server_error`: something went wrong at the server, whatever the status.
    ServerError,
    /// `temporarily_unavailable`: the server is overloaded or in maintenance, whatever the status.
    TemporarilyUnavailable,
    /// `slow_down`: the server is asked too often (RFC 8628 §3.5).
    SlowDown,
    /// `authorization_pending`: nobody has said yes yet at the other device (RFC 8628 §3.5).
    AuthorizationPending,
    /// `expired_token`: nobody has said yes in time at the other device (RFC 8628 §3.5).
    ExpiredToken,
}

impl ErrorCode {
    const ALL: [Self; 14] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::AccessDenied,
        Self::UnsupportedTokenType,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::SlowDown,
        Self::AuthorizationPending,
        Self::ExpiredToken,
    ];

    /// The code as it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::SlowDown => "slow_down",
            Self::AuthorizationPending => "authorization_pending",
            Self::ExpiredToken => "expired_token",
        }
    }

    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }

    /// Whether the same request may work later.
    pub(crate) fn is_transient(self) -> bool {
        matches!(
            self,
            Self::ServerError | Self::TemporarilyUnavailable | Self::SlowDown | Self::AuthorizationPending
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
