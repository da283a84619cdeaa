//! How long a server says that something lasts: as seconds, as a moment, or as a date. Never a panic, never a short time
//! out of an overflow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From so many seconds on it is a moment that is meant, and not how long it takes to get there.
const TEN_YEARS: f64 = 10.0 * 365.25 * 86_400.0;

/// From here on a moment is in milliseconds, or in something still smaller: as seconds it would be in the year 5138.
const LATEST: f64 = 1e11;

/// How long `text` lasts from `now` on: a number of seconds, a moment in seconds or parts of one since 1970, an HTTP date
/// or one of RFC 3339. What is past or negative is zero.
pub(super) fn span(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    match number(text) {
        Some(seconds) if seconds <= 0.0 => Some(Duration::ZERO),
        Some(seconds) if seconds <= TEN_YEARS => Duration::try_from_secs_f64(seconds).ok(),
        Some(number) => {
            // In seconds, milliseconds, microseconds or nanoseconds.
            let in_seconds = [1.0, 1e3, 1e6, 1e9].map(|parts| number / parts);
            let Some(moment) = in_seconds.into_iter().find(|moment| *moment < LATEST) else {
                return Some(Duration::MAX);
            };
            let moment = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(moment).ok()?)?;
            Some(moment.duration_since(now).unwrap_or_default())
        }
        None => Some(date(text)?.duration_since(now).unwrap_or_default()),
    }
}

/// A number in decimals. `parse` alone would take "inf" and "NaN" as well.
fn number(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    if is_number { text.parse().ok() } else { None }
}

/// A date of HTTP (RFC 9110 §5.6.7) or of RFC 3339. Without an offset it is taken for UTC.
pub(super) fn date(text: &str) -> Option<SystemTime> {
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date);
    }
    // Both letters may be small ones (RFC 3339 §5.6).
    let text = text.to_ascii_uppercase();
    let text = [" UTC", " GMT", " Z"].iter().find_map(|utc| text.strip_suffix(utc)).unwrap_or(&text);
    let (local, ahead, offset) = split_offset(text);
    let local = humantime::parse_rfc3339_weak(local).ok()?;
    if ahead { local.checked_sub(offset) } else { local.checked_add(offset) }
}

/// A date's offset from UTC, which is `+02:00` where clocks are ahead, and what is before it.
fn split_offset(text: &str) -> (&str, bool, Duration) {
    let none = (text, true, Duration::ZERO);
    // Not one of the two signs within the date.
    let Some(at) = text.rfind(['+', '-']).filter(|at| *at > "2030-01-01".len()) else { return none };
    let (local, offset) = text.split_at(at);
    let digits: String = offset[1..].split(':').collect();
    let (Some(hours), Some(minutes)) = (digits.get(..2), digits.get(2..)) else { return none };
    let minutes = if minutes.is_empty() { "0" } else { minutes };
    match (hours.parse::<u64>(), minutes.parse::<u64>()) {
        (Ok(hours @ 0..24), Ok(minutes @ 0..60)) => {
            (local.trim_end(), offset.starts_with('+'), Duration::from_secs(hours * 3600 + minutes * 60))
        }
        _ => none,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn seconds_are_told_from_moments_by_their_size() {
        let now = at(1_893_452_400);
        let hour = Some(Duration::from_secs(3600));
        for (text, expected) in [
            ("3600", hour),
            (" 3600\n", hour),
            ("+3600", hour),
            ("3600.0", hour),
            ("3.6e3", hour),
            ("0.5", Some(Duration::from_millis(500))),
            ("0", Some(Duration::ZERO)),
            ("-0.0", Some(Duration::ZERO)),
            ("-1", Some(Duration::ZERO)),
            ("-1e300", Some(Duration::ZERO)),
            ("315360000", Some(Duration::from_secs(315_360_000))),
            ("1893456000", hour),
            ("1893456000.0", hour),
            ("1893456000000", hour),
            ("1893456000000000", hour),
            ("1893456000000000000", hour),
            ("1000000000", Some(Duration::ZERO)),
            ("Tue, 01 Jan 2030 00:00:00 GMT", hour),
            ("2030-01-01T00:00:00Z", hour),
            ("2030-01-01T00:00:00.000Z", hour),
            ("2030-01-01T00:00:00.0000000+00:00", hour),
            ("2030-01-01T02:00:00+02:00", hour),
            ("2030-01-01T02:00:00+0200", hour),
            ("2030-01-01T02:00:00+02", hour),
            ("2029-12-31T16:30:00-07:30", hour),
            ("2030-01-01t00:00:00z", hour),
            ("2030-01-01 00:00:00 UTC", hour),
            ("2030-01-01 02:00:00 +0200", hour),
            ("2030-01-01T00:00:00", hour),
            ("2030-01-01 00:00:00", hour),
            ("2001-01-01T00:00:00Z", Some(Duration::ZERO)),
            ("100000000000000000000", Some(Duration::MAX)),
            ("9".repeat(500).as_str(), Some(Duration::MAX)),
            ("1e999", Some(Duration::MAX)),
            ("", None),
            ("soon", None),
            ("1 hour", None),
            ("NaN", None),
            ("inf", None),
            ("-infinity", None),
            ("0x10", None),
            ("--", None),
            ("e", None),
            ("2030-13-01T00:00:00Z", None),
            ("2030-01-01T00:00:00+99:00", None),
            ("é-é-é-é-é-é-é+é", None),
        ] {
            assert_eq!(span(text, now), expected, "{text:.40}");
        }
    }
}
