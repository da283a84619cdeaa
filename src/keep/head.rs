//! A copy of a request's head in one piece of memory.
//!
//! Nearly every copy is thrown away unread, so it has to be cheap to make, and may be dear to restore. Copying bytes
//! beats cloning a `HeaderMap`, whose two tables and whose every value have their own memory or their own reference
//! count: everything goes into one buffer of the right size, and is parsed only for a replay.

use bytes::{Buf, Bytes};
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header::UPGRADE, request::Parts,
    uri,
};

use crate::outcome::NotReplayed;

/// Everything of a request but its body: method, URI byte for byte, version, headers with the order of duplicates and
/// their sensitivity, extensions.
pub(crate) struct KeptHead {
    packed: Vec<u8>,
    /// Empty, and without memory of its own, for most requests.
    extensions: Extensions,
}

/// What a field takes up, if name and value are of usual lengths. Measuring them would cost half as much as copying.
const USUAL_FIELD: usize = 64;

impl KeptHead {
    /// Copies a head.
    ///
    /// # Errors
    ///
    /// [`NotReplayed::Upgrade`] if it asks for another protocol, and [`NotReplayed::Body`] if it can't be packed: a
    /// version or a length that doesn't exist in HTTP.
    #[inline]
    pub(crate) fn of(head: &Parts) -> Result<Self, NotReplayed> {
        Ok(Self { packed: pack(head)?, extensions: head.extensions.clone() })
    }

    /// The head as it was. `None` never happens for what [`KeptHead::of`] has packed; if it did, there would be no
    /// replay rather than an altered one.
    pub(crate) fn restore(self) -> Option<Parts> {
        let mut packed = Bytes::from(self.packed);
        let version = version_of(packed.try_get_u8().ok()?)?;
        let mut text = || {
            let length = packed.try_get_u32_le().ok()?;
            take(&mut packed, length.into())
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

#[expect(
    clippy::slow_vector_initialization,
    reason = "zeroed memory comes from the allocator's slow path, which costs more than to fill this little"
)]
fn pack(head: &Parts) -> Result<Vec<u8>, NotReplayed> {
    if head.method == Method::CONNECT {
        return Err(NotReplayed::Upgrade);
    }
    let mut size = 64 + head.uri.path().len() + head.headers.len() * USUAL_FIELD;
    loop {
        // Zeroed and written to as a slice, since a vector that may grow is kept in memory and not in registers.
        let mut packed = Vec::with_capacity(size);
        packed.resize(size, 0);
        match pack_into(&mut packed, head) {
            Ok(left) => {
                packed.truncate(size - left);
                return Ok(packed);
            }
            Err(Stop::Full) => size *= 2,
            Err(Stop::Never(why)) => return Err(why),
        }
    }
}

/// Why a head isn't packed.
enum Stop {
    /// There is not enough room.
    Full,
    Never(NotReplayed),
}

/// Packs a head, and says how much room is left.
#[inline]
fn pack_into(mut room: &mut [u8], head: &Parts) -> Result<usize, Stop> {
    let (method, uri) = (&head.method, &head.uri);
    let scheme = uri.scheme().map_or("", uri::Scheme::as_str);
    let authority = uri.authority().map_or("", uri::Authority::as_str);
    let path = uri.path_and_query().map_or("", uri::PathAndQuery::as_str);
    put(&mut room, &[number_of(head.version)?])?;
    for text in [method.as_str(), scheme, authority, path] {
        let length = u32::try_from(text.len()).map_err(|_| Stop::Never(NotReplayed::Body))?;
        put(&mut room, &length.to_le_bytes())?;
        put(&mut room, text.as_bytes())?;
    }
    for (name, value) in &head.headers {
        if *name == UPGRADE {
            return Err(Stop::Never(NotReplayed::Upgrade));
        }
        let name = name.as_str();
        put(&mut room, &prefix(name, value)?.to_le_bytes())?;
        put(&mut room, name.as_bytes())?;
        put(&mut room, value.as_bytes())?;
    }
    Ok(room.len())
}

#[inline]
fn put(room: &mut &mut [u8], bytes: &[u8]) -> Result<(), Stop> {
    room.split_off_mut(..bytes.len()).ok_or(Stop::Full)?.copy_from_slice(bytes);
    Ok(())
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
        let prefix = packed.try_get_u64_le().ok()?;
        let name = HeaderName::from_bytes(&take(&mut packed, prefix & NAME_LENGTH)?).ok()?;
        let mut value = HeaderValue::from_maybe_shared(take(&mut packed, prefix >> 17)?).ok()?;
        value.set_sensitive(prefix & SENSITIVE != 0);
        headers.append(name, value);
    }
    Some(headers)
}

/// What comes before a field: the value's length, its sensitivity, the name's length, in 47, 1 and 16 bits.
#[inline]
fn prefix(name: &str, value: &HeaderValue) -> Result<u64, Stop> {
    let (name, length) = (name.len() as u64, value.len() as u64);
    let sensitive = if value.is_sensitive() { SENSITIVE } else { 0 };
    if name > NAME_LENGTH || length >= 1 << 47 {
        return Err(Stop::Never(NotReplayed::Body));
    }
    Ok(length << 17 | sensitive | name)
}

const NAME_LENGTH: u64 = 0xffff;
const SENSITIVE: u64 = 1 << 16;

fn take(packed: &mut Bytes, length: u64) -> Option<Bytes> {
    let length = usize::try_from(length).ok()?;
    (length <= packed.len()).then(|| packed.split_to(length))
}

const VERSIONS: [Version; 5] =
    [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3];

fn number_of(version: Version) -> Result<u8, Stop> {
    let at = VERSIONS.iter().position(|known| *known == version);
    at.and_then(|at| u8::try_from(at).ok()).ok_or(Stop::Never(NotReplayed::Body))
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
            assert_restored(Request::builder().uri(uri).body(()).expect("valid"));
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
    fn a_head_that_is_longer_than_usual_comes_back() {
        for length in [100, 1_000, 65_535, 1_000_000] {
            let text = "x".repeat(length);
            let request = Request::get(format!("/?{}", &text[..length.min(60_000)]));
            assert_restored(request.header("x-long", &text).header("x-short", "y").body(()).expect("valid"));
        }
    }

    #[test]
    fn what_changes_the_protocol_is_not_kept() {
        let upgrade = Request::get("/").header("a", "b").header("Upgrade", "websocket");
        let connect = Request::connect("api.test:443");
        for request in [upgrade, connect] {
            let (parts, ()) = request.body(()).expect("valid").into_parts();
            let kept = KeptHead::of(&parts);
            assert_eq!(kept.err(), Some(NotReplayed::Upgrade));
        }
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
