//! [`Failure`]: why nobody is logged in.

use std::{fmt, io, process::ExitCode};

use tower_reauth::{AcquireError, ErrorCode, StoreError, StoreErrorKind};

use crate::message::chain;

/// Why nobody is logged in.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is nowhere to listen, at this port or, if it is 0, at any.
    Listen(u16, io::Error),
    /// There is no randomness.
    Random,
    Store(StoreError),
    /// What the configuration or the server says makes no sense.
    Server(String),
    /// The server or the person said no.
    Refused(String),
    /// It can't be asked where its endpoints are.
    Metadata(String, AcquireError),
    Exchange(AcquireError),
    TimedOut,
}

impl Failure {
    pub(super) fn status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Listen(..) | Self::Random | Self::Store(_) => 1,
            Self::Server(_) | Self::Refused(_) | Self::Metadata(..) | Self::Exchange(_) => 3,
            Self::TimedOut => 7,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(0, error) => write!(f, "there is nowhere to listen for the answer: {error}"),
            Self::Listen(port, error) => write!(
                f,
                "there is nowhere to listen for the answer: port {port}, which login.port says: {error}; is another login \
                 under way?"
            ),
            Self::Random => f.write_str("this machine has no randomness"),
            Self::Store(error) => write!(f, "the login can't be remembered: {}", of_store(error)),
            Self::Server(why) | Self::Refused(why) => f.write_str(why),
            Self::Metadata(issuer, error) => {
                write!(f, "nobody is logged in: what {issuer} says of itself can't be had: {}", chain(error))
            }
            // It is no use to look at anything else.
            Self::Exchange(error) if error.code() == Some(ErrorCode::InvalidGrant) => {
                write!(
                    f,
                    "the server doesn't take the code, which may be too old; log in again: {}",
                    chain(error)
                )
            }
            Self::Exchange(error) => write!(f, "nobody is logged in: {}", chain(error)),
            Self::TimedOut => f.write_str("nobody has logged in in time"),
        }
    }
}

/// What is wrong with a store, and what to do where it goes on for ever.
pub(super) fn of_store(error: &StoreError) -> String {
    let remedy = match error.kind() {
        StoreErrorKind::Unreadable => "; remove it, and log in again",
        _ => "",
    };
    format!("{}{remedy}", chain(error))
}

/// What a server says, as it may be shown on a terminal: in one line, and not for ever.
pub(super) fn tame(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(300).collect()
}
