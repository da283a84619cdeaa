//! `reauth check`: what is said of a declaration, and of answers that were recorded.

use crate::support::{
    process::{Ended, Program, assert_none_shown},
    temporary::Temporary,
};

const ACME: &str = r#"name = "Acme"
base_url = "https://{tenant}.acme.example"
renewal = "revokes-previous"
reason = "/message"

[acquire]
request = "POST https://login.acme.example/token"
form = { grant_type = "text:password", key = "env:NOT_SET", password = "input:password" }

[refresh]
request = "POST https://login.acme.example/token"
form = { grant_type = "text:refresh_token", refresh_token = "token:refresh" }

[answer]
refusal = { "/code" = 17 }
messages = "/message"

[[rules]]
verdict = "denied"
status = 401
when = { json = "/code", is = "locked" }

[[rules]]
verdict = "expired"
status = 401
when = { json = "/code", is = "expired" }
head_requests_by_status = true
"#;

const TOKEN: &str = "a-token-that-nobody-may-see";

fn file(name: &str, content: &str) -> Temporary {
    Temporary::new(&format!("check-{name}"), content)
}

async fn check(name: &str, option: &str, answer: &str) -> Ended {
    let (declared, answer) = (file(&format!("{name}.toml"), ACME), file(&format!("{name}.txt"), answer));
    let program = Program::bare().args("check").arg(declared.path()).arg(option).arg(answer.path());
    program.run_showing_all().await
}

#[tokio::test]
async fn a_file_is_checked_and_said_in_words_without_any_secret() {
    let declared = file("alone.toml", ACME);
    let ended = Program::bare().args("check").arg(declared.path()).run().await;
    ended.assert_status(0);
    for line in [
        "Acme\n",
        "  tokens go to https://{tenant}.acme.example alone, as Authorization: Bearer TOKEN\n",
        "  a token comes from POST https://login.acme.example/token (grant_type password)\n",
        "  it lives for as long as its answer says at /expires_in\n",
        "  it is renewed by POST https://login.acme.example/token (grant_type refresh_token), which kills the one before it\n",
        "  rules[1]: a token has expired if the status is 401 and /code is \"expired\"\n",
        "  inputs to fill: password, tenant\n",
        "  secrets are read from env:NOT_SET\n",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    let ended = Program::bare().args("check -").input(ACME).run().await;
    ended.assert_status(0);
    assert!(ended.stdout.starts_with("Acme\n"), "{}", ended.stdout);
    let ended = Program::bare().args("check --vendor zoom").run().await;
    ended.assert_status(0);
    assert!(
        ended.stdout.contains("inputs to fill: account_id, client_id, client_secret\n"),
        "{}",
        ended.stdout
    );
}

#[tokio::test]
async fn each_answer_of_the_token_endpoint_is_judged() {
    let good = format!(
        "HTTP/1.1 200 OK\r\n\r\n{{\"access_token\":\"{TOKEN}\",\"expires_in\":3600,\"refresh_token\":\"{TOKEN}\"}}"
    );
    for (number, (option, answer, status, says)) in [
        ("--token", &*good, 0, "a token, used until it is 3600 s old, and renewed before that, in its last 300 s at the earliest; there is a refresh token with it"),
        ("--token", "HTTP/2 200\n\n{\"access_token\":\"t\"}", 0, "used until it is rejected"),
        ("--token", "HTTP/1.1 200 OK\n\n{\"code\":17,\"message\":\"no such key\"}", 0, "refused: the secrets are wrong\n    the token endpoint of Acme refused POST https://login.acme.example/token: \"no such key\""),
        ("--token", "HTTP/1.1 401 x\n\n", 0, "it is asked once; then calls fail at once for 30 s, longer after each further refusal"),
        ("--token", "HTTP/1.1 429 x\nRetry-After: 7\n\n", 0, "waited for: the token endpoint asks to be left alone"),
        ("--token", "HTTP/1.1 500 x\n\n", 0, "it is asked 3 times in a row; the next call asks again"),
        ("--token", "HTTP/1.1 404 x\n\n", 0, "it isn't the secrets"),
        ("--token", "HTTP/1.1 400 x\n\n{\"code\":18}", 1, "refused, in words that the file doesn't declare"),
        ("--token", "HTTP/1.1 200 x\n\n{\"token\":\"t\"}", 1, "sent an answer without a token"),
        ("--refresh", &good, 0, "the token endpoint answers a refresh with 200\n  refreshed: a new token, used until it is 3600 s old"),
        ("--refresh", "HTTP/1.1 400 x\n\n{\"error\":\"invalid_grant\"}", 0, "the refresh brings nothing, and a new token is acquired at once"),
        ("--refresh", "HTTP/1.1 429 x\nRetry-After: 7\n\n", 0, "waited for"),
    ]
    .into_iter()
    .enumerate()
    {
        let ended = check(&format!("token-{number}"), option, answer).await;
        ended.assert_status(status);
        assert!(ended.stdout.contains(says), "{answer:?}: {says}: {}", ended.stdout);
        assert_none_shown([TOKEN], &ended.stdout);
    }
}

#[tokio::test]
async fn each_answer_of_the_api_is_met_by_the_layer() {
    let long = format!("HTTP/1.1 401 x\n\n{{\"code\":\"expired\",\"x\":\"{}\"}}", "x".repeat(20_000));
    for (number, (option, answer, status, says)) in [
        ("--api", "HTTP/1.1 200 OK\n\n{\"code\":\"expired\"}", 0, "the API answers 200\n  passed on as it is, and the token counts as good\n"),
        ("--api", "HTTP/1.1 401 x\n\n{\"code\":\"expired\",\"message\":\"too old\"}", 0, "expired (\"too old\"): the token is refreshed, and the request is replayed with it\n    by rules[1]: a token has expired if the status is 401 and /code is \"expired\"\n"),
        ("--api", "HTTP/1.1 401 x\n\n{\"code\":\"locked\"}", 0, "denied: passed on, since no new token would help\n    by rules[0]: no new token would help if the status is 401 and /code is \"locked\"\n"),
        ("--api", "HTTP/1.1 401 x\n\n{}", 0, "no rule knows it"),
        ("--api", "HTTP/1.1 401 x\nContent-Encoding: gzip\n\n{}", 1, "a rule wants to see the body, which can't be read: it has a content coding; put decompression beneath the layer, and if `curl --compressed` has recorded it, take the header Content-Encoding out"),
        ("--api", &long, 1, "a rule wants to see the body, which can't be read: it is longer than what is looked at, 16 KiB"),
        ("--head", "HTTP/1.1 401 x\n\n", 0, "the API answers a HEAD with 401\n  expired: the token is refreshed, and the request is replayed with it\n    by rules[1]: "),
        ("--api", "HTTP/1.1 401 x\n\n", 0, "no rule knows it"),
    ]
    .into_iter()
    .enumerate()
    {
        let ended = check(&format!("api-{number}"), option, answer).await;
        ended.assert_status(status);
        assert!(ended.stdout.contains(says), "{answer:.200}: {says}: {}", ended.stdout);
    }
    let key = file(
        "key.toml",
        "name = 'A'\nbase_url = 'https://a.example'\nkey = 'env:NOT_SET'\nrules = [{ verdict = 'invalid', status = 401 }]\n",
    );
    let ended = Program::bare().args("check --api -").arg(key.path()).input("HTTP/1.1 401 x\n\n").run().await;
    ended.assert_status(0);
    assert!(ended.stdout.contains("dead: passed on, since a key can't be renewed"), "{}", ended.stdout);
    let ended =
        Program::bare().args("check --token -").arg(key.path()).input("HTTP/1.1 200 x\n\n{}").run().await;
    ended.assert_status(0);
    assert!(ended.stdout.contains("A takes a key as it is, and has no token endpoint"), "{}", ended.stdout);
    let ended =
        Program::bare().args("check --vendor zoom --refresh -").input("HTTP/1.1 200 x\n\n{}").run().await;
    ended.assert_status(1);
    assert!(ended.stdout.contains("it declares no refresh"), "{}", ended.stdout);
}

#[tokio::test]
async fn the_catalogues_recordings_are_what_they_say() {
    for name in ["zoom", "slack", "fitbit", "tableau", "videsk", "adobe-campaign", "vidizmo"] {
        let recording = format!("--recording tests/catalogue/recordings/{name}.toml");
        let ended = Program::bare().args("check --vendor").arg(name).args(&recording).run().await;
        ended.assert_status(0);
        // The same as a file, with what it says of itself.
        let file =
            Program::bare().args("check").arg(format!("catalogue/{name}.toml")).args(&recording).run().await;
        file.assert_status(0);
        assert_eq!(file.stdout, ended.stdout);
        assert!(ended.stdout.contains("expired[0]: the API answers "), "{name}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn an_answer_that_is_something_else_than_its_recording_says_is_told() {
    let recording = file(
        "other.toml",
        "[[expired]]\nstatus = 401\nbody = '{\"code\":200,\"message\":\"no\"}'\n\n[refused]\nstatus = 500\n\n[[passed]]\nstatus = 404\n",
    );
    let program = Program::bare().args("check --vendor zoom --recording").arg(recording.path());
    let ended = program.run().await;
    ended.assert_status(1);
    for says in [
        "expired[0]: the API answers 401\n  passed on as it is, and the token counts as good; no rule knows it, so that a 401 with \
         these words replaces no token\n  but it is said to be about an expired token\n",
        "  but it is said to refuse the secrets\n",
        "passed[0]: the API answers 404\n  passed on as it is, and the token counts as good\n",
    ] {
        assert!(ended.stdout.contains(says), "{says}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_with_file_key_and_line_and_without_what_may_be_a_secret() {
    let good = "HTTP/1.1 200 OK\n\n{}";
    for (number, (declared, answer, says)) in [
        (
            ACME.replace("status = 401\nwhen = { json = \"/code\", is = \"expired\" }", "status = 4010"),
            good,
            ", line 25: rules[1].status: 4010 is no http status",
        ),
        (
            ACME.replace("\"env:NOT_SET\"", "\"hunter2\""),
            good,
            ", line 8: acquire.form.key: secrets don't belong into this file",
        ),
        (ACME.replace("renewal", "renewall"), good, ", line 3: renewall: there is no such key here"),
        (ACME.replace("name = \"Acme\"", "name = Acme"), good, ", line 1: "),
        (
            ACME.to_owned(),
            "{\"code\":17}",
            ".txt, line 1: expected a status line, such as HTTP/1.1 401 Unauthorized",
        ),
        (ACME.to_owned(), "HTTP/1.1 200 OK\nhunter2\n", ".txt, line 2: expected a header"),
    ]
    .into_iter()
    .enumerate()
    {
        let (declared, answer) =
            (file(&format!("wrong-{number}.toml"), &declared), file(&format!("wrong-{number}.txt"), answer));
        let program = Program::bare().args("check").arg(declared.path()).args("--token").arg(answer.path());
        let ended = program.run().await;
        ended.assert_status(2).assert_says(says);
        assert_none_shown(["hunter2"], &ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    let expired =
        "[[expired]]\nstatus = 401\nbody = '{\"code\":124,\"message\":\"Access token is expired.\"}'\n";
    for (number, (more, says)) in [
        ("[[expird]]\nstatus = 401\n", "line 4: unknown field `expird`, expected one of `token`, "),
        ("header = { a = 'b' }\n", "line 4: unknown field `header`, expected one of `status`, "),
        ("[lifetime]\nsecond = 1\n", "line 5: unknown field `second`, expected `seconds` or `written`"),
    ]
    .into_iter()
    .enumerate()
    {
        let recording = file(&format!("misspelt-{number}.toml"), &format!("{expired}{more}"));
        let ended = Program::bare().args("check --vendor zoom --recording").arg(recording.path()).run().await;
        ended.assert_status(2).assert_says(says);
    }
    for (args, says) in [
        ("check", "required"),
        ("check vendor.toml --vendor zoom", "cannot be used with"),
        ("check --vendor zooom", "--vendor: the catalogue has no vendor \"zooom\"; do you mean \"zoom\"?"),
        ("check /not/there.toml", "/not/there.toml can't be read"),
        ("check --vendor zoom --api /not/there", "/not/there can't be read"),
        ("check - --api -", "FILE and --api can't both read standard input"),
        ("check --vendor zoom --recording /dev/null", "/dev/null, there is no answer in it"),
    ] {
        let ended = Program::bare().args(args).run().await;
        ended.assert_status(2).assert_says(says);
    }
}
