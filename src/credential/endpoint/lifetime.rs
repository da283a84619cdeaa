//! How long a token lives, by what the answer, the token, or the declaration says.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::span::span;
use crate::text::{Document, Scalar};

/// The longest lifetime that is believed. Who says more means "for ever", or nothing.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The lifetime that `text` states from `now` on, which is the server's time: seconds, a moment, or a date.
///
/// Zero and less, and a moment that is past, are no lifetime: several servers say "never" by it, and a token that were
/// dead on arrival would be asked for with each call.
pub(super) fn stated(text: &str, now: SystemTime) -> Option<Duration> {
    span(text, now).filter(is_believed)
}

fn is_believed(lifetime: &Duration) -> bool {
    !lifetime.is_zero() && *lifetime <= LONGEST
}

/// The lifetime of a JWT by its own `exp` (RFC 7519 §4.1.4).
pub(super) fn of_jwt(token: &str, now: SystemTime) -> Option<Duration> {
    left_of_jwt(token, now).filter(is_believed)
}

/// What is left of a JWT's life: nothing, if it has expired.
pub(in crate::credential) fn left_of_jwt(token: &str, now: SystemTime) -> Option<Duration> {
    let claims = token.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims = Document::parse(String::from_utf8(claims).ok()?.into())?;
    match claims.root().member("exp")?.scalar()? {
        Scalar::Number(exp) => span(exp, now),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn no_time_and_too_much_of_it_are_no_lifetime() {
        let now = UNIX_EPOCH + Duration::from_secs(1_893_452_400);
        for (text, expected) in [
            ("3600", Some(3600)),
            ("1893456000", Some(3600)),
            ("0", None),
            ("-1", None),
            ("1000000000", None),
            ("99999999999", None),
            ("18446744073709551615", None),
            ("1e999", None),
            ("never", None),
        ] {
            assert_eq!(stated(text, now), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_jwt_says_itself_when_it_expires() {
        let now = UNIX_EPOCH + Duration::from_secs(1_893_452_400);
        let jwt = |claims: &str| format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
        for (token, expected) in [
            (jwt(r#"{"exp":1893456000}"#), Some(3600)),
            (jwt(r#"{"exp":1893456000.0,"iat":1893452400}"#), Some(3600)),
            (jwt(r#"{"exp":1893452400}"#), None),
            (jwt(r#"{"exp":"1893456000"}"#), None),
            (jwt("{}"), None),
            (jwt("no json"), None),
            ("opaque".to_owned(), None),
            ("a.!.b".to_owned(), None),
            ("..".to_owned(), None),
        ] {
            assert_eq!(of_jwt(&token, now), expected.map(Duration::from_secs), "{token}");
        }
    }
}
