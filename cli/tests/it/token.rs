//! `reauth token`: a token for scripts, and for programs that ask a credential helper.

use serde_json::Value;
use tower_reauth::testing::FakeApiVideo;

use crate::support::{
    process::Program,
    server::Raw,
    temporary::{Temporary, TemporaryDirectory},
};

mod git;
mod helpers;

const SECRET: &str = "a-secret-that-nobody-may-see";
const TOKEN: &str = "an-access-token";

/// A token endpoint for an API that nobody calls, and a file with its credential `work`.
struct World {
    server: Raw,
    file: Temporary,
}

impl World {
    /// `name` must be used once only in all tests.
    async fn new(name: &str, base_url: &str) -> Self {
        let body = format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        Self::answering(name, base_url, &format!("{head}{}\r\n\r\n{body}", body.len())).await
    }

    async fn answering(name: &str, base_url: &str, answer: &str) -> Self {
        let server = Raw::start(&[answer]).await;
        let content = format!(
            "[credentials.work]\nvendor = \"oauth2\"\nbase-url = \"{base_url}\"\ntoken-url = \"{}/token\"\n\
             client-id = \"me\"\nclient-secret = \"env:KEY\"\nconnections = {{ roots = \"bundled\" }}\n",
            server.origin
        );
        Self { server, file: Temporary::new(name, &content) }
    }

    fn program(&self, args: &str) -> Program {
        let file = self.file.path();
        Program::bare().args("token").args(args).variable("REAUTH_CONFIG", file).secret("KEY", SECRET)
    }

    fn asked(&self) -> usize {
        self.server.seen().len()
    }
}

#[tokio::test]
async fn the_token_is_printed_and_nothing_else() {
    let world = World::new("token-plain.toml", "https://api.example.invalid").await;
    let ended = world.program("work").run().await;
    ended.assert_status(0);
    assert_eq!((&*ended.stdout, &*ended.stderr), ("an-access-token\n", ""));
    let ended = world.program("--as work").run().await;
    ended.assert_status(0);
    assert_eq!((&*ended.stdout, world.asked()), ("an-access-token\n", 2));
}

#[tokio::test]
async fn the_file_is_named_beside_the_credential_however_that_is_said() {
    let world = World::new("token-file.toml", "https://api.example.invalid").await;
    let ask = |args: &str| {
        let program = Program::bare().args("token --file").arg(world.file.path()).args(args);
        program.variable("REAUTH_CONFIG", "/nowhere/config.toml").secret("KEY", SECRET)
    };
    for args in ["work", "--as work"] {
        let ended = ask(args).run().await;
        ended.assert_status(0);
        assert_eq!((&*ended.stdout, &*ended.stderr), ("an-access-token\n", ""), "{args}");
    }
    let asked = "protocol=https\nhost=api.example.invalid\n\n";
    let ended = ask("work --for git get").input(asked).run().await;
    ended.assert_status(0);
    assert!(ended.stdout.contains("password=an-access-token\n"), "{ended:?}");
    let ended = ask("").run().await;
    ended.assert_status(2).assert_says("--file has credentials; say by --as which one");
    assert_eq!((&*ended.stdout, world.asked()), ("", 3));
}

#[tokio::test]
async fn json_has_what_a_script_needs_to_send_it() {
    let world = World::new("token-json.toml", "https://api.example.invalid").await;
    let ended = world.program("work --json").run().await;
    ended.assert_status(0);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&json["token"], &json["header"], &json["scheme"]),
        (&TOKEN.into(), &"authorization".into(), &"Bearer".into())
    );
    let left = json["expires_in"].as_u64().unwrap();
    assert!((3500..=3600).contains(&left), "{left}");
    let at = json["expires_at"].as_str().unwrap();
    let shown = std::process::Command::new("date").args(["-u", "-d", at, "+%s"]).output().unwrap();
    let at: u64 = String::from_utf8(shown.stdout).unwrap().trim().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((now + 3400..=now + 3600).contains(&at), "{at} {now}");
}

#[tokio::test]
async fn a_key_that_does_not_expire_is_printed_as_it_is() {
    let program = Program::bare().args("token --vendor videsk --key env:OTHER --json --roots bundled");
    let ended = program.variable("OTHER", "a-key").run().await;
    ended.assert_status(0);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&json["token"], &json["expires_at"], &json["expires_in"]),
        (&"a-key".into(), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn with_a_store_it_is_the_token_that_calls_have() {
    let fake = FakeApiVideo::new(SECRET);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("token-store");
    let with = |program: Program| {
        let program =
            program.args("--roots bundled --vendor api-video --key env:KEY --subject us --base-url");
        program.arg(served.origin()).arg("--store").arg(directory.reference()).secret("KEY", SECRET)
    };
    with(Program::bare().arg("call")).args("GET /videos").run().await.assert_status(0);
    let first = with(Program::bare().arg("token")).run().await;
    first.assert_status(0);
    let second = with(Program::bare().arg("token")).run().await;
    assert_eq!(first.stdout, second.stdout);
    assert!(first.stdout.len() > 10 && fake.counts().acquires == 1, "{first:?}");
}

#[tokio::test]
async fn what_goes_wrong_is_said_on_standard_error_with_a_status() {
    let refused = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{\"error\":\"invalid_client\"}";
    let world = World::answering("token-refused.toml", "https://api.example.invalid", refused).await;
    let ended = world.program("work").run().await;
    ended.assert_status(3).assert_says("reauth token: no token: ");
    assert_eq!(ended.stdout, "");
    for (args, says) in [
        ("works", "has no credential \"works\"; did you mean work?"),
        ("", "say whose token it is"),
        ("work --as work", "the name is given twice"),
        ("work get", "there is one word too many"),
        ("work --for git --json get", "--json"),
        ("--for git", "what is to be done is missing"),
        ("work --username x", "--for"),
        ("work --min-ttl 0", "give seconds"),
    ] {
        let ended = world.program(args).run().await;
        ended.assert_status(2).assert_says(says);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(world.asked(), 1);
}

/// As with `file:<(pass show key)`: it is there once, and read when the program starts.
#[tokio::test]
async fn a_secret_may_come_through_a_pipe() {
    let world = World::new("token-pipe.toml", "https://api.example.invalid").await;
    let program = |input: &str| {
        let url = format!("{}/token", world.server.origin);
        let program = Program::bare()
            .args("token --vendor oauth2 --base-url https://api.example.invalid --client-id me");
        program.args("--client-auth body --client-secret file:/dev/stdin --token-url").arg(url).input(input)
    };
    let ended = program(&format!("{SECRET}\n")).run().await;
    ended.assert_status(0);
    assert_eq!(ended.stdout, "an-access-token\n");
    let seen = world.server.seen();
    assert!(seen[0].ends_with(&format!("&client_secret={SECRET}")), "{seen:?}");
    let ended = program("\n").run().await;
    ended.assert_status(2).assert_says("--client-secret: /dev/stdin has no secret; it is empty");
    let ended = program(&"x".repeat(70_000)).run().await;
    ended.assert_status(2).assert_says("/dev/stdin can't be read: it is longer than 64 KiB");
    assert_eq!(world.asked(), 1);
}
