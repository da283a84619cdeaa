//! What a [`Client`](super::Client) reports when a request brought no response.

use std::{error::Error as StdError, fmt, io};

use hyper_util::client::legacy;

/// Why a request got no response.
///
/// The type is the crate's own, so that hyper-util's version is not part of this crate's interface, and so that a
/// retry policy can tell by [`kind`](Self::kind) what is safe to send again.
///
/// # Examples
///
/// ```
/// use tower_reauth::client::{ClientError, ClientErrorKind};
///
/// fn surely_not_sent(error: &ClientError) -> bool {
///     matches!(error.kind(), ClientErrorKind::Connect | ClientErrorKind::ConnectTimedOut)
/// }
/// ```
#[derive(Debug)]
pub struct ClientError {
    kind: ClientErrorKind,
    source: legacy::Error,
}

/// How far the request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// No connection could be made: the name, TCP, or the server's certificate. Nothing was sent.
    Connect,
    /// No connection could be made in time. Nothing was sent.
    ConnectTimedOut,
    /// The exchange failed after that, or the request can't be sent as it is (a URI without host, a body that
    /// fails). Whether the server saw it is not known.
    Exchange,
}

impl ClientError {
    /// How far the request got.
    #[must_use]
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }
}

impl From<legacy::Error> for ClientError {
    fn from(source: legacy::Error) -> Self {
        let kind = match source.is_connect() {
            true if is_timeout(&source) => ClientErrorKind::ConnectTimedOut,
            true => ClientErrorKind::Connect,
            false => ClientErrorKind::Exchange,
        };
        Self { kind, source }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ClientErrorKind::Connect => "no connection could be made",
            ClientErrorKind::ConnectTimedOut => "no connection could be made in time",
            ClientErrorKind::Exchange => "the request could not be sent, or its answer was lost",
        })
    }
}

impl StdError for ClientError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

fn is_timeout(error: &legacy::Error) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        next = error.source();
    }
    false
}
