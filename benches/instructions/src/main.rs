//! Sends so many requests and ends, so that callgrind can count instructions: those of 11,000 requests less those of
//! 1,000 are those of 10,000 requests, and nothing of starting and ending is in the difference.
//!
//! ```text
//! instructions <row> <requests>             one of the rows below, over a trivial inner service
//! instructions serve                        a server on loopback; prints its address
//! instructions <row> <requests> <address>   over hyper, HTTP/1.1, one connection, one request at a time
//! ```

#![allow(clippy::print_stdout, reason = "the script reads it")]

mod over_hyper;
#[cfg(feature = "shared")]
mod shared;
#[path = "../../support/mod.rs"]
mod support;

use std::{env, error::Error, hint::black_box};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use support::{Counted, Inner, Reading, Work, call, floor, layer, retry, warmed};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service};
use tower_reauth::RecordBodies;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => runtime.block_on(over_hyper::serve()),
        [row, requests] => {
            trivial(&runtime, row, requests.parse()?);
            Ok(())
        }
        [row, requests, address] => {
            runtime.block_on(over_hyper::run(row, requests.parse()?, address.parse()?))
        }
        _ => Err("usage: instructions serve | <row> <requests> [<address>]".into()),
    }
}

fn trivial(runtime: &Runtime, row: &str, requests: usize) {
    let _entered = runtime.enter();
    let credential = Counted::default();
    let auth = || warmed(runtime, layer(credential.clone()));
    match row {
        "inner" => send(Inner, requests),
        "add-authorization" => send(floor(Inner), requests),
        "retry" => send(retry(Inner), requests),
        "replayable" => send(auth().layer(Inner), requests),
        "replayable-cloned" => send_by_clones(auth().layer(Inner), requests),
        #[cfg(feature = "shared")]
        "replayable-shared" => {
            send(warmed(runtime, shared::shared(credential.clone())).layer(Inner), requests)
        }
        "replay-off" => send(auth().no_replay().layer(Inner), requests),
        "reading-inner" => send(Reading, requests),
        "reading-add-authorization" => send(floor(Reading), requests),
        "reading-replayable" => send(auth().layer(Reading), requests),
        "reading-recorded" => {
            send(auth().record_bodies(RecordBodies::DEFAULT_LIMIT).layer(Reading), requests)
        }
        _ => panic!("there is no row {row}"),
    }
    assert!(credential.calls() <= 1, "the token was cached");
}

fn send<S: Service<Request<Full<Bytes>>>>(mut service: S, requests: usize) {
    let work = Work::new();
    for _ in 0..requests {
        black_box(call(&mut service, work.request()));
    }
}

/// As programs do that clone the service for each request.
fn send_by_clones<S: Service<Request<Full<Bytes>>> + Clone>(service: S, requests: usize) {
    let work = Work::new();
    for _ in 0..requests {
        black_box(call(&mut service.clone(), work.request()));
    }
}
