//! A copy of a request's head in one piece of memory.
//!
//! Nearly every copy is thrown away unread, so it has to be cheap to make, and may be dear to restore. Copying bytes
//! beats cloning a `HeaderMap`, whose two tables and whose every value have their own memory or their own reference
//! count: everything goes into one buffer of the right size, and is parsed only for a replay.

use bytes::{Buf, Bytes};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, request::Parts, uri};

/// Everything of a request but its body: method, URI byte for byte, version, headers with the order of duplicates and
/// their sensitivity, extensions.
pub(crate) struct KeptHead {
    packed: Vec<u8>,
    /// Empty, and without memory of its own, for most requests.
    extensions: Extensions,
}

/// The bit of a value's length that says that the value is sensitive.
const SENSITIVE: u32 = 1 << 31;

impl KeptHead {
    /// Copies a head. `None` for one that can't be packed: a version or a length that doesn't exist in HTTP.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        let method = parts.method.as_str();
        let scheme = parts.uri.scheme().map_or("", uri::Scheme::as_str);
        let authority = parts.uri.authority().map_or("", uri::Authority::as_str);
        let path = parts.uri.path_and_query().map_or("", uri::PathAndQuery::as_str);
        let line = [method, scheme, authority, path];

        let fixed: usize = line.iter().map(|text| 4 + text.len()).sum();
        let fields: usize =
            parts.headers.iter().map(|(name, value)| 8 + name.as_str().len() + value.len()).sum();
        let mut packed = Vec::with_capacity(1 + fixed + fields);
        packed.push(number_of(parts.version)?);
        for text in line {
            packed.extend_from_slice(&length(text.len())?.to_le_bytes());
            packed.extend_from_slice(text.as_bytes());
        }
        for (name, value) in &parts.headers {
            let sensitive = if value.is_sensitive() { SENSITIVE } else { 0 };
            packed.extend_from_slice(&length(name.as_str().len())?.to_le_bytes());
            packed.extend_from_slice(&(length(value.len())? | sensitive).to_le_bytes());
            packed.extend_from_slice(name.as_str().as_bytes());
            packed.extend_from_slice(value.as_bytes());
        }
        Some(Self { packed, extensions: parts.extensions.clone() })
    }

    /// The head as it was. `None` never happens for what [`KeptHead::of`] has packed; if it did, there would be no
    /// replay rather than an altered one.
    pub(crate) fn restore(self) -> Option<Parts> {
        let mut packed = Bytes::from(self.packed);
        let version = version_of(packed.try_get_u8().ok()?)?;
        let mut text = || {
            let length = packed.try_get_u32_le().ok()?;
            take(&mut packed, length)
        };
        let (method, scheme, authority, path) = (text()?, text()?, text()?, text()?);
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = Method::from_bytes(&method).ok()?;
        parts.uri = restore_uri(scheme, authority, path)?;
        parts.version = version;
        parts.headers = restore_headers(packed)?;
        parts.extensions = self.extensions;
        Some(parts)
    }
}

fn restore_uri(scheme: Bytes, authority: Bytes, path: Bytes) -> Option<Uri> {
    let mut parts = uri::Parts::default();
    if !scheme.is_empty() {
        parts.scheme = Some(uri::Scheme::try_from(&*scheme).ok()?);
    }
    if !authority.is_empty() {
        parts.authority = Some(uri::Authority::from_maybe_shared(authority).ok()?);
    }
    if !path.is_empty() {
        parts.path_and_query = Some(uri::PathAndQuery::from_maybe_shared(path).ok()?);
    }
    Uri::from_parts(parts).ok()
}

fn restore_headers(mut packed: Bytes) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    while packed.has_remaining() {
        let name = packed.try_get_u32_le().ok()?;
        let value = packed.try_get_u32_le().ok()?;
        let name = HeaderName::from_bytes(&take(&mut packed, name)?).ok()?;
        let mut restored = HeaderValue::from_maybe_shared(take(&mut packed, value & !SENSITIVE)?).ok()?;
        restored.set_sensitive(value & SENSITIVE != 0);
        headers.append(name, restored);
    }
    Some(headers)
}

fn take(packed: &mut Bytes, length: u32) -> Option<Bytes> {
    let length = usize::try_from(length).ok()?;
    (length <= packed.len()).then(|| packed.split_to(length))
}

fn length(length: usize) -> Option<u32> {
    u32::try_from(length).ok().filter(|length| length & SENSITIVE == 0)
}

const VERSIONS: [Version; 5] =
    [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3];

fn number_of(version: Version) -> Option<u8> {
    VERSIONS.iter().position(|known| *known == version).and_then(|at| u8::try_from(at).ok())
}

fn version_of(number: u8) -> Option<Version> {
    VERSIONS.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);

    fn assert_restored(request: Request<()>) {
        let (parts, ()) = request.into_parts();
        let restored = KeptHead::of(&parts).expect("packed").restore().expect("restored");
        assert_eq!(restored.method, parts.method);
        assert_eq!(restored.version, parts.version);
        assert_eq!(restored.uri.to_string(), parts.uri.to_string());
        assert_eq!(
            [restored.uri.scheme_str(), restored.uri.authority().map(|a| a.as_str()), restored.uri.query()],
            [parts.uri.scheme_str(), parts.uri.authority().map(|a| a.as_str()), parts.uri.query()]
        );
        assert_eq!(restored.uri.path_and_query(), parts.uri.path_and_query());
        let fields = |headers: &HeaderMap| {
            let field = |(name, value): (&HeaderName, &HeaderValue)| {
                (name.clone(), value.as_bytes().to_vec(), value.is_sensitive())
            };
            headers.iter().map(field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&restored.headers), fields(&parts.headers));
        assert_eq!(restored.extensions.get::<Mark>(), parts.extensions.get());
    }

    #[test]
    fn every_form_of_uri_comes_back_byte_for_byte() {
        for uri in [
            "/",
            "*",
            "/a//b/../c?x=%41%20&y=ü#".trim_end_matches('#'),
            "https://api.test",
            "https://User:p%40ss@API.test:443/esther.fray%40gmail.com?userPartsToFetch=BasicInfo",
            "http://[::1]:8080/?",
            "HTTPS://api.test/",
            "custom+scheme://host/path",
            "api.test:443",
        ] {
            let Ok(uri) = uri.parse::<Uri>() else { continue };
            let method = if uri.scheme().is_none() && uri.authority().is_some() { "CONNECT" } else { "GET" };
            assert_restored(Request::builder().method(method).uri(uri).body(()).expect("valid"));
        }
    }

    #[test]
    fn methods_versions_and_extensions_come_back() {
        for method in ["GET", "POST", "PROPFIND", "A-METHOD-THAT-IS-LONGER-THAN-OTHERS"] {
            for version in VERSIONS {
                let request = Request::builder().method(method).version(version).extension(Mark(7)).body(());
                assert_restored(request.expect("valid"));
            }
        }
    }

    #[test]
    fn there_is_one_allocation_of_the_right_size() {
        let request = Request::post("https://api.test/things?a=b").header("x-a", "1").header("x-b", "22");
        let (parts, ()) = request.body(()).expect("valid").into_parts();
        let kept = KeptHead::of(&parts).expect("packed");
        assert_eq!(kept.packed.len(), kept.packed.capacity());
    }

    proptest! {
        #[test]
        fn headers_come_back_with_their_order_and_sensitivity(
            fields in prop::collection::vec(
                ("[a-z][a-z0-9-]{0,6}", prop::collection::vec(prop_oneof![0x20u8..0x7f, 0x80u8..=0xff], 0..40), any::<bool>()),
                0..40,
            )
        ) {
            let mut request = Request::new(());
            for (name, value, sensitive) in fields {
                let mut value = HeaderValue::from_bytes(&value).expect("valid");
                value.set_sensitive(sensitive);
                request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).expect("valid"), value);
            }
            assert_restored(request);
        }
    }
}
