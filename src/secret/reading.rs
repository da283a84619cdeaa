//! [`Reading`]: what a text says to those who decode it, with the place in the text that each byte comes from.

use std::ops::Range;

/// What a text says, read in one way.
#[derive(Default)]
pub(super) struct Reading {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Reading {
    /// `text` as it is printed.
    pub(super) fn plain(text: &str) -> Self {
        let mut plain = Self::default();
        for (at, char) in text.char_indices() {
            if let Some(printed) = printable(char) {
                plain.push(printed, at..at + char.len_utf8());
            }
        }
        plain
    }

    /// `text` in all the ways in which it can be read that make a difference: as it is, percent-decoded, as a form,
    /// and as a string of JSON or of Rust.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let plain = Self::plain(text);
        let percent = plain.percent_decoded();
        let form = plain.form_decoded();
        let strings = [Some(&plain), percent.as_ref(), form.as_ref()];
        let mut all: Vec<Self> = strings.into_iter().flatten().filter_map(Self::unescaped).collect();
        all.extend(percent.into_iter().chain(form));
        all.push(plain);
        all
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn byte(&self, index: usize) -> u8 {
        self.bytes[index]
    }

    /// Where in the text these bytes come from.
    pub(super) fn place(&self, bytes: Range<usize>) -> Range<usize> {
        self.places[bytes.start].start..self.places[bytes.end - 1].end
    }

    fn percent_decoded(&self) -> Option<Self> {
        self.decoded(b'%', |rest| match rest {
            [b'%', high, low, ..] => Some((Decoded::Byte(hex(&[*high, *low])? as u8), 3)),
            _ => None,
        })
    }

    /// As `application/x-www-form-urlencoded`, where a space is `+`.
    fn form_decoded(&self) -> Option<Self> {
        let spaced = self.decoded(b'+', |_| Some((Decoded::Byte(b' '), 1)))?;
        Some(spaced.percent_decoded().unwrap_or(spaced))
    }

    /// As in JSON (RFC 8259 §7), and as Rust's `Debug` has it.
    fn unescaped(&self) -> Option<Self> {
        self.decoded(b'\\', |rest| {
            let byte = match rest.get(1)? {
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'0' => 0,
                &same @ (b'"' | b'\'' | b'\\' | b'/') => same,
                b'u' => return unicode(rest),
                _ => return None,
            };
            Some((Decoded::Byte(byte), 2))
        })
    }

    /// With what begins with `mark` replaced by what `decode` makes of it, and of how many bytes. `None` if there is
    /// no `mark` at all.
    fn decoded(&self, mark: u8, decode: impl Fn(&[u8]) -> Option<(Decoded, usize)>) -> Option<Self> {
        if !self.bytes.contains(&mark) {
            return None;
        }
        let mut decoded = Self::default();
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let rest = &self.bytes[at..];
            let (what, length) =
                (byte == mark).then(|| decode(rest)).flatten().unwrap_or((Decoded::Byte(byte), 1));
            let place = self.place(at..at + length);
            match what {
                Decoded::Char(char) => decoded.push(char, place),
                Decoded::Byte(byte) => {
                    decoded.bytes.push(byte);
                    decoded.places.push(place);
                }
            }
            at += length;
        }
        Some(decoded)
    }

    fn push(&mut self, char: char, place: Range<usize>) {
        let mut buffer = [0; 4];
        for byte in char.encode_utf8(&mut buffer).bytes() {
            self.bytes.push(byte);
            self.places.push(place.clone());
        }
    }
}

#[derive(Clone, Copy)]
enum Decoded {
    Byte(u8),
    Char(char),
}

/// `char` as it is printed, if it is: neither control characters are, nor those that reorder or hide others.
pub(super) fn printable(char: char) -> Option<char> {
    let hides = matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    match char {
        _ if char.is_whitespace() => Some(' '),
        _ if char.is_control() || hides => None,
        _ => Some(char),
    }
}

/// `\u00e9`, `\ud83d\ude00`, and Rust's `\u{e9}`.
fn unicode(escape: &[u8]) -> Option<(Decoded, usize)> {
    if escape.get(2) == Some(&b'{') {
        let digits = escape[3..].iter().take(7).position(|&byte| byte == b'}')?;
        let char = char::from_u32(hex(&escape[3..3 + digits])?)?;
        return Some((Decoded::Char(char), 4 + digits));
    }
    let unit = hex(escape.get(2..6)?)?;
    if let Some(char) = char::from_u32(unit) {
        return Some((Decoded::Char(char), 6));
    }
    let [b'\\', b'u', low @ ..] = escape.get(6..12)? else { return None };
    let pair = [unit as u16, hex(low)? as u16];
    let char = char::decode_utf16(pair).next()?.ok()?;
    Some((Decoded::Char(char), 12))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(text: &str) -> Vec<String> {
        let all = Reading::all(text).into_iter();
        all.map(|reading| String::from_utf8_lossy(&reading.bytes).into_owned()).collect()
    }

    #[test]
    fn a_text_is_read_in_each_way_that_makes_a_difference() {
        assert_eq!(readings("a b"), ["a b"]);
        assert_eq!(readings("a%20b%zz%"), ["a b%zz%", "a%20b%zz%"]);
        assert_eq!(readings("a+b"), ["a b", "a+b"]);
        assert_eq!(readings("%2B+"), ["++", "+ ", "%2B+"]);
        assert_eq!(readings(r#"\"\\\/\n\q"#), ["\"\\/\n\\q", r#"\"\\\/\n\q"#]);
        assert_eq!(readings("%5C%22"), ["\"", "\\\"", "%5C%22"]);
        for (escaped, char) in [(r"\u00e9", "é"), (r"\uD83D\ude00", "😀"), (r"\u{1f600}", "😀")] {
            assert_eq!(readings(escaped), [char, escaped]);
        }
        for broken in [r"\u00", r"\ud83d", r"\ud83d\n", r"\u{}}", r"\u{110000}", r"\u{12345678}", r"\"] {
            assert_eq!(readings(broken).last().map(String::as_str), Some(broken));
        }
    }

    #[test]
    fn what_is_not_printed_is_not_read() {
        assert_eq!(readings("a\0b\u{200b}\tc\u{ad}"), ["ab c"]);
    }

    #[test]
    fn each_byte_knows_its_place() {
        let text = "x%C3%A9\u{200b}é";
        let [decoded, plain] = &Reading::all(text)[..] else { panic!("two readings") };
        assert_eq!(decoded.bytes, "xéé".as_bytes());
        assert_eq!((decoded.place(1..3), decoded.place(3..5)), (1..7, 10..12));
        assert_eq!(plain.place(0..plain.len()), 0..text.len());
    }
}
