//! Tokens and ids that look like the vendors', and can't be guessed from one another.

use std::{
    iter::repeat_with,
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// `length` lower-case hexadecimal digits.
pub(super) fn hex(length: usize) -> String {
    from_alphabet(b"0123456789abcdef", length)
}

/// `length` characters of base32 (RFC 4648 §6).
pub(super) fn base32(length: usize) -> String {
    from_alphabet(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
}

/// `length` characters of base64url (RFC 4648 §5).
pub(super) fn base64url(length: usize) -> String {
    from_alphabet(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", length)
}

/// A version 4 UUID (RFC 9562 §5.4).
pub(super) fn uuid() -> String {
    let variant = from_alphabet(b"89ab", 1);
    format!("{}-{}-4{}-{variant}{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
}

/// A JWT (RFC 7519) with `iat`, and `exp` if it has a lifetime. The signature, of `signature` characters, signs
/// nothing.
pub(super) fn jwt(header: &Value, mut claims: Value, lifetime: Option<Duration>, signature: usize) -> String {
    let issued_at = unix_seconds();
    claims["iat"] = json!(issued_at);
    if let Some(lifetime) = lifetime {
        claims["exp"] = json!(issued_at.saturating_add(lifetime.as_secs()));
    }
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(&claims), base64url(signature))
}

fn from_alphabet(alphabet: &[u8], length: usize) -> String {
    repeat_with(|| char::from(fastrand::choice(alphabet).copied().unwrap_or(b'A'))).take(length).collect()
}

/// Wall clock, since that is what a JWT states.
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
