//! [`Cause`]: in few words, why a request got no response. All of them are ours or the standard library's, so they hold
//! nothing of what was sent, and nothing that a server says.

use std::{error::Error as StdError, fmt, io};

use hyper_util::client::legacy;
use rustls::{CertificateError, Error as TlsError};

use super::super::io_cause::is_telling;

/// Why a request got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// By itself it says all that its error does.
    Io(io::ErrorKind),
    /// The same.
    Whole(&'static str),
    /// There is more in the error.
    Part(&'static str),
}

impl Cause {
    /// The cause of `error`, if it is a known one.
    pub(super) fn of(error: &legacy::Error) -> Option<Self> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        let mut resolving = false;
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                // It comes from the request's own body, and the caller knows more of that.
                if error.is_user() {
                    return None;
                }
                if error.is_incomplete_message() {
                    return Some(Self::Whole("the connection was closed before the answer"));
                }
            }
            if let Some(error) = error.downcast_ref::<TlsError>() {
                return Some(tls(error));
            }
            // hyper-util's type is not public. Without its words the cause is not known, and the sources say it.
            resolving |= error.to_string() == "dns error";
            let io = error.downcast_ref::<io::Error>();
            if resolving && let Some(error) = io {
                return Some(dns(&error.to_string()));
            }
            if let Some(cause) = io.and_then(Self::of_io) {
                return Some(cause);
            }
            // What is inside an I/O error is not its source.
            next = match io.and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// Whether it says all that its error does.
    pub(super) fn is_whole(self) -> bool {
        !matches!(self, Self::Part(_))
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::TimedOut => Some(Self::Part("timed out connecting")),
            kind if error.get_ref().is_none() && is_telling(kind) => Some(Self::Io(kind)),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => kind.fmt(f),
            Self::Whole(words) | Self::Part(words) => f.write_str(words),
        }
    }
}

/// Each system says it in its own words, and only there.
fn dns(system: &str) -> Cause {
    const NO_SUCH_HOST: [&str; 4] =
        ["not known", "No address associated", "does not resolve", "No such host is known"];
    if NO_SUCH_HOST.iter().any(|words| system.contains(words)) {
        Cause::Whole("dns: no such host")
    } else {
        Cause::Part("dns: the name could not be looked up")
    }
}

fn tls(error: &TlsError) -> Cause {
    match error {
        TlsError::InvalidCertificate(error) => certificate(error),
        TlsError::AlertReceived(_) => Cause::Part("tls: the server gave up the handshake"),
        TlsError::InvalidMessage(_) => Cause::Part("tls: the server does not speak it"),
        TlsError::PeerIncompatible(_) => Cause::Part("tls: nothing in common with the server"),
        _ => Cause::Part("tls: the handshake failed"),
    }
}

fn certificate(error: &CertificateError) -> Cause {
    use CertificateError as Error;
    match error {
        Error::Expired | Error::ExpiredContext { .. } => Cause::Whole("tls: certificate expired"),
        Error::NotValidYet | Error::NotValidYetContext { .. } => {
            Cause::Whole("tls: certificate not valid yet")
        }
        Error::Revoked => Cause::Whole("tls: certificate revoked"),
        Error::UnknownIssuer => Cause::Part("tls: certificate from an authority that is not trusted"),
        Error::NotValidForName | Error::NotValidForNameContext { .. } => {
            Cause::Part("tls: certificate for another host")
        }
        _ => Cause::Part("tls: certificate not accepted"),
    }
}
