//! What `Content-Type` (RFC 9110 §8.3) says of the media type.

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

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}
