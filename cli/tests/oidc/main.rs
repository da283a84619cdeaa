//! Logins against an authorization server that others wrote, by a browser that is curl. `tests/interop/run` installs it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]
#![allow(dead_code, reason = "the support is for the other tests too")]

#[path = "../it/support/mod.rs"]
mod support;

use std::{
    env,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, ChildStdout, Command, Stdio},
};

use support::{
    process::{Ended, Program},
    temporary::{Temporary, TemporaryDirectory},
    until,
};

/// The server's process, which ends with it, and a file with the credential `me` of somebody there.
struct World {
    process: Child,
    /// Kept open: the server writes to it now and then.
    _output: BufReader<ChildStdout>,
    issuer: String,
    file: Temporary,
    directory: TemporaryDirectory,
    cookies: Temporary,
    browser: Temporary,
}

impl World {
    fn new(name: &str) -> Self {
        let directory = env::var_os("INTEROP_DIR").expect("run this test with tests/interop/run");
        let mut process = Command::new("node")
            .arg("logins.mjs")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let mut issuer = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "the server did not start: {issuer:?}");
        let directory = TemporaryDirectory::new(name);
        let content = format!(
            "[credentials.me]\nvendor = \"oauth2\"\nbase-url = \"{issuer}\"\nclient-id = \"app\"\n\
             scope = \"openid offline_access\"\nconnections = {{ roots = \"bundled\" }}\n\
             store = {{ place = \"{}\" }}\n\
             login = {{ issuer = \"{issuer}\", params = {{ prompt = \"consent\" }} }}\n",
            directory.reference()
        );
        let cookies = Temporary::new(&format!("{name}-cookies"), "");
        let jar = cookies.path().display();
        let browser =
            format!("#!/bin/sh\nexec /usr/bin/env curl -sSL -c {jar} -b {jar} -o /dev/null \"$1\"\n");
        let browser = Temporary::new(&format!("{name}-browser"), &browser);
        std::fs::set_permissions(browser.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let file = Temporary::new(&format!("{name}.toml"), &content);
        Self { process, _output: output, issuer, file, directory, cookies, browser }
    }

    async fn run(&self, args: &str) -> Ended {
        let program = Program::bare().args(args).variable("REAUTH_CONFIG", self.file.path());
        let path = env::var_os("PATH").expect("a PATH");
        program.variable("BROWSER", self.browser.path()).variable("PATH", path).run_showing_all().await
    }

    /// What a person sends with curl, and gets.
    fn curl(&self, args: &[&str]) -> String {
        let jar = self.cookies.path();
        let output = Command::new("curl")
            .args(["-sSL", "-c"])
            .arg(jar)
            .arg("-b")
            .arg(jar)
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn token(&self) -> String {
        let ended = self.run("token me").await;
        ended.assert_status(0);
        ended.stdout.trim_end().to_owned()
    }

    /// Who the server says it is that calls.
    async fn who(&self) -> String {
        let ended = self.run("call --as me GET /me").await;
        ended.assert_status(0);
        ended.stdout
    }

    fn forget(&self, token: &str) {
        self.curl(&[&format!("{}/forget?token={token}", self.issuer)]);
    }

    /// Calls with what the login has brought, with what that is renewed by, and what that is renewed by in turn.
    async fn goes_on(&self) {
        for seconds in [1, 3] {
            assert_eq!(self.who().await, r#"{"sub":"johndoe"}"#);
            // Whoever rejects one token after the other is held back, and longer each time.
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            let token = self.token().await;
            self.forget(&token);
            assert_eq!(self.who().await, r#"{"sub":"johndoe"}"#, "it is renewed");
            assert_ne!(self.token().await, token);
        }
    }

    async fn log_out(&self) {
        let token = self.token().await;
        self.run("logout me").await.assert_status(0).assert_says("its tokens are revoked");
        let said =
            self.curl(&["-H", &format!("Authorization: Bearer {token}"), &format!("{}/me", self.issuer)]);
        assert!(said.contains("invalid_token"), "the server has forgotten it: {said}");
        self.run("token me").await.assert_status(3).assert_says("run `reauth login me`");
        self.run("status me").await.assert_status(3);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn somebody_logs_in_with_a_browser_goes_on_for_long_and_logs_out() {
    let world = World::new("oidc-browser");
    for is_first in [true, false] {
        world.run("token me").await.assert_status(3).assert_says("nobody is logged in");
        world.run("login me").await.assert_status(0).assert_says("you are logged in as me");
        let status = world.run("status me").await;
        status.assert_status(0);
        assert!(status.stdout.starts_with("me: logged-in, its token expires in 5"), "{status:?}");
        if is_first {
            world.goes_on().await;
        }
        assert_eq!(world.who().await, r#"{"sub":"johndoe"}"#);
        world.log_out().await;
    }
}

#[tokio::test]
async fn somebody_logs_in_on_another_device() {
    let world = World::new("oidc-device");
    let log = Temporary::new("oidc-device-log", "");
    let stderr = std::fs::File::create(log.path()).unwrap();
    let mut login = Command::new(env!("CARGO_BIN_EXE_reauth"))
        .args(["login", "me", "--by", "device", "--timeout", "60"])
        .env_clear()
        .env("REAUTH_CONFIG", world.file.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(log.path()).unwrap();
    until("a code", || said().contains("or go to\n")).await;
    let said = said();
    let code = said.split_once("enter the code\n").unwrap().1.lines().next().unwrap();
    let url = said.lines().find(|line| line.starts_with("http")).unwrap();
    let form = world.curl(&[url]);
    let xsrf = form.split_once("name=\"xsrf\" value=\"").unwrap().1.split('"').next().unwrap();
    let (xsrf, code) = (format!("xsrf={xsrf}"), format!("user_code={code}"));
    let page = world.curl(&["--data-urlencode", &xsrf, "--data-urlencode", &code, "-d", "confirm=yes", url]);
    assert!(page.contains("Sign-in Success"), "{page}");
    let ended = tokio::task::spawn_blocking(move || login.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{}", std::fs::read_to_string(log.path()).unwrap());
    world.goes_on().await;
    world.log_out().await;
}
