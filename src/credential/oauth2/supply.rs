//! Where the secrets of an OAuth 2.0 client come from: [`SecretSource`] and [`Assertion`], both read at each
//! acquisition, so that a secret that was changed meanwhile is used without a restart.

use std::{
    borrow::Cow,
    env, fmt, fs,
    future::Future,
    io::{self, Read},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use secrecy::{ExposeSecret, SecretString};

use crate::error::{AcquireError, BoxError, ConfigError, ConfigErrorKind};

/// The longest file that is taken for a secret, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// Where a secret comes from. It is read at each acquisition.
///
/// Text becomes a fixed secret by itself. `Debug` shows no secret.
///
/// # Examples
///
/// ```
/// use tower_reauth::oauth2::SecretSource;
///
/// let fixed: SecretSource = "7Fjfp0ZBr1KtDRbnfVdmIw".into();
/// let variable = SecretSource::env("CLIENT_SECRET");
/// let mounted = SecretSource::file("/run/secrets/client");
/// let asked_for = SecretSource::from_fn(|| async {
///     let secret = String::from("read it from a vault here");
///     Ok(secret.into())
/// });
/// ```
#[derive(Clone)]
pub struct SecretSource(pub(super) Supply);

impl SecretSource {
    /// A secret that never changes.
    pub fn fixed(secret: impl Into<SecretString>) -> Self {
        Self(Supply::Fixed(secret.into()))
    }

    /// The environment variable `name`. It has to be set when the credential is built.
    pub fn env(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Supply::Env(name.into()))
    }

    /// The file at `path`, at most 64 KiB. One newline at its end is cut off. It has to be there when the
    /// credential is built.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        Self(Supply::File(path.into()))
    }

    /// A closure, whose error's text must not hold a secret. Its failure is transient.
    pub fn from_fn<F, Fut>(read: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString, BoxError>> + Send + 'static,
    {
        Self(Supply::Call(Arc::new(move |_| Box::pin(read()))))
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

/// Where assertions come from (RFC 7521): a signer, or somebody who made them elsewhere. Each attempt asks for one.
///
/// With the feature `jwt` a `JwtAssertion` becomes one by itself.
///
/// # Examples
///
/// ```
/// use tower_reauth::oauth2::{Assertion, SecretSource};
///
/// // A token that the platform keeps fresh in a file.
/// let projected = Assertion::from(SecretSource::file("/var/run/secrets/tokens/idp"));
/// // A signer that is elsewhere. It is told for whom the assertion is.
/// let remote = Assertion::from_fn(|audience| async move {
///     let jwt = format!("ask the key service to sign one for {audience}");
///     Ok(jwt.into())
/// });
/// ```
#[derive(Clone)]
pub struct Assertion(pub(super) Supply);

impl Assertion {
    /// A closure that is told the audience: the server's issuer if that is known, else its token endpoint
    /// (RFC 7523 §3). Its error's text must not hold a secret; its failure is transient.
    pub fn from_fn<F, Fut>(make: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString, BoxError>> + Send + 'static,
    {
        Self(Supply::Call(Arc::new(move |audience| Box::pin(make(audience.to_owned())))))
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<SecretSource> for Assertion {
    fn from(source: SecretSource) -> Self {
        Self(source.0)
    }
}

type Supplied = Pin<Box<dyn Future<Output = Result<SecretString, BoxError>> + Send>>;

/// What both are.
#[derive(Clone)]
pub(super) enum Supply {
    Fixed(SecretString),
    Env(Cow<'static, str>),
    File(Arc<Path>),
    Call(Arc<dyn Fn(&str) -> Supplied + Send + Sync>),
}

impl Supply {
    /// Reads the secret, made for `audience` if it is an assertion. `what` names it in errors.
    pub(super) async fn read(&self, what: &str, audience: &str) -> Result<SecretString, AcquireError> {
        let read = match self {
            Self::Fixed(secret) => Ok(secret.clone()),
            Self::Env(name) => env_secret(name).map_err(BoxError::from),
            Self::File(path) => {
                let path = path.clone();
                // Files may be on a disk that is far away.
                let read = tokio::task::spawn_blocking(move || file_secret(&path)).await;
                read.map_err(BoxError::from).and_then(|read| read.map_err(BoxError::from))
            }
            Self::Call(call) => call(audience).await,
        };
        let failed = |why: &str| AcquireError::transient(format!("the {what} {why}"));
        match read {
            Ok(secret) if secret.expose_secret().is_empty() => Err(failed("is empty")),
            Ok(secret) => Ok(secret),
            Err(error) => Err(failed("can't be read").with_source(error)),
        }
    }

    /// What the secret is now, or a stand-in where only asking could tell.
    pub(super) fn peek(&self, what: &str) -> Result<SecretString, ConfigError> {
        let refuse = |why: String| ConfigError::new(ConfigErrorKind::Secret, format!("the {what} {why}"));
        let (secret, from) = match self {
            Self::Fixed(secret) => (secret.clone(), String::new()),
            Self::Env(name) => {
                let secret = env_secret(name).map_err(|error| {
                    refuse(format!("can't be read from the environment variable {name}")).with_source(error)
                })?;
                (secret, format!("; set the environment variable {name}"))
            }
            Self::File(path) => {
                let shown = path.display();
                let secret = file_secret(path).map_err(|error| {
                    refuse(format!("can't be read from the file {shown}")).with_source(error)
                })?;
                (secret, format!("; check the file {shown}"))
            }
            Self::Call(_) => return Ok("stand-in".into()),
        };
        if secret.expose_secret().is_empty() {
            return Err(refuse(format!("is empty{from}")));
        }
        Ok(secret)
    }

    /// What a variable or a file has now, if that is another secret than `refused`. A closure isn't asked.
    pub(super) fn differs_from(&self, refused: &SecretString) -> bool {
        let secret = match self {
            Self::Env(name) => env_secret(name),
            Self::File(path) => file_secret(path),
            Self::Fixed(_) | Self::Call(_) => return false,
        };
        secret.is_ok_and(|secret| {
            let secret = secret.expose_secret();
            !secret.is_empty() && secret != refused.expose_secret()
        })
    }

    /// Whether it may be another one when it is read again.
    pub(super) fn may_change(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("[secret]"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Call(_) => f.write_str("[closure]"),
        }
    }
}

fn env_secret(name: &str) -> Result<SecretString, io::Error> {
    // `VarError` would show what is not unicode. Names that the system takes for a bug are refused here.
    let value = if name.is_empty() || name.contains(['=', '\0']) { None } else { env::var_os(name) };
    let value = value.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not set"))?;
    let text =
        value.into_string().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not utf-8"))?;
    Ok(text.into())
}

fn file_secret(path: &Path) -> Result<SecretString, io::Error> {
    let invalid = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(invalid("it is longer than 64 KiB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| invalid("it is not utf-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text.into())
}
