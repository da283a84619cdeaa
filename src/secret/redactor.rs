//! [`Redactor`]: takes the secrets that we know, and whatever could disturb a log, out of text that others wrote.

use std::error::Error as StdError;

use super::{
    encode,
    form::Form,
    reading::{Reading, printable},
    veil::{MARK, Veil},
};

/// The most characters of someone else's text that end up in an error.
const MAX_CHARS: usize = 256;

/// How many characters a byte of a secret may take, in the longest way to write it: `\u0041`.
const LONGEST_ESCAPE: usize = 6;

/// The secrets of one exchange, in every form in which a server may repeat them.
///
/// A beginning or an end of a secret of 8 characters or more is taken for the secret, if it is a third of it, or 16
/// characters. It is found as it is, in base64, percent-encoded and escaped. A secret whose letters were changed to
/// upper or lower case is not found.
pub(crate) struct Redactor {
    forms: Vec<Form>,
    /// The length of the longest secret, in bytes.
    longest: usize,
}

impl Redactor {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        known.sort_unstable();
        known.dedup();
        let mut forms = Vec::new();
        for secret in &known {
            // What a pair shows before its secret is a name, and names are what errors are about.
            if known.iter().any(|password| is_pair_with(secret, password)) {
                forms.extend(Form::of_whole(secret));
            } else {
                forms.extend(Form::of_text(secret));
                forms.extend(Form::of_base64(secret));
            }
        }
        Self { forms, longest: known.iter().map(|secret| secret.len()).max().unwrap_or(0) }
    }

    /// `text` on one line, without the secrets, and cut off after 256 characters. Of a long text no more is looked at
    /// than what may be shown, and what may belong to a secret that begins there.
    pub(crate) fn clean(&self, text: &str) -> String {
        let reach = self.longest * LONGEST_ESCAPE;
        let mut chars = text.chars().filter_map(printable).skip_while(|&char| char == ' ');
        let shown: String = chars.by_ref().take(MAX_CHARS + reach).collect();
        let ahead: String = chars.by_ref().take(reach + 1).collect();
        let is_all = chars.next().is_none();

        let seen = shown.clone() + &ahead;
        let seen = if is_all { seen.trim_end() } else { &seen };
        let end = if is_all { seen.len() } else { shown.len() };
        let cleaned = self.cut(seen, end);
        // Where taking something out has made something of the rest: better no text than that one.
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

    /// What is to be shown of `text`. What begins at `end` or later isn't.
    fn cut(&self, text: &str, end: usize) -> String {
        let mut veil = Veil::over(text.len());
        for reading in Reading::all(text) {
            for form in &self.forms {
                form.each_in(&reading, |part| veil.hide(reading.place(part)));
            }
        }
        let mut hidden = veil.stretches().peekable();
        let (mut at, mut length) = (0, 0);
        let mut cut = String::new();
        while let Some(next) = text[at..].chars().next() {
            if length >= MAX_CHARS || at >= end {
                cut.push('…');
                break;
            }
            if let Some(stretch) = hidden.next_if(|stretch| stretch.start == at) {
                at = stretch.end;
                cut.push_str(MARK);
                length += MARK.len();
            } else {
                at += next.len_utf8();
                cut.push(next);
                length += 1;
            }
        }
        cut
    }

    fn is_in(&self, text: &str) -> bool {
        // The mark itself may hold a short secret's letters, and tells nothing.
        text.split(MARK).flat_map(Reading::all).any(|reading| {
            let mut is_in = false;
            self.forms.iter().for_each(|form| form.each_in(&reading, |_| is_in = true));
            is_in
        })
    }
}

/// Whether `text` is a user-id and `password`, as HTTP Basic has them, percent-encoded (RFC 6749 §2.3.1) or not.
fn is_pair_with(text: &str, password: &str) -> bool {
    let is_behind_colon =
        |password: &str| text.strip_suffix(password).is_some_and(|name| name.ends_with(':'));
    is_behind_colon(password) || is_behind_colon(&encode::percent(password).to_string())
}

#[cfg(test)]
mod tests;
