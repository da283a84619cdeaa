//! A secret that a command prints.

use tokio::time::{Duration, Instant, sleep};

use tower_reauth::testing::FakeApiVideo;

use super::{KEY, call};
use crate::support::{
    client::get,
    process::{Ended, Program, Proxy, assert_none_shown},
    soon,
    temporary::{Temporary, TemporaryDirectory},
};

fn file(origin: &str, command: &str, more: &str) -> String {
    format!(
        "[credentials.us]\nvendor = \"api-video\"\nbase-url = \"{origin}\"\nkey = {{ command = {command} }}\n{more}"
    )
}

#[tokio::test]
async fn what_a_command_prints_is_the_secret_without_the_line_end() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let key = Temporary::new("command-key", &format!("{KEY}\r\n"));
    let content = file(served.origin(), &format!("[\"cat\", {:?}]", key.path()), "");
    // There is no PATH, so that what is found is what the system has where none is set.
    call("command-cat.toml", &content, "").await.assert_status(0);
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (1, 1));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn no_shell_sees_the_arguments() {
    let fake = FakeApiVideo::new("$KEY;`id`|*");
    let served = fake.serve().await.unwrap();
    let content = file(served.origin(), "[\"printf\", \"%s\", \"$KEY;`id`|*\"]", "");
    call("command-shell.toml", &content, "").await.assert_status(0);
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (1, 1));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn with_a_token_in_the_store_no_command_is_run() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("command-store");
    let ran = Temporary::new("command-ran", "");
    let script = format!("echo x >> {}; echo {KEY}", ran.path().display());
    let store = format!("store = {{ place = \"{}\", subject = \"us\" }}\n", directory.reference());
    let content = file(served.origin(), &format!("[\"sh\", \"-c\", {script:?}]"), &store);
    for name in ["command-lazy-1.toml", "command-lazy-2.toml"] {
        call(name, &content, "").await.assert_status(0);
    }
    assert_eq!(fake.counts().acquires, 1);
    assert_eq!(std::fs::read_to_string(ran.path()).unwrap(), "x\n");
}

/// A call whose command is this script.
async fn fails(name: &str, script: &str, more: &str) -> Ended {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let command = format!("[\"sh\", \"-c\", {script:?}]{more}");
    let ended = call(name, &file(served.origin(), &command, ""), "").await;
    ended.assert_status(3).assert_says("reauth call: no token: a secret that is needed can't be had");
    ended.assert_says("the command sh (").assert_says(&format!("{name}, line 4: credentials.us.key) "));
    assert!(!ended.stderr.contains("token endpoint"), "no server was asked: {}", ended.stderr);
    assert_eq!((fake.counts().acquires, fake.counts().api_calls), (0, 0), "nothing is sent");
    ended
}

#[tokio::test]
async fn a_command_that_fails_is_named_with_its_status_and_without_what_it_says() {
    let ended = fails("command-fails.toml", "echo why-it-failed >&2; exit 7", "").await;
    ended.assert_says("has failed, with exit status: 7").assert_says("why-it-failed\n");
    let said = ended.stderr.lines().find(|line| line.contains("no token")).unwrap();
    assert!(!said.contains("why-it-failed"), "what it says is the person's alone: {said}");
    let ended = fails("command-half.toml", &format!("echo {KEY}; exit 1"), "").await;
    assert_none_shown([KEY], &format!("{}{}", ended.stdout, ended.stderr));
    for (name, program, advice) in [
        ("command-none.toml", "no-such-program", "; check its name, and whether it is in PATH"),
        ("command-astray.toml", "./no-such-program", "; check its path"),
        ("command-dead.toml", "/dev/null", "; check whether this user may run it"),
    ] {
        let content = file("http://127.0.0.1:1", &format!("[{program:?}]"), "");
        let ended = call(name, &content, "").await;
        ended.assert_status(3).assert_says("can't be run: ").assert_says(advice).assert_says(name);
    }
    fails("command-empty.toml", "echo", "").await.assert_says("prints nothing");
    fails("command-long.toml", "yes", "").await.assert_says("prints more than 64 KiB");
    fails("command-binary.toml", "printf '\\377'", "").await.assert_says("that isn't utf-8");
}

/// How often a command is run that ends so.
async fn runs(name: &str, ending: &str) -> usize {
    let ran = Temporary::new(&format!("{name}-ran"), "");
    fails(name, &format!("echo x >> {}; {ending}", ran.path().display()), "").await;
    std::fs::read_to_string(ran.path()).unwrap().lines().count()
}

#[tokio::test]
async fn a_command_that_fails_is_run_once_unless_that_may_pass() {
    for (name, ending, expected) in [
        ("command-once-status.toml", "exit 1", 1),
        ("command-once-empty.toml", "echo", 1),
        ("command-once-binary.toml", "printf '\\377'", 1),
        ("command-once-killed.toml", "kill -9 $$", 1),
        ("command-thrice.toml", "exit 75", 3),
    ] {
        assert_eq!(runs(name, ending).await, expected, "{ending}");
    }
}

/// Each request would run it, were there no pause.
#[tokio::test]
async fn a_proxys_command_that_fails_is_not_run_by_each_request_and_used_once_it_works() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let (ran, key) = (Temporary::new("command-proxy-ran", ""), Temporary::new("command-proxy-key", ""));
    let script = format!("echo x >> {}; cat {}", ran.path().display(), key.path().display());
    let content = file(served.origin(), &format!("[\"sh\", \"-c\", {script:?}]"), "");
    let content = Temporary::new("command-proxy.toml", &content);
    let proxy = Proxy::start(Program::proxy().args("--as us --file").arg(content.path())).await;
    for _ in 0..20 {
        let answer = get(&proxy.url("/x")).await;
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"), "{answer:?}");
    }
    let times = std::fs::read_to_string(ran.path()).unwrap().lines().count();
    assert!((1..5).contains(&times), "{times}");
    std::fs::write(key.path(), KEY).unwrap();
    let works = async {
        while get(&proxy.url("/x")).await.status() != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    soon(works).await;
    fake.assert_no_refusals();
    proxy.stop().await;
}

/// Its arguments are shown by nothing, and make a difference all the same.
#[tokio::test]
async fn a_proxy_that_reads_the_file_again_runs_the_command_as_it_is_there_by_then() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let content = file(served.origin(), "[\"printf\", \"%s\", \"wrong\"]", "");
    let upstreams = "[[proxy.upstreams]]\nas = \"us\"\n";
    let content = Temporary::new("command-reload.toml", &format!("{content}{upstreams}"));
    let proxy = Proxy::start(Program::proxy().args("--upstreams --file").arg(content.path())).await;
    assert_eq!(get(&proxy.url("/x")).await.status(), 503);
    let right = file(served.origin(), &format!("[\"printf\", \"%s\", {KEY:?}]"), "");
    std::fs::write(content.path(), format!("{right}{upstreams}")).unwrap();
    proxy.signal("HUP").await;
    let works = async {
        while get(&proxy.url("/x")).await.status() != 200 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    // Long before a refused secret would be sent again.
    tokio::time::timeout(Duration::from_secs(10), works).await.expect("the other command is run");
    proxy.stop().await;
}

#[tokio::test]
async fn a_command_that_hangs_is_ended() {
    let since = Instant::now();
    let ended = fails("command-hangs.toml", "exec sleep 60", ", timeout = 0.2").await;
    ended.assert_says("took longer than 200ms, and was ended");
    assert!(since.elapsed().as_secs() < 30);
}
