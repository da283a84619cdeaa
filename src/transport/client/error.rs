//! What a [`Client`](super::Client) reports when a request brought no response.

use std::{error::Error as StdError, fmt, io};

use http::{StatusCode, Uri};
use hyper_util::client::legacy;
use rustls::Error as TlsError;

use super::{
    cause::Cause,
    chain::{chain, find},
    guard::{FarHost, InwardHost, MetadataHost},
    proxy_error::{Fault, ProxyError},
};
use crate::error::{AcquireErrorKind, BoxError};

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
///     use ClientErrorKind::{Connect, ConnectTimedOut, Proxy};
///     matches!(error.kind(), Connect | ConnectTimedOut | Proxy)
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
    /// A host where this request may not go.
    OutOfReach(Cause),
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
    /// The proxy gave no connection to the server: it could not be reached, refused (407, 403), could not reach the
    /// server (502), or did not answer as a proxy does. The text names it. Nothing was sent to the server.
    Proxy,
    /// The host is the metadata service of a machine, or its name leads to one, where this client never connects.
    /// Nothing was sent.
    MetadataHost,
    /// The host is this machine or in a private network, or its name leads there, and a [tenant](crate::Tenants) has chosen
    /// it. Nothing is sent there unless
    /// [`TenantsBuilder::allow_private_addresses`](crate::TenantsBuilder::allow_private_addresses) says so.
    InwardHost,
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

    /// A request that isn't even sent to be connected for, as [`Reach`](super::guard::Reach) says of its host.
    pub(super) fn out_of_reach(error: BoxError) -> Self {
        let kind = match () {
            () if error.is::<InwardHost>() => ClientErrorKind::InwardHost,
            () if error.is::<MetadataHost>() => ClientErrorKind::MetadataHost,
            () => ClientErrorKind::Connect,
        };
        let cause = Cause::Whole(error.to_string().into());
        Self { kind, what: What::OutOfReach(cause), is_told: false }
    }

    /// The cause, in words, for the text of an error that has this one for its source, and doesn't repeat it; with what
    /// kind of failure it is of an acquisition.
    pub(in crate::transport) fn tell_cause(&mut self) -> Option<(AcquireErrorKind, String)> {
        let (cause, error) = match &self.what {
            What::Failed { cause: Some(cause), error } => (cause, error),
            What::OutOfReach(cause) => {
                self.is_told = true;
                return Some((AcquireErrorKind::Blocked, cause.to_string()));
            }
            What::Failed { cause: None, .. } | What::Relative { .. } => return None,
        };
        let kind = match self.kind {
            ClientErrorKind::MetadataHost | ClientErrorKind::InwardHost => AcquireErrorKind::Blocked,
            ClientErrorKind::Proxy => match find::<ProxyError>(error).map(ProxyError::fault) {
                Some(Fault::Refused(status)) => refused_kind(*status),
                _ => AcquireErrorKind::Transient,
            },
            _ if find::<FarHost>(error).is_some() => AcquireErrorKind::Blocked,
            _ => AcquireErrorKind::Transient,
        };
        self.is_told = true;
        Some((kind, cause.to_string()))
    }
}

impl From<legacy::Error> for ClientError {
    fn from(error: legacy::Error) -> Self {
        let kind = match error.is_connect() {
            true => unconnected(&error),
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
            What::Failed { cause, .. } => cause.as_ref().filter(|_| !self.is_told),
            What::OutOfReach(cause) => Some(cause).filter(|_| !self.is_told),
        };
        f.write_str(match self.kind {
            ClientErrorKind::Connect
            | ClientErrorKind::ConnectTimedOut
            | ClientErrorKind::Proxy
            | ClientErrorKind::MetadataHost
            | ClientErrorKind::InwardHost => "no connection could be made",
            ClientErrorKind::Exchange => "the request could not be sent, or its answer was lost",
        })?;
        cause.map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl StdError for ClientError {
    /// What the text doesn't say, if there is more.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.what {
            What::Failed { cause, .. } if cause.as_ref().is_some_and(Cause::is_whole) => None,
            // The text has said all that it says itself.
            What::Failed { error, .. } => match find::<ProxyError>(error) {
                Some(error) => error.source(),
                None => Some(error),
            },
            What::Relative { .. } | What::OutOfReach(_) => None,
        }
    }
}

/// Why there is no connection.
fn unconnected(error: &legacy::Error) -> ClientErrorKind {
    if find::<InwardHost>(error).is_some() {
        return ClientErrorKind::InwardHost;
    }
    if find::<MetadataHost>(error).is_some() {
        return ClientErrorKind::MetadataHost;
    }
    match find::<ProxyError>(error).map(ProxyError::fault) {
        Some(Fault::Within(error)) if is_about_tunnel(&**error) => ClientErrorKind::Proxy,
        Some(Fault::Within(_)) | None if is_timeout(error) => ClientErrorKind::ConnectTimedOut,
        Some(Fault::Within(_)) | None => ClientErrorKind::Connect,
        Some(_) => ClientErrorKind::Proxy,
    }
}

/// Whether what came through a tunnel was not from a server that speaks TLS: the proxy's own words, or nothing.
fn is_about_tunnel(error: &(dyn StdError + 'static)) -> bool {
    match find::<TlsError>(error) {
        Some(error) => matches!(error, TlsError::InvalidMessage(_)),
        None => !is_timeout(error) && find::<io::Error>(error).is_some(),
    }
}

/// What it means for a token that a proxy answered with `status`.
fn refused_kind(status: StatusCode) -> AcquireErrorKind {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            AcquireErrorKind::ProxyRefused
        }
        StatusCode::FORBIDDEN
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_IMPLEMENTED
        | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => AcquireErrorKind::Blocked,
        _ => AcquireErrorKind::Transient,
    }
}

fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    let mut errors = chain(error).filter_map(|error| error.downcast_ref::<io::Error>());
    errors.any(|error| error.kind() == io::ErrorKind::TimedOut)
}
