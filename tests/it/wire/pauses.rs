//! How long a server asks to be left alone: as a time, as a moment, and in a header of its own.

use std::time::Duration;

use tokio::time::Instant;
use tower::Layer;
use tower_reauth::AuthErrorKind::Unavailable;

use super::{
    ways::{WAYS, said},
    world::{World, answer, http_date, in_seconds, token},
};
use crate::support::{auth_error, client, get, send};

#[tokio::test]
async fn a_time_and_a_moment_are_told_apart_and_obeyed() {
    let said = || said!("retry_after = ['X-RateLimit-Reset', 'X-Retry-In']"; .retry_after("X-RateLimit-Reset").retry_after("X-Retry-In"));
    for off in [-3 * 3600, 0, 9 * 3600] {
        let now = in_seconds(off);
        let at = now + 90;
        let rfc3339 =
            humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + Duration::from_secs(at)).to_string();
        for (name, value, seconds) in [
            ("retry-after", "90".to_owned(), 90),
            ("retry-after", "89.2".to_owned(), 90),
            ("retry-after", at.to_string(), 90),
            ("retry-after", format!("{at}000"), 90),
            ("retry-after", format!("{at}.25"), 91),
            ("retry-after", http_date(at), 90),
            ("retry-after", rfc3339.clone(), 90),
            ("x-ratelimit-reset", at.to_string(), 90),
            ("x-ratelimit-reset", format!("{at}000"), 90),
            ("x-ratelimit-reset", format!("{at}000000"), 90),
            ("x-ratelimit-reset", "90".to_owned(), 90),
            ("x-ratelimit-reset", http_date(at), 90),
            ("x-retry-in", rfc3339.replace('Z', "+00:00"), 90),
            ("retry-after", (now - 90).to_string(), 0),
            ("retry-after", http_date(now - 90), 0),
        ] {
            for way in WAYS {
                let date = http_date(now);
                let busy = answer(429, &[("date", &date), (name, &value)], "");
                let world = World::answering([busy]).await;
                let service = said().layer(way, &world).layer(client());
                let error = send(&service, get(&world.url("/"))).await.unwrap_err();
                let (auth, now) = (auth_error(&error), Instant::now());
                let asked = auth.acquire_error().unwrap().retry_after();
                assert_eq!(
                    (auth.kind(), asked),
                    (Unavailable, Some(Duration::from_secs(seconds))),
                    "{way:?} {value}"
                );
                let wait = auth.retry_at().map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
                assert!(wait.as_secs_f64() > seconds as f64 - 5.0, "{way:?} {value}: {wait:?}");
                if seconds > 0 {
                    for _ in 0..20 {
                        send(&service, get(&world.url("/"))).await.unwrap_err();
                    }
                    assert_eq!(world.counts(), (1, 0), "{way:?} {value}");
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_comes_back_before_the_moment_and_soon_after_it_somebody_does() {
    let runs = WAYS.map(async |way| {
        let now = in_seconds(5 * 3600);
        let headers = [("date", http_date(now)), ("x-ratelimit-reset", format!("{}000", now + 2))];
        let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
        let world = World::answering([answer(403, &headers, r#"{"error":"slow_down"}"#)]).await;
        let said = said!("retry_after = 'X-RateLimit-Reset'"; .retry_after("X-RateLimit-Reset"));
        let service = said.layer(way, &world).layer(client());
        let began = Instant::now();
        send(&service, get(&world.url("/"))).await.unwrap_err();
        world.answer(token("abc"));
        while send(&service, get(&world.url("/"))).await.is_err() {
            assert_eq!(world.counts(), (1, 0), "{way:?}");
            assert!(began.elapsed() < Duration::from_secs(8), "{way:?}: nobody comes back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(8), "{way:?}: {waited:?}");
        assert_eq!(world.counts(), (2, 1), "{way:?}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test]
async fn garbage_is_no_time() {
    for value in ["soon", "-1", "+5", "1e3", "NaN", "5 seconds", ".", "2030-13-01T00:00:00Z", ""] {
        for way in WAYS {
            let world = World::answering([answer(429, &[("retry-after", value)], "")]).await;
            let service = said!("").layer(way, &world).layer(client());
            let error = send(&service, get(&world.url("/"))).await.unwrap_err();
            assert_eq!(auth_error(&error).acquire_error().unwrap().retry_after(), None, "{way:?} {value}");
        }
    }
}
