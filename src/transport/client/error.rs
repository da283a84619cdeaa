//! What a [`Client`](super::Client) reports when a request brought no response.

use std::{error::Error as StdError, fmt, io};

use http::Uri;
use hyper_util::client::legacy;

use super::cause::Cause;

/// How much of a path is shown, in characters.
const LONGEST_PATH: usize = 100;

/// Why a request got no response.
///
/// Its text says how far the request got and, where that is known, what happened: "no connection could be made:
/// connection refused". It shows no secret, and of a URL nothing but the path. What it says in full is not said by a
/// source again.
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
    what: What,
    /// Whether another error says the cause already.
    is_told: bool,
}

#[derive(Debug)]
enum What {
    Failed {
        cause: Option<Cause>,
        error: legacy::Error,
    },
    /// A URI that names no server.
    Relative {
        missing: &'static str,
        path: String,
    },
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

impl ClientError {
    /// A request for `uri`, which names no server. Of the URI only the path is shown.
    pub(super) fn relative(uri: &Uri) -> Self {
        let missing = if uri.host().is_none() { "host" } else { "scheme" };
        let path = uri.path().chars().take(LONGEST_PATH).collect();
        Self { kind: ClientErrorKind::Exchange, what: What::Relative { missing, path }, is_told: false }
    }

    /// The cause, in words, for the text of an error that has this one for its source, and doesn't repeat it.
    pub(in crate::transport) fn tell_cause(&mut self) -> Option<String> {
        let What::Failed { cause: Some(cause), .. } = &self.what else { return None };
        self.is_told = true;
        Some(cause.to_string())
    }
}

impl From<legacy::Error> for ClientError {
    fn from(error: legacy::Error) -> Self {
        let kind = match error.is_connect() {
            true if is_timeout(&error) => ClientErrorKind::ConnectTimedOut,
            true => ClientErrorKind::Connect,
            false => ClientErrorKind::Exchange,
        };
        let cause = Cause::of(&error);
        Self { kind, what: What::Failed { cause, error }, is_told: false }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match &self.what {
            What::Relative { missing, path } => {
                return write!(
                    f,
                    "the request's uri has no {missing}: {path:?}; begin it as in https://api.example.com"
                );
            }
            What::Failed { cause, .. } => cause.filter(|_| !self.is_told),
        };
        f.write_str(match self.kind {
            ClientErrorKind::Connect | ClientErrorKind::ConnectTimedOut => "no connection could be made",
            ClientErrorKind::Exchange => "the request could not be sent, or its answer was lost",
        })?;
        cause.map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl StdError for ClientError {
    /// What the text doesn't say, if there is more.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.what {
            What::Failed { cause, error } if !cause.is_some_and(Cause::is_whole) => Some(error),
            What::Failed { .. } | What::Relative { .. } => None,
        }
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
