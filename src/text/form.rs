//! Forms: `application/x-www-form-urlencoded`, as some servers answer.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Names and values of a form, decoded: `+` is a space. What isn't UTF-8 is `U+FFFD`, which is in no token.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.trim().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        return percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}
