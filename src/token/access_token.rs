//! An access token as a credential brings it: text that fits into a header, and what came with it.

use std::{fmt, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::error::AcquireError;

/// The longest access token that is accepted, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// An access token, with its lifetime and refresh token where the server sent them.
///
/// It can't be built from text that could break or split a header: only visible ASCII, not empty, at most
/// 64 KiB. `Debug` shows no secret. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::AccessToken;
///
/// let token = AccessToken::new("eyJ0eXAi")?.with_lifetime(Duration::from_secs(3600));
/// assert!(AccessToken::new("eyJ0eXAi\r\nX-Admin: 1").is_err());
/// # Ok::<(), tower_reauth::InvalidToken>(())
/// ```
#[derive(Clone)]
pub struct AccessToken {
    secret: Arc<SecretString>,
    refresh_token: Option<Arc<SecretString>>,
    lifetime: Option<Duration>,
    requested_at: Option<Instant>,
    /// What else came with it, by name. Mostly nothing, which takes no memory of its own.
    members: Arc<[(Box<str>, SecretString)]>,
}

impl AccessToken {
    /// Checks `secret` and wraps it.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] if the text is empty, longer than 64 KiB, or has a character that is not visible ASCII.
    pub fn new(secret: impl Into<String>) -> Result<Self, InvalidToken> {
        let secret = SecretString::from(secret.into());
        let text = secret.expose_secret();
        let problem = if text.is_empty() {
            Problem::Empty
        } else if text.len() > MAX_LEN {
            Problem::TooLong
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Problem::Character
        } else {
            return Ok(Self {
                secret: Arc::new(secret),
                refresh_token: None,
                lifetime: None,
                requested_at: None,
                members: Arc::default(),
            });
        };
        Err(InvalidToken { problem })
    }

    /// Sets how long the token is valid, counted from [`requested_at`](Self::requested_at). Without it the token
    /// is used until a server rejects it. Zero means: good for those who waited for it, and nobody after. A credential
    /// whose server writes zero for a token without end says nothing instead.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets the refresh token that came with this one (RFC 6749 §1.5).
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: impl Into<SecretString>) -> Self {
        self.refresh_token = Some(Arc::new(refresh_token.into()));
        self
    }

    /// The same, without the refresh token that came with it.
    pub(super) fn without_refresh_token(mut self) -> Self {
        self.refresh_token = None;
        self
    }

    /// Sets the moment just before the request for this token was sent. By default it is the moment at which
    /// [`Credential::acquire`](crate::Credential::acquire) was called.
    #[must_use]
    pub fn with_requested_at(mut self, at: Instant) -> Self {
        self.requested_at = Some(at);
        self
    }

    /// Adds something else that came with the token, such as the URL of the account's instance. It changes nothing of
    /// where the token goes.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        let member = (name.into().into_boxed_str(), value.into());
        self.members = self.members.iter().cloned().chain([member]).collect();
        self
    }

    /// The token itself.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The refresh token that came with it.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_deref()
    }

    /// How long the token is valid from [`requested_at`](Self::requested_at); `None` if that is not known.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// What else came with the token by this name: members of the answer that were
    /// [declared](crate::TokenEndpoint::member). It is what the server says: whoever sends a token there trusts it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        let member = self.members.iter().find(|(known, _)| **known == *name);
        member.map(|(_, value)| value.expose_secret())
    }

    /// All that came with it by names.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(name, value)| (&**name, value.expose_secret()))
    }

    /// What it takes beside itself, in bytes.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(super) fn bytes(&self) -> usize {
        let text = |secret: &SecretString| secret.expose_secret().len() + 2 * size_of::<usize>();
        let members =
            self.members.iter().map(|(name, value)| name.len() + text(value) + 2 * size_of::<usize>());
        // Each has its counts and the text's place.
        let secrets = [Some(&self.secret), self.refresh_token.as_ref()];
        secrets.into_iter().flatten().map(|secret| text(secret) + 2 * size_of::<usize>()).sum::<usize>()
            + members.sum::<usize>()
    }

    /// When the request for this token was sent, if the credential said so.
    #[must_use]
    pub fn requested_at(&self) -> Option<Instant> {
        self.requested_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("lifetime", &self.lifetime)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("members", &self.members.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Text that can't be an access token. It doesn't hold the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidToken {
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Empty,
    TooLong,
    Character,
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.problem {
            Problem::Empty => "the access token is empty",
            Problem::TooLong => "the access token is longer than 64 KiB",
            Problem::Character => "the access token has a character that is not visible ascii",
        })
    }
}

impl std::error::Error for InvalidToken {}

impl From<InvalidToken> for AcquireError {
    /// A token endpoint that hands out such text is broken, and may work again later.
    fn from(error: InvalidToken) -> Self {
        Self::transient("the token endpoint's answer has no usable access token").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_could_break_a_header_is_refused() {
        for text in ["", " ", "a b", "a\r\nb", "a\0b", "tökén", "a\tb", "\u{7f}", &"a".repeat(MAX_LEN + 1)]
        {
            let error = AccessToken::new(text).expect_err("not a token");
            let shown = error.to_string();
            assert!(
                shown.starts_with("the access token") && !(text.len() > 1 && shown.contains(text)),
                "{shown}"
            );
        }
        assert!(AccessToken::new("a".repeat(65_536)).is_ok(), "64 KiB");
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = AccessToken::new("s3cret").expect("valid").with_refresh_token("r3fresh");
        let shown = format!("{token:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("r3fresh"), "{shown}");
    }
}
