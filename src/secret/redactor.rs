//! [`Redactor`]: takes the secrets that we know, and whatever could disturb a log, out of text that others wrote.

use std::error::Error as StdError;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use super::encode;

/// What a secret is replaced with.
const MARK: &str = "[redacted]";

/// The most characters of someone else's text that end up in an error.
const MAX_CHARS: usize = 256;

/// The secrets of one exchange, in every form in which a server may repeat them.
pub(crate) struct Redactor {
    /// The longest first, so that no secret hides behind one that is its beginning.
    forms: Vec<SecretString>,
}

impl Redactor {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms: Vec<SecretString> = Vec::new();
        for secret in secrets {
            for form in forms_of(secret) {
                if !form.is_empty() && !forms.iter().any(|known| known.expose_secret() == form) {
                    forms.push(form.into());
                }
            }
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        Self { forms }
    }

    /// `text` on one line, without the secrets, and cut off after 256 characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        let text = printable(text);
        let mut rest = text.trim();
        let mut cleaned = String::new();
        let mut length = 0;
        while let Some(next) = rest.chars().next() {
            if length >= MAX_CHARS {
                cleaned.push('…');
                break;
            }
            if let Some(form) = self.forms.iter().find(|form| rest.starts_with(form.expose_secret())) {
                rest = &rest[form.expose_secret().len()..];
                cleaned.push_str(MARK);
                length += MARK.len();
            } else {
                rest = &rest[next.len_utf8()..];
                cleaned.push(next);
                length += 1;
            }
        }
        // Some encoder writes a secret in yet another way: better no text than that one.
        if self.is_in(&cleaned) { MARK.to_owned() } else { cleaned }
    }

    /// Whether anything that can be printed of `error` and its sources shows a secret.
    pub(crate) fn is_shown_by(&self, error: &(dyn StdError + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if self.is_in(&error.to_string()) || self.is_in(&format!("{error:?}")) {
                return true;
            }
            next = error.source();
        }
        false
    }

    fn is_in(&self, text: &str) -> bool {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        let form_decoded = text.replace('+', " ");
        let form_decoded = percent_decode_str(&form_decoded).decode_utf8_lossy();
        self.forms.iter().map(ExposeSecret::expose_secret).any(|form| {
            // The mark itself may hold a short secret's letters, and tells nothing.
            [text, &*decoded, &*form_decoded]
                .iter()
                .any(|text| text.split(MARK).any(|part| part.contains(form)))
        })
    }
}

/// The ways in which `secret` may be written in an answer.
fn forms_of(secret: &str) -> [String; 8] {
    let percent = encode::percent(secret).to_string();
    let json = serde_json::Value::from(secret).to_string();
    [
        secret.to_owned(),
        printable(secret),
        json[1..json.len() - 1].to_owned(),
        percent.replace("%20", "+"),
        percent.split('%').enumerate().fold(String::new(), |lower, (index, part)| match part.get(..2) {
            Some(hex) if index > 0 => lower + "%" + &hex.to_ascii_lowercase() + &part[2..],
            _ => lower + part,
        }),
        percent,
        // Without padding: that is a beginning of the padded form.
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ]
}

/// `text` without control characters, and without those that reorder or hide others.
fn printable(text: &str) -> String {
    let hides = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !c.is_control() && !hides(c))
        .collect()
}

/// How much of a token is enough to know it by.
const TELLING: usize = 16;

/// `text` without `token`, if that is in it: whole, or its beginning, where the text was cut off. For text that is too
/// frequent for a [`Redactor`], and in which a token is not encoded, since it needs no encoding.
pub(crate) fn without_token(text: &str, token: &str) -> Option<String> {
    let telling = token.get(..TELLING).unwrap_or(token);
    let (mut censored, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(telling) {
        censored.push_str(&rest[..at]);
        censored.push_str(MARK);
        let shown = rest[at..].bytes().zip(token.bytes()).take_while(|(one, other)| one == other).count();
        rest = &rest[at + shown..];
    }
    censored.push_str(rest);
    (rest.len() < text.len()).then_some(censored)
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let secret = "p@ss wörd+\"%41/?";
        let redactor = Redactor::new([secret]);
        let percent = encode::percent(secret).to_string();
        for form in [
            secret.to_owned(),
            percent.to_ascii_lowercase(),
            percent.replace("%20", "+"),
            "p%40ss%20w%c3%b6rd+%22%2541/%3F".to_owned(),
            percent,
            BASE64_STANDARD.encode(secret),
            BASE64_URL_SAFE_NO_PAD.encode(secret),
            "p@ss wörd+\\\"%41/?".to_owned(),
            "p@ss \u{200b}wö\0rd+\"%41/?".to_owned(),
        ] {
            let cleaned = redactor.clean(&format!("no user has {form} here"));
            assert!(cleaned.contains(MARK), "{cleaned}");
            assert!(
                !cleaned.contains(&form) && !cleaned.contains("ss") && !cleaned.contains("cEBzcy"),
                "{cleaned}"
            );
        }
    }

    #[test]
    fn a_secret_that_begins_another_does_not_hide_it() {
        let redactor = Redactor::new(["abc", "abcdef", "e", ""]);
        assert_eq!(redactor.clean("abcdef abc e"), format!("{MARK} {MARK} {MARK}"));
    }

    #[test]
    fn text_is_kept_to_one_short_line() {
        let redactor = Redactor::new([]);
        assert_eq!(redactor.clean(" a\r\nb\u{1b}[31m\u{202e}c\0\n"), "a  b[31mc");
        assert_eq!(redactor.clean(&"ü".repeat(1000)).chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn a_secret_across_the_cut_is_not_half_shown() {
        let redactor = Redactor::new(["s3cret"]);
        let cleaned = redactor.clean(&format!("{}s3cret", "x".repeat(MAX_CHARS - 3)));
        assert!(!cleaned.contains("s3"), "{cleaned}");
    }

    #[test]
    fn secrets_in_the_chain_of_an_error_are_found() {
        let redactor = Redactor::new(["s3cret key"]);
        let shows = |text: &str| {
            let error = crate::error::AcquireError::transient("failed").with_source(text.to_owned());
            redactor.is_shown_by(&error)
        };
        assert!(shows("GET https://host/?key=s3cret%20key failed"));
        assert!(shows("GET https://host/?key=s3cret+key failed"));
        assert!(!shows("GET https://host/ failed"));
    }

    #[test]
    fn a_token_is_taken_out_of_text_whole_or_cut_off() {
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln";
        let without = |text: &str| without_token(text, token);
        assert_eq!(without("jwt expired"), None);
        assert_eq!(without("eyJhbGciOiJFUzI1"), Some(MARK.to_owned()), "as much as can be told");
        assert_eq!(without("eyJhbGciOiJFUzI"), None, "less is not known for what it is");
        assert_eq!(without(&format!("\"{token}\" é")).as_deref(), Some("\"[redacted]\" é"));
        let twice = format!("{token}{token} and {}", &token[..30]);
        assert_eq!(without(&twice).as_deref(), Some("[redacted][redacted] and [redacted]"));
        assert_eq!(without_token("a short one", "short").as_deref(), Some("a [redacted] one"));
    }
}
