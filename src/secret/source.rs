//! Where secrets come from: [`SecretSource`], which is read at each acquisition, so that a secret that was changed
//! meanwhile is used without a restart.

use std::{
    borrow::Cow,
    env,
    error::Error,
    fmt,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{
    file::{self, MAX_LEN},
    tidy::{Untidy, tidy},
};
use crate::error::{AcquireError, AuthError, BoxError, ConfigError, ConfigErrorKind};

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
/// [`ConfigErrorKind::Secret`]. One that can't be read later, or is empty by then, makes that acquisition fail as
/// [transient](crate::AcquireErrorKind::Transient), and nothing is sent. Where a server has refused a secret, and
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
        Self(Supply::Env(name.into()))
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
    /// by its name, and `OAuth2Credential::with_refresh_token` where it is the refresh token. Anywhere else it is refused, with
    /// [`ConfigErrorKind::Input`]. The pattern itself gets no token.
    ///
    /// [`EndpointCredential::with_input`]: crate::EndpointCredential::with_input
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
        Self(Supply::Input(name.into()))
    }

    /// A closure that has to wait for the secret, such as one that asks a vault. Its error's text must not hold a
    /// secret.
    ///
    /// It is called for acquisitions alone: neither when the credential is built, nor to find out whether there is
    /// another secret than the one that was refused.
    ///
    /// One that fails is called again by the next attempt, like a server that doesn't answer. Where that is in vain, let its error be
    /// an [`AcquireError`] that says [for how long](AcquireError::with_retry_after): then the acquisition ends, and for so long calls
    /// fail at once.
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

/// A secret that is being made.
pub(crate) type Supplied = Pin<Box<dyn Future<Output = Result<SecretString, BoxError>> + Send>>;

/// What makes a secret when it is asked.
pub(crate) trait Ask: Send + Sync {
    /// A secret, made for `audience` if it is an assertion.
    fn ask(&self, audience: &str) -> Supplied;

    /// Whether it can make any, as far as can be told without asking.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Whether it would give another one by now than `made`, and not just one that is made anew, as far as can be told without
    /// waiting.
    fn differs_from(&self, made: &str) -> bool {
        let _ = made;
        false
    }

    /// Takes down that a server has taken `secret`.
    fn accept(&self, secret: &SecretString) {
        let _ = secret;
    }

    /// Takes down that a server has refused `secret`. Returns whether the next one is another for that reason.
    fn refuse(&self, secret: &SecretString) -> bool {
        let _ = secret;
        false
    }

    /// What `Debug` shows, which is no secret.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[closure]")
    }
}

impl<F: Fn(&str) -> Supplied + Send + Sync> Ask for F {
    fn ask(&self, audience: &str) -> Supplied {
        self(audience)
    }
}

/// What a source is.
#[derive(Clone)]
pub(crate) enum Supply {
    Fixed(SecretString),
    Env(Cow<'static, str>),
    File(Arc<Path>),
    Ask(Arc<dyn Ask>),
    Look(Arc<dyn Fn() -> Result<SecretString, BoxError> + Send + Sync>),
    /// There is none before it is filled in.
    Input(Cow<'static, str>),
}

impl Supply {
    /// Reads the secret, made for `audience` if it is an assertion. `what` names it in errors.
    pub(crate) async fn read(&self, what: &str, audience: &str) -> Result<SecretString, AcquireError> {
        let read = match self {
            Self::Fixed(secret) => Ok(secret.clone()),
            Self::Env(name) => env_secret(name),
            Self::File(path) => {
                let path = path.clone();
                // Files may be on a disk that is far away.
                let read = tokio::task::spawn_blocking(move || file_secret(&path, file::read_whole)).await;
                read.unwrap_or_else(|error| Err(Failure::Unread(error.into())))
            }
            Self::Ask(maker) => tidied(maker.ask(audience).await),
            Self::Look(look) => tidied(look()),
            Self::Input(_) => return Err(AcquireError::rejected(self.unfilled(what))),
        };
        usable(read).map_err(|failure| {
            let error = AcquireError::transient(format!("the {what}{} {failure}", self.reference()));
            match failure {
                Failure::Unread(source) => match wait_of(&*source) {
                    Some(wait) => error.with_retry_after(wait).with_source(source),
                    None => error.with_source(source),
                },
                Failure::Untidy(_) | Failure::TooLong | Failure::Empty => error,
            }
        })
    }

    /// What the secret is now, or a stand-in where only asking could tell.
    pub(crate) fn peek(&self, what: &str) -> Result<SecretString, ConfigError> {
        match self {
            Self::Ask(maker) => maker.check()?,
            Self::Input(_) => return Err(ConfigError::new(ConfigErrorKind::Input, self.unfilled(what))),
            Self::Fixed(_) | Self::Env(_) | Self::File(_) | Self::Look(_) => {}
        }
        let Some(read) = self.look() else { return Ok("stand-in".into()) };
        usable(read).map_err(|failure| {
            let hint = match self {
                Self::Env(_) => "; set the variable",
                Self::File(_) => "; check the file",
                Self::Fixed(_) => "; check where it comes from",
                Self::Ask(_) | Self::Look(_) | Self::Input(_) => "",
            };
            let words = format!("the {what}{} {failure}", self.reference());
            let error = |hint| ConfigError::new(ConfigErrorKind::Secret, words + hint);
            match failure {
                Failure::Unread(source) => error(hint).with_source(source),
                Failure::Empty => error(hint),
                // What they say is what is to be done.
                Failure::Untidy(_) | Failure::TooLong => error(""),
            }
        })
    }

    /// What it is now, if that is another secret than `refused`, and can be told without waiting.
    pub(crate) fn differs_from(&self, refused: &SecretString) -> bool {
        if let Self::Ask(maker) = self {
            return maker.differs_from(refused.expose_secret());
        }
        self.may_change()
            && self.look().is_some_and(|secret| {
                secret.is_ok_and(|secret| {
                    let secret = secret.expose_secret();
                    !secret.is_empty() && secret != refused.expose_secret()
                })
            })
    }

    /// What it is now, if that can be told without waiting, and is what was configured: what is made for the occasion is
    /// another each time.
    pub(crate) fn at_hand(&self) -> Option<SecretString> {
        self.look().and_then(|read| usable(read).ok())
    }

    /// Takes down that a server has taken `secret`.
    pub(crate) fn accept(&self, secret: &SecretString) {
        if let Self::Ask(maker) = self {
            maker.accept(secret);
        }
    }

    /// Takes down that a server has refused `secret`. Returns whether the next one is another for that reason.
    pub(crate) fn refuse(&self, secret: &SecretString) -> bool {
        matches!(self, Self::Ask(maker) if maker.refuse(secret))
    }

    /// As [`differs_from`](Self::differs_from), of what a closure may make anew each time: that is no other one.
    #[cfg(feature = "oauth2")]
    pub(crate) fn was_replaced(&self, refused: &SecretString) -> bool {
        !matches!(self, Self::Look(_)) && self.differs_from(refused)
    }

    /// Whether it may be another one when it is read again.
    pub(crate) fn may_change(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// Whether it has to be asked for, and so is known only when it is needed.
    #[cfg(feature = "serde")]
    pub(crate) fn is_asked_for(&self) -> bool {
        matches!(self, Self::Ask(_))
    }

    /// What it is for as long as the program runs, if that is so: the program's own text, or the environment's.
    pub(crate) fn lasting(&self) -> Option<SecretString> {
        match self {
            Self::Fixed(secret) => Some(secret.clone()),
            Self::Env(name) => usable(env_secret(name)).ok(),
            Self::File(_) | Self::Ask(_) | Self::Look(_) | Self::Input(_) => None,
        }
    }

    /// The input that it is, if it is one.
    pub(crate) fn input(&self) -> Option<&Cow<'static, str>> {
        match self {
            Self::Input(name) => Some(name),
            _ => None,
        }
    }

    /// What its text takes, in bytes, if it is its own.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.fixed().map_or(0, |secret| secret.expose_secret().len())
    }

    /// The secret itself, if it is a fixed one.
    pub(crate) fn fixed(&self) -> Option<&SecretString> {
        match self {
            Self::Fixed(secret) => Some(secret),
            _ => None,
        }
    }

    /// The secret, unless it has to be waited for.
    fn look(&self) -> Option<Result<SecretString, Failure>> {
        match self {
            Self::Fixed(secret) => Some(Ok(secret.clone())),
            Self::Env(name) => Some(env_secret(name)),
            Self::File(path) => Some(file_secret(path, file::read)),
            Self::Look(look) => Some(tidied(look())),
            Self::Ask(_) | Self::Input(_) => None,
        }
    }

    fn unfilled(&self, what: &str) -> String {
        format!("the {what}{} isn't filled in; fill it, or give the secret itself", self.reference())
    }

    /// What names the source in errors, with a space and `in` before it.
    pub(crate) fn reference(&self) -> String {
        match self {
            Self::Env(_) | Self::File(_) | Self::Input(_) => format!(" in {self:?}"),
            Self::Fixed(_) | Self::Ask(_) | Self::Look(_) => String::new(),
        }
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("[secret]"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Ask(maker) => maker.show(f),
            Self::Look(_) => f.write_str("[closure]"),
            Self::Input(name) => write!(f, "input:{name}"),
        }
    }
}

/// Several secrets as one, if there are any, and all of them are at hand.
pub(crate) fn all_at_hand<'a>(supplies: impl IntoIterator<Item = &'a Supply>) -> Option<SecretString> {
    let mut all = String::new();
    for supply in supplies {
        let secret = supply.at_hand()?;
        let secret = secret.expose_secret();
        // So that no two lists are written alike.
        all.push_str(&format!("{} {secret}", secret.len()));
    }
    (!all.is_empty()).then(|| all.into())
}

/// Why there is no secret.
enum Failure {
    Unread(BoxError),
    TooLong,
    Untidy(Untidy),
    Empty,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(_) => f.write_str("can't be read"),
            Self::TooLong => f.write_str("can't be used: it is longer than 64 KiB"),
            Self::Untidy(untidy) => write!(f, "can't be used: {untidy}"),
            Self::Empty => f.write_str("is empty"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unread(error.into())
    }
}

/// How long those have to wait whose closure says so, or who need another credential's token first.
fn wait_of(error: &(dyn Error + Send + Sync + 'static)) -> Option<Duration> {
    if let Some(said) = error.downcast_ref::<AcquireError>() {
        return said.retry_after();
    }
    let at = AuthError::find(error)?.retry_at()?;
    Some(at.saturating_duration_since(Instant::now()))
}

/// The same, if it isn't empty.
fn usable(read: Result<SecretString, Failure>) -> Result<SecretString, Failure> {
    read.and_then(|secret| if secret.expose_secret().is_empty() { Err(Failure::Empty) } else { Ok(secret) })
}

/// What a closure gave.
fn tidied(given: Result<SecretString, BoxError>) -> Result<SecretString, Failure> {
    let given = given.map_err(Failure::Unread)?;
    tidy(given.expose_secret().as_bytes()).map_err(Failure::Untidy)
}

fn env_secret(name: &str) -> Result<SecretString, Failure> {
    // `VarError` would show what is not unicode. Names that the system takes for a bug are refused here.
    let value = if name.is_empty() || name.contains(['=', '\0']) { None } else { env::var_os(name) };
    let value = value.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not set"))?;
    tidy(value.as_encoded_bytes()).map_err(Failure::Untidy)
}

/// What a file has, as one of the ways to read it says.
fn file_secret(
    path: &Path,
    read: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
) -> Result<SecretString, Failure> {
    let bytes = read(path)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(Failure::TooLong);
    }
    tidy(&bytes).map_err(Failure::Untidy)
}
