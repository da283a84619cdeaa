//! Metrics: what is counted, and what isn't told.

use super::*;
use crate::support::process::assert_none_shown;

/// The numbers of a page, by name and labels.
async fn numbers(proxy: &Proxy) -> std::collections::HashMap<String, f64> {
    let response = get(&proxy.url("/.tower-reauth/metrics")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4");
    let page = String::from_utf8(response.into_body().to_vec()).unwrap();
    assert!(!page.contains("/secret-path") && page.ends_with('\n'), "{page}");
    assert_none_shown([KEY], &page);
    let mut families = Vec::new();
    let mut found = std::collections::HashMap::new();
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            families.push(kind.split(' ').next().unwrap().to_owned());
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(&**families.last().unwrap()), "{name} is of no family");
            assert!(found.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} is there twice");
        }
    }
    found
}

#[tokio::test]
async fn requests_replays_tokens_and_connections_are_counted() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    let empty = numbers(&proxy).await;
    assert!(
        empty
            .iter()
            .all(|(name, value)| *value == 0.0 || name.contains("connections") || name.contains("ready")),
        "{empty:?}"
    );
    for path in ["/secret-path/1", "/secret-path/2"] {
        assert_eq!(get(&proxy.url(path)).await.status(), 200);
    }
    fake.controls().revoke(Revoked::Expired);
    assert_eq!(get(&proxy.url("/secret-path/3")).await.status(), 200);
    fake.controls().fail(On::Api, Times::Next(1), Answer::new(StatusCode::NOT_FOUND));
    assert_eq!(get(&proxy.url("/secret-path/4")).await.status(), 404);
    let refused = raw(&proxy.address, "GET /secret-path HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(status(&refused), 403);
    let idle = tokio::net::TcpStream::connect(&proxy.address).await.unwrap();
    let seen = numbers(&proxy).await;
    for (name, expected) in [
        ("reauth_requests_total{upstream=\"vendor\",status=\"2xx\"}", 3.0),
        ("reauth_requests_total{upstream=\"vendor\",status=\"4xx\"}", 1.0),
        ("reauth_requests_total{upstream=\"vendor\",status=\"5xx\"}", 0.0),
        ("reauth_request_duration_seconds_count{upstream=\"vendor\"}", 4.0),
        ("reauth_request_duration_seconds_bucket{upstream=\"vendor\",le=\"+Inf\"}", 4.0),
        ("reauth_request_duration_seconds_bucket{upstream=\"vendor\",le=\"30\"}", 4.0),
        ("reauth_replays_total{upstream=\"vendor\"}", 1.0),
        ("reauth_token_generation{upstream=\"vendor\"}", 2.0),
        ("reauth_upstream_ready{upstream=\"vendor\"}", 1.0),
        ("reauth_refused_requests_total{status=\"4xx\"}", 1.0),
        ("reauth_connections_limit", 1000.0),
        ("reauth_upgraded_connections", 0.0),
        ("reauth_reloads_total{result=\"taken\"}", 0.0),
    ] {
        assert_eq!(seen.get(name), Some(&expected), "{name}: {seen:?}");
    }
    assert_eq!(seen.len(), empty.len(), "what comes in adds no lines");
    let sum = seen["reauth_request_duration_seconds_sum{upstream=\"vendor\"}"];
    assert!(sum > 0.0 && sum < 30.0, "{sum}");
    assert!((2.0..10.0).contains(&seen["reauth_connections"]), "{seen:?}");
    let buckets: Vec<_> =
        ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30"]
            .map(|end| {
                seen[&format!("reauth_request_duration_seconds_bucket{{upstream=\"vendor\",le=\"{end}\"}}")]
            })
            .into();
    assert!(buckets.is_sorted(), "{buckets:?}");
    fake.controls().revoke(Revoked::Removed);
    assert_eq!(get(&proxy.url("/x")).await.status(), 401);
    let seen = numbers(&proxy).await;
    assert_eq!(seen["reauth_upstream_ready{upstream=\"vendor\"}"], 0.0);
    assert_eq!(seen["reauth_requests_total{upstream=\"vendor\",status=\"4xx\"}"], 2.0);
    drop(idle);
    proxy.stop().await;
}

#[tokio::test]
async fn the_path_can_be_chosen_and_is_for_looking_alone() {
    let server = Raw::start(&[EMPTY]).await;
    let program = before(&server.origin).args("--metrics-path /numbers --allow-key env:CLIENT");
    let proxy = Proxy::start(program.secret("CLIENT", "a-key-of-one-client")).await;
    assert_eq!(get(&proxy.url("/numbers")).await.status(), 200);
    let answer =
        raw(&proxy.address, "POST /numbers HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: GET, HEAD\r\n"), "{answer}");
    let page = "GET /numbers HTTP/1.1\r\nHost: HOST\r\nOrigin: https://evil.example\r\n\r\n";
    assert_eq!(status(&raw(&proxy.address, page).await), 403);
    assert_eq!(server.seen().len(), 0);
    proxy.stop().await;
}
