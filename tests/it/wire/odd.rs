//! Something odd in a member that nobody asked for: it doesn't matter, in a token's answer or in an API's.

use http::StatusCode;
use tower::Layer;
use tower_reauth::{
    AcquireErrorKind::Unintelligible, AuthErrorKind::EndpointUnusable, Rule, Signatures, signature,
};

use super::{
    ways::{Said, WAYS, Way, said},
    world::{World, answer, json, token},
};
use crate::support::{client, get, send};

/// Odd values, the last of them nested so deep.
fn odd(depth: usize) -> Vec<String> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let mut odd: Vec<String> = [
        "1e999",
        "-1e999",
        "1e-999",
        "123456789012345678901234567890.5",
        "-0",
        "007",
        "+1",
        ".5",
        "1.",
        "0x1F",
        "1_000",
        "NaN",
        "-Infinity",
        "undefined",
        "True",
        "None",
        "'text'",
        r#""\ud83d""#,
        r#""\ude00\ud83d""#,
        r#""\x41""#,
        r#""\u12""#,
        r#""\'""#,
        "\"a\nb\"",
        "\"a\r\n\tb\"",
        "\"\u{0}\"",
        "\"\u{7f}\u{202e}\u{feff}\"",
        r#""{[\"]}""#,
        r"[1,,2]",
        "[1 2]",
        "[,]",
        "{,}",
        "{1:2}",
        r#"{"a"}"#,
        r#"{"a":1,"a":2}"#,
    ]
    .map(str::to_owned)
    .into();
    odd.extend([deep("[", "]"), deep("{\"a\":", "}").replace(":}", ":1}"), "1".repeat(depth)]);
    odd
}

#[tokio::test]
async fn a_token_is_found_beside_anything() {
    for odd in odd(20_000) {
        for body in [
            format!(r#"{{"x":{odd},"access_token":"abc","token_type":"Bearer"}}"#),
            format!(r#"{{"access_token":"abc","token_type":"Bearer","x":{odd}}}"#),
            format!(r#"{{"access_token":"abc","x":{{"access_token":{odd}}},"y":[{odd},{odd}]}}"#),
        ] {
            said!("").assert_token(&WAYS, &json(body), "abc").await;
        }
    }
}

#[tokio::test]
async fn commas_too_many_and_what_is_around_a_document_do_not_matter() {
    for body in [
        r#"{"access_token":"abc",}"#,
        r#"{"scopes":["a","b",],"access_token":"abc"}"#,
        "\u{feff}{\"access_token\":\"abc\"}",
        "\r\n\r\n {\"access_token\":\"abc\"} \r\n",
        "{\"access_token\":\"abc\"}\0",
        "{\"access_token\":\"abc\"}\n\0\0\n",
        r#"{"access_token":"old","access_token":"abc"}"#,
        r#"{"\u0061ccess_token":"ab\u0063"}"#,
    ] {
        said!("").assert_token(&WAYS, &json(body), "abc").await;
    }
    // Half an answer may have half a token.
    for body in [
        r#"{"access_token":"abc""#,
        r#"{"access_token":"abc","x":"#,
        r#"{"access_token":"abc","x":[}"#,
        r#"{"access_token":"abc"}{"access_token":"def"}"#,
        r#"{"access_token":"abc"} trailing"#,
    ] {
        let words = ["breaks off, or is no json"];
        said!("").assert_refused(&WAYS, &json(body), (EndpointUnusable, Unintelligible), &words).await;
    }
}

/// A vendor whose 400 says in its body that the token has expired, said in each way.
fn layer(way: Way, world: &World) -> tower_reauth::AuthLayer {
    let signatures = || {
        let is_expired = signature::json("/code").is("expired");
        Signatures::new().rule(Rule::expired().status(StatusCode::BAD_REQUEST).when(is_expired))
    };
    let said = Said {
        endpoint: Box::new(move |builder| builder.signatures(signatures())),
        top: "rules = [{ verdict = 'expired', status = 400, when = { json = '/code', is = 'expired' } }]"
            .into(),
        ..said!("")
    };
    match way {
        Way::OAuth2 => said.layer(way, world).signatures(signatures()),
        Way::Endpoint | Way::File => said.layer(way, world),
    }
}

#[tokio::test]
async fn an_api_says_that_a_token_has_expired_beside_anything() {
    for odd in odd(500) {
        for way in WAYS {
            let world = World::answering([token("a1"), token("a2")]).await;
            let body = format!(r#"{{"x":{odd},"code":"expired","y":[{odd}]}}"#);
            world.api_answers([answer(400, &[("content-type", "application/problem+json")], &body)]);
            let answered = send(&layer(way, &world).layer(client()), get(&world.url("/"))).await.unwrap();
            assert!(
                answered.status() == 200 && answered.outcome().unwrap().replayed(),
                "{way:?}: {body:.80}"
            );
            assert_eq!(
                (world.counts(), world.api_headers("authorization")[1].as_str()),
                ((2, 2), "Bearer a2")
            );
        }
    }
}
