//! What people keep a secret in has more than the secret: a byte order mark, a line end. [`tidy`] takes these off, and
//! refuses what can't be meant. It is pure, and its errors never show the text.

use std::{fmt, str};

use secrecy::SecretString;

const MARK: char = '\u{feff}';

/// The secret in `bytes`, which were read from a file, a variable or the like.
///
/// A byte order mark at its beginning and all line ends at its end are taken off. All else belongs to it, spaces too, as a
/// password may begin or end with some. Other control characters, and a mark elsewhere, are refused: hardly anybody can
/// type them, no header carries them, and servers that get one answer as if the secret were wrong. Line breaks within it
/// are refused too, as the second line of a password's file is no part of it; but not in PEM, which has lines.
pub(super) fn tidy(bytes: &[u8]) -> Result<SecretString, Untidy> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Untidy::Utf16);
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(Untidy::NotUtf8(Place::behind(&bytes[..error.valid_up_to()]))),
    };
    let marked = text.strip_prefix(MARK).unwrap_or(text);
    let secret = marked.trim_end_matches(['\n', '\r']);
    let has_lines = secret.contains("-----BEGIN ");
    let is_odd = |char: char| match char {
        '\n' | '\r' => !has_lines,
        _ => char.is_control() || char == MARK,
    };
    if let Some((at, char)) = secret.char_indices().find(|(_, char)| is_odd(*char)) {
        let at = text.len() - marked.len() + at;
        return Err(Untidy::Odd(char, Place::behind(&bytes[..at])));
    }
    if !secret.is_empty() && secret.trim().is_empty() {
        return Err(Untidy::Blank);
    }
    Ok(secret.into())
}

/// Whether a text that nothing was taken off begins with a byte order mark, or ends with a line end.
pub(crate) fn is_untidy(text: &str) -> bool {
    text.starts_with(MARK) || text.ends_with(['\n', '\r'])
}

/// Why there is no secret in what was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Untidy {
    Utf16,
    NotUtf8(Place),
    /// A character that is in no secret.
    Odd(char, Place),
    Blank,
}

/// Where something is in a text: behind so many bytes, in a line and a column, both counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    byte: usize,
    line: usize,
    column: usize,
}

impl Place {
    fn behind(bytes: &[u8]) -> Self {
        let line = bytes.split(|&byte| byte == b'\n').next_back().unwrap_or_default();
        Self {
            byte: bytes.len(),
            line: bytes.iter().filter(|&&byte| byte == b'\n').count() + 1,
            column: String::from_utf8_lossy(line).trim_start_matches(MARK).chars().count() + 1,
        }
    }
}

impl fmt::Display for Untidy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf16 => f.write_str("it is utf-16, as windows powershell writes files; save it as utf-8"),
            Self::NotUtf8(place) => write!(f, "it is not utf-8, {place}"),
            Self::Odd('\n' | '\r', place) => {
                write!(f, "it goes on after a line break, {place}; only pem may have several lines")
            }
            Self::Odd('\0', place) => write!(f, "it has a zero byte, {place}; is it text?"),
            Self::Odd(char, place) => {
                write!(f, "it has a character that can't be meant, U+{:04X}, {place}", u32::from(*char))
            }
            Self::Blank => f.write_str("it has nothing but white space"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in line {}, column {} (after {} bytes)", self.line, self.column, self.byte)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        match tidy(bytes) {
            Ok(secret) => Ok(secret.expose_secret().to_owned()),
            Err(untidy) => Err(untidy.to_string()),
        }
    }

    #[test]
    fn a_mark_and_line_ends_are_no_part_of_a_secret_and_all_else_is() {
        for (written, secret) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\r", "s3cret"),
            ("s3cret\n\r\n\n", "s3cret"),
            ("\u{feff}s3cret", "s3cret"),
            ("\u{feff}s3cret\r\n", "s3cret"),
            (" s3 cret \n", " s3 cret "),
            ("s\u{a0}é€😀\u{200d}\n", "s\u{a0}é€😀\u{200d}"),
            ("\"s3cret\"", "\"s3cret\""),
            ("s3cret\\n", "s3cret\\n"),
            ("", ""),
            ("\n", ""),
            ("\u{feff}", ""),
            ("\u{feff}\r\n", ""),
            ("-----BEGIN A-----\r\nb\n-----END A-----\n", "-----BEGIN A-----\r\nb\n-----END A-----"),
        ] {
            assert_eq!(read(written.as_bytes()).as_deref(), Ok(secret), "{written:?}");
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused_by_its_place_and_never_shown() {
        for (written, why) in [
            (&b"s3cret\0"[..], "it has a zero byte, in line 1, column 7 (after 6 bytes); is it text?"),
            (b"\0\0", "it has a zero byte, in line 1, column 1 (after 0 bytes); is it text?"),
            (
                b"s3\tcret",
                "it has a character that can't be meant, U+0009, in line 1, column 3 (after 2 bytes)",
            ),
            (
                b"s3cret\x1b[0m\n",
                "it has a character that can't be meant, U+001B, in line 1, column 7 (after 6 bytes)",
            ),
            (
                "\u{feff}é\u{7f}".as_bytes(),
                "it has a character that can't be meant, U+007F, in line 1, column 2 (after 5 bytes)",
            ),
            (
                "\u{85}s".as_bytes(),
                "it has a character that can't be meant, U+0085, in line 1, column 1 (after 0 bytes)",
            ),
            (
                "s3\u{feff}".as_bytes(),
                "it has a character that can't be meant, U+FEFF, in line 1, column 3 (after 2 bytes)",
            ),
            (
                b"s3cret\n# mine\n",
                "it goes on after a line break, in line 1, column 7 (after 6 bytes); only pem may have several lines",
            ),
            (
                b"\r\ns3cret",
                "it goes on after a line break, in line 1, column 1 (after 0 bytes); only pem may have several lines",
            ),
            (
                b"-----BEGIN A-----\nb\0",
                "it has a zero byte, in line 2, column 2 (after 19 bytes); is it text?",
            ),
            (b"s3\xfcret", "it is not utf-8, in line 1, column 3 (after 2 bytes)"),
            (b"\xff\xfes\x003\x00", "it is utf-16, as windows powershell writes files; save it as utf-8"),
            (b"\xfe\xff\0s", "it is utf-16, as windows powershell writes files; save it as utf-8"),
            (b" \n", "it has nothing but white space"),
            ("\u{feff}\u{2003}\u{a0}\r\n".as_bytes(), "it has nothing but white space"),
        ] {
            assert_eq!(read(written), Err(why.to_owned()), "{written:?}");
        }
    }

    #[test]
    fn what_is_tidy_is_left_as_it_is() {
        for (text, untidy) in
            [("a", false), (" a ", false), ("a\nb", false), ("\u{feff}a", true), ("a\n", true), ("a\r", true)]
        {
            assert_eq!(is_untidy(text), untidy, "{text:?}");
        }
    }
}
