//! How long a server asks to be left alone: `Retry-After` (RFC 9110 §10.2.3) and what vendors use in its place.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName,
    header::{DATE, RETRY_AFTER},
};

use super::span::{date, span};

/// The longest wait that is believed.
const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that `headers` ask for: the first usable value of the vendor's own `names`, then of `Retry-After`.
/// At most a day.
pub(in crate::credential) fn retry_after(headers: &HeaderMap, names: &[HeaderName]) -> Option<Duration> {
    let now = server_time(headers);
    let mut values = names.iter().chain([&RETRY_AFTER]).flat_map(|name| headers.get_all(name));
    values.find_map(|value| wait(value.to_str().ok()?.trim(), now))
}

/// What time it is by the answer's own `Date`, since our clock may be wrong by hours; else by ours.
pub(super) fn server_time(headers: &HeaderMap) -> SystemTime {
    let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?.trim()).ok());
    date.unwrap_or_else(SystemTime::now)
}

/// What one value asks for: seconds, a moment, or a date. A part of a second counts as a whole one, so that nobody comes
/// back too early.
fn wait(value: &str, now: SystemTime) -> Option<Duration> {
    // A number with a sign or an exponent is nothing that anybody sends.
    let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let wait = if is_decimal || date(value).is_some() { span(value, now)? } else { return None };
    let part = u64::from(wait.subsec_nanos() > 0);
    Some(Duration::from_secs(wait.as_secs().saturating_add(part)).min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_garbage_is_not() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        for (value, expected) in [
            ("0", Some(0)),
            ("5", Some(5)),
            ("007", Some(7)),
            ("1.2", Some(2)),
            ("86401", Some(86400)),
            ("100000000000000000000", Some(86400)),
            ("784111807", Some(30)),
            ("784111807.5", Some(31)),
            ("784111807000", Some(30)),
            ("784111700", Some(0)),
            ("1994-11-06T08:50:37Z", Some(60)),
            ("1e999", None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86400)),
            ("", None),
            (".", None),
            ("1.2.3", None),
            ("-1", None),
            ("+5", None),
            ("1e3", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("5 seconds", None),
            ("Sun, 99 Nov 1994 08:00:00 GMT", None),
        ] {
            assert_eq!(wait(value, now), expected.map(Duration::from_secs), "{value:?}");
        }
        let endless = "9".repeat(400);
        assert_eq!(wait(&endless, now), Some(MAX));
    }

    #[test]
    fn the_vendors_header_comes_first_and_garbage_gives_way() {
        let vendor = HeaderName::from_static("x-ratelimit-retry-after");
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers, &[]), None);
        headers.insert(RETRY_AFTER, "7".parse().expect("valid"));
        assert_eq!(retry_after(&headers, std::slice::from_ref(&vendor)), Some(Duration::from_secs(7)));
        headers.insert(&vendor, "3".parse().expect("valid"));
        assert_eq!(retry_after(&headers, std::slice::from_ref(&vendor)), Some(Duration::from_secs(3)));
        assert_eq!(retry_after(&headers, &[]), Some(Duration::from_secs(7)));
        headers.insert(&vendor, "x".parse().expect("valid"));
        assert_eq!(retry_after(&headers, &[vendor]), Some(Duration::from_secs(7)));
    }
}
