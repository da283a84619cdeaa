//! A copy of a request's head in one piece of memory.
//!
//! Nearly every copy is thrown away unread, so it has to be cheap to make, and may be dear to restore. Copying bytes
//! beats cloning a `HeaderMap`, whose two tables and whose every value have their own memory or their own reference
//! count: everything goes into one buffer, and is parsed only for a replay.

use bytes::Bytes;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header::UPGRADE, request::Parts,
    uri,
};

use super::not_replayed::NotReplayed;

/// Everything of a request but its body: method, URI byte for byte, version, headers with the order of duplicates and
/// their sensitivity, extensions.
pub(crate) struct KeptHead {
    packed: Vec<u8>,
    version: Version,
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
    /// [`NotReplayed::Upgrade`] if it asks for another protocol.
    #[inline]
    pub(crate) fn of(head: &Parts) -> Result<Self, NotReplayed> {
        Ok(Self { packed: pack(head)?, version: head.version, extensions: head.extensions.clone() })
    }

    /// The head as it was. `None` never happens for what [`KeptHead::of`] has packed; if it did, there would be no
    /// replay rather than an altered one.
    pub(crate) fn restore(self) -> Option<Parts> {
        let packed = Bytes::from(self.packed);
        let mut rest = Rest { packed: &packed, bytes: &packed };
        let mut numbers = [0; 5];
        for number in &mut numbers {
            *number = rest.number()?;
        }
        let [names, method, scheme, authority, path] = numbers;
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = Method::from_bytes(rest.text(method)?).ok()?;
        parts.uri = restore_uri(rest.text(scheme)?, rest.shared(authority)?, rest.shared(path)?)?;
        parts.version = self.version;
        parts.headers = restore_headers(rest, usize::try_from(names).ok()?)?;
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
    let texts = texts(head);
    let mut size = texts.iter().fold(NUMBERS, |size, text| size + text.len());
    size += head.headers.len() * USUAL_FIELD;
    loop {
        // Zeroed and written to as a slice, since a vector that may grow is kept in memory and not in registers.
        let mut packed = Vec::with_capacity(size);
        packed.resize(size, 0);
        match pack_into(&mut packed, texts, &head.headers) {
            Ok(left) => {
                packed.truncate(size - left);
                return Ok(packed);
            }
            Err(Stop::Full) => size *= 2,
            Err(Stop::Upgrade) => return Err(NotReplayed::Upgrade),
        }
    }
}

/// Why a head isn't packed.
enum Stop {
    /// There is not enough room.
    Full,
    /// It asks for another protocol.
    Upgrade,
}

/// Packs a head, and says how much room is left.
#[inline]
fn pack_into(room: &mut [u8], texts: [&str; 4], headers: &HeaderMap) -> Result<usize, Stop> {
    let [method, scheme, authority, path] = texts.map(str::len);
    let numbers = [headers.keys_len(), method, scheme, authority, path];
    let (start, mut room) = room.split_at_mut_checked(NUMBERS).ok_or(Stop::Full)?;
    start.copy_from_slice(numbers.map(|number| (number as u64).to_le_bytes()).as_flattened());
    for text in texts {
        room = put(room, text.as_bytes())?;
    }
    pack_fields(room, headers)
}

/// Each field's lengths and sensitivity, then name and value. A function of its own, since what this loop works with
/// has to stay in registers.
#[inline(never)]
fn pack_fields(mut room: &mut [u8], headers: &HeaderMap) -> Result<usize, Stop> {
    for (name, value) in headers {
        if *name == UPGRADE {
            return Err(Stop::Upgrade);
        }
        let sensitive = value.is_sensitive();
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
        let (start, rest) = room.split_first_chunk_mut().ok_or(Stop::Full)?;
        *start = prefix(name.len(), value.len(), sensitive).to_le_bytes();
        room = put(put(rest, name)?, value)?;
    }
    Ok(room.len())
}

/// What a field begins with. A name's length takes 16 bits (`http` allows no longer ones), a value's sensitivity one,
/// its length the rest.
#[inline]
const fn prefix(name: usize, value: usize, sensitive: bool) -> u64 {
    (value as u64) << 17 | (sensitive as u64) << 16 | name as u64
}

/// Puts a text where there is room, and says where there is more.
///
/// Texts are short, nearly always. Of one of up to 32 bytes, both ends are copied as one number each, which may overlap:
/// calling `memcpy` twice for each field takes longer than all else that packing does.
#[inline]
fn put<'a>(room: &'a mut [u8], text: &[u8]) -> Result<&'a mut [u8], Stop> {
    let (to, rest) = room.split_at_mut_checked(text.len()).ok_or(Stop::Full)?;
    if text.len() >= 8 {
        if text.len() <= 16 {
            put_ends::<8>(to, text);
        } else if text.len() <= 32 {
            put_ends::<16>(to, text);
        } else {
            to.copy_from_slice(text);
        }
    } else if text.len() >= 4 {
        put_ends::<4>(to, text);
    } else {
        to.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    }
    Ok(rest)
}

#[inline]
fn put_ends<const N: usize>(to: &mut [u8], text: &[u8]) {
    to[..N].copy_from_slice(&text[..N]);
    let end = text.len() - N;
    to[end..].copy_from_slice(&text[end..]);
}

/// What comes first, of 8 bytes each: how many names there are, and the lengths of the texts.
const NUMBERS: usize = 5 * 8;

#[inline]
fn texts(head: &Parts) -> [&str; 4] {
    let scheme = head.uri.scheme().map_or("", uri::Scheme::as_str);
    let authority = head.uri.authority().map_or("", uri::Authority::as_str);
    let path = head.uri.path_and_query().map_or("", uri::PathAndQuery::as_str);
    [head.method.as_str(), scheme, authority, path]
}

fn restore_uri(scheme: &[u8], authority: Bytes, path: Bytes) -> Option<Uri> {
    let mut parts = uri::Parts::default();
    if !scheme.is_empty() {
        parts.scheme = Some(uri::Scheme::try_from(scheme).ok()?);
    }
    if !authority.is_empty() {
        parts.authority = Some(uri::Authority::from_maybe_shared(authority).ok()?);
    }
    if !path.is_empty() {
        parts.path_and_query = Some(uri::PathAndQuery::from_maybe_shared(path).ok()?);
    }
    Uri::from_parts(parts).ok()
}

fn restore_headers(mut rest: Rest<'_>, names: usize) -> Option<HeaderMap> {
    // Room for the token as well.
    let mut headers = HeaderMap::try_with_capacity(names + 1).unwrap_or_default();
    while !rest.bytes.is_empty() {
        let prefix = rest.number()?;
        let name = HeaderName::from_bytes(rest.text(prefix & 0xffff)?).ok()?;
        let mut value = HeaderValue::from_maybe_shared(rest.shared(prefix >> 17)?).ok()?;
        value.set_sensitive(prefix & 1 << 16 != 0);
        headers.append(name, value);
    }
    Some(headers)
}

/// What is left to be read of a packed head.
struct Rest<'a> {
    packed: &'a Bytes,
    bytes: &'a [u8],
}

impl<'a> Rest<'a> {
    fn number(&mut self) -> Option<u64> {
        self.bytes.split_off(..8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn text(&mut self, length: u64) -> Option<&'a [u8]> {
        self.bytes.split_off(..usize::try_from(length).ok()?)
    }

    /// A text that shares the packed head's memory.
    fn shared(&mut self, length: u64) -> Option<Bytes> {
        Some(self.packed.slice_ref(self.text(length)?))
    }
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
            for version in
                [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3]
            {
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
    fn as_many_values_as_there_are_come_back() {
        let mut request = Request::new(());
        for value in 0..30_000 {
            request.headers_mut().append("x-many", HeaderValue::from(value));
        }
        assert_restored(request);
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
