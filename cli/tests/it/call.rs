//! `call`: each vendor, each exit status, and what goes in and out.

mod bodies;
mod progress;
mod secrets;
mod usage;

use http::StatusCode;
use tower_reauth::testing::{
    Answer, ApiVideoError, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Fault, On, Revoked, Served,
    Times,
};

use crate::support::{
    process::{Program, send_signal},
    server::{Manner, Raw},
    soon,
};

const KEY: &str = "a-key-that-nobody-may-see";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// api.video's fake, and a call of it that lacks method and path.
async fn api_video() -> (FakeApiVideo, Served, Program) {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let program = Program::call().args("--vendor api-video --sandbox --key env:KEY").secret("KEY", KEY);
    let program = program.arg("--base-url").arg(served.origin());
    (fake, served, program)
}

/// A call, with a key that needs no exchange, that lacks method and path.
fn at(origin: &str) -> Program {
    Program::call().args("--vendor videsk --key env:KEY --base-url").arg(origin).secret("KEY", KEY)
}

#[tokio::test]
async fn a_call_gets_its_token_and_prints_the_answer_and_nothing_else() {
    let (fake, _served, program) = api_video().await;
    let ended = program.args("GET /videos?title=a%20b").run().await;
    ended.assert_status(0);
    assert_eq!(ended.stdout, r#"{"body":"","bodyLength":0,"method":"GET","target":"/videos?title=a%20b"}"#);
    assert_eq!(ended.stderr, "");
    assert_eq!((fake.counts().token_calls(), fake.counts().api_accepted), (1, 1));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn every_vendor_is_called_with_what_it_needs() {
    let user = "john.doe@example.com";
    let (videsk, vervoe) = (FakeVidesk::new(), FakeVervoe::new("the-key", KEY));
    let (by_password, by_secret) = (FakeVidizmo::password(user, KEY), FakeVidizmo::client_secret(user, KEY));
    let vidizmo = "--vendor vidizmo --domain portal.example.com --email john.doe@example.com";
    for (args, request, served, controls, token_calls) in [
        (
            "--vendor videsk --key env:VIDESK_KEY".to_owned(),
            "GET /public/video-contact-center/segments",
            videsk.serve().await.unwrap(),
            videsk.controls(),
            0,
        ),
        (
            "--vendor videsk --exports --key env:VIDESK_KEY --data {}".to_owned(),
            "POST /reports/exports/calls",
            videsk.serve().await.unwrap(),
            videsk.controls(),
            0,
        ),
        (
            format!("{vidizmo} --password env:KEY"),
            "GET /api/v1/user/a%40b.c?userPartsToFetch=BasicInfo",
            by_password.serve().await.unwrap(),
            by_password.controls(),
            1,
        ),
        (
            format!("{vidizmo} --client-secret env:KEY"),
            "GET /api/v1/user/a%40b.c?userPartsToFetch=BasicInfo",
            by_secret.serve().await.unwrap(),
            by_secret.controls(),
            1,
        ),
        (
            "--vendor vervoe --key env:VERVOE_KEY --secret env:KEY".to_owned(),
            "GET /jobs",
            vervoe.serve().await.unwrap(),
            vervoe.controls(),
            1,
        ),
    ] {
        controls.reset_counts();
        let program = Program::call().args(&args).arg("--base-url").arg(served.origin()).args(request);
        let program = program.secret("KEY", KEY).secret("VERVOE_KEY", "the-key");
        program.secret("VIDESK_KEY", &videsk.key()).run().await.assert_status(0);
        let counts = controls.counts();
        assert_eq!((counts.token_calls(), counts.api_accepted), (token_calls, 1), "{args}");
        controls.assert_no_refusals();
    }
}

#[tokio::test]
async fn any_api_with_oauth_2_client_credentials_is_called() {
    let token = r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":60}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{token}",
        token.len()
    );
    let (server, api) = (Raw::start(&[&answer]).await, Raw::start(&[EMPTY]).await);
    let program =
        Program::call().args("--vendor oauth2 --client-id me --client-secret env:KEY --scope a.read");
    let program = program.arg("--token-url").arg(format!("{}/token", server.origin)).secret("KEY", KEY);
    program.arg("--base-url").arg(&api.origin).args("GET /things").run().await.assert_status(0);
    let asked = &server.seen()[0];
    assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("grant_type=client_credentials") && asked.contains("scope=a.read"), "{asked}");
    assert!(api.seen()[0].contains("authorization: Bearer an-access-token\r\n"), "{:?}", api.seen());
}

#[tokio::test]
async fn a_token_that_has_expired_is_replaced_and_the_request_sent_again() {
    let (fake, _served, program) = api_video().await;
    fake.controls().fail(On::Api, Times::Next(1), ApiVideoError::AccessTokenInvalidOrExpired);
    let ended = program.args("-v POST /videos --data").arg(r#"{"title":"a"}"#).run().await;
    ended.assert_status(0).assert_says("* verdict: accepted, replayed: yes\n");
    ended.assert_says("* token: generation 2, for another ");
    ended.assert_says("< HTTP/1.1 200 OK\n");
    assert!(ended.stdout.contains(r#""body":"{\"title\":\"a\"}""#), "{}", ended.stdout);
    let counts = fake.counts();
    assert_eq!((counts.acquires, counts.refreshes, counts.api_calls), (1, 1, 2));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn a_refusal_that_no_new_token_helps_is_printed_and_explained() {
    let fake = FakeVidesk::new();
    let served = fake.serve().await.unwrap();
    let key = fake.key();
    fake.controls().revoke(Revoked::Expired);
    let program = Program::call().args("--vendor videsk --key env:VIDESK_KEY").secret("VIDESK_KEY", &key);
    let ended = program.arg("--base-url").arg(served.origin()).args("-v GET /segments").run().await;
    ended.assert_status(4).assert_says("* verdict: expired, replayed: no\n* reason: jwt expired\n");
    ended.assert_says(
        "reauth call: the token was rejected, and there is no new one: the credential is static",
    );
    assert!(ended.stdout.contains("jwt expired"), "{}", ended.stdout);
    assert_eq!(fake.counts().api_calls, 1);
}

#[tokio::test]
async fn the_exit_status_tells_the_class_of_the_answer() {
    let (fake, _served, _) = api_video().await;
    for (status, expected) in [(200, 0), (204, 0), (302, 0), (400, 4), (404, 4), (500, 5), (503, 5)] {
        let (program, controls) = (api_video_at(&_served), fake.controls());
        controls.fail(
            On::Path("/x".into()),
            Times::Next(1),
            Fault::status(StatusCode::from_u16(status).unwrap()),
        );
        program.args("GET /x").run().await.assert_status(expected);
    }
    assert_eq!(fake.counts().api_planned, 7);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_status_is_3() {
    let (fake, served, program) = api_video().await;
    fake.controls().revoke(Revoked::Removed);
    let ended = program.args("GET /videos").run().await;
    ended
        .assert_status(3)
        .assert_says("reauth call: no token: the token endpoint rejected the credentials; check them");
    fake.controls().fail(On::Tokens, Times::UntilCleared, Answer::new(StatusCode::BAD_GATEWAY));
    let ended = api_video_at(&served).args("GET /videos").run().await;
    ended.assert_status(3).assert_says("reauth call: no token: the token endpoint is unavailable");
    assert_eq!(fake.counts().api_calls, 0);
    assert_eq!(ended.stdout, "");
}

#[tokio::test]
async fn without_an_answer_the_status_is_6() {
    let gone = FakeVidesk::new().serve().await.unwrap();
    let origin = gone.origin().to_owned();
    gone.stop().await;
    let ended = at(&origin).args("GET /x").run().await;
    ended.assert_status(6).assert_says("reauth call: no answer: no connection could be made");
    let closes = Raw::with(Manner::Closes, &["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"]).await;
    let ended = at(&closes.origin).args("GET /x").run().await;
    ended.assert_status(6).assert_says("reauth call: the answer broke off");
    assert_eq!(ended.stdout, "half");
    let switches = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";
    let ended = at(&Raw::start(&[switches]).await.origin).args("-i GET /x").run().await;
    ended.assert_status(6).assert_says("reauth call: no answer: the vendor changed to another protocol");
    assert_eq!(ended.stdout, "");
}

#[tokio::test]
async fn when_nothing_moves_any_more_the_status_is_7() {
    let silent = Raw::start(&[""]).await;
    let ended = at(&silent.origin).args("--timeout 1.5 GET /x").run().await;
    ended.assert_status(7).assert_says("reauth call: nothing moved for 1.5s; see --timeout");
    let stalls = Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"]).await;
    let ended = at(&stalls.origin).args("--timeout 1.5 GET /x").run().await;
    ended.assert_status(7);
    assert_eq!(ended.stdout, "half");
}

#[tokio::test]
async fn a_signal_ends_it_at_once() {
    let silent = Raw::start(&[""]).await;
    let mut child = at(&silent.origin).args("GET /x").start();
    silent.until_seen(1).await;
    // Not INT: a shell has that ignored in what it runs in the background, such as these tests.
    send_signal(child.id().unwrap(), "TERM").await;
    let status = soon(child.wait()).await.unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
    crate::support::until("the end of the connection", || silent.open_connections() == 0).await;
}

fn api_video_at(served: &Served) -> Program {
    let program = Program::call().args("--vendor api-video --key env:KEY").secret("KEY", KEY);
    program.arg("--base-url").arg(served.origin())
}
