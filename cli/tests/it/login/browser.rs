//! In a browser on this machine.

use super::*;
use crate::support::client::status;

const BY_URL: &str = "authorization-url = \"ORIGIN/auth?x=y\"";

#[tokio::test]
async fn the_answer_to_this_login_is_taken_and_remembered() {
    let world = World::new("login-code", BY_URL, &[tokens("a1", "r1")]).await;
    let waiting = Waiting::start(world.program("login me --no-browser")).await;
    assert!(
        waiting
            .url
            .starts_with(&format!("{}/auth?x=y&response_type=code&client_id=app&", world.server.origin))
    );
    assert_eq!((&*waiting.param("scope"), &*waiting.param("code_challenge_method")), ("a b", "S256"));
    assert_eq!(waiting.param("state").len(), 43);
    assert!(waiting.address().starts_with("127.0.0.1:"), "{}", waiting.address());

    // Whatever else comes ends nothing.
    for query in ["code=x", "code=x&state=y", "code=x&code=y&state=STATE", "state=STATE", "error=e&state=y"] {
        assert_eq!(status(&waiting.back(query).await), 400, "{query}");
    }
    let address = waiting.address();
    let request = format!("/callback?code=x&state={}", waiting.param("state"));
    for (head, expected) in [
        (format!("GET {request} HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 404),
        (format!("GET /x{request} HTTP/1.1\r\nHost: HOST\r\n\r\n"), 404),
        (format!("POST {request} HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n"), 405),
    ] {
        assert_eq!(status(&raw(&address, &head).await), expected, "{head}");
    }
    assert_eq!(world.server.seen().len(), 0);

    let page = waiting.back("code=the-c0de&state=STATE").await.to_ascii_lowercase();
    assert_eq!(status(&page), 200);
    for header in [
        "referrer-policy: no-referrer\r\n",
        "cache-control: no-store\r\n",
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff\r\n",
    ] {
        assert!(page.contains(header), "{header} {page}");
    }
    assert!(!page.contains("the-c0de"), "{page}");
    let (code_challenge, redirect_uri) = (waiting.param("code_challenge"), waiting.param("redirect_uri"));
    let (ended, said) = waiting.ended().await;
    assert_eq!(ended, Some(0), "{said}");
    assert!(said.contains("you are logged in as me") && !said.contains("the-c0de"), "{said}");

    let seen = world.server.seen();
    let [request] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(field(request, "grant_type"), "authorization_code");
    assert_eq!(
        (field(request, "code"), field(request, "redirect_uri")),
        ("the-c0de".to_owned(), redirect_uri)
    );
    assert_eq!(
        (field(request, "client_id"), challenge(&field(request, "code_verifier"))),
        ("app".to_owned(), code_challenge)
    );

    // It is there for every other subcommand.
    let ended = world.run("token me").await;
    ended.assert_status(0);
    assert_eq!((&*ended.stdout, world.server.seen().len()), ("a1\n", 1));
    assert_eq!(world.state().await, "logged-in");
}

#[tokio::test]
async fn what_came_of_a_login_is_what_the_next_token_is_asked_for_with() {
    let answer = |number: u32| {
        let rest = r#""token_type":"Bearer","expires_in":5"#;
        ok(&format!(r#"{{"access_token":"a{number}","refresh_token":"r{number}",{rest}}}"#))
    };
    let world = World::new("login-renews", BY_URL, &[answer(1), answer(2), answer(3)]).await;
    let waiting = Waiting::start(world.program("login me --no-browser")).await;
    waiting.back("code=c&state=STATE").await;
    assert_eq!(waiting.ended().await.0, Some(0));
    for (token, spent) in [("a2\n", "r1"), ("a3\n", "r2")] {
        tokio::time::sleep(std::time::Duration::from_millis(3200)).await;
        let ended = world.run("token me --min-ttl 2").await;
        assert_eq!(ended.stdout, token, "{ended:?}");
        assert_eq!(field(world.server.seen().last().unwrap(), "refresh_token"), spent);
    }
    assert_eq!(world.server.seen().len(), 3);
}

#[tokio::test]
async fn a_browser_is_opened_with_the_address() {
    let world = World::new("login-opens", BY_URL, &[tokens("a1", "r1")]).await;
    let opened = Temporary::new("login-opened", "");
    let script = Temporary::new(
        "login-browser",
        &format!("#!/bin/sh\nprintf %s \"$1\" > {}\n", opened.path().display()),
    );
    std::fs::set_permissions(script.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let waiting = Waiting::start(world.program("login me").variable("BROWSER", script.path())).await;
    crate::support::until("a browser", || std::fs::read_to_string(opened.path()).unwrap() == waiting.url)
        .await;
    waiting.back("code=c&state=STATE").await;
    assert_eq!(waiting.ended().await.0, Some(0));
    // Without one, the address is printed all the same.
    let waiting = Waiting::start(world.program("login me").variable("BROWSER", "/nowhere")).await;
    assert!(waiting.said.contains("to log in, go to"), "{}", waiting.said);
}

#[tokio::test]
async fn a_refusal_is_shown_and_nothing_of_it_is_taken_for_something_else() {
    let world = World::new("login-denied", BY_URL, &[tokens("a1", "r1")]).await;
    let waiting = Waiting::start(world.program("login me --no-browser")).await;
    let page = waiting.back("error=access_denied&error_description=%3Cscript%3E%1B%5B0m&state=STATE").await;
    assert!(
        page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains('\u{1b}'),
        "{page}"
    );
    let (ended, said) = waiting.ended().await;
    assert_eq!(ended, Some(3), "{said}");
    assert!(said.contains("the server says access_denied: <script> ") && !said.contains('\u{1b}'), "{said}");
    assert_eq!((world.server.seen().len(), &*world.state().await), (0, "logged-out"));
}

#[tokio::test]
async fn an_answer_of_another_server_is_refused() {
    let metadata = |iss: &str| {
        ok(&format!(
            r#"{{"issuer":"ORIGIN","token_endpoint":"ORIGIN/t","authorization_endpoint":"ORIGIN/a"{iss}}}"#
        ))
    };
    let says = r#","authorization_response_iss_parameter_supported":true"#;
    for (name, says, query, expected) in [
        ("login-iss-1", says, "code=c&state=STATE&iss=https%3A%2F%2Fother.example", Some(3)),
        ("login-iss-2", says, "code=c&state=STATE", Some(3)),
        ("login-iss-3", "", "code=c&state=STATE&iss=https%3A%2F%2Fother.example", Some(3)),
        ("login-iss-4", says, "code=c&state=STATE&iss=ISSUER", Some(0)),
        ("login-iss-5", "", "code=c&state=STATE", Some(0)),
    ] {
        // The length is that of what the server makes of it.
        let answer = metadata(says);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = body.len() + 3 * ("http://127.0.0.1:".len() + 5 - "ORIGIN".len());
        let head = head.rsplit_once(": ").unwrap().0;
        let answer = format!("{head}: {length}\r\n\r\n{body}");
        let world = World::new(name, "issuer = \"ORIGIN\"", &[answer, tokens("a1", "r1")]).await;
        let waiting = Waiting::start(world.program("login me --no-browser")).await;
        waiting.back(&query.replace("ISSUER", &world.server.origin)).await;
        let (ended, said) = waiting.ended().await;
        assert_eq!(ended, expected, "{name} {said}");
        let asked = if expected == Some(0) { 2 } else { 1 };
        assert_eq!(world.server.seen().len(), asked, "{name} {said}");
        assert_eq!(said.contains("another authorization server's"), expected != Some(0), "{said}");
    }
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever_nor_sent_over_plain_http() {
    let world = World::new("login-slow", BY_URL, &[tokens("a1", "r1")]).await;
    let ended = world.run("login me --no-browser --timeout 0.3").await;
    ended.assert_status(7).assert_says("nobody has logged in in time");
    world.run("login me --timeout 301").await.assert_status(2).assert_says("at most 300");
    let plain =
        World::new("login-plain", "authorization-url = \"http://login.example.invalid/\"", &[ok("{}")]).await;
    plain.run("login me --no-browser").await.assert_status(3).assert_says("isn't https");
    let none = World::new("login-nowhere", "by = \"browser\"", &[ok("{}")]).await;
    none.run("login me --no-browser").await.assert_status(3).assert_says("give login.authorization-url");
    let astray = World::new("login-astray", "issuer = \"http://127.0.0.1:1\"", &[]).await;
    let ended = astray.run("login me --no-browser").await;
    ended.assert_status(3).assert_says("what http://127.0.0.1:1 says of itself can't be had: ");
    assert_eq!(world.server.seen().len() + plain.server.seen().len() + none.server.seen().len(), 0);
}

#[tokio::test]
async fn a_code_that_is_refused_logs_nobody_in_and_leaves_who_was_there() {
    let world = World::new("login-spent", BY_URL, &[tokens("a1", "r1"), error("invalid_grant")]).await;
    for (expected, words) in [
        (Some(0), "you are logged in as me"),
        (
            Some(3),
            "the server doesn't take the code, which may be too old; log in again: the token endpoint of me refused",
        ),
    ] {
        let waiting = Waiting::start(world.program("login me --no-browser")).await;
        waiting.back("code=c&state=STATE").await;
        let (status, said) = waiting.ended().await;
        assert_eq!(status, expected, "{said}");
        assert!(said.contains(words), "{said}");
    }
    assert_eq!((world.server.seen().len(), &*world.state().await), (2, "logged-in"));
    assert_eq!(world.run("token me").await.stdout, "a1\n");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_no_other_address_is_taken_instead() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let login = format!("authorization-url = \"ORIGIN/auth\", port = {port}");
    let world = World::new("login-taken", &login, &[]).await;
    let ended = world.run("login me --no-browser --timeout 1").await;
    ended.assert_status(1).assert_says(&format!("port {port}, which login.port says"));
    assert!(!ended.stderr.contains("go to"), "nobody is sent away: {ended:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_for_ever() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", silent.local_addr().unwrap());
    let world = World::new("login-silent", "authorization-url = \"ORIGIN/auth\"", &[]).await;
    let content = std::fs::read_to_string(world.file.path()).unwrap();
    let content = content.replace("token-url = \"", &format!("token-url = \"{origin}/token\" # "));
    std::fs::write(world.file.path(), content).unwrap();
    let waiting = Waiting::start(world.program("login me --no-browser")).await;
    waiting.back("code=c0de&state=STATE").await;
    let (status, said) = waiting.ended().await;
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("nobody is logged in: there was no answer within 10 s"), "{said}");
    assert!(!said.contains("c0de"), "{said}");
    assert_eq!(world.state().await, "logged-out");
}
