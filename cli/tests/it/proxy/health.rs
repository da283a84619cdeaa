//! Whether the next request can be expected to get a token.

use serde_json::Value;

use super::*;

const PATH: &str = "/.tower-reauth/health";

async fn health(proxy: &Proxy) -> (u16, Value) {
    let response = get(&proxy.url(PATH)).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[tokio::test]
async fn health_follows_the_token_and_asks_nobody() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    let (status, unused) = health(&proxy).await;
    assert_eq!((status, &unused["status"], &unused["token"]), (200, &"ready".into(), &"missing".into()));
    assert_eq!(fake.counts().token_calls(), 0);

    assert_eq!(get(&proxy.url("/videos")).await.status(), 200);
    let (status, used) = health(&proxy).await;
    assert_eq!((status, &used["token"], &used["generation"]), (200, &"fresh".into(), &1.into()));
    assert!((3500..=3600).contains(&used["expires_in"].as_u64().unwrap()), "{used}");
    assert_eq!(fake.counts().token_calls(), 1);

    fake.controls().revoke(Revoked::Removed);
    assert_eq!(get(&proxy.url("/videos")).await.status(), 401);
    let (status, refused) = health(&proxy).await;
    assert_eq!((status, &refused["status"]), (503, &"not ready".into()));
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("the token endpoint rejected the credentials"), "{error}");
    assert!(!error.contains(KEY));
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn a_proxy_that_gets_no_token_is_not_ready_until_it_gets_one() {
    let (fake, _served, program) = api_video().await;
    fake.controls().fail(On::Tokens, Times::UntilCleared, Answer::new(StatusCode::BAD_GATEWAY));
    let proxy = Proxy::start(program).await;
    assert_eq!(get(&proxy.url("/videos")).await.status(), 503);
    let (status, failing) = health(&proxy).await;
    assert_eq!((status, &failing["token"]), (503, &"missing".into()));
    assert!(failing["failing_for"].is_u64(), "{failing}");
    fake.controls().clear();
    let recovered = async {
        while get(&proxy.url("/videos")).await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    soon(recovered).await;
    let (status, recovered) = health(&proxy).await;
    assert_eq!((status, &recovered["error"], &recovered["failing_for"]), (200, &Value::Null, &Value::Null));
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn its_path_is_one_that_can_be_chosen_and_all_others_are_the_vendors() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program.args("--health-path /ok")).await;
    for (path, is_health) in
        [("/ok", true), ("/ok?x", true), ("/ok/", false), ("//ok", false), (PATH, false), ("/%6fk", false)]
    {
        let body = get(&proxy.url(path)).await.into_body();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body.get("token").is_some(), is_health, "{path}: {body}");
        assert_eq!(body.get("target").is_some(), !is_health, "{path}: {body}");
    }
    assert_eq!(fake.counts().api_calls, 4);
    let answer = raw(&proxy.address, "POST /ok HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(status(&answer), 405);
    assert!(answer.contains("allow: GET, HEAD\r\n"), "{answer}");
    let answer = raw(&proxy.address, "GET /ok HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(status(&answer), 403);
    let log = proxy.stop().await;
    assert!(log.contains("reauth proxy: /ok is answered here and never goes to the vendor"), "{log}");
    for wrong in ["ok", "/ok?x", "http://a/ok"] {
        let ended = before("https://api.videsk.io").args("--health-path").arg(wrong).run().await;
        ended.assert_status(2).assert_says("write a path that begins with /");
    }
}
