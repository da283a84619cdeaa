//! [`number`]: numbers as HTTP has them.

/// A number that is nothing but digits. Elsewhere a sign may come before it.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_digit).then_some(text)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
