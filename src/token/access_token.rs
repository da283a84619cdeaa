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
    /// One piece for all clones: caches are many, and each has two.
    parts: Arc<Parts>,
}

/// What a token consists of. Copied only where one of several clones is changed.
#[derive(Clone)]
struct Parts {
    secret: SecretString,
    refresh_token: Option<SecretString>,
    lifetime: Option<Duration>,
    requested_at: Option<Instant>,
    /// What else came with it, by name. On its own, as mostly that is nothing.
    members: Option<Box<Members>>,
}

#[derive(Clone, Default)]
struct Members(Vec<(Box<str>, SecretString)>);

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
            let parts =
                Parts { secret, refresh_token: None, lifetime: None, requested_at: None, members: None };
            return Ok(Self { parts: Arc::new(parts) });
        };
        Err(InvalidToken { problem })
    }

    /// Sets how long the token is valid, counted from [`requested_at`](Self::requested_at). Without it the token
    /// is used until a server rejects it. Zero means: good for those who waited for it, and nobody after. A credential
    /// whose server writes zero for a token without end says nothing instead.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.change().lifetime = Some(lifetime);
        self
    }

    /// Sets the refresh token that came with this one (RFC 6749 §1.5).
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: impl Into<SecretString>) -> Self {
        self.change().refresh_token = Some(refresh_token.into());
        self
    }

    /// The same, with this refresh token in place of the one that came with it, or with none.
    pub(super) fn whose_refresh_token_is(mut self, refresh_token: Option<SecretString>) -> Self {
        let text = ExposeSecret::expose_secret;
        if self.refresh_token().map(text) != refresh_token.as_ref().map(text) {
            self.change().refresh_token = refresh_token;
        }
        self
    }

    /// Sets the moment just before the request for this token was sent. By default it is the moment at which
    /// [`Credential::acquire`](crate::Credential::acquire) was called.
    #[must_use]
    pub fn with_requested_at(mut self, at: Instant) -> Self {
        self.change().requested_at = Some(at);
        self
    }

    /// Adds something else that came with the token, such as the URL of the account's instance. It changes nothing of
    /// where the token goes.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        let members = self.change().members.get_or_insert_default();
        members.0.push((name.into().into_boxed_str(), value.into()));
        self
    }

    /// The token itself.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.parts.secret.expose_secret()
    }

    /// The refresh token that came with it.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.parts.refresh_token.as_ref()
    }

    /// How long the token is valid from [`requested_at`](Self::requested_at); `None` if that is not known.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.parts.lifetime
    }

    /// What else came with the token by this name: members of the answer that were
    /// [declared](crate::TokenEndpoint::member). It is what the server says: whoever sends a token there trusts it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        let member =
            self.parts.members.iter().flat_map(|members| &members.0).find(|(known, _)| **known == *name);
        member.map(|(_, value)| value.expose_secret())
    }

    /// All that came with it by names.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts
            .members
            .iter()
            .flat_map(|members| &members.0)
            .map(|(name, value)| (&**name, value.expose_secret()))
    }

    /// What it takes beside itself, in bytes.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(super) fn bytes(&self) -> usize {
        let parts = &*self.parts;
        let text = |secret: &SecretString| secret.expose_secret().len();
        let members = parts.members.iter().flat_map(|members| &members.0);
        let members = members.map(|member| size_of_val(member) + member.0.len() + text(&member.1));
        let secrets = [Some(&parts.secret), parts.refresh_token.as_ref()];
        size_of::<Parts>()
            + 2 * size_of::<usize>()
            + secrets.into_iter().flatten().map(text).sum::<usize>()
            + members.sum::<usize>()
    }

    /// When the request for this token was sent, if the credential said so.
    #[must_use]
    pub fn requested_at(&self) -> Option<Instant> {
        self.parts.requested_at
    }

    /// What it consists of, for this clone alone.
    fn change(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.parts)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("lifetime", &self.parts.lifetime)
            .field("has_refresh_token", &self.parts.refresh_token.is_some())
            .field(
                "members",
                &self
                    .parts
                    .members
                    .iter()
                    .flat_map(|members| &members.0)
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>(),
            )
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
