//! [`Param`]: one value in a token request.

use std::{borrow::Cow, fmt};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::{SecretSource, is_untidy},
    token::AccessToken,
};

/// A value in a [`TokenRequest`](super::TokenRequest): text, a secret, or a part of the token that is renewed.
///
/// String literals, numbers and booleans become values by themselves. A `String` doesn't, so that whoever has
/// one says whether it is a [`secret`](Self::secret) or [`text`](Self::text). `Debug` shows no secret.
///
/// # Examples
///
/// ```
/// use tower_reauth::Param;
///
/// let shown = format!("{:?} {:?}", Param::from("client_credentials"), Param::secret("hunter2"));
/// assert!(shown.contains("client_credentials") && !shown.contains("hunter2"));
/// ```
#[derive(Clone)]
pub struct Param(Kind);

#[derive(Clone)]
enum Kind {
    Text(Cow<'static, str>),
    Number(i64),
    Flag(bool),
    Secret(SecretSource),
    AccessToken,
    RefreshToken,
}

impl Param {
    /// Text that may be shown in logs.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Text(text.into()))
    }

    /// A secret: text, or a [`SecretSource`], which is read each time the request is sent. An empty one is refused
    /// when the endpoint is built.
    pub fn secret(secret: impl Into<SecretSource>) -> Self {
        Self(Kind::Secret(secret.into()))
    }

    /// The access token that is to be renewed or revoked.
    #[must_use]
    pub fn access_token() -> Self {
        Self(Kind::AccessToken)
    }

    /// The newest refresh token (RFC 6749 §1.5). A refresh request that uses it is skipped while there is none.
    #[must_use]
    pub fn refresh_token() -> Self {
        Self(Kind::RefreshToken)
    }

    pub(super) fn is_literal(&self) -> bool {
        matches!(self.0, Kind::Text(_) | Kind::Number(_) | Kind::Flag(_))
    }

    /// The value, if it may be shown.
    #[cfg(feature = "oauth2")]
    pub(in crate::credential) fn literal(&self) -> Option<Cow<'_, str>> {
        self.text_of(None).ok().filter(|_| self.is_literal())
    }

    pub(in crate::credential) fn secret_mut(&mut self) -> Option<&mut SecretSource> {
        match &mut self.0 {
            Kind::Secret(source) => Some(source),
            _ => None,
        }
    }

    pub(super) fn as_secret(&self) -> Option<&SecretSource> {
        match &self.0 {
            Kind::Secret(source) => Some(source),
            _ => None,
        }
    }

    /// Whether the value is there, given the token that is renewed.
    pub(super) fn is_known(&self, previous: Option<&AccessToken>) -> bool {
        match self.0 {
            Kind::AccessToken => previous.is_some(),
            Kind::RefreshToken => previous.is_some_and(|token| token.refresh_token().is_some()),
            _ => true,
        }
    }

    /// The value as text.
    pub(super) fn text_of<'a>(
        &'a self,
        previous: Option<&'a AccessToken>,
    ) -> Result<Cow<'a, str>, ConfigError> {
        let missing = || {
            ConfigError::new(
                ConfigErrorKind::Declaration,
                "a request for the first token uses the previous one; only refresh and revoke requests can",
            )
        };
        Ok(match &self.0 {
            Kind::Text(text) => Cow::Borrowed(text),
            Kind::Number(number) => number.to_string().into(),
            Kind::Flag(flag) => flag.to_string().into(),
            Kind::Secret(source) => usable(source)?.into(),
            Kind::AccessToken => previous.ok_or_else(missing)?.expose_secret().into(),
            Kind::RefreshToken => {
                let token = previous.and_then(AccessToken::refresh_token).ok_or_else(missing)?;
                token.expose_secret().into()
            }
        })
    }

    /// The value as JSON.
    pub(super) fn json(&self, previous: Option<&AccessToken>) -> Result<String, ConfigError> {
        let text = self.text_of(previous)?;
        Ok(match self.0 {
            Kind::Number(_) | Kind::Flag(_) => text.into_owned(),
            _ => serde_json::Value::from(text).to_string(),
        })
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Text(text) => write!(f, "{text:?}"),
            Kind::Number(number) => write!(f, "{number}"),
            Kind::Flag(flag) => write!(f, "{flag}"),
            Kind::Secret(source) => write!(f, "{source:?}"),
            Kind::AccessToken => f.write_str("[access token]"),
            Kind::RefreshToken => f.write_str("[refresh token]"),
        }
    }
}

impl From<&'static str> for Param {
    fn from(text: &'static str) -> Self {
        Self::text(text)
    }
}

impl From<SecretString> for Param {
    fn from(secret: SecretString) -> Self {
        Self::secret(secret)
    }
}

impl From<SecretSource> for Param {
    fn from(source: SecretSource) -> Self {
        Self::secret(source)
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self(Kind::Number(number))
    }
}

impl From<bool> for Param {
    fn from(flag: bool) -> Self {
        Self(Kind::Flag(flag))
    }
}

/// The text of a secret that was read, or an error if it can't be meant.
pub(super) fn usable(source: &SecretSource) -> Result<&str, ConfigError> {
    let refuse = |words| ConfigError::new(ConfigErrorKind::Secret, words);
    match source.0.fixed().map(ExposeSecret::expose_secret) {
        None => Err(refuse("a secret was not read before it was to be sent")),
        Some("") => Err(refuse("a secret is empty; check the variable or file that it comes from")),
        // No server means it, and few say what is wrong when they get it.
        Some(text) if is_untidy(text) => Err(refuse(
            "a secret begins with a byte order mark, or ends with a line break; trim what was read from a file, or give \
             the file as a SecretSource",
        )),
        Some(text) => Ok(text),
    }
}
