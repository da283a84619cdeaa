//! What a server's statement of a lifetime means. Never a panic, never a short lifetime out of an overflow.

use std::time::Duration;

use serde_json::Value;

/// The lifetime that `value` states in seconds.
///
/// Numbers and numeric strings, with or without a fraction, count. Zero and negative ones are zero; those too
/// big for a [`Duration`] are its maximum. Anything else is no known lifetime.
pub(super) fn lifetime(value: &Value) -> Option<Duration> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => number.as_f64().and_then(from_float),
        },
        Value::String(text) => from_text(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn from_text(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // `parse` would take "inf" and "NaN" as well.
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    if is_number { text.parse().ok().and_then(from_float) } else { None }
}

fn from_float(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() {
        None
    } else if seconds <= 0.0 {
        Some(Duration::ZERO)
    } else {
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lifetimes_parse_as_they_are_sent() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (value, expected) in [
            (json!(3600), seconds(3600)),
            (json!(3599), seconds(3599)),
            (json!("3600"), seconds(3600)),
            (json!(" 3600\n"), seconds(3600)),
            (json!("+60"), seconds(60)),
            (json!(3600.0), seconds(3600)),
            (json!(1.5), Some(Duration::from_millis(1500))),
            (json!("1.5"), Some(Duration::from_millis(1500))),
            (json!("1e3"), seconds(1000)),
            (json!(0), seconds(0)),
            (json!("0"), seconds(0)),
            (json!(-0.0), seconds(0)),
            (json!(-1), seconds(0)),
            (json!(i64::MIN), seconds(0)),
            (json!("-3600"), seconds(0)),
            (json!(-1e300), seconds(0)),
            (json!(1e-320), seconds(0)),
            (json!(u64::MAX), seconds(u64::MAX)),
            (json!(u64::MAX.to_string()), seconds(u64::MAX)),
            (json!(1e300), Some(Duration::MAX)),
            (json!("1e300"), Some(Duration::MAX)),
            (json!("1e999"), Some(Duration::MAX)),
            (json!("9".repeat(500)), Some(Duration::MAX)),
            (json!(null), None),
            (json!(true), None),
            (json!([3600]), None),
            (json!({"seconds": 3600}), None),
            (json!(""), None),
            (json!("soon"), None),
            (json!("1 hour"), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!("-infinity"), None),
            (json!("0x10"), None),
            (json!("--"), None),
            (json!("e"), None),
        ] {
            assert_eq!(lifetime(&value), expected, "{value}");
        }
    }
}
