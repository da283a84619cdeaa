//! Bytes as text: which charset they are in, by what they begin with and what `Content-Type` says (RFC 9110 §8.3.2).

use std::borrow::Cow;

use http::{HeaderMap, header::CONTENT_TYPE};

/// The text that `bytes` are, without a byte order mark. What can't be decoded is `U+FFFD`, which is in no token.
///
/// A byte order mark counts most, then a zero byte in the place where one of UTF-16 would be, since no other JSON begins
/// like that (RFC 4627 §3). Text that is UTF-8 is taken for that, whatever the header says: many servers write a charset
/// that is their framework's default and not the body's.
pub(crate) fn decode<'a>(bytes: &'a [u8], headers: &HeaderMap) -> Cow<'a, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest, headers),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0, second, ..] if *second != 0 => utf_16(bytes, u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => utf_16(bytes, u16::from_le_bytes),
        _ => utf_8(bytes, headers),
    }
}

fn utf_8<'a>(bytes: &'a [u8], headers: &HeaderMap) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) if is_latin_1(headers) => written(|| bytes.iter().copied().map(latin_1)).into(),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

fn utf_16<'a>(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'a, str> {
    let (units, rest) = bytes.as_chunks();
    let chars = || {
        let chars = char::decode_utf16(units.iter().copied().map(unit));
        let chars = chars.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER));
        chars.chain((!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER))
    };
    written(chars).into()
}

/// The text of these characters, in as much memory as it takes and not in twice that, as if it grew.
fn written<C: Iterator<Item = char>>(chars: impl Fn() -> C) -> String {
    let mut text = String::with_capacity(chars().map(char::len_utf8).sum());
    text.extend(chars());
    text
}

/// ISO 8859-1, whose bytes are the first 256 characters of Unicode, but with Windows-1252's in place of the second 32
/// control characters: whoever says the one mostly means the other, so that browsers read it like this as well.
fn latin_1(byte: u8) -> char {
    const FROM: usize = 0x80;
    const WINDOWS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let windows = usize::from(byte).checked_sub(FROM).and_then(|at| WINDOWS.get(at));
    windows.copied().unwrap_or(char::from(byte))
}

/// Whether the header names ISO 8859-1, or what is nearly that.
fn is_latin_1(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let charset = value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    charset.is_some_and(|charset| {
        ["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252"]
            .iter()
            .any(|name| charset.eq_ignore_ascii_case(name))
    })
}
