//! [`Form`]: one way to write a secret, and how much of it is enough to count. How the text around it is encoded is for
//! [`Reading`] to see; base64 alone has forms of its own, since in it the same bytes look different from place to place.

use std::ops::Range;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::{
    encode,
    overlaps::{Bytes, overlaps},
    reading::{Reading, printable},
};

/// A secret of fewer characters counts only whole.
const SHORTEST_IN_PARTS: usize = 8;

/// So many characters of a secret count, however long it is. Of a shorter one, a third does.
const TELLING: usize = 16;

/// A secret, written in one way.
pub(super) struct Form {
    text: SecretString,
    alphabet: Alphabet,
    /// How many bytes of its beginning count. `None` if other forms have the same beginning.
    beginning: Option<usize>,
    /// The same of its end.
    end: Option<usize>,
}

#[derive(Clone, Copy)]
enum Alphabet {
    Any,
    /// That of RFC 4648 §4, with §5's two other characters taken for the same.
    Base64,
}

impl Form {
    /// `secret` as it is and as it is printed.
    pub(super) fn of_text(secret: &str) -> impl Iterator<Item = Self> {
        let printed: String = secret.chars().filter_map(printable).collect();
        let printed = (printed != secret && !printed.is_empty()).then_some(printed);
        [Some(secret.to_owned()), printed].into_iter().flatten().map(|text| {
            let telling = Telling::of(&text);
            Self::new(text, Alphabet::Any, Some(telling.beginning), Some(telling.end))
        })
    }

    /// `secret` in base64, with anything before and behind it, and the same percent-encoded before that.
    pub(super) fn of_base64(secret: &str) -> Vec<Self> {
        let Some(telling) = Telling::in_parts(secret) else { return vec![Self::whole_base64(secret)] };
        let percent = encode::percent(secret).to_string();
        let mut forms = Self::at_each_alignment(secret.as_bytes(), &telling);
        if percent != secret {
            let (beginning, end) = (&secret[..telling.beginning], &secret[secret.len() - telling.end..]);
            let [beginning, end] = [beginning, end].map(|part| encode::percent(part).to_string().len());
            forms.extend(Self::at_each_alignment(percent.as_bytes(), &Telling { beginning, end }));
        }
        forms
    }

    /// `secret` as a whole alone: as it is, and in base64.
    pub(super) fn of_whole(secret: &str) -> [Self; 2] {
        let all = Some(secret.len());
        [Self::new(secret.to_owned(), Alphabet::Any, all, None), Self::whole_base64(secret)]
    }

    /// Calls `found` with each stretch of `reading` that is a part that counts, the whole included.
    pub(super) fn each_in(&self, reading: &Reading, mut found: impl FnMut(Range<usize>)) {
        let form = self.text.expose_secret().as_bytes();
        let (len, longest) = (reading.len(), form.len().min(reading.len()));
        let read = |index| self.alphabet.read(reading.byte(index));
        if let Some(least) = self.beginning.filter(|&least| least <= len) {
            let forwards = Bytes { len: longest, at: |index| form[index] };
            overlaps(forwards, Bytes { len, at: read }, |at, length| {
                if length >= least {
                    found(at..at + length);
                }
            });
        }
        if let Some(least) = self.end.filter(|&least| least <= len) {
            let backwards = Bytes { len: longest, at: |index| form[form.len() - 1 - index] };
            overlaps(backwards, Bytes { len, at: |index| read(len - 1 - index) }, |at, length| {
                if length >= least {
                    found(len - at - length..len - at);
                }
            });
        }
    }

    /// How many of the last bytes of `reading` are in the secret, wherever, if they are enough to count.
    pub(super) fn cut_off_by(&self, reading: &Reading) -> Option<usize> {
        let form = self.text.expose_secret().as_bytes();
        let text = Bytes {
            len: form.len().min(reading.len()),
            at: |index| self.alphabet.read(reading.byte(reading.len() - 1 - index)),
        };
        let mut longest = 0;
        overlaps(text, Bytes { len: form.len(), at: |index| form[form.len() - 1 - index] }, |_, length| {
            longest = longest.max(length);
        });
        self.beginning.is_some_and(|least| longest >= least).then_some(longest)
    }

    fn new(text: String, alphabet: Alphabet, beginning: Option<usize>, end: Option<usize>) -> Self {
        Self { text: text.into(), alphabet, beginning, end }
    }

    fn whole_base64(secret: &str) -> Self {
        // Without padding: that is a beginning of the padded form.
        let encoded = BASE64_STANDARD_NO_PAD.encode(secret);
        let all = Some(encoded.len());
        Self::new(encoded, Alphabet::Base64, all, None)
    }

    /// Three bytes become four characters. So what `bytes` look like depends on how many are before them, modulo 3,
    /// and a character that shares its six bits with a neighbour of theirs is not known.
    fn at_each_alignment(bytes: &[u8], telling: &Telling) -> Vec<Self> {
        let mut forms = Vec::new();
        for before in 0..3 {
            let all = before + bytes.len();
            let encoded = BASE64_STANDARD_NO_PAD.encode([&[0; 2][..before], bytes].concat());
            let (first, behind) = (full_after(before), full_up_to(all));
            let beginning = Some(full_up_to(before + telling.beginning) - first);
            let end = behind - full_after(all - telling.end);
            let form = |range: Range<usize>, beginning, end| {
                Self::new(encoded[range].to_owned(), Alphabet::Base64, beginning, Some(end))
            };
            if behind == encoded.len() {
                forms.push(form(first..behind, beginning, end));
            } else {
                // Nothing may be behind them; then the last character is known as well.
                forms.push(form(first..encoded.len(), beginning, end + 1));
                forms.push(form(first..behind, None, end));
            }
        }
        forms
    }
}

impl Alphabet {
    fn read(self, byte: u8) -> u8 {
        match (self, byte) {
            (Self::Base64, b'-') => b'+',
            (Self::Base64, b'_') => b'/',
            _ => byte,
        }
    }
}

/// How many bytes of a secret's beginning and of its end count.
struct Telling {
    beginning: usize,
    end: usize,
}

impl Telling {
    fn of(secret: &str) -> Self {
        Self::in_parts(secret).unwrap_or(Self { beginning: secret.len(), end: secret.len() })
    }

    /// `None` if only the whole counts.
    fn in_parts(secret: &str) -> Option<Self> {
        let chars = secret.chars().count();
        if chars < SHORTEST_IN_PARTS {
            return None;
        }
        let telling = chars.div_ceil(3).min(TELLING);
        let length = |char: char| char.len_utf8();
        Some(Self {
            beginning: secret.chars().take(telling).map(length).sum(),
            end: secret.chars().rev().take(telling).map(length).sum(),
        })
    }
}

/// The index of the first base64 character that knows nothing of the first `bytes`.
fn full_after(bytes: usize) -> usize {
    (bytes * 8).div_ceil(6)
}

/// How many base64 characters depend on nothing but the first `bytes`.
fn full_up_to(bytes: usize) -> usize {
    bytes * 8 / 6
}
