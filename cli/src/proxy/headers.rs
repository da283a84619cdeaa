//! Which header fields go on to the other side, in headers and in trailers. Knows nothing of bodies.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, EXPECT, HOST, MAX_FORWARDS,
        SET_COOKIE, TE, UPGRADE, VIA,
    },
};

/// The name of this proxy in `Via` and `Proxy-Status`.
pub(crate) const NAME: &str = "tower-reauth";

/// What is for one connection only, whether `Connection` names it or not (RFC 9110 §7.6.1).
///
/// `Trailer` is not among them: it announces trailers, which go on as well, and in HTTP/1.1 only with it.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// What of a request isn't for the vendor.
#[derive(Clone, Debug)]
pub(crate) struct RequestRules {
    withheld: Arc<[HeaderName]>,
}

impl RequestRules {
    /// `header` is where the token goes, if it has one for itself.
    pub(crate) fn new(header: Option<&HeaderName>, credentials: bool, cookies: bool) -> Self {
        // The client sets `Host` from the URL. `Expect` was this proxy's to fulfil (RFC 9110 §10.1.1).
        let mut withheld = vec![HOST, EXPECT];
        if !credentials {
            withheld.push(AUTHORIZATION);
            withheld.extend(header.cloned());
        }
        if !cookies {
            withheld.push(COOKIE);
        }
        Self { withheld: withheld.into() }
    }

    /// Makes of the client's headers what the vendor gets.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, version: Version) {
        let takes_trailers = names(headers, &TE).any(|coding| coding.eq_ignore_ascii_case("trailers"));
        strip(headers, |name| self.withheld.contains(name));
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
        strip(trailers, |name| *name == VIA || self.withheld.contains(name));
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
        strip(trailers, |name| !self.cookies && *name == SET_COOKIE);
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

/// The members of a list of names, which have no case.
pub(crate) fn names<'a>(headers: &'a HeaderMap, list: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(list).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// Removes what is for one connection only, what its sender says is, and what `isnt_for_others`.
fn strip(headers: &mut HeaderMap, isnt_for_others: impl Fn(&HeaderName) -> bool) {
    // That one, which is what most of them say, is removed anyway.
    let named = names(headers, &CONNECTION).filter(|name| !name.eq_ignore_ascii_case("keep-alive"));
    let named: Vec<_> = named.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    for name in &named {
        headers.remove(name);
    }
    // Mostly there is one, or none: to look at those that are there takes less than to look for each that may be.
    let goes = |name: &&HeaderName| is_hop_by_hop(name) || isnt_for_others(name);
    while let Some(name) = headers.keys().find(goes).cloned() {
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
