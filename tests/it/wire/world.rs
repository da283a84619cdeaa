//! A server on loopback that answers byte for byte what a test says: token requests at `/token`, all else as an API.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Stops taking connections when it is dropped.
pub(super) struct World {
    origin: String,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    /// What is answered next; the last one again and again.
    token: VecDeque<Vec<u8>>,
    /// What the API answers next; after the last one, 200.
    api: VecDeque<Vec<u8>>,
    token_requests: Vec<String>,
    token_heads: Vec<String>,
    api_requests: Vec<String>,
}

impl World {
    /// Answers token requests with `answers`, one after the other, and with the last one again and again.
    pub(super) async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let script =
            Arc::new(Mutex::new(Script { token: answers.into_iter().collect(), ..Script::default() }));
        let shared = script.clone();
        let task = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(tcp, shared.clone()));
            }
        });
        Self { origin, script, task }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn url(&self, target: &str) -> String {
        format!("{}{target}", self.origin)
    }

    /// Answers token requests with something else from now on.
    pub(super) fn answer(&self, answer: Vec<u8>) {
        self.script().token = [answer].into();
    }

    /// Has the API answer so, before it goes on with 200.
    pub(super) fn api_answers(&self, answers: impl IntoIterator<Item = Vec<u8>>) {
        self.script().api.extend(answers);
    }

    /// The bodies of the token requests.
    pub(super) fn token_requests(&self) -> Vec<String> {
        self.script().token_requests.clone()
    }

    /// The heads of the API's requests.
    pub(super) fn api_requests(&self) -> Vec<String> {
        self.script().api_requests.clone()
    }

    /// The value of a header in each of the API's requests.
    pub(super) fn api_headers(&self, name: &str) -> Vec<String> {
        headers(&self.api_requests(), name)
    }

    /// The value of a header in each of the token requests.
    pub(super) fn token_headers(&self, name: &str) -> Vec<String> {
        headers(&self.script().token_heads, name)
    }

    /// How often the token endpoint and the API were asked.
    pub(super) fn counts(&self) -> (usize, usize) {
        let script = self.script();
        (script.token_requests.len(), script.api_requests.len())
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn headers(heads: &[String], name: &str) -> Vec<String> {
    let value = |head: &String| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    heads.iter().filter_map(value).collect()
}

impl Drop for World {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer as it goes over the wire, with the length of its body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} \r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A 200 with JSON.
pub(super) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer(200, &[("content-type", "application/json")], body)
}

/// A 200 with a token that lasts.
pub(super) fn token(token: &str) -> Vec<u8> {
    json(format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#))
}

/// What an API says of a token that has expired (RFC 6750 §3.1).
pub(super) fn expired() -> Vec<u8> {
    answer(401, &[("www-authenticate", r#"Bearer error="invalid_token""#)], "")
}

/// So many seconds from now on, as seconds since 1970; or ago, if it is less than nothing.
pub(super) fn in_seconds(seconds: i64) -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().checked_add_signed(seconds).unwrap()
}

/// The date of HTTP that is so many seconds after 1970.
pub(super) fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

async fn converse(mut tcp: TcpStream, script: Arc<Mutex<Script>>) {
    let mut read = Vec::new();
    loop {
        let Some(head_len) = read.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
            match tcp.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        let head = String::from_utf8(read[..head_len].to_vec()).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
        });
        let end = head_len + length.unwrap_or(0);
        while read.len() < end {
            if tcp.read_buf(&mut read).await.unwrap() == 0 {
                return;
            }
        }
        let body = String::from_utf8(read[head_len..end].to_vec()).unwrap();
        read.drain(..end);
        let answer = {
            let mut script = script.lock().unwrap();
            if head.split(' ').nth(1).is_some_and(|target| target.starts_with("/token")) {
                script.token_requests.push(body);
                script.token_heads.push(head);
                match script.token.len() {
                    0 => panic!("no answer to token requests was given"),
                    1 => script.token[0].clone(),
                    _ => script.token.pop_front().unwrap(),
                }
            } else {
                script.api_requests.push(head);
                script.api.pop_front().unwrap_or_else(|| json("{}"))
            }
        };
        if tcp.write_all(&answer).await.is_err() {
            return;
        }
    }
}
