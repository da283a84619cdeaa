//! Which header fields go on to the other side, in headers and in trailers. Knows nothing of bodies.

use std::str::FromStr;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, EXPECT, HOST, MAX_FORWARDS,
        PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRANSFER_ENCODING, UPGRADE, VIA,
    },
};

/// The name of this proxy in `Via` and `Proxy-Status`.
pub(crate) const NAME: &str = "tower-reauth";

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// What is for one connection only, whether `Connection` names it or not (RFC 9110 §7.6.1).
///
/// `Trailer` is not among them: it announces trailers, which go on as well, and in HTTP/1.1 only with it.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    HTTP2_SETTINGS,
];

/// What of a request isn't for the vendor.
#[derive(Clone, Debug)]
pub(crate) struct RequestRules {
    withheld: Vec<HeaderName>,
}

impl RequestRules {
    /// `header` is where the token goes, if it has one for itself.
    pub(crate) fn new(header: Option<&HeaderName>, credentials: bool, cookies: bool) -> Self {
        let mut withheld = Vec::new();
        if !credentials {
            withheld.push(AUTHORIZATION);
            withheld.extend(header.cloned());
        }
        if !cookies {
            withheld.push(COOKIE);
        }
        Self { withheld }
    }

    /// Makes of the client's headers what the vendor gets.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, version: Version) {
        let takes_trailers = names(headers, &TE).any(|coding| coding == "trailers");
        strip(headers);
        for name in self.withheld.iter().chain(&[HOST, EXPECT]) {
            // The client sets `Host` from the URL. `Expect` was this proxy's to fulfil (RFC 9110 §10.1.1).
            headers.remove(name);
        }
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if takes_trailers {
            // RFC 9110 §10.1.4.
            headers.insert(TE, HeaderValue::from_static("trailers"));
            if !is_grpc(headers) {
                headers.insert(CONNECTION, HeaderValue::from_static("TE"));
            }
        }
        headers.append(VIA, via(version));
    }

    /// Asks for another protocol on the connection to the vendor, as the client has asked for it here.
    pub(crate) fn upgrade(headers: &mut HeaderMap, protocol: &HeaderValue) {
        headers.remove(TE);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    }

    /// The same for trailers, where none of it may hide.
    pub(crate) fn apply_to_trailers(&self, trailers: &mut HeaderMap) {
        strip(trailers);
        for name in self.withheld.iter().chain(&[HOST, EXPECT, VIA]) {
            trailers.remove(name);
        }
    }
}

/// What of an answer isn't for the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseRules {
    cookies: bool,
}

impl ResponseRules {
    pub(crate) fn new(cookies: bool) -> Self {
        Self { cookies }
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap, version: Version) {
        self.apply_to_trailers(headers);
        headers.append(VIA, via(version));
    }

    pub(crate) fn apply_to_trailers(&self, trailers: &mut HeaderMap) {
        strip(trailers);
        if !self.cookies {
            trailers.remove(SET_COOKIE);
        }
    }
}

/// Whether `OPTIONS` was meant to come this far and no farther; else counts this proxy (RFC 9110 §7.6.2).
pub(crate) fn stops_here(method: &Method, headers: &mut HeaderMap) -> bool {
    if *method != Method::OPTIONS {
        return false;
    }
    let left = headers.get(MAX_FORWARDS).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(left) = left.filter(|left| *left > 0) {
        headers.insert(MAX_FORWARDS, HeaderValue::from(left - 1));
    }
    left == Some(0)
}

/// Whether this proxy, or another one like it, has forwarded the request already.
pub(crate) fn has_passed_here(headers: &HeaderMap) -> bool {
    let received_by = |entry: &str| entry.split_whitespace().nth(1).is_some_and(|by| by == NAME);
    let entries = headers.get_all(VIA).iter().filter_map(|value| value.to_str().ok());
    entries.flat_map(|list| list.split(',')).any(received_by)
}

/// The members of a list of names, in lower case.
pub(crate) fn names(headers: &HeaderMap, list: &HeaderName) -> impl Iterator<Item = String> {
    let lists = headers.get_all(list).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_ascii_lowercase())
}

/// Removes what is for one connection only, and what its sender says is.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<_> =
        names(headers, &CONNECTION).filter_map(|name| HeaderName::from_str(&name).ok()).collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Whether it is for HTTP/2 alone. There a field that `Connection` names is lost with that, and servers of gRPC refuse calls without
/// this one.
fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.as_bytes().strip_prefix(b"application/grpc"));
    // What begins so otherwise is something else, such as gRPC-Web.
    kind.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

/// RFC 9110 §7.6.3: the version that was received, and who received it.
fn via(version: Version) -> HeaderValue {
    match version {
        Version::HTTP_10 => HeaderValue::from_static("1.0 tower-reauth"),
        Version::HTTP_2 => HeaderValue::from_static("2.0 tower-reauth"),
        _ => HeaderValue::from_static("1.1 tower-reauth"),
    }
}
