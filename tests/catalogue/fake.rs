//! [`Fake`]: plays one recording over a socket, and notes what isn't as documented.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    recording::{Answer, Exchange, Place, Recording, Written},
    request::{Arrived, Words, filled},
};

/// Stops when it is dropped.
pub(crate) struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

pub(crate) struct State {
    recording: Recording,
    /// How long its tokens live.
    pub(crate) lifetime: u64,
    /// How the API refuses a token that isn't valid.
    pub(crate) expired: Option<Answer>,
    /// What comes in place of the next answer there.
    pub(crate) instead: Option<(Place, Answer)>,
    /// Whether no token is to be had.
    pub(crate) down: bool,
    issued: usize,
    /// The tokens that the API takes.
    valid: BTreeSet<String>,
    /// Those that were given out.
    known: BTreeSet<String>,
    /// The refresh tokens that are taken.
    refreshing: BTreeSet<String>,
    pub(crate) logins: usize,
    pub(crate) refreshes: usize,
    pub(crate) refusals: usize,
    /// The tokens that came to the API.
    pub(crate) calls: Vec<String>,
    /// What wasn't as documented.
    pub(crate) complaints: Vec<String>,
}

impl State {
    /// The API takes none of the tokens that it has.
    pub(crate) fn expire(&mut self) {
        self.valid.clear();
    }

    pub(crate) fn asked(&self) -> usize {
        self.logins + self.refreshes + self.refusals
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    pub(crate) async fn start(recording: &Recording) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let recording = recording.clone();
        let (mut valid, mut refreshing) = (BTreeSet::new(), BTreeSet::new());
        if recording.is_static() {
            valid.extend(recording.inputs.values().cloned());
        }
        refreshing.extend(recording.inputs.get("refresh_token").cloned());
        let state = Arc::new(Mutex::new(State {
            lifetime: recording.lifetime.seconds.unwrap_or(3600),
            recording,
            expired: None,
            instead: None,
            down: false,
            issued: 0,
            valid,
            known: BTreeSet::new(),
            refreshing,
            logins: 0,
            refreshes: 0,
            refusals: 0,
            calls: Vec::new(),
            complaints: Vec::new(),
        }));
        let shared = state.clone();
        let router = Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            state.answer(&Arrived { head, body })
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, state, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&mut self, arrived: &Arrived) -> Response {
        let recording = self.recording.clone();
        let words: Words = recording.inputs.clone();
        let mut calls = std::iter::once(&recording.api.request).chain(&recording.api.also);
        if calls.any(|line| arrived.goes_to(&filled(line, &words))) {
            return self.call(arrived, &recording);
        }
        if self.down {
            return Response::builder().status(503).body(Body::empty()).unwrap();
        }
        let (mut right, mut wrong) = (words.clone(), words.clone());
        wrong.extend(recording.wrong.clone());
        let mut differences = Vec::new();
        if let Some(token) = &recording.token {
            match arrived.differs_from(token, &words) {
                // Its refresh token may be the input, which is as good as any.
                None if !self.is_spent(&recording) => {
                    let spends = recording.refresh.as_ref().is_some_and(|refresh| refresh.single_use);
                    if let Some(first) = recording.inputs.get("refresh_token").filter(|_| spends) {
                        self.refreshing.remove(first);
                    }
                    return self.logged_in(token);
                }
                None => differences.push("the first refresh token is spent".into()),
                Some(difference) => differences.push(difference),
            }
            if let (None, Some(refused)) = (arrived.differs_from(token, &wrong), &recording.refused) {
                self.refusals += 1;
                return response(refused, &wrong);
            }
        }
        if let Some(refresh) = &recording.refresh {
            for token in self.refreshing.clone() {
                right.insert("refresh_token".into(), token.clone());
                for access in
                    self.known.iter().rev().take(1).chain([&String::new()]).cloned().collect::<Vec<_>>()
                {
                    right.insert("token".into(), access);
                    match arrived.differs_from(refresh, &right) {
                        None => return self.refreshed(refresh, &token),
                        Some(difference) => differences.push(difference),
                    }
                }
            }
            // Some renew by the token itself.
            for access in self.known.clone() {
                right.insert("token".into(), access);
                match arrived.differs_from(refresh, &right) {
                    None => return self.refreshed(refresh, ""),
                    Some(difference) => differences.push(difference),
                }
            }
        }
        self.complaints.push(format!("a token request isn't as documented: {}", differences.join("; ")));
        Response::builder().status(500).body(Body::empty()).unwrap()
    }

    /// Whether a refresh token that is good once is the only secret, and was sent.
    fn is_spent(&self, recording: &Recording) -> bool {
        recording.inputs.get("refresh_token").is_some_and(|first| !self.refreshing.contains(first))
    }

    fn call(&mut self, arrived: &Arrived, recording: &Recording) -> Response {
        let token = match recording.api.token.split_once(": ") {
            Some((name, value)) => {
                let (before, after) = value.split_once("{token}").unwrap();
                arrived
                    .header(name)
                    .and_then(|found| found.strip_prefix(before)?.strip_suffix(after))
                    .map(ToOwned::to_owned)
            }
            None => {
                let name =
                    recording.api.token.strip_prefix('?').and_then(|text| text.strip_suffix("={token}"));
                arrived.query().remove(name.unwrap())
            }
        };
        let Some(token) = token else {
            self.complaints.push(format!(
                "no {:?} in {:?} to {}",
                recording.api.token,
                arrived.head.headers,
                arrived.url()
            ));
            return Response::builder().status(500).body(Body::empty()).unwrap();
        };
        self.calls.push(token.clone());
        if let Some(answer) = self.take(Place::Api) {
            return response(&answer, &Words::new());
        }
        match &self.expired {
            _ if self.valid.contains(&token) => {
                let healthy = Answer {
                    status: 200,
                    headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
                    body: recording.api.body.clone(),
                    ..Answer::default()
                };
                response(&healthy, &Words::new())
            }
            Some(expired) if self.known.contains(&token) || recording.is_static() => {
                response(expired, &[("token".to_owned(), token)].into())
            }
            _ => {
                self.complaints.push(format!("the API got the token {token:?}, which it doesn't take"));
                Response::builder().status(500).body(Body::empty()).unwrap()
            }
        }
    }

    fn take(&mut self, place: Place) -> Option<Answer> {
        self.instead.take_if(|(at, _)| *at == place).map(|(_, answer)| answer)
    }

    fn logged_in(&mut self, exchange: &Exchange) -> Response {
        self.logins += 1;
        match self.take(Place::Token) {
            Some(answer) => response(&answer, &Words::new()),
            None => self.issue(exchange),
        }
    }

    fn refreshed(&mut self, exchange: &Exchange, sent: &str) -> Response {
        self.refreshes += 1;
        if exchange.single_use {
            self.refreshing.remove(sent);
        }
        self.issue(exchange)
    }

    /// A new token, and a new refresh token where the answer has one.
    fn issue(&mut self, exchange: &Exchange) -> Response {
        let answer = &exchange.answer;
        if exchange.revokes {
            self.valid.clear();
        }
        self.issued += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let (issued, until) = (self.issued, now + Duration::from_secs(self.lifetime));
        let token = match self.recording.lifetime.written {
            Written::Jwt => {
                let part = |json: String| URL_SAFE_NO_PAD.encode(json);
                let claims = format!(r#"{{"jti":"{issued}","exp":{}}}"#, until.as_secs());
                format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#.into()), part(claims))
            }
            _ => format!("tok{issued}.Aa-Zz_09"),
        };
        let lifetime = match self.recording.lifetime.written {
            Written::Epoch => until.as_secs().to_string(),
            Written::Milliseconds => until.as_millis().to_string(),
            Written::Rfc3339 => humantime::format_rfc3339_millis(UNIX_EPOCH + until).to_string(),
            Written::Nowhere | Written::Seconds | Written::Jwt => self.lifetime.to_string(),
        };
        let refresh_token = format!("ref{issued}.Aa-Zz_09");
        if answer.body.contains("{refresh_token}") {
            self.refreshing.insert(refresh_token.clone());
        }
        self.valid.insert(token.clone());
        self.known.insert(token.clone());
        let words = [("token", token), ("lifetime", lifetime), ("refresh_token", refresh_token)];
        response(answer, &words.map(|(name, word)| (name.to_owned(), word)).into())
    }
}

fn response(answer: &Answer, words: &Words) -> Response {
    let mut response = Response::builder().status(answer.status);
    if !answer.body.is_empty() && !answer.headers.contains_key("content-type") {
        response = response.header("content-type", "application/json");
    }
    for (name, value) in &answer.headers {
        response = response.header(name, filled(value, words));
    }
    response.body(Body::from(filled(&answer.body, words))).unwrap()
}
