//! Where secrets come from, as a program says it: [`SecretSource`], which is read at each acquisition, so that a secret that
//! was changed meanwhile is used without a restart.

use std::{borrow::Cow, fmt, future::Future, path::PathBuf, sync::Arc};

use secrecy::SecretString;

use super::supply::{Supplied, Supply};
use crate::error::BoxError;

/// Where a secret comes from. It is read at each acquisition.
///
/// Text becomes a fixed secret by itself. `Debug` shows no secret, and errors name the variable or the file.
///
/// What is read is taken as people write it: a byte order mark at its beginning, and line ends at its end, are no part of the
/// secret. Spaces are. Empty text, white space alone, UTF-16, and control characters anywhere else are refused, with their
/// place and without the text; so is a line break within it, unless it is PEM. A fixed secret is the program's own and is
/// taken as it is; where it begins with such a mark or ends with a line end, it is refused.
///
/// A source that is wrong when the credential is built is refused then, with
/// [`ConfigErrorKind::Secret`](crate::ConfigErrorKind::Secret). One that can't be read later, or is empty by then, makes that acquisition fail for
/// [want of a secret](crate::AcquireErrorKind::NoSecret), and nothing is sent. Where a server has refused a secret, and
/// its source has another one by now, calls don't wait for the end of the fail-fast time: see
/// [`Credential::has_new_secret`](crate::Credential::has_new_secret).
///
/// # Examples
///
/// ```
/// use tower_reauth::{ApiVideo, SecretSource};
///
/// let fixed: SecretSource = "7Fjfp0ZBr1KtDRbnfVdmIw".into();
/// let variable = SecretSource::env("API_VIDEO_KEY");
/// let mounted = SecretSource::file("/run/secrets/api-video");
/// let asked_for = SecretSource::from_fn(|| async {
///     let secret = String::from("read it from a vault here");
///     Ok(secret.into())
/// });
/// let vendor = ApiVideo::production(mounted);
/// ```
#[derive(Clone)]
pub struct SecretSource(pub(crate) Supply);

impl SecretSource {
    /// A secret that never changes.
    pub fn fixed(secret: impl Into<SecretString>) -> Self {
        Self(Supply::Fixed(secret.into()))
    }

    /// The environment variable `name`. It has to be set when the credential is built. A line end at its end is cut off, as
    /// is one of a file.
    pub fn env(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Supply::Env(name.into().into()))
    }

    /// The file at `path`, in UTF-8, at most 64 KiB. A byte order mark at its beginning and line ends at its end are cut off.
    /// It has to be there when the credential is built. It may be replaced at any time, by a rename or in place: of one that
    /// is being written, the half is never taken.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        Self(Supply::File(path.into()))
    }

    /// What is still to be filled in: a credential with one is a pattern for others, one for each of many
    /// [tenants](crate::Tenants), which share with it all that is the same for them. [`EndpointCredential::with_input`] fills it
    /// by its name, and so does `OAuth2Credential::with_input`, in whatever grant. Anywhere else it is refused, with
    /// [`ConfigErrorKind::Input`]. The pattern itself gets no token: its acquisitions fail as
    /// [rejected](crate::AcquireErrorKind::Rejected), and nothing is sent. What files leave open is filled by
    /// `Pattern::with_input`.
    ///
    /// [`EndpointCredential::with_input`]: crate::EndpointCredential::with_input
    /// [`ConfigErrorKind::Input`]: crate::ConfigErrorKind::Input
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{ApiVideo, ConfigError, EndpointCredential, SecretSource, Transport};
    ///
    /// fn pattern(transport: Transport) -> Result<EndpointCredential, ConfigError> {
    ///     ApiVideo::production(SecretSource::input("key")).declaration().build(transport)
    /// }
    ///
    /// fn of_one(pattern: &EndpointCredential, key: String) -> Result<EndpointCredential, ConfigError> {
    ///     pattern.with_input("key", key)
    /// }
    /// ```
    pub fn input(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Supply::Input(name.into().into()))
    }

    /// A closure that has to wait for the secret, such as one that asks a vault. Its error's text must not hold a
    /// secret.
    ///
    /// It is called for acquisitions alone: neither when the credential is built, nor to find out whether there is
    /// another secret than the one that was refused.
    ///
    /// One that fails is called again by the next attempt, like a server that doesn't answer. Where that is in vain, let its error be
    /// an [`AcquireError`](crate::AcquireError) that says [for how long](crate::AcquireError::with_retry_after): then the
    /// acquisition ends, and for so long calls fail at once.
    pub fn from_fn<F, Fut>(read: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString, BoxError>> + Send + 'static,
    {
        Self(Supply::Ask(Arc::new(move |_: &str| -> Supplied { Box::pin(read()) })))
    }

    /// A closure that has the secret at hand, such as one that looks into a variable that the program keeps up to
    /// date. Its error's text must not hold a secret. It must not block.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::{Arc, RwLock};
    /// use tower_reauth::SecretSource;
    ///
    /// let newest = Arc::new(RwLock::new(String::from("s3cret")));
    /// let source = SecretSource::from_sync_fn(move || match newest.read() {
    ///     Ok(secret) => Ok(secret.as_str().into()),
    ///     Err(_) => Err("whoever writes the secret has panicked".into()),
    /// });
    /// ```
    pub fn from_sync_fn<F>(read: F) -> Self
    where
        F: Fn() -> Result<SecretString, BoxError> + Send + Sync + 'static,
    {
        Self(Supply::Look(Arc::new(read)))
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for SecretSource {
    fn from(secret: &str) -> Self {
        Self::fixed(secret)
    }
}

impl From<String> for SecretSource {
    fn from(secret: String) -> Self {
        Self::fixed(secret)
    }
}

impl From<SecretString> for SecretSource {
    fn from(secret: SecretString) -> Self {
        Self::fixed(secret)
    }
}
