//! Values that are no strings: which of them are tokens, and what becomes of the good refresh token.

use tower::Layer;
use tower_reauth::{AcquireErrorKind::Unintelligible, AuthErrorKind::EndpointUnusable};

use super::{
    ways::{LENIENT, WAYS, Way, said},
    world::{World, expired, json},
};
use crate::support::{client, get, send};

const NO_TOKENS: [&str; 14] = [
    "false",
    "true",
    "null",
    "-5",
    "1.5",
    "5.0",
    "1e5",
    "1e999",
    "NaN",
    "{}",
    "[]",
    r#"["abc"]"#,
    r#"{"value":"abc"}"#,
    "\"\"",
];

#[tokio::test]
async fn what_is_neither_text_nor_a_whole_number_is_no_token() {
    for value in NO_TOKENS {
        let answer = json(format!(r#"{{"access_token":{value},"token_type":"Bearer"}}"#));
        said!("")
            .assert_refused(&WAYS, &answer, (EndpointUnusable, Unintelligible), &["without a token"])
            .await;
    }
}

#[tokio::test]
async fn a_whole_number_is_sent_digit_for_digit_and_refused_by_the_letter() {
    for digits in ["5", "0", "12345678901234567890123", "9007199254740993", "18446744073709551616"] {
        let answer = json(format!(r#"{{"access_token":{digits}}}"#));
        said!("").assert_token(&LENIENT, &answer, digits).await;
        said!("").assert_refused(&[Way::OAuth2], &answer, (EndpointUnusable, Unintelligible), &[]).await;
        said!("").strictly().assert_refused(&WAYS, &answer, (EndpointUnusable, Unintelligible), &[]).await;
        let text = json(format!(r#"{{"access_token":"{digits}"}}"#));
        said!("").strictly().assert_token(&WAYS, &text, digits).await;
    }
}

#[tokio::test]
async fn what_no_header_can_carry_is_no_token() {
    let long = "a".repeat(64 * 1024 + 1);
    for value in
        ["a b", "tökén", r"a\u0000b", r"a\r\nX-Admin: 1", r"a\ud800b", r"a\u200bb", "a\u{fffd}b", &long]
    {
        let answer = json(format!(r#"{{"access_token":"{value}"}}"#));
        said!("")
            .assert_refused(&WAYS, &answer, (EndpointUnusable, Unintelligible), &["can't be a token"])
            .await;
    }
}

/// Two refreshes, the first of which answers with this as its refresh token: what the second one sends.
async fn sent_after(way: Way, said: &super::ways::Said, refresh_token: &str) -> String {
    let token = |name: &str, refresh_token: &str| {
        json(format!(r#"{{"access_token":"{name}","token_type":"Bearer","refresh_token":{refresh_token}}}"#))
    };
    let answers = [token("a1", r#""r1""#), token("a2", refresh_token), token("a3", r#""r3""#)];
    let world = World::answering(answers).await;
    world.api_answers([expired(), json("{}"), expired()]);
    let service = said.layer(way, &world).layer(client());
    for _ in 0..2 {
        let answered = send(&service, get(&world.url("/videos"))).await.unwrap();
        assert!(
            answered.status() == 200 && answered.outcome().unwrap().replayed(),
            "{way:?} {refresh_token}"
        );
    }
    assert_eq!(
        world.api_headers("authorization"),
        ["a1", "a2", "a2", "a3"].map(|token| format!("Bearer {token}"))
    );
    let asked = world.token_requests();
    assert_eq!(asked.len(), 3, "{way:?} {refresh_token}: {asked:?}");
    assert!(asked[0].contains("grant_type=password"), "{asked:?}");
    assert!(asked[1].contains("refresh_token=r1"), "{asked:?}");
    asked[2].clone()
}

#[tokio::test]
async fn a_refresh_token_that_can_be_none_leaves_the_good_one_in_force() {
    let long = format!("\"{}\"", "r".repeat(64 * 1024 + 1));
    let odd = [r#""a\u0000b""#, r#""a\ud800b""#, "\"a\u{fffd}\"", "\"  \"", "undefined", &long];
    for value in NO_TOKENS.into_iter().chain(odd) {
        for way in WAYS {
            let sent = sent_after(way, &said!(""), value).await;
            assert!(sent.contains("refresh_token=r1"), "{way:?} {value:.20}: {sent:.200}");
        }
    }
    for number in ["5", "12345678901234567890123"] {
        for way in WAYS {
            let sent = sent_after(way, &said!("").strictly(), number).await;
            assert!(sent.contains("refresh_token=r1"), "{way:?} {number}: {sent}");
        }
        for way in LENIENT {
            let sent = sent_after(way, &said!(""), number).await;
            assert!(sent.contains(&format!("refresh_token={number}")), "{way:?} {number}: {sent}");
        }
    }
    for way in WAYS {
        assert!(sent_after(way, &said!(""), r#""r2""#).await.contains("refresh_token=r2"), "{way:?}");
    }
}
