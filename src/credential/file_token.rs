//! [`FileToken`]: a token that a platform writes into a file, and replaces there.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::ExposeSecret;

use super::endpoint::left_of_jwt;
use crate::{
    error::AcquireError,
    observe::Reason,
    secret::SecretSource,
    time::wall_clock,
    token::{AccessToken, Acquire, Credential, Description, Grants},
};

/// How long a token is used before the file is looked at again, by default.
const EVERY: Duration = Duration::from_secs(60);

/// A token that a platform writes into a file, and replaces there before it expires: a projected service account token of
/// Kubernetes, a JWT-SVID that SPIFFE's helper writes, whatever a sidecar keeps fresh.
///
/// The file is read again every minute at most, before the token expires if it is a JWT that says when (`exp`, RFC 7519
/// §4.1.4), and when a server has rejected it. A file that is being written isn't taken for a token, and neither is the half of
/// one; one that is replaced by a rename, as Kubernetes does it with a link's target, is whole at once. If it can't be read
/// for a while, the token that was read last is used for as long as it lives.
///
/// Where such a token is to be exchanged for another one, `SecretSource::file` is all that it takes: it is read for each
/// exchange. It has to be there when the layer is built; where it may come later, this is its credential, and the exchange has
/// [`SecretSource::tokens`].
///
/// # Errors
///
/// A file that isn't there yet, such as that of a volume that isn't mounted, makes an acquisition fail as
/// [without a secret](crate::AcquireErrorKind::NoSecret), and names the file. Building the layer reads nothing, since a platform may
/// write the file only after the program has started.
///
/// # Examples
///
/// What a program in Kubernetes calls the API server with:
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::{AuthLayer, ConfigError, FileToken, Origin, Rule, Signatures};
///
/// fn layer() -> Result<AuthLayer, ConfigError> {
///     let token = FileToken::new("/var/run/secrets/kubernetes.io/serviceaccount/token");
///     let origin = Origin::parse("https://kubernetes.default.svc")?;
///     let unauthorized = Rule::expired().status(StatusCode::UNAUTHORIZED);
///     Ok(AuthLayer::new(origin, token).signatures(Signatures::new().rule(unauthorized)))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct FileToken {
    path: Arc<Path>,
    source: SecretSource,
    every: Duration,
    name: Cow<'static, str>,
}

impl FileToken {
    /// The token in the file at `path`, in UTF-8, at most 64 KiB. Line ends at its end are cut off.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path: Arc<Path> = path.into().into();
        let source = SecretSource::file(path.to_path_buf());
        Self { path, source, every: EVERY, name: "a token's file".into() }
    }

    /// Sets how long a token is used before the file is looked at again: 60 s by default. It is looked at when a request
    /// needs a token, never without one.
    #[must_use]
    pub fn reread_after(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Sets the name for logs. By default `a token's file`.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    async fn read(&self) -> Result<AccessToken, AcquireError> {
        let secret = self.source.0.read("token", "").await.map_err(|error| self.advise(error))?;
        AccessToken::new(secret.expose_secret()).map_err(|error| {
            let words = format!("what is in file:{} is no token", self.path.display());
            AcquireError::no_secret(words).with_source(error)
        })
    }

    /// With what to look at, where it isn't there.
    fn advise(&self, error: AcquireError) -> AcquireError {
        match self.path.exists() {
            true => error,
            false => AcquireError::no_secret(format!(
                "there is no file:{} (yet); check its path, whether its volume is mounted, and whether whoever writes it runs",
                self.path.display()
            ))
            .with_source(error),
        }
    }

    /// With the time for which it is used. One that has expired by this machine's clock is for the server to judge.
    fn dated(&self, token: AccessToken) -> AccessToken {
        let left = left_of_jwt(token.expose_secret(), wall_clock());
        token.with_lifetime(left.unwrap_or(self.every).min(self.every))
    }
}

impl Credential for FileToken {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let error = match self.read().await {
            Ok(token) => return Ok(self.dated(token)),
            Err(error) => error,
        };
        let is_renewal = matches!(acquire.reason(), Reason::Expiring | Reason::Expired);
        match acquire.previous().filter(|_| is_renewal) {
            // It was the file's a minute ago. One that has expired meanwhile is no better than none.
            Some(last) if left_of_jwt(last.expose_secret(), wall_clock()) != Some(Duration::ZERO) => {
                Ok(self.dated(last.clone()))
            }
            _ => Err(error),
        }
    }

    fn describe(&self) -> Description {
        Description::new(self.name.clone()).grants(Grants::Reusable).never_shared()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;
    use crate::{
        credential::{scripted::printed, temp_file::TempFile},
        error::AcquireErrorKind,
    };

    async fn acquire(
        token: &FileToken,
        reason: Reason,
        previous: Option<&AccessToken>,
    ) -> Result<AccessToken, AcquireError> {
        Credential::acquire(token, Acquire::new(reason, previous)).await
    }

    /// A JWT that has so many seconds to live.
    fn jwt(left: i64) -> String {
        let now = wall_clock().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = format!(r#"{{"exp":{}}}"#, now.checked_add_signed(left).unwrap());
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[tokio::test]
    async fn it_is_used_for_a_minute_at_most_and_never_beyond_its_own_end() {
        let file = TempFile::new("file-token", "opaque\n");
        let token = FileToken::new(file.path());
        let life =
            async |token: &FileToken| acquire(token, Reason::Cold, None).await.unwrap().lifetime().unwrap();
        assert_eq!(life(&token).await, EVERY);
        assert_eq!(life(&token.clone().reread_after(Duration::from_secs(5))).await, Duration::from_secs(5));
        file.write(jwt(3600));
        assert_eq!(life(&token).await, EVERY);
        file.write(jwt(30));
        let left = life(&token).await;
        assert!(left > Duration::from_secs(20) && left <= Duration::from_secs(30), "{left:?}");
        // Whose clock is right is for the server to say.
        file.write(jwt(-30));
        assert_eq!(life(&token).await, Duration::ZERO);
    }

    #[tokio::test]
    async fn the_last_one_is_used_while_the_file_is_away_if_it_lives() {
        let file = TempFile::new("file-token-away", jwt(3600));
        let token = FileToken::new(file.path()).name("kubernetes");
        assert_eq!(token.describe().name(), "kubernetes");
        let last = acquire(&token, Reason::Cold, None).await.unwrap();
        file.remove();
        for reason in [Reason::Expiring, Reason::Expired] {
            let kept = acquire(&token, reason, Some(&last)).await.unwrap();
            assert_eq!((kept.expose_secret(), kept.lifetime()), (last.expose_secret(), Some(EVERY)));
        }
        let dead = AccessToken::new(jwt(-1)).unwrap();
        for (reason, previous) in
            [(Reason::Rejected, Some(&last)), (Reason::Expired, Some(&dead)), (Reason::Cold, None)]
        {
            let error = acquire(&token, reason, previous).await.unwrap_err();
            assert_eq!(error.kind(), AcquireErrorKind::NoSecret);
            let words = printed(&error);
            assert!(words.contains(&format!("there is no file:{} (yet)", file.path().display())), "{words}");
            assert!(words.contains("mounted") && words.contains("No such file"), "{words}");
        }
        file.write("");
        assert!(acquire(&token, Reason::Expired, Some(&last)).await.is_ok());
        let error = acquire(&token, Reason::Cold, None).await.unwrap_err();
        assert!(error.to_string().ends_with("is empty"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused_by_its_place_and_without_its_text() {
        let file = TempFile::new("file-token-odd", "s3cret s3cret");
        for text in ["s3cret s3cret", "s3cr\u{e9}t", "s3cret\0", "s3cret\ns3cret"] {
            file.write(text);
            let error = acquire(&FileToken::new(file.path()), Reason::Cold, None).await.unwrap_err();
            assert_eq!(error.kind(), AcquireErrorKind::NoSecret);
            let words = printed(&error);
            assert!(words.contains(&format!("file:{}", file.path().display())), "{words}");
            assert!(!words.contains("s3cr"), "{words}");
        }
    }
}
