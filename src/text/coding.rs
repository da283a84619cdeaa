//! Whether a body is as it was written, or encoded, as by compression (RFC 9110 §8.4).

use http::{HeaderMap, header::CONTENT_ENCODING};

/// Whether the body is encoded, so that its bytes are neither text nor JSON until somebody decodes it.
///
/// `identity` is no coding (RFC 9110 §12.5.3), in whatever case and with whatever space around it, and an empty member of
/// the list is none either (§5.6.1).
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_coding_other_than_identity_is_one() {
        for (lines, expected) in [
            (&[][..], false),
            (&["identity"], false),
            (&[" Identity\t"], false),
            (&[""], false),
            (&["identity, identity", ", "], false),
            (&["gzip"], true),
            (&["identity, br"], true),
            (&["identity", "x-unknown"], true),
            (&["identity;q=1"], true),
            (&["\u{e9}"], true),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_ENCODING, HeaderValue::from_bytes(line.as_bytes()).expect("a value"));
            }
            assert_eq!(is_encoded(&headers), expected, "{lines:?}");
        }
    }
}
