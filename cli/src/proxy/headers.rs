//! Which header fields go on to the other side, in headers and in trailers. Knows nothing of bodies.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Version,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST,
        MAX_FORWARDS, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRANSFER_ENCODING, UPGRADE,
        VIA,
    },
    response,
};

use crate::number::number;

/// The name of this proxy in `Via` and `Proxy-Status`.
pub(crate) const NAME: &str = "tower-reauth";

/// What is for one connection only, whether `Connection` names it or not (RFC 9110 §7.6.1).
///
/// `Trailer` is not among them: it announces trailers, which go on as well, and in HTTP/1.1 only with it.
static HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// What of a request isn't for the vendor.
#[derive(Clone, Debug)]
pub(crate) struct RequestRules {
    withheld: Arc<[HeaderName]>,
    cookies: bool,
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
        Self { withheld: withheld.into(), cookies }
    }

    /// Makes of the client's headers what the vendor gets.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, version: Version) {
        let takes_trailers = names(headers, &TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
        strip(headers, |name| self.withheld.contains(name));
        if version == Version::HTTP_2 {
            // Over HTTP/1.1 hyper has seen to that.
            say_length_once(headers);
            if self.cookies {
                join_cookies(headers);
            }
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
        say_length_once(headers);
        headers.append(VIA, via(version));
    }

    pub(crate) fn apply_to_trailers(&self, trailers: &mut HeaderMap) {
        strip(trailers, |name| !self.cookies && *name == SET_COOKIE);
    }
}

/// Whether `OPTIONS` was meant to come this far and no farther; else counts this proxy (RFC 9110 §7.6.2).
pub(crate) fn stops_here<B>(request: &mut Request<B>) -> bool {
    if *request.method() != Method::OPTIONS {
        return false;
    }
    let headers = request.headers_mut();
    let left = headers.get(MAX_FORWARDS).and_then(|value| number(value.as_bytes()));
    if let Some(left) = left.filter(|left| *left > 0) {
        headers.insert(MAX_FORWARDS, HeaderValue::from(left - 1));
    }
    left == Some(0)
}

/// Whether this proxy, or another one like it, has forwarded the request already.
pub(crate) fn has_passed_here(headers: &HeaderMap) -> bool {
    let received_by = |entry: &[u8]| {
        let mut words = entry.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.nth(1).is_some_and(|by| by == NAME.as_bytes())
    };
    names(headers, &VIA).any(received_by)
}

/// Whether a vendor closes its connection once it has answered (RFC 9112 §9.3).
pub(crate) fn closes(answer: &response::Parts) -> bool {
    let says = names(&answer.headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case(b"close"));
    says || answer.version < Version::HTTP_11
}

/// Whether a body has another coding than `chunked`, or that more than once. Nobody here undoes those, and without the field that says so
/// they would pass for the body itself (RFC 9112 §6.1).
pub(crate) fn is_coded(headers: &HeaderMap) -> bool {
    let mut codings = names(headers, &TRANSFER_ENCODING);
    codings.next().is_some_and(|coding| !coding.eq_ignore_ascii_case(b"chunked")) || codings.next().is_some()
}

/// Whether something is expected that nobody here knows, and that must not be left out in silence (RFC 9110 §10.1.1).
pub(crate) fn expects_more(headers: &HeaderMap) -> bool {
    names(headers, &EXPECT)
        .any(|expected| !expected.is_empty() && !expected.eq_ignore_ascii_case(b"100-continue"))
}

/// The members of a list of names, which have no case. What isn't ASCII in one of them hides none of the others.
pub(crate) fn names<'a>(headers: &'a HeaderMap, list: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    members(headers.get_all(list).iter())
}

/// The same of fields that hold such a list together (RFC 9110 §5.3).
fn members<'a>(lists: impl Iterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a [u8]> {
    lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// Removes what is for one connection only, what its sender says is, and what `isnt_for_others`.
fn strip(headers: &mut HeaderMap, isnt_for_others: impl Fn(&HeaderName) -> bool) {
    // Mostly there are one or two, or none: to look at those that are there takes less than to look for each that may be.
    let goes = |name: &&HeaderName| HOP_BY_HOP.contains(name) || isnt_for_others(name);
    let mut going: Vec<_> = headers.keys().filter(goes).cloned().collect();
    if going.contains(&CONNECTION) {
        going.extend(named(headers));
    }
    for name in going {
        headers.remove(name);
    }
}

/// A length that is said twice is one, which was read already, and goes on as one (RFC 9110 §8.6).
fn say_length_once(headers: &mut HeaderMap) {
    let mut fields = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = fields.next() else { return };
    if fields.next().is_none() && !first.as_bytes().contains(&b',') {
        return;
    }
    let length = members(std::iter::once(first)).next();
    if let Some(length) = length.and_then(|length| HeaderValue::from_bytes(length).ok()) {
        headers.insert(CONTENT_LENGTH, length);
    }
}

/// HTTP/2 has cookies in as many fields as its client likes, and HTTP/1.1 in one (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1
        && let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(COOKIE, whole);
    }
}

/// What its sender says is for one connection only.
fn named(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    // `Keep-Alive` goes anyway, and mostly nothing else is said.
    let lists = headers.get_all(CONNECTION).iter().filter(|list| list.as_bytes() != b"keep-alive");
    members(lists).filter_map(|name| HeaderName::from_bytes(name).ok())
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
