//! On another device.

use super::*;

const BY_DEVICE: &str = "by = \"device\", device-url = \"ORIGIN/device\", params = { audience = \"x\" }";

fn code(more: &str) -> String {
    ok(&format!(
        r#"{{"device_code":"the-device-c0de","user_code":"WDJB-MJHT","verification_uri":"https://login.example.invalid/enter","expires_in":60,"interval":1{more}}}"#
    ))
}

#[tokio::test]
async fn a_code_is_shown_and_waited_with_as_the_server_says() {
    let whole = r#","verification_uri_complete":"https://login.example.invalid/enter?c=WDJB-MJHT""#;
    let answers = [code(whole), error("authorization_pending"), error("slow_down"), tokens("a1", "r1")];
    let world = World::new("login-device", BY_DEVICE, &answers).await;
    let since = tokio::time::Instant::now();
    let ended = world.run("login me").await;
    ended
        .assert_status(0)
        .assert_says("https://login.example.invalid/enter\nand enter the code\nWDJB-MJHT\n");
    ended
        .assert_says("https://login.example.invalid/enter?c=WDJB-MJHT\n")
        .assert_says("you are logged in as me");
    assert!(!ended.stderr.contains("the-device-c0de"), "{ended:?}");
    // One second, one more, and then five more than that.
    assert!(since.elapsed().as_secs() >= 8, "{:?}", since.elapsed());
    let seen = world.server.seen();
    let begin = &seen[0];
    assert!(begin.starts_with("POST /device "), "{begin}");
    assert_eq!((field(begin, "client_id"), field(begin, "scope")), ("app".to_owned(), "a b".to_owned()));
    assert_eq!(field(begin, "audience"), "x");
    assert_eq!(seen.len(), 4);
    for poll in &seen[1..] {
        assert_eq!(field(poll, "grant_type"), "urn:ietf:params:oauth:grant-type:device_code");
        assert_eq!(field(poll, "device_code"), "the-device-c0de");
    }
    assert_eq!((&*world.run("token me").await.stdout, &*world.state().await), ("a1\n", "logged-in"));
}

#[tokio::test]
async fn who_says_no_or_nothing_is_not_logged_in() {
    for (name, said, status, words) in [
        ("device-denied", "access_denied", 3, "somebody said no"),
        ("device-expired", "expired_token", 7, "nobody has logged in in time"),
        ("device-client", "invalid_client", 3, "nobody is logged in: "),
    ] {
        let world = World::new(name, BY_DEVICE, &[code(""), error(said)]).await;
        world.run("login me").await.assert_status(status).assert_says(words);
        assert_eq!((world.server.seen().len(), &*world.state().await), (2, "logged-out"));
    }
    // It isn't the person's fault that is told then.
    let broken = json("500 Oops", "{}");
    let world =
        World::new("device-broken", BY_DEVICE, &[code(""), error("authorization_pending"), broken]).await;
    world.run("login me --timeout 3.5").await.assert_status(3).assert_says("isn't working: POST ");
    assert_eq!(world.server.seen().len(), 3);
    let world = World::new("device-slow", BY_DEVICE, &[code(""), error("authorization_pending")]).await;
    world.run("login me --timeout 2.5").await.assert_status(7);
    assert_eq!(world.server.seen().len(), 3);
}

#[tokio::test]
async fn nobody_is_sent_to_a_plain_or_an_odd_address() {
    for (name, from, to) in [
        ("device-http", "https://login.example.invalid/enter", "http://login.example.invalid/enter"),
        ("device-odd", "https://login.example.invalid/enter", "javascript:alert(1)"),
    ] {
        let answer = ok(&code("").split_once("\r\n\r\n").unwrap().1.replace(from, to));
        let world = World::new(name, BY_DEVICE, &[answer]).await;
        world.run("login me").await.assert_status(3).assert_says("the verification url");
        assert_eq!(world.server.seen().len(), 1);
    }
    let bell = ok(&code("").split_once("\r\n\r\n").unwrap().1.replace("WDJB-MJHT", "W\\u001b[2J\\u0007"));
    let world = World::new("device-bell", BY_DEVICE, &[bell, error("access_denied")]).await;
    let ended = world.run("login me").await;
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stderr.contains('\u{7}'), "{ended:?}");
}
