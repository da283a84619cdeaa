//! [`Waiting`]: `reauth login`, as long as somebody hasn't logged in.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr},
};

use super::{client::raw, process::Program, soon};

/// A login that waits for somebody.
pub(crate) struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// On standard error, so far.
    pub(crate) said: String,
    /// Where the person is sent.
    pub(crate) url: String,
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
    pub(crate) fn param(&self, name: &str) -> String {
        let (_, query) = self.url.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name}: {}", self.url))
            .1
            .into_owned()
    }

    /// Where the answer is to come to.
    pub(crate) fn address(&self) -> String {
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
