//! What is wrong with a command line, and what to do about it. All of it is status 2, before anything is sent.

use super::*;

/// The command lines, and what is said of them. `KEY` is set.
async fn assert_refused(cases: &[(&str, &str)]) {
    for (args, says) in cases {
        let ended = Program::call().args(args).secret("KEY", KEY).run().await;
        ended.assert_status(2).assert_says(says);
        assert_eq!(ended.stdout, "", "{args}");
    }
}

#[tokio::test]
async fn what_a_vendor_needs_and_does_not_know_is_said() {
    assert_refused(&[
        ("GET /x", "--vendor"),
        ("--vendor nobody GET /x", "possible values: api-video, videsk, vidizmo, vervoe, oauth2"),
        ("--vendor api-video GET /x", "api.video needs --key"),
        ("--vendor vervoe --key env:KEY GET /x", "Vervoe needs --secret"),
        ("--vendor vidizmo --email a@b.c GET /x", "VIDIZMO needs --domain"),
        (
            "--vendor vidizmo --domain d.example --email a@b.c GET /x",
            "needs either --password or --client-secret",
        ),
        ("--vendor oauth2 --base-url https://a.example GET /x", "needs --token-url"),
        ("--vendor videsk --key env:KEY --sandbox GET /x", "--sandbox means nothing to Videsk"),
        ("--vendor api-video --key env:KEY --email a@b.c GET /x", "--email means nothing to api.video"),
    ])
    .await;
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused_before_the_call() {
    assert_refused(&[
        ("--vendor videsk --key env:KEY --base-url http://api.example GET /x", "plain text; use https"),
        ("--vendor videsk --key env:KEY --base-url nonsense GET /x", "not an origin"),
        ("--vendor videsk --key env:KEY --timeout 0 GET /x", "give seconds, as a number above 0"),
        ("--vendor videsk --key env:KEY get /x", "methods are in capitals: GET"),
        ("--vendor videsk --key env:KEY Delete /x", "methods are in capitals: DELETE"),
        ("--vendor videsk --key env:KEY CONNECT /x", "a tunnel isn't a call"),
        ("--vendor videsk --key env:KEY TRACE /x", "the answer would show the token"),
        ("--vendor videsk --key env:KEY GET /x -H nonsense", "write Name: value"),
        ("--vendor videsk --key env:KEY GET /x -H authorization:x", "is where the token goes; leave it out"),
        ("--vendor videsk --exports --key env:KEY GET /x -H X-API-Token:x", "is where the token goes"),
    ])
    .await;
}

#[tokio::test]
async fn only_the_vendors_own_origin_is_called() {
    assert_refused(&[
        ("--vendor videsk --key env:KEY GET https://evil.example/x", "the token is for no other origin"),
        ("--vendor videsk --key env:KEY GET http://api.videsk.io/x", "a URL at https://api.videsk.io;"),
        ("--vendor videsk --key env:KEY GET https://u:p@api.videsk.io/x", "the token is for no other origin"),
        ("--vendor videsk --key env:KEY GET segments", "write a path that begins with /"),
        ("--vendor videsk --key env:KEY GET /a{b}\u{7f}", "percent-encode what a URL can't have"),
        (
            "--vendor videsk --key env:KEY GET https://api.videsk.io/a<b",
            "percent-encode what a URL can't have",
        ),
        ("--vendor videsk --key env:KEY GET https://evil.example/a<b", "the token is for no other origin"),
    ])
    .await;
    let (fake, served, _) = api_video().await;
    for (target, path) in [
        (served.url("/a/../b//c?d=%41"), "/a/../b//c?d=%41"),
        (format!("{}#e", served.url("/videos")), "/videos"),
        (served.origin().to_owned(), "/"),
        ("//evil.example/x".to_owned(), "//evil.example/x"),
    ] {
        api_video_at(&served).arg("GET").arg(target).run().await.assert_status(0);
        assert_eq!(fake.requests().last().unwrap().target(), path);
    }
    fake.assert_no_refusals();
}

#[tokio::test]
async fn the_help_is_a_manual() {
    let ended = Program::call().arg("--help").run().await;
    ended.assert_status(0);
    for word in ["Exit status:", "env:NAME", "--vendor", "--base-url", "--timeout", "[default: 60]"] {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
}
