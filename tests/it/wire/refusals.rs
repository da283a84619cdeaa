//! What a caller prints of twenty refusals: `refusals.txt`, line by line. `UPDATE_SNAPSHOTS=1` writes it again.

use std::{env, fs};

use tower::Layer;

use super::{
    ways::{Way, assert_shows_no_secret, chain, said},
    world::{World, answer},
};
use crate::support::{client, get, send};

const SNAPSHOT: &str = "tests/it/wire/refusals.txt";

const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const PAGE: &str = "<html><head><title>Sorry</title></head><body>s3cret:Kéy+%41ü</body></html>";

/// What happened, and the answer that says so.
type Refusal = (&'static str, u16, &'static [(&'static str, &'static str)], &'static str);

const REFUSALS: [Refusal; 24] = [
    (
        "wrong secret",
        401,
        JSON,
        r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#,
    ),
    (
        "wrong secret, by a code",
        400,
        JSON,
        r#"{"error":"invalid_grant","error_description":"Bad password s3cret:Kéy+%41ü"}"#,
    ),
    ("wrong secret, without a word", 401, &[], ""),
    ("moved", 301, &[("location", "https://login.example.com/v2/token?key=in-the-query")], ""),
    ("moved, nobody knows where", 308, &[], ""),
    ("missing", 404, HTML, PAGE),
    ("gone", 410, JSON, r#"{"error":"sunset","error_description":"Use /v2/token"}"#),
    ("firewall", 403, HTML, PAGE),
    ("wrong method", 405, &[("allow", "GET")], ""),
    ("no length", 411, HTML, PAGE),
    ("too large", 413, &[], ""),
    ("media type", 415, JSON, r#"{"error":"Expected application/json"}"#),
    ("a proxy", 407, &[("proxy-authenticate", "Basic realm=\"corp\"")], PAGE),
    (
        "asked too often",
        429,
        &[("retry-after", "30"), ("content-type", "application/json")],
        r#"{"error":"quota"}"#,
    ),
    ("asked too often, with a 200", 200, JSON, r#"{"ok":false,"error":"ratelimited"}"#),
    ("server error", 500, HTML, PAGE),
    ("maintenance", 503, &[], "Down for maintenance"),
    ("a page in place of a token", 200, HTML, PAGE),
    ("empty", 200, JSON, ""),
    ("broken off", 200, JSON, r#"{"access_token":"abc","#),
    (
        "an error in place of a token",
        200,
        JSON,
        r#"{"error":"no_such_app","error_description":"Unknown app"}"#,
    ),
    ("undeclared", 400, JSON, r#"{"error":"login_failed","error_description":"No user johndoe"}"#),
    ("bound to a key", 200, JSON, r#"{"access_token":"abc","token_type":"DPoP"}"#),
    ("another type", 200, JSON, r#"{"access_token":"abc","token_type":"Application Access Token"}"#),
];

#[tokio::test]
async fn each_refusal_says_what_happened_and_what_to_look_at() {
    let mut printed = String::new();
    for (what, status, headers, body) in REFUSALS {
        let world = World::answering([answer(status, headers, body)]).await;
        let service = said!("").strictly().layer(Way::Endpoint, &world).layer(client());
        let error = send(&service, get(&world.url("/videos"))).await.unwrap_err();
        assert_shows_no_secret(&error);
        printed += &format!("{what}\n");
        for line in chain(&error) {
            assert!(!line.contains('\n'), "{line:?}");
            printed += &format!("  {}\n", line.replace(world.origin(), "http://127.0.0.1:PORT"));
        }
    }
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(SNAPSHOT, &printed).unwrap();
    }
    let expected = fs::read_to_string(SNAPSHOT).unwrap();
    for (printed, expected) in printed.lines().zip(expected.lines()) {
        assert_eq!(printed, expected);
    }
    assert_eq!(printed, expected);
}
