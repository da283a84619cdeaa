//! How long a token lives by what its answer says: for a time, until a moment, or nobody knows.

use std::time::Duration;

use tower::Layer;

use super::{
    ways::{WAYS, said},
    world::{World, answer, http_date, in_seconds, json},
};
use crate::support::{client, get, send};

fn expires_in(value: &str) -> Vec<u8> {
    json(format!(r#"{{"access_token":"abc","expires_in":{value}}}"#))
}

#[tokio::test]
async fn no_time_and_times_that_are_past_are_used_until_rejected() {
    for value in [
        "0",
        "-1",
        "0.0",
        "-0",
        "-3600",
        "\"0\"",
        "\"-1\"",
        "null",
        "false",
        "\"\"",
        "\"never\"",
        "\"PT1H\"",
        "[3600]",
        "1e999",
        "99999999999999999999",
        "1000000000",
        "1000000000000",
        "\"1000000000\"",
        "\"2001-09-09T01:46:40Z\"",
        "\"Sun, 09 Sep 2001 01:46:40 GMT\"",
        "\"9999-12-31T23:59:59Z\"",
        "\"0001-01-01T00:00:00Z\"",
    ] {
        for way in WAYS {
            let world = World::answering([expires_in(value)]).await;
            let layer = said!("").layer(way, &world);
            let service = layer.layer(client());
            for _ in 0..20 {
                assert_eq!(send(&service, get(&world.url("/"))).await.unwrap().status(), 200);
            }
            assert_eq!(world.counts(), (1, 20), "{way:?} {value}");
            let lease = layer.tokens().get(Duration::ZERO).await.unwrap();
            assert_eq!((lease.token().lifetime(), lease.expires_at()), (None, None), "{way:?} {value}");
        }
    }
}

#[tokio::test]
async fn a_number_of_seconds_is_one_however_it_is_written() {
    for (value, seconds) in [
        ("3600", 3600.0),
        ("\"3600\"", 3600.0),
        ("3600.5", 3600.5),
        ("3.6e3", 3600.0),
        ("\" 3600 \"", 3600.0),
        ("1", 1.0),
        ("315360000", 315_360_000.0),
    ] {
        let lifetimes = said!("").lifetimes(&expires_in(value)).await;
        assert_eq!(lifetimes, [Some(Duration::from_secs_f64(seconds)); 3], "{value}");
    }
}

/// The moment `at`, in seconds since 1970, as servers write it.
fn written(at: u64) -> Vec<String> {
    let rfc3339 = |ahead: i64| {
        let date = std::time::UNIX_EPOCH + Duration::from_secs(at.checked_add_signed(ahead * 60).unwrap());
        let date = humantime::format_rfc3339_seconds(date).to_string();
        date.trim_end_matches('Z').to_owned()
    };
    vec![
        at.to_string(),
        format!("{at}000"),
        format!("{at}000000"),
        format!("{at}000000000"),
        format!("{at}.0"),
        format!("\"{at}\""),
        format!("\"{at}000\""),
        format!("\"{}\"", http_date(at)),
        format!("\"{}Z\"", rfc3339(0)),
        format!("\"{}z\"", rfc3339(0).replace('T', "t")),
        format!("\"{}\"", rfc3339(0)),
        format!("\"{}\"", rfc3339(0).replace('T', " ")),
        format!("\"{} UTC\"", rfc3339(0).replace('T', " ")),
        format!("\"{}.000Z\"", rfc3339(0)),
        format!("\"{}.0000000Z\"", rfc3339(0)),
        format!("\"{}+00:00\"", rfc3339(0)),
        format!("\"{}-00:00\"", rfc3339(0)),
        format!("\"{}+02:00\"", rfc3339(120)),
        format!("\"{}+0530\"", rfc3339(330)),
        format!("\"{}-08\"", rfc3339(-480)),
        format!("\"{}.000000-07:30\"", rfc3339(-450)),
        format!("\"{} +0000\"", rfc3339(0).replace('T', " ")),
    ]
}

#[tokio::test]
async fn a_moment_counts_from_the_servers_own_clock() {
    let said = said!("lifetime = '/expires_at'"; .lifetime("/expires_at"));
    // The server's clock is hours off, either way, or right.
    for off in [-5 * 3600, 0, 7 * 3600] {
        let now = in_seconds(off);
        for moment in written(now + 3600) {
            let body = format!(r#"{{"access_token":"abc","expires_at":{moment}}}"#);
            let lifetimes = said.lifetimes(&answer(200, &[("date", &http_date(now))], body)).await;
            assert_eq!(lifetimes, [Some(Duration::from_secs(3600)); 3], "{off}: {moment}");
        }
    }
}

#[tokio::test]
async fn without_a_date_that_can_be_read_a_moment_counts_from_ours() {
    let said = said!("lifetime = '/expires_on'"; .lifetime("/expires_on"));
    for headers in [&[][..], &[("date", "yesterday")], &[("date", "")]] {
        for moment in written(in_seconds(3600)) {
            let body = format!(r#"{{"access_token":"abc","expires_on":{moment}}}"#);
            for lifetime in said.lifetimes(&answer(200, headers, body)).await {
                let seconds = lifetime.unwrap_or_else(|| panic!("{moment} is not read")).as_secs();
                assert!((3570..=3600).contains(&seconds), "{moment}: {seconds}");
            }
        }
    }
}

#[tokio::test]
async fn a_moment_where_a_duration_belongs_is_told_by_its_size() {
    let now = in_seconds(0);
    for value in
        [format!("{}", now + 600), format!("{}000", now + 600), format!("\"{}\"", http_date(now + 600))]
    {
        let body = format!(r#"{{"access_token":"abc","expires_in":{value}}}"#);
        let lifetimes = said!("").lifetimes(&answer(200, &[("date", &http_date(now))], body)).await;
        assert_eq!(lifetimes, [Some(Duration::from_secs(600)); 3], "{value}");
    }
}

#[tokio::test]
async fn a_token_whose_moment_comes_is_replaced_and_not_sent() {
    let said = said!("lifetime = '/expires_at'"; .lifetime("/expires_at"));
    for way in WAYS {
        let at = |token: &str, seconds| {
            let now = in_seconds(7 * 3600);
            let body = format!(r#"{{"access_token":"{token}","expires_at":{}}}"#, now + seconds);
            answer(200, &[("date", &http_date(now))], body)
        };
        let world = World::answering([at("a1", 1), at("a2", 3600)]).await;
        let service = said.layer(way, &world).layer(client());
        send(&service, get(&world.url("/"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        send(&service, get(&world.url("/"))).await.unwrap();
        assert_eq!(world.api_headers("authorization"), ["Bearer a1", "Bearer a2"], "{way:?}");
        assert_eq!(world.counts(), (2, 2), "{way:?}");
    }
}
