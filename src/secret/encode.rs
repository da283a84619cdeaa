//! How secrets are written on the wire: Basic credentials and percent-encoding.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::error::{ConfigError, ConfigErrorKind};

/// What follows `Basic ` in `Authorization` (RFC 7617 §2): base64 of `user_id:password`, as UTF-8.
pub(crate) fn basic(user_id: &str, password: &str) -> Result<String, ConfigError> {
    if user_id.contains(':') {
        return Err(ConfigError::new(
            ConfigErrorKind::UserId,
            "the user-id of http basic can't hold a colon (RFC 7617), the server would split it there; check \
             that key and secret aren't joined or swapped",
        ));
    }
    Ok(BASE64_STANDARD.encode(format!("{user_id}:{password}")))
}

/// `text` for a query or a form: everything but RFC 3986's unreserved characters is encoded. A space becomes
/// `%20` and never `+`, since that is read alike by those who decode forms and those who decode URLs.
pub(crate) fn percent(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_carries_any_password_intact() {
        for (user_id, password, encoded) in [
            ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123£", "dGVzdDoxMjPCow=="),
            ("key", "a:b", "a2V5OmE6Yg=="),
            ("key", "ü+%41", "a2V5OsO8KyU0MQ=="),
            ("key", "", "a2V5Og=="),
        ] {
            assert_eq!(basic(user_id, password).expect("valid"), encoded, "{user_id} {password}");
        }
    }

    #[test]
    fn a_colon_in_the_user_id_is_refused() {
        let error = basic("a:b", "c").expect_err("ambiguous");
        assert_eq!(error.kind(), ConfigErrorKind::UserId);
        assert!(!error.to_string().contains("a:b"), "{error}");
    }

    #[test]
    fn percent_encoding_leaves_only_unreserved_characters() {
        assert_eq!(percent("aZ9-._~ +:%41ü&=/@").to_string(), "aZ9-._~%20%2B%3A%2541%C3%BC%26%3D%2F%40");
    }
}
