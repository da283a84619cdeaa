//! Secrets come by reference, and are shown nowhere.

use super::*;
use crate::support::{process::assert_none_shown, temporary::Temporary};

#[tokio::test]
async fn a_secret_comes_from_a_variable_a_file_or_standard_input() {
    let fake = FakeVervoe::new("the-key", KEY);
    let served = fake.serve().await.unwrap();
    let lines = [KEY.to_owned(), format!("{KEY}\n"), format!("{KEY}\r\n")];
    let program = |secret: &str| {
        let program = Program::call().args("--vendor vervoe --key env:VERVOE_KEY --secret").arg(secret);
        let program = program.secret("VERVOE_KEY", "the-key").secret("KEY", KEY);
        program.arg("--base-url").arg(served.origin()).args("GET /jobs")
    };
    program("env:KEY").run().await.assert_status(0);
    for (number, line) in lines.iter().enumerate() {
        let file = Temporary::new(&format!("secret-{number}"), line);
        program(&file.reference()).run().await.assert_status(0);
        program("-").input(line.as_str()).run().await.assert_status(0);
    }
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (7, 7));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    for option in ["--key", "--secret", "--password", "--client-secret"] {
        for written in [KEY.to_owned(), format!("env={KEY}"), format!("{KEY}:env")] {
            for args in [vec![option.to_owned(), written.clone()], vec![format!("{option}={written}")]] {
                let program = args.iter().fold(Program::call().args("--vendor vervoe"), Program::arg);
                let ended = program.args("GET /jobs").run().await;
                ended.assert_status(2).assert_says("write env:NAME for an environment variable");
                ended.assert_says("the list of processes would show to everybody").assert_says(option);
                assert_none_shown([KEY], &ended.stderr);
            }
        }
    }
}

/// It may be the secret of another API.
#[tokio::test]
async fn a_header_that_is_none_is_not_repeated() {
    for (header, says) in [
        (KEY.to_owned(), "--header: write Name: value"),
        (format!("{KEY}\u{e4}: x"), "--header: invalid HTTP header name"),
        (format!("x-other: {KEY}\n{KEY}"), "--header: the value of x-other has a line break"),
    ] {
        let program = Program::call().args("--vendor videsk --key env:KEY").secret("KEY", "another-key");
        let ended = program.args("GET /x -H").arg(&header).run().await;
        ended.assert_status(2).assert_says(says);
        assert_none_shown([KEY], &ended.stderr);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_wrong_usage() {
    let empty = Temporary::new("empty", "\n");
    let long = Temporary::new("long", &"x".repeat(65 * 1024));
    for (secret, says) in [
        ("env:NOT_SET".to_owned(), "NOT_SET"),
        ("env:EMPTY".to_owned(), "is empty"),
        ("file:/not/there".to_owned(), "/not/there"),
        (empty.reference(), "is empty"),
        (long.reference(), "longer than 64 KiB"),
        ("-".to_owned(), "is empty"),
    ] {
        let program = Program::call().args("--vendor videsk --key").arg(&secret).secret("EMPTY", "");
        let ended = program.args("GET /x").run_showing_all().await;
        ended.assert_status(2).assert_says(says);
    }
}

#[tokio::test]
async fn standard_input_is_read_by_one_option_only() {
    let program = || Program::call().args("--vendor vervoe --key - GET /x --secret");
    program().arg("-").run().await.assert_status(2).assert_says("--key and --secret can't both read");
    let ended = program().args("env:KEY --data @-").secret("KEY", KEY).run().await;
    ended.assert_status(2).assert_says("--key and --data can't both read");
}
