//! An API with an authorization server beside it, which gives refresh tokens that are good once. Who shows one that was used
//! already ends the login that it came of.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{Router, body::Body, extract::State, response::Response};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// How long a token lives.
    pub(crate) lives: Duration,
    /// How long a token request is on its way, and its answer on the way back.
    pub(crate) way: Duration,
}

pub(crate) struct Authority {
    pub(crate) origin: String,
    inside: Arc<Inside>,
    task: JoinHandle<()>,
}

struct Inside {
    manner: Manner,
    books: Mutex<Books>,
}

/// All that has happened.
#[derive(Default)]
pub(crate) struct Books {
    /// Logins by a secret, or by somebody.
    pub(crate) logins: usize,
    pub(crate) refreshes: usize,
    /// Token requests that have come, whether they were answered or not.
    pub(crate) begun: usize,
    /// How often a refresh token came that was used already.
    pub(crate) reused: usize,
    /// Calls of the API with a token that was good.
    pub(crate) hits: usize,
    access: HashMap<String, (usize, Instant)>,
    refresh: HashMap<String, usize>,
    used: HashMap<String, usize>,
    ended: HashSet<usize>,
}

impl Authority {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let inside = Arc::new(Inside { manner, books: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(inside.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { origin, inside, task }
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.inside.books.lock().unwrap()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(inside): State<Arc<Inside>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    if head.uri.path() != "/token" {
        return inside.books.lock().unwrap().api(&head.headers);
    }
    let body = body.collect().await.unwrap().to_bytes();
    // In a task of its own: what was asked for is done, though whoever has asked was killed since.
    tokio::spawn(async move {
        inside.books.lock().unwrap().begun += 1;
        sleep(inside.manner.way).await;
        let answer = inside.books.lock().unwrap().token(&body, inside.manner.lives);
        sleep(inside.manner.way).await;
        answer
    })
    .await
    .unwrap()
}

impl Books {
    fn api(&mut self, headers: &HeaderMap) -> Response {
        let shown =
            headers.get("authorization").and_then(|shown| shown.to_str().ok()?.strip_prefix("Bearer "));
        let is_good =
            |(login, until): &(usize, Instant)| *until > Instant::now() && !self.ended.contains(login);
        if shown.and_then(|shown| self.access.get(shown)).is_some_and(is_good) {
            self.hits += 1;
            return Response::new("fine".into());
        }
        let challenge = "Bearer error=\"invalid_token\"";
        Response::builder().status(401).header("www-authenticate", challenge).body(Body::empty()).unwrap()
    }

    fn token(&mut self, form: &[u8], lives: Duration) -> Response {
        let sent = form_urlencoded::parse(form).find(|(name, _)| name == "refresh_token");
        let login = match sent.map(|(_, sent)| sent.into_owned()) {
            None => {
                self.logins += 1;
                self.logins
            }
            Some(sent) => match self.refresh.remove(&sent) {
                Some(login) if !self.ended.contains(&login) => {
                    self.used.insert(sent, login);
                    self.refreshes += 1;
                    login
                }
                _ => {
                    self.reused += usize::from(self.used.contains_key(&sent));
                    self.ended.extend(self.used.get(&sent));
                    return json(400, r#"{"error":"invalid_grant"}"#.to_owned());
                }
            },
        };
        let number = self.logins + self.refreshes;
        let (access, refresh) = (format!("access-{number}-secret"), format!("refresh-{number}-secret"));
        self.access.insert(access.clone(), (login, Instant::now() + lives));
        self.refresh.insert(refresh.clone(), login);
        json(
            200,
            format!(
                r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"Bearer","expires_in":{}}}"#,
                lives.as_secs_f64()
            ),
        )
    }
}

fn json(status: u16, text: String) -> Response {
    Response::builder().status(status).header("content-type", "application/json").body(text.into()).unwrap()
}
