//! JSON strings: what one says, as far as it can be read.

use std::{borrow::Cow, fmt};

use serde_core::{Deserializer, de};

/// What a string says that is written so, quotes included. Half a surrogate pair is `U+FFFD`, and a control character,
/// which should have been escaped, is a space: neither is in any token. `None` if an escape is none.
pub(super) fn read(written: &str) -> Option<Cow<'_, str>> {
    let plain = written.strip_prefix('"')?.strip_suffix('"')?;
    let is_odd = |byte: u8| byte < b' ' || byte == b'\\';
    if !plain.bytes().any(is_odd) {
        return Some(plain.into());
    }
    let mended: String;
    let mut text = written;
    if plain.bytes().any(|byte| byte < b' ') {
        mended = written.replace(|char: char| char < ' ', " ");
        text = &mended;
    }
    // As bytes, since half a surrogate pair is an error in text.
    let bytes = serde_json::Deserializer::from_str(text).deserialize_bytes(Bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// Whether the string that is written so says `text`.
pub(super) fn is(written: &str, text: &str) -> bool {
    read(written).is_some_and(|said| said == text)
}

struct Bytes;

impl de::Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}
