//! `--config`: vendors that a file declares, with both programs.

use tower_reauth::testing::{FakeApiVideo, FakeVervoe, Revoked};

use crate::support::{
    client::{get, raw},
    process::{Ended, Program, Proxy, assert_none_shown},
    server::Raw,
    temporary::Temporary,
};

const KEY: &str = "a-key-that-nobody-may-see";

/// The content of a file beside the declarations, to which they refer.
fn secret(name: &str) -> String {
    let path = format!("{}/../tests/declared/secrets/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn a_declared_vendor_is_called_like_a_built_in_one() {
    let fake = FakeVervoe::new(secret("vervoe-key"), secret("vervoe-secret"));
    let served = fake.serve().await.unwrap();
    let program = Program::call().args("--config tests/declared/vervoe.toml --base-url").arg(served.origin());
    program.args("GET /jobs").run().await.assert_status(0);
    let counts = fake.counts();
    assert_eq!((counts.acquires, counts.api_accepted), (1, 1));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn a_declared_vendors_tokens_are_renewed_by_the_proxy() {
    let fake = FakeApiVideo::new(secret("api-video-key"));
    let served = fake.serve().await.unwrap();
    let program =
        Program::proxy().args("--config tests/declared/api-video.toml --base-url").arg(served.origin());
    let proxy = Proxy::start(program).await;
    assert_eq!(get(&proxy.url("/videos")).await.status(), 200);
    fake.controls().revoke(Revoked::Expired);
    assert_eq!(get(&proxy.url("/videos")).await.status(), 200);
    let counts = fake.counts();
    assert_eq!((counts.acquires, counts.refreshes, counts.api_calls), (1, 1, 3));
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn a_token_in_a_cookie_goes_behind_the_clients_where_these_go_on() {
    for (flag, cookies) in [("", "session="), ("--forward-cookies", "a=b; session=")] {
        let server = Raw::start(&["HTTP/1.1 204 \r\n\r\n"]).await;
        let content = format!(
            "name = \"A\"\nbase_url = \"{}\"\nkey = \"env:KEY\"\nplacement = {{ cookie = \"session\" }}\n",
            server.origin
        );
        let file = Temporary::new("placed.toml", &content);
        let program = Program::proxy().arg("--config").arg(file.path()).args(flag).secret("KEY", KEY);
        let proxy = Proxy::start(program).await;
        let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\nCookie: a=b\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        let seen = server.seen().pop().unwrap();
        assert!(seen.contains(&format!("\r\ncookie: {cookies}{KEY}\r\n")), "{seen}");
        proxy.stop().await;
    }
}

async fn with_config(name: &str, content: &str, args: &str) -> Ended {
    let file = Temporary::new(name, content);
    let program = Program::call().arg("--config").arg(file.path()).args(args).secret("KEY", KEY);
    program.args("GET /x").run().await
}

#[tokio::test]
async fn a_declaration_that_makes_no_sense_is_refused_without_showing_what_is_in_it() {
    let good = "name = \"A\"\nbase_url = \"https://a.example\"\n";
    for (number, (content, args, says)) in [
        (format!("{good}key = \"env:KEY\"\nkee = 1\n"), "", "kee"),
        (format!("{good}key = \"env:NOT_SET\"\n"), "", "NOT_SET"),
        (format!("{good}key = \"{KEY}\"\n"), "", "key"),
        (format!("{good}key = {KEY}\n"), "", ", line 3: "),
        (format!("{good}key = \"{KEY}\n"), "", ", line 3: "),
        (format!("{good}key = \"env:KEY\"\n"), "--key env:KEY", "--key means nothing to A"),
        (format!("{good}key = \"env:KEY\"\n"), "--base-url http://a.example", "plain text; use https"),
        (format!("{good}key = \"env:KEY\"\n"), "--vendor videsk", "cannot be used with"),
    ]
    .into_iter()
    .enumerate()
    {
        let ended = with_config(&format!("declaration-{number}.toml"), &content, args).await;
        ended.assert_status(2).assert_says(says);
        assert_none_shown([KEY], &ended.stderr);
    }
    let ended = Program::call().args("--config /not/there.toml GET /x").run().await;
    ended.assert_status(2).assert_says("--config: /not/there.toml can't be read");
}

#[tokio::test]
async fn a_whole_url_may_be_at_another_host_that_the_file_lists_and_nowhere_else() {
    let (api, upload, stranger) = (
        Raw::start(&["HTTP/1.1 204 \r\n\r\n"]).await,
        Raw::start(&["HTTP/1.1 204 \r\n\r\n"; 2]).await,
        Raw::start(&[]).await,
    );
    let content = format!(
        "name = \"A\"\nbase_url = \"{}\"\nother_origins = \"{}\"\nkey = \"env:KEY\"\n",
        api.origin, upload.origin
    );
    let file = Temporary::new("several.toml", &content);
    let call = |target: &str| {
        let program = Program::call().arg("--config").arg(file.path()).args("GET").arg(target);
        program.secret("KEY", KEY).run()
    };
    call(&format!("{}/up?x=%2F", upload.origin)).await.assert_status(0);
    call("/x").await.assert_status(0);
    for elsewhere in [
        format!("{}/x", stranger.origin),
        format!("{}/x", upload.origin.replace("127.0.0.1", "localhost")),
        format!("{}/x", upload.origin.replace("http:", "https:")),
        upload.origin.replace("http://", "http://user@"),
    ] {
        let ended = call(&elsewhere).await;
        ended.assert_status(2).assert_says("the token is for no other origin");
    }
    assert_eq!((api.seen().len(), upload.seen().len(), stranger.seen().len()), (1, 1, 0));
    let seen = &upload.seen()[0];
    assert!(
        seen.starts_with("GET /up?x=%2F ") && seen.contains(&format!("\r\nauthorization: Bearer {KEY}\r\n")),
        "{seen}"
    );
}
