//! What `Content-Type` (RFC 9110 §8.3) says: the media type and the charset.

use http::{HeaderMap, header::CONTENT_TYPE};

/// A media type, or all those of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`
    Exactly(Box<str>),
    /// `json`, which is also `+json`.
    Format(Box<str>),
}

impl MediaType {
    pub(super) fn new(name: &str) -> Self {
        let name = name.trim();
        if name.contains('/') { Self::Exactly(name.into()) } else { Self::Format(name.into()) }
    }

    pub(super) fn covers(&self, headers: &HeaderMap) -> bool {
        let Some(essence) = content_type(headers).and_then(|value| value.split(';').next()).map(str::trim)
        else {
            return false;
        };
        match self {
            Self::Exactly(name) => essence.eq_ignore_ascii_case(name),
            Self::Format(format) => essence.split_once('/').is_some_and(|(_, subtype)| {
                let suffix = subtype.rsplit_once('+').map_or(subtype, |(_, suffix)| suffix);
                suffix.eq_ignore_ascii_case(format)
            }),
        }
    }
}

/// Whether the body may be UTF-8, by what its headers say. ASCII is part of UTF-8.
pub(super) fn may_be_utf8(headers: &HeaderMap) -> bool {
    if !headers.contains_key(CONTENT_TYPE) {
        return true;
    }
    // A value that isn't even text says nothing that could be relied on.
    let Some(value) = content_type(headers) else { return false };
    value
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset.trim().trim_matches('"'))
        .all(|charset| {
            ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|fine| charset.eq_ignore_ascii_case(fine))
        })
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}
