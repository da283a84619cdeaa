//! [`StaticToken`]: a key that is its own token and can't be renewed.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::{AcquireError, ConfigError, ConfigErrorKind},
    observe::Reason,
    secret::{SecretSource, encode, is_untidy},
    token::{AccessToken, Acquire, Credential, Description, Grants, Renewal},
};

/// An API key that is its own token. Nothing renews it: where a server rejects it, callers get the server's answer.
///
/// One that comes from a [`SecretSource`] is read again once a server has rejected it. If it is another one by then,
/// the request is replayed with that; else it is looked for after a pause that grows up to the policy's limit, a
/// minute by default.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, ConfigError, Origin, Placement, SecretSource, StaticToken};
///
/// fn layer() -> Result<AuthLayer, ConfigError> {
///     let origin = Origin::parse("https://api.example.com")?;
///     let key = StaticToken::new(SecretSource::file("/run/secrets/api-key"))?;
///     Ok(AuthLayer::new(origin, key).placement(Placement::bare("X-Api-Key")?))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StaticToken {
    key: Key,
    name: Cow<'static, str>,
}

/// What the token is made of.
#[derive(Clone, Debug)]
enum Key {
    Plain(SecretSource),
    /// Without a password an empty one is sent.
    Basic {
        user_id: SecretSource,
        password: Option<SecretSource>,
    },
}

impl StaticToken {
    /// Wraps `key`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it can't be read, is empty, longer than 64 KiB, or has a character that is not
    /// visible ASCII, such as a newline at its end. A file loses its line ends: see [`SecretSource`].
    pub fn new(key: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        Self::build(Key::Plain(key.into()))
    }

    /// What HTTP Basic sends (RFC 7617) for APIs that take a key as the user-id, with an empty password. It
    /// belongs behind the scheme `Basic`: `Placement::with_scheme("Authorization", "Basic")`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if `key` can't be read or is empty, [`ConfigErrorKind::UserId`] if it has a colon.
    pub fn basic(key: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        Self::build(Key::Basic { user_id: key.into(), password: None })
    }

    /// As [`basic`](Self::basic), with a password.
    ///
    /// # Errors
    ///
    /// Those of [`basic`](Self::basic), of both.
    pub fn basic_with_password(
        user_id: impl Into<SecretSource>,
        password: impl Into<SecretSource>,
    ) -> Result<Self, ConfigError> {
        Self::build(Key::Basic { user_id: user_id.into(), password: Some(password.into()) })
    }

    /// Sets the name for logs. By default `a fixed key`.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    fn build(key: Key) -> Result<Self, ConfigError> {
        let secrets: Result<Vec<_>, _> = key.sources().map(|source| source.0.peek("key")).collect();
        key.token(&secrets?)?;
        Ok(Self { key, name: "a fixed key".into() })
    }

    /// Whether the key may be another one when it is read again.
    fn may_change(&self) -> bool {
        self.key.sources().any(|source| source.0.may_change())
    }
}

impl Key {
    fn sources(&self) -> impl Iterator<Item = &SecretSource> {
        let sources = match self {
            Self::Plain(key) => [Some(key), None],
            Self::Basic { user_id, password } => [Some(user_id), password.as_ref()],
        };
        sources.into_iter().flatten()
    }

    /// The token that the sources' `secrets` make.
    fn token(&self, secrets: &[SecretString]) -> Result<AccessToken, ConfigError> {
        let secret = |index: usize| secrets.get(index).map_or("", |secret| secret.expose_secret());
        let refuse = || {
            let references: Vec<_> = self.sources().map(|source| source.0.reference()).collect();
            let words = format!("the key{} can't be used; check what is there", references.join(""));
            ConfigError::new(ConfigErrorKind::Secret, words)
        };
        let token = match self {
            Self::Plain(_) => AccessToken::new(secret(0)),
            Self::Basic { .. } if [secret(0), secret(1)].into_iter().any(is_untidy) => {
                return Err(refuse());
            }
            Self::Basic { .. } => AccessToken::new(encode::basic(secret(0), secret(1))?),
        };
        token.map_err(|error| refuse().with_source(error))
    }
}

impl Credential for StaticToken {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        if !self.may_change() && acquire.reason() != Reason::Cold {
            return Err(AcquireError::unsupported("the key is fixed and can't be renewed"));
        }
        let mut secrets = Vec::new();
        for source in self.key.sources() {
            secrets.push(source.0.read("key", "").await?);
        }
        let unusable = |error| AcquireError::no_secret("the key can't be sent").with_source(error);
        self.key.token(&secrets).map_err(unusable)
    }

    fn describe(&self) -> Description {
        let renewal = if self.may_change() { Renewal::KeepsPrevious } else { Renewal::Unsupported };
        let texts = self.key.sources().map(|source| source.0.heap_bytes()).sum::<usize>();
        let description = Description::new(self.name.clone()).renewal(renewal).grants(Grants::Reusable);
        description.never_shared().heap_bytes(texts + self.name.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::temp_file::TempFile;

    #[tokio::test]
    async fn a_key_is_handed_out_once_and_never_renewed() {
        let key = StaticToken::new("s3cret").expect("valid");
        assert_eq!(key.describe().renewal, Renewal::Unsupported);
        let token = Credential::acquire(&key, Acquire::new(Reason::Cold, None)).await.expect("a token");
        assert_eq!(token.expose_secret(), "s3cret");
        assert_eq!(token.lifetime(), None);
        for reason in [Reason::Expiring, Reason::Expired, Reason::Rejected] {
            let error = Credential::acquire(&key, Acquire::new(reason, Some(&token))).await;
            let error = error.expect_err("fixed");
            assert_eq!(error.kind(), crate::error::AcquireErrorKind::Unsupported);
        }
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused_without_being_shown() {
        for key in ["", "s3cret\n", "s3 cret", "s3crét"] {
            let error = StaticToken::new(key).expect_err("not sendable");
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            assert!(!format!("{error} {error:?}").contains("s3"), "{error:?}");
        }
        for key in ["s3cret\n", "\u{feff}s3cret"] {
            assert_eq!(StaticToken::basic(key).expect_err("untidy").kind(), ConfigErrorKind::Secret);
        }
        assert_eq!(StaticToken::basic("").expect_err("empty").kind(), ConfigErrorKind::Secret);
        assert_eq!(StaticToken::basic("a:b").expect_err("colon").kind(), ConfigErrorKind::UserId);
        assert!(!format!("{:?}", StaticToken::new("s3cret")).contains("s3cret"));
    }

    #[tokio::test]
    async fn a_key_from_a_file_is_read_again_when_it_was_rejected() {
        let file = TempFile::new("static-key", "one\n");
        let source = || SecretSource::file(file.path());
        let key = StaticToken::new(source()).expect("valid").name("mounted");
        let pair = StaticToken::basic_with_password("me", source()).expect("valid");
        assert_eq!((key.describe().name(), key.describe().renewal), ("mounted", Renewal::KeepsPrevious));
        for (text, token, encoded) in [("one\n", "one", "bWU6b25l"), ("two", "two", "bWU6dHdv")] {
            file.write(text);
            for reason in [Reason::Cold, Reason::Expired, Reason::Rejected] {
                for (credential, expected) in [(&key, token), (&pair, encoded)] {
                    let token = Credential::acquire(credential, Acquire::new(reason, None)).await;
                    assert_eq!(token.expect("a token").expose_secret(), expected);
                }
            }
        }
        for text in ["", "s3 cret", "s3cret\0", "s3cret\nmore"] {
            file.write(text);
            let error = Credential::acquire(&key, Acquire::new(Reason::Expired, None)).await;
            let error = error.expect_err("not sendable");
            assert_eq!(error.kind(), crate::error::AcquireErrorKind::NoSecret);
            let printed = crate::credential::scripted::printed(&error);
            assert!(printed.contains(&format!("file:{}", file.path().display())), "{printed}");
            assert!(!printed.contains("s3"), "{printed}");
        }
        file.write("\u{feff}one\r\n\n");
        for (credential, expected) in [(&key, "one"), (&pair, "bWU6b25l")] {
            let token = Credential::acquire(credential, Acquire::new(Reason::Cold, None)).await;
            assert_eq!(token.expect("a token").expose_secret(), expected);
        }
        file.write("one\n# mine");
        let error = Credential::acquire(&pair, Acquire::new(Reason::Cold, None)).await;
        assert_eq!(error.expect_err("a line break").kind(), crate::error::AcquireErrorKind::NoSecret);
        let error = StaticToken::basic_with_password("me", source()).expect_err("a line break");
        assert_eq!(error.kind(), ConfigErrorKind::Secret);
        assert!(error.to_string().contains(&format!("file:{}", file.path().display())), "{error}");
    }
}
