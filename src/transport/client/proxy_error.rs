//! [`ProxyError`]: what went wrong at a proxy, or on the way through it.

use std::{error::Error as StdError, fmt};

use http::StatusCode;

use crate::error::BoxError;

/// Why there is no connection by way of a proxy. It names the proxy's host and port, and never its userinfo.
#[derive(Debug)]
pub(super) struct ProxyError {
    proxy: String,
    fault: Fault,
}

#[derive(Debug)]
pub(super) enum Fault {
    /// There is no connection to the proxy itself.
    Unreachable(BoxError),
    /// It neither let itself be connected to nor answered in time.
    TimedOut,
    /// It answered that there will be no tunnel.
    Refused(StatusCode),
    /// It closed the connection instead of answering.
    HungUp,
    /// What it answered isn't HTTP.
    NotHttp,
    /// There is a tunnel, and in it no connection to the server.
    Within(BoxError),
}

impl ProxyError {
    pub(super) fn new(proxy: &str, fault: Fault) -> Self {
        Self { proxy: proxy.to_owned(), fault }
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = &self.proxy;
        match &self.fault {
            Fault::Unreachable(_) => write!(f, "the proxy {proxy} could not be reached"),
            Fault::TimedOut => write!(f, "the proxy {proxy} gave no connection in time"),
            Fault::Refused(status) => {
                write!(f, "the proxy {proxy} answered {}: {}", status.as_u16(), advice(*status))
            }
            Fault::HungUp => write!(f, "the proxy {proxy} closed the connection without an answer"),
            Fault::NotHttp => write!(
                f,
                "the proxy {proxy} does not answer in http; look at the scheme and the port of its url"
            ),
            Fault::Within(_) => write!(f, "through the proxy {proxy}"),
        }
    }
}

impl StdError for ProxyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.fault {
            Fault::Unreachable(error) | Fault::Within(error) => Some(&**error),
            Fault::TimedOut | Fault::Refused(_) | Fault::HungUp | Fault::NotHttp => None,
        }
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        // The first is a server's to say; some proxies do, such as tinyproxy (its issue 532) and wstunnel (545).
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "it wants another user name or password, which stand in its url as in http://name:password@host"
        }
        StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            "it allows no tunnel (CONNECT) to this host and port"
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            "it could not reach the server, or not find it"
        }
        _ => "it was asked for a tunnel (CONNECT), and gave none",
    }
}
