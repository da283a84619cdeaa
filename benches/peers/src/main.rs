//! What others cost a request whose token is cached, in the same run as the crate itself.
//!
//! Each peer has a file, which says how it is driven: as its own documentation does it, with a token that it has acquired
//! once and keeps. A row is added by [`Peers::add`], which first looks that the request carries the token. What a peer
//! doesn't do is part of its name.

mod aws;
mod azure;
mod baseline;
mod endpoint;
mod gcp;
mod google;
mod hand_written;
mod huskarl;
mod kube;
mod modkit;
#[path = "../../support/mod.rs"]
mod support;
#[path = "../../support/timing.rs"]
mod timing;
mod yup;

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
};

use criterion::{BenchmarkId, Criterion};
use http::{HeaderMap, header::AUTHORIZATION};
use tokio::runtime::{Builder, Runtime};
use tower::BoxError;

use crate::{
    endpoint::Endpoint,
    support::{Inner, TOKEN, Work},
    timing::{Group, Posted, on_threads},
};

fn main() -> Result<(), BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    // Some peers leave it to the program which crypto they use.
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider already")?;
    let endpoint = runtime.block_on(Endpoint::start())?;
    let mut criterion = Criterion::default().configure_from_args();
    {
        let group = &mut criterion.benchmark_group("peers");
        let peers = &mut Peers { group, runtime: &runtime, endpoint: &endpoint };
        baseline::add(peers)?;
        hand_written::add(peers)?;
        modkit::add(peers)?;
        kube::add(peers)?;
        google::add(peers)?;
        aws::add(peers)?;
        azure::add(peers)?;
        yup::add(peers)?;
        gcp::add(peers)?;
        huskarl::add(peers)?;
    }
    criterion.final_summary();
    Ok(())
}

/// Where rows go, and what they need.
struct Peers<'a, 'b> {
    group: &'a mut Group<'b>,
    runtime: &'a Runtime,
    endpoint: &'a Endpoint,
}

impl Peers<'_, '_> {
    /// Two rows, for one thread and for two with a clone of `peer` each. `send` sends a request through `peer`.
    fn add<P: Clone + Send>(&mut self, name: &str, peer: P, send: fn(&mut P, Posted)) {
        self.add_own(name, peer, Work::request, send);
    }

    /// The same for a peer with its own type of requests.
    fn add_own<P: Clone + Send, R>(
        &mut self,
        name: &str,
        peer: P,
        make: fn(&Work) -> R,
        send: fn(&mut P, R),
    ) {
        for threads in [1, 2] {
            self.group.bench_function(BenchmarkId::new(name, threads), |b| {
                b.iter_custom(|calls| on_threads(threads, calls, &peer, make, send));
            });
        }
    }
}

/// Runs what waits for nothing, or for another thread's lock at most, and then without being put to sleep.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::yield_now(),
        }
    }
}

/// Sends a request by the trivial client.
fn send(request: Posted) -> http::Response<http_body_util::Empty<bytes::Bytes>> {
    support::call(&mut Inner, request)
}

fn assert_authorized(headers: &HeaderMap) {
    assert_eq!(headers[AUTHORIZATION], format!("Bearer {TOKEN}"));
}
