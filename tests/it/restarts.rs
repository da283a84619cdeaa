//! Programs that end and start again, and find the token that the one before them has left in a store.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::HeaderMap, routing};
use http::StatusCode;
use serde_json::json;
use tower::Layer;
use tower_reauth::{
    ApiVideo, AuthLayer, AuthOutcome, SecretSource,
    oauth2::{ClientAuthentication, RefreshToken},
    store::{FileStore, Keys, SharedSlot},
    testing::{MemoryStore, Revoked},
};

use crate::support::{KEYS, Serving, api_video, client, get, send, send_all};

const KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

/// A directory of its own, gone after the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("restarts-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    /// As a program opens it that starts.
    fn slot(&self) -> SharedSlot {
        let store = FileStore::open(&self.0).unwrap();
        store.sealed(&Keys::new(SecretSource::fixed(KEY))).unwrap().slot("test").unwrap()
    }

    /// All that is in its files.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(&self.0).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server whose refresh tokens are good once, with an API that accepts the newest access token.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    /// How many refresh tokens there have been. The newest is `r` with that number.
    issued: usize,
    scopes: Vec<String>,
    /// Refresh tokens that weren't the newest.
    reused: Vec<String>,
}

impl Server {
    async fn start(&self) -> Serving {
        let router = Router::new()
            .route("/token", routing::post(token))
            .route("/videos", routing::get(videos))
            .with_state(self.clone());
        Serving::of(router).await
    }

    fn token_calls(&self) -> usize {
        self.0.lock().unwrap().issued
    }
}

async fn token(State(server): State<Server>, form: String) -> (StatusCode, String) {
    let field = |name: &str| {
        let mut fields = form.split('&').filter_map(|field| field.split_once('='));
        fields
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.replace("%20", " "))
            .unwrap_or_default()
    };
    let (sent, mut books) = (field("refresh_token"), server.0.lock().unwrap());
    if sent != format!("r{}", books.issued) {
        books.reused.push(sent);
        return (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}).to_string());
    }
    books.issued += 1;
    books.scopes.push(field("scope"));
    let (access, refresh) = (format!("a{}", books.issued), format!("r{}", books.issued));
    let answer =
        json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh});
    (StatusCode::OK, answer.to_string())
}

async fn videos(State(server): State<Server>, headers: HeaderMap) -> StatusCode {
    let expected = format!("Bearer a{}", server.0.lock().unwrap().issued);
    if headers["authorization"] == expected.as_str() { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

/// A program that starts, calls the API a few times, and ends.
async fn program(origin: &str, layer: AuthLayer) -> Vec<Option<AuthOutcome>> {
    let service = layer.layer(client());
    let answers = send_all(&service, 10, || get(&format!("{origin}/videos"))).await;
    let outcomes = answers.into_iter().map(|answer| {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.outcome().cloned()
    });
    let outcomes = outcomes.collect();
    drop(service);
    layer.tokens().settled().await;
    outcomes
}

fn login(origin: &str, scope: Option<&'static str>) -> RefreshToken {
    let url = format!("{origin}/token");
    let login = RefreshToken::new(url, ClientAuthentication::public("my-app"), "r0");
    match scope {
        Some(scope) => login.scope(scope),
        None => login,
    }
}

#[tokio::test]
async fn a_program_that_starts_again_has_the_token_and_the_refresh_token_that_came_with_it() {
    let (server, directory) = (Server::default(), Directory::new());
    let served = server.start().await;
    let origin = &served.origin;
    let layer = || login(origin, None).layer(origin, client()).unwrap().shared(directory.slot()).unwrap();
    for _ in 0..3 {
        program(origin, layer()).await;
        assert_eq!(server.token_calls(), 1);
    }
    // What it was given at its start is long spent.
    for calls in 2..4 {
        let layer = layer();
        layer.tokens().get(Duration::ZERO).await.unwrap();
        layer.tokens().invalidate();
        program(origin, layer).await;
        assert_eq!(server.token_calls(), calls);
    }
    let books = server.0.lock().unwrap();
    assert!(books.reused.is_empty(), "{:?}", books.reused);
    let kept = directory.bytes();
    for token in ["\"a3\"", "\"r3\"", "\"r0\"", "my-app"] {
        assert!(!kept.windows(token.len()).any(|bytes| bytes == token.as_bytes()), "{token}");
    }
}

#[tokio::test]
async fn a_release_that_asks_for_more_goes_on_with_the_refresh_token_and_not_with_the_access_token() {
    let (server, directory) = (Server::default(), Directory::new());
    let served = server.start().await;
    let origin = &served.origin;
    for scope in [Some("read"), Some("read write"), Some("write read"), Some("read write")] {
        let layer = login(origin, scope).layer(origin, client()).unwrap();
        program(origin, layer.shared(directory.slot()).unwrap()).await;
    }
    let books = server.0.lock().unwrap();
    assert_eq!(books.scopes, ["read", "read write"]);
    assert!(books.reused.is_empty(), "{:?}", books.reused);
}

#[tokio::test]
async fn without_a_store_the_second_start_sends_what_is_spent() {
    let server = Server::default();
    let served = server.start().await;
    let origin = &served.origin;
    program(origin, login(origin, None).layer(origin, client()).unwrap()).await;
    let again = login(origin, None).layer(origin, client()).unwrap();
    send(&again.layer(client()), get(&format!("{origin}/videos"))).await.unwrap_err();
    assert_eq!(server.0.lock().unwrap().reused, ["r0"]);
}

#[tokio::test]
async fn a_key_that_is_exchanged_is_exchanged_once_for_all_starts() {
    let (directory, memory) = (Directory::new(), MemoryStore::new());
    let plain = || SharedSlot::plain(memory.clone(), "test").unwrap();
    for slot in [&(|| directory.slot()) as &dyn Fn() -> SharedSlot, &plain] {
        let subject = api_video().await;
        let origin = subject.served.origin();
        let layer = || {
            let layer = ApiVideo::sandbox(KEYS.api_video).base_url(origin).layer(client()).unwrap();
            layer.shared(slot().subject("us")).unwrap()
        };
        for _ in 0..3 {
            assert!(program(origin, layer()).await.iter().all(Option::is_none));
            assert_eq!(subject.counts().token_calls(), 1);
        }
        subject.controls.revoke(Revoked::Expired);
        for _ in 0..2 {
            program(origin, layer()).await;
            assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
        }
    }
}
