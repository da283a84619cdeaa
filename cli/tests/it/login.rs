//! `reauth login`, `logout` and `status`, with servers that answer as they are told. `tests/oidc` has a real one.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr},
};

use crate::support::{
    client::raw,
    process::{Ended, Program},
    server::Raw,
    soon,
    temporary::{Temporary, TemporaryDirectory},
};

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

/// A login that waits for somebody.
pub(crate) struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    /// Where the person is sent.
    url: String,
}

impl Waiting {
    pub(crate) async fn start(program: Program) -> Self {
        let mut child = program.start();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut url) = (String::new(), String::new());
        while !url.starts_with("http") {
            url.clear();
            assert_ne!(soon(stderr.read_line(&mut url)).await.unwrap(), 0, "it has ended: {said}");
            said.push_str(&url);
        }
        Self { child, stderr, said, url: url.trim_end().to_owned() }
    }

    /// A parameter of the URL, as it is.
    fn param(&self, name: &str) -> String {
        let (_, query) = self.url.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name}: {}", self.url))
            .1
            .into_owned()
    }

    /// Where the answer is to come to.
    fn address(&self) -> String {
        let uri = self.param("redirect_uri");
        uri.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap().to_owned()
    }

    /// Comes back with this query, in which STATE is the login's. Returns what the browser sees.
    pub(crate) async fn back(&self, query: &str) -> String {
        let query = query.replace("STATE", &self.param("state"));
        raw(&self.address(), &format!("GET /callback?{query} HTTP/1.1\r\nHost: HOST\r\n\r\n")).await
    }

    /// The exit status, and all that was said.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let status = soon(self.child.wait()).await.unwrap();
        soon(self.stderr.read_to_string(&mut self.said)).await.unwrap();
        (status.code(), self.said)
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
