//! Who refused: an endpoint that moved, is missing or blocked, or makes no sense, is named as that with what to look at,
//! isn't asked more often for being wrong, and is used again within seconds of being mended.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Request, Response};
use tokio::time::Instant;
use tower::{Layer, Service};
use tower_reauth::{
    AcquireErrorKind::{
        self, Blocked, Missing, Moved, NotAccepted, ProxyRefused, Rejected, Transient, Undeclared,
        Unintelligible,
    },
    AuthErrorKind::{self, CredentialsRejected, EndpointUnusable, Unavailable},
    BoxError,
};

use super::{
    ways::{WAYS, Way, assert_shows_no_secret, said},
    world::{World, answer, token},
};
use crate::support::{Body, auth_error, client, get, send, send_all};

const PAGE: &str = "<!DOCTYPE html><html><body><h1>Sorry</h1><p>key=in-the-query</p></body></html>";

/// An answer, what kind of failure it is, and what its text says beside status and URL.
struct Case(
    u16,
    &'static [(&'static str, &'static str)],
    &'static str,
    AuthErrorKind,
    AcquireErrorKind,
    &'static str,
);

const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

const ENDPOINTS: [Case; 40] = [
    Case(
        301,
        &[("location", "https://new.example.com/token?key=in-the-query")],
        "",
        EndpointUnusable,
        Moved,
        "https://new.example.com/token",
    ),
    Case(302, &[("location", "/login?next=/token#top")], PAGE, EndpointUnusable, Moved, "/login"),
    Case(
        303,
        &[("location", "//id:in-the-query@new.example.com/")],
        "",
        EndpointUnusable,
        Moved,
        "has moved",
    ),
    Case(307, &[], "", EndpointUnusable, Moved, "configure the new url"),
    Case(308, &[("location", "http://[::1")], "{}", EndpointUnusable, Moved, "has moved"),
    Case(300, HTML, PAGE, EndpointUnusable, Moved, "has moved"),
    Case(304, &[], "", EndpointUnusable, Moved, "has moved"),
    Case(404, HTML, PAGE, EndpointUnusable, Missing, "check the url"),
    Case(404, JSON, r#"{"message":"no route"}"#, EndpointUnusable, Missing, "check the url"),
    Case(404, &[], "", EndpointUnusable, Missing, "check the url"),
    Case(410, &[], "gone", EndpointUnusable, Missing, "check the url"),
    Case(421, HTML, PAGE, EndpointUnusable, Missing, "check the url"),
    Case(405, &[("allow", "GET")], "", EndpointUnusable, NotAccepted, "check the method"),
    Case(406, HTML, PAGE, EndpointUnusable, NotAccepted, "form or json"),
    Case(411, HTML, PAGE, EndpointUnusable, NotAccepted, "Content-Length"),
    Case(413, HTML, PAGE, EndpointUnusable, NotAccepted, "too large"),
    Case(414, HTML, PAGE, EndpointUnusable, NotAccepted, "too large"),
    Case(415, JSON, r#"{"message":"no"}"#, EndpointUnusable, NotAccepted, "form or json"),
    Case(417, &[], "", EndpointUnusable, NotAccepted, "Expect"),
    Case(426, &[], "", EndpointUnusable, NotAccepted, "another protocol"),
    Case(428, &[], "", EndpointUnusable, NotAccepted, "which headers"),
    Case(431, &[], "", EndpointUnusable, NotAccepted, "too large"),
    Case(403, HTML, PAGE, EndpointUnusable, Blocked, "firewall"),
    Case(403, &[], "", EndpointUnusable, Blocked, "firewall"),
    Case(403, &[("content-type", "text/plain")], "error code: 1020", EndpointUnusable, Blocked, "firewall"),
    Case(451, HTML, PAGE, EndpointUnusable, Blocked, "firewall"),
    Case(407, &[("proxy-authenticate", "Basic")], "", EndpointUnusable, ProxyRefused, "proxy"),
    Case(400, HTML, PAGE, EndpointUnusable, Unintelligible, "doesn't say why"),
    Case(400, &[], "", EndpointUnusable, Unintelligible, "doesn't say why"),
    Case(418, &[], "short and stout", EndpointUnusable, Unintelligible, "doesn't say why"),
    Case(200, HTML, PAGE, EndpointUnusable, Unintelligible, "a page"),
    Case(200, JSON, "", EndpointUnusable, Unintelligible, "empty"),
    Case(204, &[], "", EndpointUnusable, Unintelligible, "empty"),
    Case(200, JSON, r#"{"access_token":"#, EndpointUnusable, Unintelligible, "breaks off"),
    Case(200, JSON, r#"{"error":"what?"}"#, EndpointUnusable, Unintelligible, "what?"),
    Case(200, JSON, r#"{"token":"abc"}"#, EndpointUnusable, Unintelligible, "check where in it the token is"),
    Case(408, &[], "", Unavailable, Transient, ""),
    Case(425, &[], "", Unavailable, Transient, ""),
    Case(500, HTML, PAGE, Unavailable, Transient, ""),
    Case(502, HTML, PAGE, Unavailable, Transient, ""),
];

#[tokio::test]
async fn an_endpoint_that_can_not_be_used_says_what_to_look_at_and_recovers() {
    join_all(ENDPOINTS.iter().flat_map(|case| WAYS.map(|way| fails_and_recovers(case, way)))).await;
}

/// As the program has it by default, but for what it takes of time.
async fn fails_and_recovers(case: &Case, way: Way) {
    let Case(status, headers, body, auth_kind, kind, words) = *case;
    let world = World::answering([answer(status, headers, body)]).await;
    let service = said!("").with_default_policy(way, &world).layer(client());
    let failed = send_all(&service, 200, || get(&world.url("/"))).await;
    let note = format!("{way:?} {status} {body}");
    let (asked, sent) = world.counts();
    assert!((1..=3).contains(&asked) && sent == 0, "{note}: {asked} token requests for 200 callers");
    for error in failed.into_iter().map(Result::unwrap_err).take(3) {
        let auth = auth_error(&error);
        let acquire = auth.acquire_error().unwrap();
        assert_eq!((auth.kind(), acquire.kind()), (auth_kind, kind), "{note}: {acquire}");
        assert_eq!(acquire.status().map(|status| status.as_u16()), Some(status), "{note}");
        let text = acquire.to_string();
        assert!(text.contains(&format!("POST {}", world.url("/token"))), "{note}: {text}");
        assert!(text.contains(words) && text.contains(&status.to_string()), "{note}: {text}");
        assert!(
            !text.contains(char::is_control) && !text.contains("in-the-query") && !text.contains('#'),
            "{text}"
        );
        assert_shows_no_secret(&error);
    }
    world.answer(token("abc"));
    let mended_at = Instant::now();
    let (status, failures) = recovers(&service, &world, Duration::from_secs(6)).await;
    assert_eq!(status, 200, "{note}: {failures} failures since {:?}", mended_at.elapsed());
    assert_eq!(world.counts(), (asked + 1, 1), "{note}");
    assert_eq!(world.api_headers("authorization"), ["Bearer abc"], "{note}");
}

/// Calls until one succeeds: its status, and how many failed.
async fn recovers<S, R>(service: &S, world: &World, within: Duration) -> (u16, usize)
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let (began, mut failures) = (Instant::now(), 0);
    loop {
        match send(service, get(&world.url("/"))).await {
            Ok(answered) => return (answered.status().as_u16(), failures),
            Err(error) if began.elapsed() > within => panic!("still {error} after {within:?}"),
            Err(_) => failures += 1,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn callers_without_end_do_not_ask_a_wrong_endpoint_more_often() {
    let served = WAYS.map(async |way| {
        let world = World::answering([answer(404, HTML, PAGE)]).await;
        let service = said!("").with_default_policy(way, &world).layer(client());
        let began = Instant::now();
        let mut calls = 0;
        while began.elapsed() < Duration::from_secs(4) {
            for failed in send_all(&service, 20, || get(&world.url("/"))).await {
                assert_eq!(auth_error(&failed.unwrap_err()).kind(), EndpointUnusable);
                calls += 1;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Pauses are half of 1, 2, 4 and 5 seconds at least.
        let (asked, sent) = world.counts();
        assert!(
            (2..=4).contains(&asked) && sent == 0 && calls > 200,
            "{asked} token requests for {calls} calls"
        );
    });
    join_all(served).await;
}

#[tokio::test]
async fn only_what_says_so_refuses_the_credentials() {
    for (status, headers, body) in [
        (401, HTML, PAGE),
        (401, JSON, r#"{"message":"wrong"}"#),
        (401, &[][..], ""),
        (400, JSON, r#"{"error":"invalid_client"}"#),
        (400, JSON, r#"{"error":"invalid_grant"}"#),
        (400, JSON, r#"{"error":"unauthorized_client"}"#),
        (400, JSON, r#"{"error":"invalid_request"}"#),
        (400, JSON, r#"{"error":"invalid_scope"}"#),
        (400, JSON, r#"{"error":"unsupported_grant_type"}"#),
        (403, JSON, r#"{"error":"access_denied"}"#),
        (404, JSON, r#"{"error":"invalid_client"}"#),
        (200, JSON, r#"{"error":"invalid_client"}"#),
    ] {
        for way in WAYS {
            let world = World::answering([answer(status, headers, body)]).await;
            let service = said!("").with_default_policy(way, &world).layer(client());
            for failed in send_all(&service, 200, || get(&world.url("/"))).await {
                let error = failed.unwrap_err();
                let auth = auth_error(&error);
                assert_eq!(auth.kind(), CredentialsRejected, "{way:?} {status} {body}");
                assert_eq!(auth.acquire_error().unwrap().kind(), Rejected, "{way:?} {status} {body}");
                let wait = auth.retry_at().unwrap().saturating_duration_since(Instant::now());
                assert!(wait > Duration::from_secs(25), "{wait:?}");
            }
            assert_eq!(world.counts(), (1, 0), "{way:?} {status} {body}: the account isn't locked");
        }
    }
}

#[tokio::test]
async fn a_refusal_in_words_that_nobody_declared_is_typed_as_that_and_locks_no_account() {
    for (status, body) in [
        (400, r#"{"message":"no such user"}"#),
        (402, r#"{"error":"payment"}"#),
        (409, "[]"),
        (422, r#"{"errors":{"password":["is wrong"]}}"#),
        (400, "\"no\""),
    ] {
        for way in WAYS {
            let world = World::answering([answer(status, JSON, body)]).await;
            let service = said!("").with_default_policy(way, &world).layer(client());
            for failed in send_all(&service, 200, || get(&world.url("/"))).await {
                let error = failed.unwrap_err();
                let auth = auth_error(&error);
                let acquire = auth.acquire_error().unwrap();
                assert_eq!(
                    (auth.kind(), acquire.kind()),
                    (EndpointUnusable, Undeclared),
                    "{way:?} {status} {body}"
                );
                assert!(acquire.to_string().contains("declare"), "{acquire}");
                assert!(auth.retry_at().unwrap() > Instant::now() + Duration::from_secs(25));
            }
            assert_eq!(world.counts(), (1, 0), "{way:?} {status} {body}");
        }
    }
}
