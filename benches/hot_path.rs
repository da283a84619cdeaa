//! What the layer costs a request whose token is cached, beside the same client without it, and beside what tower has.
//!
//! One thread is measured hot and cold: with each request made right before it is sent, within the time, and with
//! requests made beforehand. All else is cold: see `support/timing.rs`. Only ratios of one kind and within one run mean
//! anything.

mod support;
#[path = "support/timing.rs"]
mod timing;

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use support::{Counted, HOUR, Inner, Reading, Stale, Sweep, Work, call, floor, layer, retry, warmed};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};
use tower::{Layer, Service};
use tower_reauth::{AuthLayer, RecordBodies, RefreshPolicy};

use crate::timing::{Group, Posted, on_threads, row};

const FLOOR: &str = "AddAuthorization (can't refresh)";
const RETRY: &str = "tower Retry + AddAuthorization (doesn't refresh)";

fn hot(criterion: &mut Criterion) {
    one_thread(criterion.benchmark_group("hot path, cache hot"), Kind::Hot);
}

fn cold(criterion: &mut Criterion) {
    one_thread(criterion.benchmark_group("hot path, cache cold"), Kind::Cold);
}

fn one_thread(mut group: Group<'_>, kind: Kind) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let credential = Counted::default();
    let auth = warmed(&runtime, layer(credential.clone()));
    let mut group = Rows { group: &mut group, work: Work::new(), kind };

    group.add("bare inner service", Inner);
    group.add(FLOOR, floor(Inner));
    group.add(RETRY, retry(Inner));
    group.add("Auth, replayable", auth.layer(Inner));
    group.add_cloned("Auth, replayable, cloned per request", auth.layer(Inner));
    group.add("Auth, replay off", auth.clone().no_replay().layer(Inner));
    group.add_cloned("Auth, replay off, cloned per request", auth.no_replay().layer(Inner));
    assert_eq!(credential.calls(), 1, "the token was cached");

    group.add("Auth, replayable, renewal under way", stale(&runtime, false).layer(Inner));
    group.add("Auth, replayable, renewal failed", stale(&runtime, true).layer(Inner));
}

/// The client reads the request's body, as real ones do: only then does recording cost something.
fn reading(criterion: &mut Criterion) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let credential = Counted::default();
    let auth = warmed(&runtime, layer(credential.clone()));
    let mut group = criterion.benchmark_group("hot path, body read");
    let mut group = Rows { group: &mut group, work: Work::new(), kind: Kind::Cold };

    group.add("bare inner service", Reading);
    group.add(FLOOR, floor(Reading));
    group.add("Auth, replayable", auth.layer(Reading));
    group.add("Auth, recorded", auth.record_bodies(RecordBodies::DEFAULT_LIMIT).layer(Reading));
    assert_eq!(credential.calls(), 1, "the token was cached");
}

fn headers(criterion: &mut Criterion) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let credential = Counted::default();
    let auth = warmed(&runtime, layer(credential.clone()));
    let mut group = criterion.benchmark_group("headers");
    for (kind, fresh) in [("static", false), ("fresh", true)] {
        for headers in [1, 2, 4, 8, 16, 32] {
            let sweep = Sweep::new(headers, fresh);
            let id = |who| BenchmarkId::new(who, format!("{headers} {kind}"));
            row(&mut group, id("bare inner service"), Inner, || sweep.request());
            row(&mut group, id(FLOOR), floor(Inner), || sweep.request());
            row(&mut group, id("Auth, replayable"), auth.layer(Inner), || sweep.request());
        }
    }
    assert_eq!(credential.calls(), 1, "the token was cached");
}

/// Two threads at once, and for comparison one, both timed in the same way.
fn threads(criterion: &mut Criterion) {
    fn add<S>(group: &mut Group<'_>, name: &str, service: &S, send: fn(&mut S, Posted))
    where
        S: Clone + Send,
    {
        for threads in [1, 2] {
            group.bench_function(BenchmarkId::new(name, threads), |b| {
                b.iter_custom(|calls| on_threads(threads, calls, service, Work::request, send));
            });
        }
    }
    let runtime = runtime();
    let _entered = runtime.enter();
    let credential = Counted::default();
    let auth = warmed(&runtime, layer(credential.clone()));
    let once = auth.clone().no_replay().layer(Inner);
    let auth = auth.layer(Inner);
    let mut group = criterion.benchmark_group("threads");
    add(&mut group, "bare inner service", &Inner, kept);
    add(&mut group, FLOOR, &floor(Inner), kept);
    add(&mut group, "AddAuthorization, cloned per request", &floor(Inner), cloned);
    add(&mut group, RETRY, &retry(Inner), kept);
    add(&mut group, "Auth, replayable", &auth, kept);
    add(&mut group, "Auth, replayable, cloned per request", &auth, cloned);
    add(&mut group, "Auth, replay off", &once, kept);
    add(&mut group, "Auth, replay off, cloned per request", &once, cloned);
    assert_eq!(credential.calls(), 1, "the token was cached");
}

fn kept<S: Service<Posted>>(service: &mut S, request: Posted) {
    call(service, request);
}

/// As programs do whose framework clones the service for each request.
fn cloned<S: Service<Posted> + Clone>(service: &mut S, request: Posted) {
    call(&mut service.clone(), request);
}

/// The rows of one group that all do the same work.
struct Rows<'a, 'b> {
    group: &'a mut Group<'b>,
    work: Work,
    kind: Kind,
}

/// Where a request is when it is sent.
enum Kind {
    /// In the first-level cache, as it has just been made. Making it is part of the time.
    Hot,
    /// In the second-level cache, as others have been made since.
    Cold,
}

impl Rows<'_, '_> {
    fn add<S: Service<Posted>>(&mut self, name: &str, mut service: S) {
        self.time(name, |request| call(&mut service, request));
    }

    fn add_cloned<S: Service<Posted> + Clone>(&mut self, name: &str, service: S) {
        self.time(name, |request| call(&mut black_box(&service).clone(), request));
    }

    fn time<T>(&mut self, name: &str, send: impl FnMut(Posted) -> T) {
        let (id, make) = (BenchmarkId::from_parameter(name), || self.work.request());
        match self.kind {
            Kind::Hot => timing::hot(self.group, id, make, send),
            Kind::Cold => timing::batches(self.group, id, make, send),
        }
    }
}

/// A layer whose token is in the window for early renewal, and stays there.
fn stale(runtime: &Runtime, fails: bool) -> AuthLayer {
    let policy = RefreshPolicy::default()
        .early(0.9, HOUR)
        .attempts(1)
        .attempt_timeout(HOUR)
        .flight_deadline(HOUR)
        .back_off(100 * HOUR, 100 * HOUR);
    let auth = warmed(runtime, layer(Stale::new(fails)).policy(policy));
    let (mut service, work) = (auth.layer(Inner), Work::new());
    // The first failure is followed by another try at once; the second one by a pause.
    for _ in 0..3 {
        call(&mut service, work.request());
        runtime.block_on(sleep(Duration::from_millis(5)));
    }
    auth
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

criterion_group!(benches, hot, cold, reading, headers, threads);
criterion_main!(benches);
