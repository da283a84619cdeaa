//! Forms: `application/x-www-form-urlencoded`, as some servers answer.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Names and values of a form, decoded: `+` is a space. What isn't UTF-8 is `U+FFFD`, which is in no token.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    text.trim().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let text: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}
