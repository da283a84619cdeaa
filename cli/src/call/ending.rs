//! How a call ends, as an exit status: [`Ending`], and the [`Failure`]s that brought no answer.

use std::{fmt, io, path::PathBuf, process::ExitCode, time::Duration};

use http::StatusCode;
use tower_reauth::{AuthError, BoxError, ConfigError};

use super::data::Data;
use crate::message::chain;

/// The exit status. Wrong usage is 2, and clap's.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    Success = 0,
    Local = 1,
    NoToken = 3,
    ClientError = 4,
    ServerError = 5,
    NoAnswer = 6,
    TimedOut = 7,
}

impl Ending {
    pub(crate) fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            ..400 => Self::Success,
            400..500 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

/// Why there is no answer, or not the whole of it.
pub(crate) enum Failure {
    /// What is to be sent can't be read.
    Data(PathBuf, io::Error),
    /// What was being sent could not be read to its end, or isn't as long as was said. The vendor has at most a part of it.
    Sending(Data, io::Error),
    /// What came can't be written, to a file or to standard output.
    Output(Option<PathBuf>, io::Error),
    Local(ConfigError),
    NoToken(AuthError),
    /// No answer.
    Exchange(BoxError),
    /// The vendor speaks something else from there on.
    AnotherProtocol,
    /// Not the whole answer.
    Broken(BoxError),
    TimedOut(Duration),
}

impl Failure {
    /// Why the service gave no answer.
    pub(crate) fn of(error: BoxError) -> Self {
        match AuthError::find(&*error) {
            Some(no_token) => Self::NoToken(no_token.clone()),
            None => Self::Exchange(error),
        }
    }

    pub(crate) fn local(error: ConfigError) -> Self {
        Self::Local(error)
    }

    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Data(..) | Self::Sending(..) | Self::Output(..) | Self::Local(_) => Ending::Local,
            Self::NoToken(_) => Ending::NoToken,
            Self::Exchange(_) | Self::AnotherProtocol | Self::Broken(_) => Ending::NoAnswer,
            Self::TimedOut(_) => Ending::TimedOut,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(path, error) => write!(f, "{} can't be read: {error}", path.display()),
            Self::Sending(data, error) => write!(f, "{data} can't be sent: {error}"),
            Self::Output(None, error) => write!(f, "the output can't be written: {error}"),
            Self::Output(Some(path), error) => write!(f, "{} can't be written: {error}", path.display()),
            Self::Local(error) => f.write_str(&chain(error)),
            Self::NoToken(error) => write!(f, "no token: {}", chain(error)),
            Self::Exchange(error) => write!(f, "no answer: {}", chain(&**error)),
            Self::AnotherProtocol => {
                f.write_str("no answer: the vendor changed to another protocol (101), which is no call")
            }
            Self::Broken(error) => write!(f, "the answer broke off: {}", chain(&**error)),
            Self::TimedOut(limit) => write!(f, "nothing moved for {limit:?}; see --timeout"),
        }
    }
}
