//! What variables, files and closures give, and why that may be no secret.

use std::{env, error::Error, fmt, io, path::Path, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{
    file::MAX_LEN,
    tidy::{Untidy, tidy},
};
use crate::error::{AcquireError, AuthError, BoxError};

/// Why there is no secret.
pub(super) enum Failure {
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
pub(super) fn wait_of(error: &(dyn Error + Send + Sync + 'static)) -> Option<Duration> {
    if let Some(said) = error.downcast_ref::<AcquireError>() {
        return said.retry_after();
    }
    let at = AuthError::find(error)?.retry_at()?;
    Some(at.saturating_duration_since(Instant::now()))
}

/// The same, if it isn't empty.
pub(super) fn usable(read: Result<SecretString, Failure>) -> Result<SecretString, Failure> {
    read.and_then(|secret| if secret.expose_secret().is_empty() { Err(Failure::Empty) } else { Ok(secret) })
}

/// What a closure gave.
pub(super) fn tidied(given: Result<SecretString, BoxError>) -> Result<SecretString, Failure> {
    let given = given.map_err(Failure::Unread)?;
    tidy(given.expose_secret().as_bytes()).map_err(Failure::Untidy)
}

pub(super) fn env_secret(name: &str) -> Result<SecretString, Failure> {
    // `VarError` would show what is not unicode. Names that the system takes for a bug are refused here.
    let value = if name.is_empty() || name.contains(['=', '\0']) { None } else { env::var_os(name) };
    let value = value.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not set"))?;
    tidy(value.as_encoded_bytes()).map_err(Failure::Untidy)
}

/// What a file has, as one of the ways to read it says.
pub(super) fn file_secret(
    path: &Path,
    read: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
) -> Result<SecretString, Failure> {
    let bytes = read(path)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(Failure::TooLong);
    }
    tidy(&bytes).map_err(Failure::Untidy)
}
