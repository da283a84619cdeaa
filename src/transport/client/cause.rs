//! [`Cause`]: in few words, why a request got no response. All of them are ours or the standard library's, so they hold
//! nothing of what was sent, and nothing that a server says.

use std::{borrow::Cow, error::Error as StdError, fmt, io};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::{
    super::io_cause::is_telling,
    chain::chain,
    guard::{FarHost, InwardHost, MetadataHost},
    moving::Stuck,
    prior::NotHttp2,
    proxy_error::ProxyError,
};

/// Why a request got no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// By itself it says all that its error does.
    Io(io::ErrorKind),
    /// The same.
    Whole(Cow<'static, str>),
    /// There is more in the error.
    Part(Cow<'static, str>),
}

impl Cause {
    /// The cause of `error`, if it is a known one.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut resolving = false;
        for error in chain(error) {
            if let Some(error) = error.downcast_ref::<ProxyError>() {
                return Some(Self::of_proxy(error));
            }
            let is_out_of_reach =
                error.is::<MetadataHost>() || error.is::<InwardHost>() || error.is::<FarHost>();
            if is_out_of_reach || error.is::<NotHttp2>() {
                return Some(Self::Whole(error.to_string().into()));
            }
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                // It comes from the request's own body, and the caller knows more of that.
                if error.is_user() {
                    return None;
                }
                if error.is_incomplete_message() {
                    return Some(whole("the connection was closed before the answer"));
                }
            }
            if let Some(error) = error.downcast_ref::<TlsError>() {
                return Some(tls(error));
            }
            let text = error.to_string();
            // hyper-util's type is not public. Without its words the cause is not known, and the sources say it.
            resolving |= text == "dns error";
            let io = error.downcast_ref::<io::Error>();
            if resolving && let Some(error) = io {
                return Some(dns(&error.to_string()));
            }
            if let Some(cause) = io.and_then(Self::of_io) {
                return Some(cause);
            }
            // HTTP/2 keeps the text of an error of its stream, and nothing else.
            if text == NotHttp2.to_string() {
                return Some(Self::Whole(text.into()));
            }
            if let Some(words) = ALERTS.into_iter().find(|alert| text == received(*alert)).and_then(alert) {
                return Some(whole(words));
            }
        }
        None
    }

    fn of_proxy(error: &ProxyError) -> Self {
        let Some(source) = error.source() else { return Self::Whole(error.to_string().into()) };
        match Self::of(source) {
            Some(cause) if cause.is_whole() => Self::Whole(format!("{error}: {cause}").into()),
            Some(cause) => Self::Part(format!("{error}: {cause}").into()),
            None => Self::Part(error.to_string().into()),
        }
    }

    /// Whether it says all that its error does.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self, Self::Part(_))
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        if let Some(stuck) = error.get_ref().and_then(|error| error.downcast_ref::<Stuck>()) {
            return Some(Self::Whole(stuck.to_string().into()));
        }
        match error.kind() {
            io::ErrorKind::TimedOut => Some(part("timed out connecting")),
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
        whole("dns: no such host")
    } else {
        part("dns: the name could not be looked up")
    }
}

fn tls(error: &TlsError) -> Cause {
    match error {
        TlsError::InvalidCertificate(error) => certificate(error),
        TlsError::AlertReceived(received) => match alert(*received) {
            Some(words) => whole(words),
            None => part("tls: the server gave up the handshake"),
        },
        TlsError::InvalidMessage(_) => part("tls: the server does not speak it"),
        TlsError::PeerIncompatible(_) => part("tls: nothing in common with the server"),
        _ => part("tls: the handshake failed"),
    }
}

/// The alerts that say what to do (RFC 8446 §6.2).
const ALERTS: [AlertDescription; 9] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::AccessDenied,
    AlertDescription::NoApplicationProtocol,
];

/// What the server means by an alert: of certificates it can only mean the client's, or that there is none.
fn alert(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => {
            "tls: the server wants a client certificate; give it one with ClientBuilder::identity"
        }
        AlertDescription::CertificateExpired => {
            "tls: the server says that the client certificate has expired"
        }
        AlertDescription::CertificateRevoked => "tls: the server says that the client certificate is revoked",
        AlertDescription::UnknownCA => "tls: the server does not trust the issuer of the client certificate",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            "tls: the server does not accept the client certificate, or wants one"
        }
        AlertDescription::NoApplicationProtocol => {
            "tls: the server speaks none of the versions of http that were offered"
        }
        _ => return None,
    })
}

/// How rustls says that an alert was received.
fn received(alert: AlertDescription) -> String {
    TlsError::AlertReceived(alert).to_string()
}

fn certificate(error: &CertificateError) -> Cause {
    use CertificateError as Error;
    match error {
        Error::Expired | Error::ExpiredContext { .. } => whole("tls: certificate expired"),
        Error::NotValidYet | Error::NotValidYetContext { .. } => whole("tls: certificate not valid yet"),
        Error::Revoked => whole("tls: certificate revoked"),
        Error::UnknownIssuer => part("tls: certificate from an authority that is not trusted"),
        Error::NotValidForName | Error::NotValidForNameContext { .. } => {
            part("tls: certificate for another host")
        }
        _ => part("tls: certificate not accepted"),
    }
}

fn whole(words: &'static str) -> Cause {
    Cause::Whole(words.into())
}

fn part(words: &'static str) -> Cause {
    Cause::Part(words.into())
}
