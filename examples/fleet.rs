//! Ten programs that have one token together, in the files of a directory. It needs no server and no network.
//!
//! ```text
//! cargo run --example fleet
//! ```
//!
//! [`program`] is what each of them does when it starts. The programs are tasks of this one here; as processes they would
//! do the same. [`main`] starts and ends them, and compares how often the vendor was asked for a token with what it must be.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{
    convert::Infallible,
    env, fs,
    future::ready,
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt, service_fn};
use tower_reauth::{
    AccessToken, AuthLayer, BoxError, Origin, Rule, Signatures, from_fn,
    store::{FileStore, Keys},
};

const PROGRAMS: usize = 10;

/// The vendor: each token is a number, and the newest that was handed out and not revoked is good.
#[derive(Clone, Default)]
struct Vendor {
    issued: Arc<AtomicUsize>,
    revoked: Arc<AtomicUsize>,
}

impl Vendor {
    fn answer(&self, request: &Request<Empty<Bytes>>) -> Response<Empty<Bytes>> {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let number = token.and_then(|token| token.strip_prefix("Bearer token-")?.parse::<usize>().ok());
        let mut response = Response::new(Empty::new());
        if number.is_none_or(|number| number <= self.revoked.load(SeqCst)) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        response
    }
}

/// What a program does when it starts: a layer for the vendor's API, with a token that it shares.
fn program(vendor: &Vendor, directory: &Path, key: &str) -> Result<AuthLayer, BoxError> {
    let issued = vendor.issued.clone();
    let credential = from_fn(move |_, _| {
        let number = issued.fetch_add(1, SeqCst) + 1;
        async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok(AccessToken::new(format!("token-{number}"))?.with_lifetime(Duration::from_secs(3600)))
        }
    });
    let store = FileStore::open(directory)?.sealed(&Keys::new(key))?;
    // A closure can't tell whose token it gets.
    let slot = store.slot("billing")?.subject("account-4711");
    let expired = Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED));
    Ok(AuthLayer::new(Origin::parse("https://api.example.com")?, credential)
        .signatures(expired)
        .shared(slot)?)
}

/// All programs at once, each with ten calls at once. They end when they have their answers.
async fn run(vendor: &Vendor, directory: &Path, key: &str) -> Result<(), BoxError> {
    let mut programs = JoinSet::new();
    for _ in 0..PROGRAMS {
        let (layer, vendor) = (program(vendor, directory, key)?, vendor.clone());
        programs.spawn(async move {
            let api =
                layer.layer(service_fn(move |request| ready(Ok::<_, Infallible>(vendor.answer(&request)))));
            let call = || Request::get("https://api.example.com/invoices").body(Empty::new());
            let mut calls = JoinSet::new();
            for _ in 0..10 {
                calls.spawn(api.clone().oneshot(call()?));
            }
            while let Some(answer) = calls.join_next().await {
                assert_eq!(answer??.status(), StatusCode::OK);
            }
            // Nobody ends between a token and its saving.
            layer.tokens().settled().await;
            Ok::<_, BoxError>(())
        });
    }
    while let Some(ended) = programs.join_next().await {
        ended??;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // What `openssl rand -base64 32` prints; a real one is read from a variable or a file.
    let key = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";
    let directory = env::temp_dir().join(format!("tower-reauth-fleet-{}", process::id()));
    let vendor = Vendor::default();
    for (what, token_calls) in [("start", 1), ("start again", 1), ("after the token was revoked", 2)] {
        if token_calls > 1 {
            vendor.revoked.store(vendor.issued.load(SeqCst), SeqCst);
        }
        run(&vendor, &directory, key).await?;
        let issued = vendor.issued.load(SeqCst);
        println!("{PROGRAMS} programs {what}, with 10 calls each: {issued} token calls so far");
        assert_eq!(issued, token_calls);
    }
    fs::remove_dir_all(directory)?;
    Ok(())
}
