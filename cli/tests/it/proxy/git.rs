//! Git clones, fetches and pushes through it, from the server that git brings along: `git http-backend`.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, response::Response};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command};

use super::*;
use crate::support::temporary::TemporaryDirectory;

const SECRET: &str = "a-secret-that-nobody-may-see";
const LIST: &str = "GET /repo.git/info/refs";
const FETCH: &str = "POST /repo.git/git-upload-pack";
const PUSH: &str = "POST /repo.git/git-receive-pack";

/// A server of repositories that wants a token, and hands tokens out.
struct Server {
    inside: Arc<Inside>,
    origin: String,
    directory: TemporaryDirectory,
}

struct Inside {
    repositories: PathBuf,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    /// How many tokens were handed out. The last one is good.
    tokens: usize,
    /// With which request the good one is to expire.
    expires: Option<&'static str>,
    /// The requests that came with a good token and with another one.
    taken: Vec<Seen>,
    rejected: Vec<Seen>,
}

/// A request as it came.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: HeaderMap,
    /// The length of its body.
    length: usize,
}

impl Seen {
    fn is_chunked(&self) -> bool {
        self.headers.get(header::TRANSFER_ENCODING).is_some_and(|coding| coding == "chunked")
    }

    fn is_gzip(&self) -> bool {
        self.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip")
    }
}

impl Server {
    /// With one empty repository, `repo.git`.
    async fn start(name: &str) -> Self {
        let directory = TemporaryDirectory::new(name);
        std::fs::create_dir(directory.path()).unwrap();
        let repositories = directory.path().join("served");
        std::fs::create_dir(&repositories).unwrap();
        let inside = Arc::new(Inside { repositories, books: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(inside.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let server = Self { inside, origin, directory };
        server.git(&["init", "-q", "--bare", "-b", "main", "served/repo.git"]).await;
        server
    }

    async fn proxy(&self, more: &str) -> Proxy {
        let program =
            Program::proxy().args("--vendor oauth2 --client-id me --client-secret env:KEY").args(more);
        let program = program.arg("--token-url").arg(format!("{}/token", self.origin));
        Proxy::start(program.arg("--base-url").arg(&self.origin).secret("KEY", SECRET)).await
    }

    /// A place that isn't there yet.
    fn place(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Runs git in the directory where everything is, or in `-C` below it. It knows of no configuration and no person.
    async fn try_git(&self, args: &[&str]) -> Output {
        let git = git(self.directory.path()).args(args).stdin(Stdio::null()).output();
        soon(git).await.unwrap()
    }

    /// The same, where it must work.
    async fn git(&self, args: &[&str]) -> String {
        let output = self.try_git(args).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a commit with a file of so many bytes, which nothing makes shorter.
    async fn commit(&self, work: &str, name: &str, length: usize) {
        let mut number = 1_u64;
        let bytes = std::iter::repeat_with(|| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            number.to_be_bytes()[0]
        });
        let content: Vec<u8> = name.bytes().chain(bytes.take(length)).collect();
        std::fs::write(self.directory.path().join(work).join(name), content).unwrap();
        self.git(&["-C", work, "add", name]).await;
        self.git(&["-C", work, "commit", "-q", "-m", name]).await;
    }

    /// The commit at the head of a branch, as the repository has it or a clone.
    async fn head(&self, at: &str, branch: &str) -> String {
        self.git(&["-C", at, "rev-parse", branch]).await
    }

    /// Every object of the repository is there and whole.
    async fn check(&self) {
        self.git(&["-C", "served/repo.git", "fsck", "--strict", "--full"]).await;
    }

    /// The good token expires with the next request of this beginning that has more in it than a probe.
    fn expire(&self, with: &'static str) {
        self.inside.books.lock().unwrap().expires = Some(with);
    }

    fn tokens(&self) -> usize {
        self.inside.books.lock().unwrap().tokens
    }

    /// The requests since the last time, by whether the token was good.
    fn seen(&self) -> (Vec<Seen>, Vec<Seen>) {
        let mut books = self.inside.books.lock().unwrap();
        (std::mem::take(&mut books.taken), std::mem::take(&mut books.rejected))
    }
}

fn git(directory: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory).env_clear();
    git.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    git.env("HOME", directory).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
    // It says which heads it sends and gets.
    git.env("GIT_TRACE_CURL", "1").env("GIT_TRACE_CURL_NO_DATA", "1");
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        git.env(name, "somebody");
    }
    git.kill_on_drop(true);
    git
}

/// Hands out a token, or has git answer whoever shows the last one.
async fn answer(State(inside): State<Arc<Inside>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let json = |text: String| {
        Response::builder().header("content-type", "application/json").body(text.into()).unwrap()
    };
    let is_good = {
        let mut books = inside.books.lock().unwrap();
        if head.uri.path() == "/token" {
            books.tokens += 1;
            let number = books.tokens;
            return json(format!(
                r#"{{"access_token":"t-{number}","token_type":"Bearer","expires_in":3600}}"#
            ));
        }
        let line = format!("{} {}", head.method, head.uri.path());
        let seen = Seen { line, headers: head.headers.clone(), length: body.len() };
        let is_meant = |expires: &mut &str| seen.line == **expires && (seen.length > 4 || *expires == LIST);
        let has_expired = books.expires.take_if(is_meant).is_some();
        let good = format!("Bearer t-{}", books.tokens);
        let is_good = head.headers.get("authorization").is_some_and(|shown| *shown == *good) && !has_expired;
        if is_good { &mut books.taken } else { &mut books.rejected }.push(seen);
        is_good
    };
    match is_good {
        true => backend(&inside.repositories, &head, &body).await,
        false => Response::builder()
            .status(401)
            .header("www-authenticate", "Bearer error=\"invalid_token\"")
            .body(Body::empty())
            .unwrap(),
    }
}

/// The program that git has for this, by the Common Gateway Interface (RFC 3875).
async fn backend(repositories: &Path, head: &http::request::Parts, body: &[u8]) -> Response {
    let text = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let mut backend = git(repositories)
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        // Who is somebody may push.
        .env("REMOTE_USER", "somebody")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .env("GIT_PROTOCOL", text("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = backend.stdin.take().unwrap();
    let write = async {
        // It may have enough before the end.
        let _ = input.write_all(body).await;
        drop(input);
    };
    let (output, ()) = tokio::join!(backend.wait_with_output(), write);
    let said = output.unwrap().stdout;
    let end = said.windows(4).position(|end| end == b"\r\n\r\n").expect("a head");
    let mut response = Response::builder();
    for field in std::str::from_utf8(&said[..end]).unwrap().split("\r\n") {
        let (name, value) = field.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(said[end + 4..].to_vec().into()).unwrap()
}

fn lines(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| &*seen.line).collect()
}

#[tokio::test]
async fn git_clones_fetches_and_pushes_with_a_token_that_it_does_not_know() {
    let server = Server::start("git-all").await;
    let proxy = server.proxy("").await;
    let url = proxy.url("/repo.git");
    server.git(&["init", "-q", "-b", "main", "one"]).await;
    server.commit("one", "first", 1000).await;
    server.git(&["-C", "one", "push", "-q", &url, "main"]).await;
    let pushed = server.head("served/repo.git", "main").await;
    assert_eq!(pushed, server.head("one", "main").await);
    let (taken, rejected) = server.seen();
    assert_eq!((lines(&taken), rejected.len()), (vec![LIST, PUSH], 0));

    // So many branches that what is asked for is worth compressing.
    for branch in 0..40 {
        server.git(&["-C", "one", "checkout", "-q", "-b", &format!("b{branch}"), "main"]).await;
        server.commit("one", &format!("file-{branch}"), 10).await;
    }
    server.git(&["-C", "one", "push", "-q", "--all", &url]).await;
    server.seen();
    server.git(&["clone", "-q", &url, &server.place("two")]).await;
    for branch in 0..40 {
        let there = server.head("two", &format!("origin/b{branch}")).await;
        assert_eq!(there, server.head("one", &format!("b{branch}")).await);
    }
    let (taken, _) = server.seen();
    // In version 2 of the protocol: what there is to ask, which branches there are, and what is in them.
    assert_eq!(lines(&taken), [LIST, FETCH, FETCH]);
    assert!(taken[2].is_gzip() && taken[2].length < 2000, "{taken:?}");
    assert_eq!(taken[0].headers["git-protocol"], "version=2");

    server.commit("one", "more", 10).await;
    server.git(&["-C", "one", "push", "-q", "--all", &url]).await;
    server.git(&["-C", "two", "fetch", "-q"]).await;
    assert_eq!(server.head("two", "origin/b39").await, server.head("one", "b39").await);
    server.check().await;
    assert_eq!(server.tokens(), 1);
    let (_, rejected) = server.seen();
    assert_eq!(rejected.len(), 0);
    proxy.stop().await;
}

#[tokio::test]
async fn a_token_that_expires_at_any_of_gits_requests_is_replaced_and_git_hears_nothing_of_it() {
    for (name, expires) in [("git-list", LIST), ("git-fetch", FETCH), ("git-push", PUSH)] {
        let server = Server::start(name).await;
        // More than is kept by default, of which a push in pieces always has more.
        let proxy = server.proxy("--replay-limit 10000000 -v").await;
        let url = proxy.url("/repo.git");
        server.git(&["init", "-q", "-b", "main", "one"]).await;
        server.commit("one", "first", 10).await;
        server.git(&["-C", "one", "push", "-q", &url, "main"]).await;
        server.git(&["clone", "-q", &url, "two"]).await;
        server.commit("one", "large", 1_000_000).await;
        server.seen();
        server.expire(expires);
        let pieces = ["-c", "http.postBuffer=1", "-c", "http.extraHeader=Expect: 100-continue"];
        let push = [&["-C", "one"][..], &pieces, &["push", "-q", &url, "main"]].concat();
        let output = server.try_git(&push).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        // Before the probe and before the rest, whatever the vendor says to it.
        assert_eq!(said.matches("Recv header: HTTP/1.1 100 Continue").count(), 2, "{said}");
        assert!(!said.contains("401 Unauthorized") && !said.contains("Bearer"), "{said}");
        server.git(&["-C", "two", "pull", "-q", "--ff-only"]).await;
        assert_eq!(server.head("two", "main").await, server.head("one", "main").await);
        server.check().await;
        let (taken, rejected) = server.seen();
        assert_eq!(lines(&taken), [LIST, PUSH, PUSH, LIST, FETCH, FETCH], "{name}");
        // An empty list of commands is sent ahead, to see whether anything of the kind is taken.
        assert_eq!((taken[1].length, taken[1].is_chunked()), (4, false));
        assert!(taken[2].length > 1_000_000 && taken[2].is_chunked(), "{taken:?}");
        assert_eq!((lines(&rejected), server.tokens()), (vec![expires], 2));
        if expires == PUSH {
            assert_eq!(rejected[0].length, taken[2].length);
        }
        assert_eq!(proxy.stop().await.matches(", replayed").count(), 1);
    }
}

#[tokio::test]
async fn a_push_that_is_too_long_to_be_kept_fails_and_the_next_one_arrives() {
    let server = Server::start("git-long").await;
    let proxy = server.proxy("").await;
    let url = proxy.url("/repo.git");
    server.git(&["init", "-q", "-b", "main", "one"]).await;
    server.commit("one", "large", 1_000_000).await;
    server.expire(PUSH);
    let push = ["-C", "one", "push", "-q", &url, "main"];
    let output = server.try_git(&push).await;
    assert!(!output.status.success());
    assert_eq!(server.git(&["-C", "served/repo.git", "branch"]).await, "");
    until("a new token", || server.tokens() == 2).await;
    server.git(&push).await;
    assert_eq!(server.head("served/repo.git", "main").await, server.head("one", "main").await);
    server.check().await;
    let (_, rejected) = server.seen();
    assert_eq!((lines(&rejected), server.tokens()), (vec![PUSH], 2));
    proxy.stop().await;
}
