//! Whether a body is as it was written, or encoded, as by compression (RFC 9110 §8.4).

use http::{HeaderMap, header::CONTENT_ENCODING};

/// Whether the body is encoded, so that its bytes are neither text nor JSON until somebody decodes it.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}
