//! [`StaticToken`]: a key that is its own token and can't be renewed.

use secrecy::{ExposeSecret, SecretString};

use super::{Credential, encode};
use crate::{
    error::{AcquireError, ConfigError, ConfigErrorKind},
    token::{AccessToken, Acquire, Description, Reason, Renewal},
};

/// A fixed API key. It is never asked for again: where a server rejects it, callers get the server's answer.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, ConfigError, Origin, Placement, StaticToken};
///
/// fn layer(key: &str) -> Result<AuthLayer, ConfigError> {
///     let origin = Origin::parse("https://api.example.com")?;
///     Ok(AuthLayer::new(origin, StaticToken::new(key)?).placement(Placement::bare("X-Api-Key")?))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StaticToken {
    token: AccessToken,
}

impl StaticToken {
    /// Wraps `key`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is empty, longer than 64 KiB, or has a character that is not visible
    /// ASCII, such as the newline at a file's end.
    pub fn new(key: impl Into<SecretString>) -> Result<Self, ConfigError> {
        let token = AccessToken::new(key.into().expose_secret()).map_err(|error| {
            ConfigError::new(
                ConfigErrorKind::Secret,
                "the key can't be used; check the variable or file that it comes from",
            )
            .with_source(error)
        })?;
        Ok(Self { token })
    }

    /// What HTTP Basic sends (RFC 7617) for APIs that take a key as the user-id, with an empty password. It
    /// belongs behind the scheme `Basic`: `Placement::with_scheme("Authorization", "Basic")`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if `key` is empty, [`ConfigErrorKind::UserId`] if it has a colon.
    pub fn basic(key: impl Into<SecretString>) -> Result<Self, ConfigError> {
        let key = key.into();
        if key.expose_secret().is_empty() || key.expose_secret().ends_with(['\n', '\r']) {
            return Self::new(key);
        }
        Self::new(encode::basic(key.expose_secret(), "")?)
    }
}

impl Credential for StaticToken {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        match acquire.reason() {
            Reason::Cold => Ok(self.token.clone()),
            _ => Err(AcquireError::unsupported("the key is fixed and can't be renewed")),
        }
    }

    fn describe(&self) -> Description {
        Description::new("a fixed key").renewal(Renewal::Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(error.kind(), crate::AcquireErrorKind::Unsupported);
        }
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused_without_being_shown() {
        for key in ["", "s3cret\n", "s3 cret", "s3crét"] {
            let error = StaticToken::new(key).expect_err("not sendable");
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            assert!(!format!("{error} {error:?}").contains("s3"), "{error:?}");
        }
        assert_eq!(StaticToken::basic("").expect_err("empty").kind(), ConfigErrorKind::Secret);
        assert_eq!(StaticToken::basic("a:b").expect_err("colon").kind(), ConfigErrorKind::UserId);
        assert!(!format!("{:?}", StaticToken::new("s3cret")).contains("s3cret"));
    }
}
