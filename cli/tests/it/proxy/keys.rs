//! Keys of the proxy's clients: who shows none gets no further, and no key goes on or is seen.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::*;
use crate::support::{process::assert_none_shown, temporary::Temporary};

const FIRST: &str = "first-key-of-a-client";
const SECOND: &str = "second-key-of-a-client";

#[tokio::test]
async fn who_shows_one_of_the_keys_may_call_and_nobody_else() {
    let server = Raw::start(&[EMPTY]).await;
    let file = Temporary::new("allowed-key", &format!("{SECOND}\r\n"));
    let program = before(&server.origin).args("-v --allow-key env:FIRST --allow-key").arg(file.reference());
    let proxy = Proxy::start(program.secret("FIRST", FIRST)).await;
    let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
    for (shown, expected) in [
        (vec![format!("Bearer {FIRST}")], 204),
        (vec![format!("bearer  {SECOND}")], 204),
        (vec![basic(&format!("anybody:{SECOND}"))], 204),
        (vec![basic(&format!(":{FIRST}"))], 204),
        (vec![], 407),
        (vec![String::new()], 407),
        (vec!["Bearer".to_owned()], 407),
        (vec!["Bearer ".to_owned()], 407),
        (vec![format!("Bearer {FIRST}x")], 407),
        (vec![format!("Bearer {}", &FIRST[1..])], 407),
        (vec![format!("Bearer {}", FIRST.to_uppercase())], 407),
        (vec![FIRST.to_owned()], 407),
        (vec![format!("Digest {FIRST}")], 407),
        (vec![basic(FIRST)], 407),
        (vec![basic(&format!("{FIRST}:other"))], 407),
        (vec!["Basic !".to_owned()], 407),
        (vec![format!("Basic {FIRST}")], 407),
        (vec![format!("Bearer {FIRST}"), format!("Bearer {SECOND}")], 407),
        (vec![format!("Bearer {FIRST}"), "Bearer none".to_owned()], 407),
    ] {
        let lines: String = shown.iter().map(|value| format!("Proxy-Authorization: {value}\r\n")).collect();
        let answer = raw(&proxy.address, &format!("GET /x HTTP/1.1\r\nHost: HOST\r\n{lines}\r\n")).await;
        assert_eq!(status(&answer), expected, "{shown:?}: {answer}");
        if expected == 407 {
            assert!(answer.contains("proxy-authenticate: Basic realm=\"reauth\"\r\n"), "{answer}");
            assert!(answer.contains("proxy-authenticate: Bearer realm=\"reauth\"\r\n"), "{answer}");
            assert!(answer.contains("proxy-status: tower-reauth; error=http_request_denied\r\n"), "{answer}");
            assert_none_shown([FIRST, SECOND], &answer);
        }
    }
    assert_eq!(server.seen().len(), 4);
    for request in server.seen() {
        assert!(!request.contains("proxy-") && request.contains("authorization: Bearer a-key"), "{request}");
        assert_none_shown([FIRST, SECOND], &request);
    }
    // Another place for it is none, and a page or another host isn't asked for a key.
    let elsewhere = format!("GET /x HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {FIRST}\r\n\r\n");
    assert_eq!(status(&raw(&proxy.address, &elsewhere).await), 407);
    let page = format!(
        "GET /x HTTP/1.1\r\nHost: HOST\r\nOrigin: null\r\nProxy-Authorization: Bearer {FIRST}\r\n\r\n"
    );
    assert_eq!(status(&raw(&proxy.address, &page).await), 403);
    // Whoever watches the proxy needs none.
    assert_eq!(get(&proxy.url("/.tower-reauth/health")).await.status(), 200);
    let log = proxy.stop().await;
    assert_none_shown([FIRST, SECOND], &log);
}

#[tokio::test]
async fn upgrades_and_http_2_need_one_too() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy =
        Proxy::start(before(&server.origin).args("--allow-key env:FIRST").secret("FIRST", FIRST)).await;
    let upgrade = "GET /x HTTP/1.1\r\nHost: HOST\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(status(&raw(&proxy.address, upgrade).await), 407);
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    for (key, expected) in [("Bearer none", 407), ("Bearer first-key-of-a-client", 204)] {
        let request = Request::get(proxy.url("/x")).header("proxy-authorization", key);
        let response = soon(client.request(request.body(Full::default()).unwrap())).await.unwrap();
        assert_eq!(response.status(), expected);
    }
    assert_eq!(server.seen().len(), 1);
    drop(client);
    proxy.stop().await;
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let file = Temporary::new("refused-allowed-key", "\n");
    for (reference, says) in [
        ("env:SHORT".to_owned(), "--allow-key: a key has 16 characters or more"),
        ("env:SPACE".to_owned(), "--allow-key: a key has 16 characters or more, of ASCII and without spaces"),
        ("env:NONE".to_owned(), "--allow-key: the environment variable NONE can't be read: it is not set"),
        (file.reference(), "has no secret; it is empty"),
        ("file:/not/there".to_owned(), "/not/there can't be read"),
        (FIRST.to_owned(), "write env:NAME for an environment variable"),
        ("- --allow-key -".to_owned(), "can't both read standard input"),
    ] {
        let program = before("http://127.0.0.1:9")
            .secret("SHORT", "short-key-it-is")
            .secret("SPACE", "key of many words");
        let ended = program.args(&format!("--allow-key {reference}")).run().await;
        ended.assert_status(2).assert_says(says);
        assert_none_shown([FIRST], &ended.stderr);
    }
}
