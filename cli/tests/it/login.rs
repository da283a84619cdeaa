//! `reauth login`, `logout` and `status`, with servers that answer as they are told. `tests/oidc` has a real one.

use crate::support::{
    client::raw,
    process::{Ended, Program},
    server::Raw,
    soon,
    temporary::{Temporary, TemporaryDirectory},
    waiting::Waiting,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

mod browser;
mod device;
mod states;

/// An answer with this JSON.
fn json(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn ok(body: &str) -> String {
    json("200 OK", body)
}

fn error(code: &str) -> String {
    json("400 Bad Request", &format!(r#"{{"error":"{code}"}}"#))
}

fn tokens(access: &str, refresh: &str) -> String {
    ok(&format!(
        r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"Bearer","expires_in":3600}}"#
    ))
}

/// A server, a file with its credential `me`, and where that is remembered.
struct World {
    server: Raw,
    file: Temporary,
    directory: TemporaryDirectory,
}

impl World {
    /// `name` must be used once only in all tests.
    async fn new(name: &str, login: &str, answers: &[String]) -> Self {
        let answers: Vec<&str> = answers.iter().map(|answer| &**answer).collect();
        let server = Raw::start(&answers).await;
        let directory = TemporaryDirectory::new(name);
        let content = format!(
            "[credentials.me]\nvendor = \"oauth2\"\nbase-url = \"ORIGIN\"\nclient-id = \"app\"\nscope = \"a b\"\n\
             token-url = \"ORIGIN/token\"\nconnections = {{ roots = \"bundled\" }}\n\
             store = {{ place = \"{}\" }}\nlogin = {{ {login} }}\n",
            directory.reference()
        );
        let file = Temporary::new(&format!("{name}.toml"), &content.replace("ORIGIN", &server.origin));
        Self { server, file, directory }
    }

    fn program(&self, args: &str) -> Program {
        Program::bare().args(args).variable("REAUTH_CONFIG", self.file.path())
    }

    async fn run(&self, args: &str) -> Ended {
        self.program(args).run().await
    }

    /// What status says of it.
    async fn state(&self) -> String {
        let ended = self.run("status me --json").await;
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        json["state"].as_str().unwrap().to_owned()
    }
}

fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes()))
}

/// The field of a form that was sent.
fn field(request: &str, name: &str) -> String {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let mut pairs = form_urlencoded::parse(body.as_bytes());
    pairs.find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}: {request}")).1.into_owned()
}
