//! As git's helper, with the real git too.

use std::process::Stdio;

use tokio::{io::AsyncWriteExt, process::Command};

use super::{SECRET, TOKEN, World};
use crate::support::soon;

/// What real git has of it, asked for this.
async fn fill(world: &World, config: &[&str], asked: &str) -> (bool, String) {
    let helper = format!("!{} token work --for git", env!("CARGO_BIN_EXE_reauth"));
    let mut git = Command::new("git");
    git.args(["-c", "credential.helper=", "-c"]).arg(format!("credential.helper={helper}"));
    for config in config {
        git.arg("-c").arg(config);
    }
    let mut git = git
        .args(["credential", "fill"])
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "")
        .env("REAUTH_CONFIG", world.file.path())
        .env("KEY", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(asked.as_bytes()).await.unwrap();
    let output = soon(git.wait_with_output()).await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn real_git_gets_it_for_the_credentials_own_host() {
    let world = World::new("git-own.toml", "https://git.example.invalid").await;
    let (filled, said) =
        fill(&world, &[], "protocol=https\nhost=git.example.invalid\npath=a/b.git\n\n").await;
    assert!(filled, "{said}");
    let password = format!("password={TOKEN}\n");
    assert!(said.contains("username=oauth2\n") && said.contains(&password), "{said}");
    assert!(said.contains("password_expiry_utc=1") || said.contains("password_expiry_utc=2"), "{said}");
    let (filled, said) = fill(&world, &[], "url=https://me@git.example.invalid/x\n\n").await;
    assert!(filled && said.contains("username=me\n") && said.contains(&password), "{said}");
    assert_eq!(world.asked(), 2);
    for asked in [
        "protocol=https\nhost=other.example.invalid\n\n",
        "protocol=http\nhost=git.example.invalid\n\n",
        "protocol=https\nhost=git.example.invalid:8443\n\n",
        "protocol=https\nhost=sub.git.example.invalid\n\n",
    ] {
        let (filled, said) = fill(&world, &[], asked).await;
        assert!(!filled && !said.contains(TOKEN), "{asked} {said}");
    }
    assert_eq!(world.asked(), 2, "nobody is asked for another host's sake");
}

#[tokio::test]
async fn real_git_gets_it_for_a_path_that_has_to_be_encoded() {
    let world = World::new("git-encoded.toml", "https://git.example.invalid/My%20Team").await;
    let by_path = ["credential.useHttpPath=true"];
    let asked = |path: &str| format!("url=https://git.example.invalid/{path}\n\n");
    for (index, path) in ["My%20Team/a.git", "My%20Team/The%20app.git", "My%20Team/gr%C3%B6%C3%9Fe%25.git"]
        .into_iter()
        .enumerate()
    {
        let (filled, said) = fill(&world, &by_path, &asked(path)).await;
        assert!(filled && said.contains(TOKEN), "{path} {said}");
        assert_eq!(world.asked(), index + 1);
    }
    // To git these are names, and what begins them is no query.
    for path in ["My%20Team%3Fa.git", "My%20Team%23a.git", "My%2520Team/a.git", "My%20Team/%252e%252e/a.git"]
    {
        let (filled, said) = fill(&world, &by_path, &asked(path)).await;
        assert!(!filled && !said.contains(TOKEN), "{path} {said}");
    }
    assert_eq!(world.asked(), 3);
}

#[tokio::test]
async fn real_git_gets_it_below_the_credentials_path_alone() {
    let world = World::new("git-path.toml", "https://git.example.invalid/team").await;
    let by_path = ["credential.useHttpPath=true"];
    let asked = |path: &str| format!("protocol=https\nhost=git.example.invalid\npath={path}\n\n");
    let (filled, said) = fill(&world, &by_path, &asked("team/a.git")).await;
    assert!(filled && said.contains(TOKEN), "{said}");
    // Without the path nobody knows what it is for.
    for (config, path) in [
        (&by_path[..], "teams/a.git"),
        (&by_path, "other"),
        (&by_path, "team/../other"),
        (&by_path, "team/%2e%2e/x"),
        (&[], "team/a.git"),
    ] {
        let (filled, said) = fill(&world, config, &asked(path)).await;
        assert!(!filled && !said.contains(TOKEN), "{path} {said}");
    }
    assert_eq!(world.asked(), 1);
}

/// What the helper says itself.
async fn helper(world: &World, args: &str, asked: &str) -> (Option<i32>, String, String) {
    let ended = world.program("work --for git").args(args).input(asked).run().await;
    (ended.status, ended.stdout, ended.stderr)
}

#[tokio::test]
async fn only_get_is_answered() {
    let world = World::new("git-get.toml", "https://git.example.invalid").await;
    let own = "protocol=https\nhost=git.example.invalid\nusername=u\npassword=p\n\n";
    for operation in ["store", "erase", "capability", "approve", "GET"] {
        assert_eq!(helper(&world, operation, own).await, (Some(0), String::new(), String::new()));
    }
    assert_eq!(world.asked(), 0);
    let (status, said, _) =
        helper(&world, "get --username x-access-token", "protocol=https\nhost=GIT.example.invalid:443\n")
            .await;
    assert!(
        status == Some(0) && said.starts_with(&format!("username=x-access-token\npassword={TOKEN}\n")),
        "{said}"
    );
}

#[tokio::test]
async fn what_could_be_taken_for_something_else_is_refused() {
    let world = World::new("git-refused.toml", "https://git.example.invalid").await;
    for asked in [
        "protocol=https\nhost=git.example.invalid\r\n\n",
        "protocol=https\nhost=git.example.invalid\0\n\n",
        "protocol=https\nhost=other.example.invalid\nhost=git.example.invalid\n\n",
        "protocol=https\nhost\n\n",
        "username=a\rb\nprotocol=https\nhost=git.example.invalid\n\n",
    ] {
        let (status, said, why) = helper(&world, "get", asked).await;
        assert!(
            status == Some(1) && said.is_empty() && why.contains("what git asks"),
            "{asked:?} {said} {why}"
        );
    }
    for asked in [
        "",
        "protocol=https\n\n",
        "host=git.example.invalid\n\n",
        "protocol=https\n\nhost=git.example.invalid\n",
        "protocol=https\nhost=other.example@git.example.invalid\n",
        "protocol=https\nhost=git.example.invalid/../\n",
        "protocol=https\nhost=git.example.invalid#\n",
        "protocol=https\nhost=other.example?git.example.invalid\n",
        "protocol=HTTPS\nhost=git.example.invalid\n",
    ] {
        assert_eq!(helper(&world, "get", asked).await, (Some(0), String::new(), String::new()), "{asked:?}");
    }
    let (status, said, why) =
        helper(&world, "get", &format!("protocol=https\nhost={}\n", "a".repeat(70_000))).await;
    assert!(status == Some(1) && said.is_empty() && why.contains("longer than 64 KiB"), "{said} {why}");
    assert_eq!(world.asked(), 0);
}
