//! What a request costs that says whose it is, beside the layer for one credential, and beside what people write: a map with
//! a service for each tenant. The floor is a cache that has nothing but each tenant's header: it never asks for a token.
//!
//! Everything here is cold: see `support/timing.rs`. What isn't a time is asserted, or printed with `TENANTS_TSV` set to where
//! it is to be written: what a tenant really takes, as the system sees it.

mod support;
#[path = "support/timing.rs"]
mod timing;

use std::{
    cell::Cell,
    collections::HashMap,
    env, fs,
    future::ready,
    hint::black_box,
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use dashmap::DashMap;
use futures_util::future::join_all;
use http::{HeaderValue, header::AUTHORIZATION};
use quick_cache::sync::Cache;
use support::{Counted, HOUR, Inner, TOKEN, Work, call, layer, signatures, warmed};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Semaphore,
    time::{Instant, sleep},
};
use tower::{Layer, Service};
use tower_reauth::{
    AccessToken, Acquire, AcquireError, Auth, AuthLayer, BoxError, CloneBodies, Credential, Description,
    Origin, Tenant, Tenants,
};

use crate::timing::{Posted, row, row_on_threads};

const SINGLE: &str = "Auth, one credential";
const OURS: &str = "Auth, tenants";
const DASHMAP: &str = "DashMap of services by hand (unbounded)";
const RWLOCK: &str = "RwLock<HashMap> of services by hand (unbounded)";
const FLOOR: &str = "quick_cache of headers (can't get a token)";

type Api = Auth<Inner, CloneBodies, Tenants<u64>>;

/// One tenant after the other, so many of them, on one thread and on two.
fn lookup(criterion: &mut Criterion) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut group = criterion.benchmark_group("tenants");
    let single = warmed(&runtime, layer(Counted::default())).layer(Inner);
    for count in [1, 1000] {
        let ours = many(&runtime, count).1;
        let floor = Floor::of(count);
        let by_dashmap =
            ByDashMap((0..count).map(|id| (id, single_of(&runtime))).collect::<DashMap<_, _>>().into());
        let by_rwlock =
            ByRwLock(RwLock::new((0..count).map(|id| (id, single_of(&runtime))).collect()).into());
        let send = match count {
            1 => of_one,
            _ => of_a_thousand,
        };
        for threads in [1, 2] {
            let what = format!("{count}, {threads}");
            let id = |who| BenchmarkId::new(who, &what);
            row_on_threads(&mut group, id(FLOOR), threads, &floor, send, sent);
            row_on_threads(&mut group, id(SINGLE), threads, &single, send, sent);
            row_on_threads(&mut group, id(OURS), threads, &ours, send, sent);
            row_on_threads(&mut group, id(DASHMAP), threads, &by_dashmap, send, sent);
            row_on_threads(&mut group, id(RWLOCK), threads, &by_rwlock, send, sent);
        }
    }
}

/// One of a million, which no cache of a processor holds.
fn million(criterion: &mut Criterion) {
    const COUNT: u64 = 1_000_000;
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut group = criterion.benchmark_group("tenants");
    let before = resident();
    let (tenants, ours) = many(&runtime, COUNT);
    let each = resident().saturating_sub(before) / COUNT;
    assert_eq!(tenants.census().healthy as u64, COUNT, "there is room for all");
    tell("bytes of a tenant with a token of 66, resident", each);
    let work = Work::new();
    row(&mut group, BenchmarkId::new(OURS, "1000000, 1"), ours, || of(&work, draw(COUNT)));
    drop(tenants);
    let floor = Floor::of(COUNT);
    row(&mut group, BenchmarkId::new(FLOOR, "1000000, 1"), floor, || of(&work, draw(COUNT)));
}

/// A hundred thousand tenants, and room for a tenth of them. Who isn't there is built, and gets a token at once.
fn eviction(criterion: &mut Criterion) {
    const COUNT: u64 = 100_000;
    let runtime = runtime();
    let mut group = criterion.benchmark_group("tenants, room for a tenth");
    group.sampling_mode(SamplingMode::Flat);
    let zipf = Zipf::new(COUNT);
    for (what, draw) in [("Zipf", &(|| zipf.draw()) as &dyn Fn() -> u64), ("uniform", &|| draw(COUNT))] {
        let (tenants, mut service) = room_for(10_000);
        let (misses, calls) = (tenants.1.clone(), Cell::new(0u64));
        let mut one = async |id| {
            calls.set(calls.get() + 1);
            service.call(of(&Work::new(), id)).await.expect("an answer")
        };
        runtime.block_on(async {
            for _ in 0..2 * COUNT {
                one(draw()).await;
            }
        });
        let (calls_before, misses_before) = (calls.get(), misses.load(Relaxed));
        group.bench_function(BenchmarkId::new(OURS, what), |b| {
            b.iter_custom(|iters| {
                let ids: Vec<_> = (0..iters).map(|_| draw()).collect();
                runtime.block_on(async {
                    let started = Instant::now();
                    for id in ids {
                        black_box(one(id).await);
                    }
                    started.elapsed()
                })
            });
        });
        let calls = calls.get() - calls_before;
        let hits = calls - (misses.load(Relaxed) as u64 - misses_before as u64);
        if let Some(share) = (1000 * hits).checked_div(calls) {
            tell(&format!("hits of a thousand, {what}, room for a tenth"), share);
        }
        assert!(tenants.0.census().bytes <= tenants.2, "bounded by bytes");

        let floor = Cache::<u64, HeaderValue>::new(10_000);
        group.bench_function(BenchmarkId::new(FLOOR, what), |b| {
            b.iter_custom(|iters| {
                let (ids, work, mut inner): (Vec<_>, _, _) =
                    ((0..iters).map(|_| draw()).collect(), Work::new(), Inner);
                let started = Instant::now();
                for id in ids {
                    let mut request = of(&work, id);
                    let value =
                        floor.get_or_insert_with(&id, || Ok::<_, BoxError>(header())).expect("infallible");
                    request.headers_mut().insert(AUTHORIZATION, value);
                    black_box(call(&mut inner, request));
                }
                started.elapsed()
            });
        });
    }
}

/// A thousand customers who call all the time, while somebody makes up ten ids for each of their requests: a million in all.
fn made_up(_: &mut Criterion) {
    const REAL: u64 = 1000;
    const CALLS: u64 = 100_000;
    let runtime = runtime();
    for (what, refuses) in [("refused", true), ("accepted", false)] {
        let built = Arc::new(AtomicUsize::new(0));
        let of_real = built.clone();
        // Room for two thousand.
        let tenants = Tenants::builder(move |id: u64| {
            if id < REAL {
                of_real.fetch_add(1, Relaxed);
            }
            ready(if refuses && id >= REAL {
                Err("nobody".into())
            } else {
                Ok(Tenant::new(Instantly).heap_bytes(0))
            })
        });
        let tenants = tenants.origin(origin()).bytes(2 * REAL * weight()).build();
        let mut service = AuthLayer::tenants(tenants.clone()).layer(Inner);
        let work = Work::new();
        runtime.block_on(async {
            for id in 0..REAL {
                service.call(of(&work, id)).await.expect("an answer");
            }
            built.store(0, Relaxed);
            let mut next = REAL;
            for number in 0..CALLS {
                let attempts: Vec<_> = (next..next + 10).map(async |id| tenants.get(&id).await).collect();
                next += 10;
                drop(join_all(attempts).await);
                service.call(of(&work, number % REAL)).await.expect("an answer");
            }
        });
        let hits = 1000 * (CALLS - built.load(Relaxed) as u64) / CALLS;
        tell(&format!("hits of a thousand of real tenants, a million made-up ids {what}"), hits);
        assert!(hits >= 990, "{hits} of a thousand, where they are {what}");
    }
}

/// Ten thousand who have no token, at an endpoint that takes 10 ms: 64 at a time, which takes 1.57 s at least.
fn cold(criterion: &mut Criterion) {
    const COUNT: u64 = 10_000;
    let runtime = runtime();
    let mut group = criterion.benchmark_group("crowd of tenants");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("cold start by hand: 10,000 tenants, 10 ms, 64 at a time", |b| {
        b.iter_custom(|iters| {
            let one = || async {
                let (places, busy) = (Arc::new(Semaphore::new(64)), Busy::default());
                let started = Instant::now();
                let calls = (0..COUNT).map(|_| {
                    let (places, busy) = (places.clone(), busy.clone());
                    tokio::spawn(async move {
                        let _place = places.acquire().await;
                        busy.ask().await;
                    })
                });
                join_all(calls.collect::<Vec<_>>()).await;
                started.elapsed()
            };
            (0..iters).map(|_| runtime.block_on(one())).sum()
        });
    });
    group.bench_function("cold start: 10,000 tenants, 10 ms, 64 at a time", |b| {
        b.iter_custom(|iters| {
            let one = || async {
                let busy = Busy::default();
                let asked = busy.clone();
                let tenants = Tenants::builder(move |_: u64| ready(Ok(Tenant::new(asked.clone()))));
                let service = AuthLayer::tenants(tenants.origin(origin()).build()).layer(Inner);
                let work = Work::new();
                let started = Instant::now();
                let calls = (0..COUNT).map(|id| tokio::spawn(service.clone().call(of(&work, id))));
                for answer in join_all(calls.collect::<Vec<_>>()).await {
                    answer.expect("no panic").expect("an answer");
                }
                let elapsed = started.elapsed();
                assert_eq!(busy.calls.load(Relaxed) as u64, COUNT, "one token call for each");
                assert!(busy.most.load(Relaxed) <= 64, "no more than 64 at a time");
                elapsed
            };
            (0..iters).map(|_| runtime.block_on(one())).sum()
        });
    });
}

/// A token endpoint that takes 10 ms, and counts who is there.
#[derive(Clone, Default)]
struct Busy {
    calls: Arc<AtomicUsize>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Busy {
    async fn ask(&self) {
        self.calls.fetch_add(1, Relaxed);
        self.most.fetch_max(1 + self.now.fetch_add(1, Relaxed), Relaxed);
        sleep(Duration::from_millis(10)).await;
        self.now.fetch_sub(1, Relaxed);
    }
}

impl Credential for Busy {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        self.ask().await;
        Ok(AccessToken::new(TOKEN)?.with_lifetime(HOUR))
    }
}

/// Has its token at hand.
struct Instantly;

impl Credential for Instantly {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Ok(AccessToken::new(TOKEN)?.with_lifetime(HOUR))
    }

    fn describe(&self) -> Description {
        Description::new("instantly")
    }
}

/// So many tenants with their tokens, and a service for them.
fn many(runtime: &Runtime, count: u64) -> (Tenants<u64>, Api) {
    let make = |_| ready(Ok(Tenant::new(Instantly).heap_bytes(0)));
    let tenants = Tenants::builder(make).origin(origin()).bytes(8 << 30).build();
    let service = AuthLayer::tenants(tenants.clone()).signatures(signatures()).layer(Inner);
    runtime.block_on(async {
        for id in 0..count {
            tenants.get(&id).await.expect("a tenant").get(Duration::ZERO).await.expect("a token");
        }
    });
    (tenants, service)
}

/// Tenants that count who is built, in so much room, and a service for them.
fn room_for(count: u64) -> ((Tenants<u64>, Arc<AtomicUsize>, u64), Api) {
    let built = Arc::new(AtomicUsize::new(0));
    let counted = built.clone();
    let make = move |_| {
        counted.fetch_add(1, Relaxed);
        ready(Ok(Tenant::new(Instantly).heap_bytes(0)))
    };
    let bytes = count * weight();
    let tenants = Tenants::builder(make).origin(origin()).bytes(bytes).build();
    let service = AuthLayer::tenants(tenants.clone()).signatures(signatures()).layer(Inner);
    ((tenants, built, bytes), service)
}

/// What one tenant weighs that is in use.
fn weight() -> u64 {
    let runtime = runtime();
    let (tenants, mut service) = many(&runtime, 1000);
    let work = Work::new();
    // What is written for a token is kept from the second use on.
    for id in (0..1000).chain(0..1000) {
        runtime.block_on(service.call(of(&work, id))).expect("an answer");
    }
    tenants.census().bytes / 1000
}

fn single_of(runtime: &Runtime) -> Auth<Inner> {
    warmed(runtime, layer(Counted::default())).layer(Inner)
}

fn origin() -> Origin {
    Origin::parse("https://api.example.com").expect("an origin")
}

fn header() -> HeaderValue {
    let mut value = HeaderValue::try_from(format!("Bearer {TOKEN}")).expect("valid");
    value.set_sensitive(true);
    value
}

fn of(work: &Work, id: u64) -> Posted {
    let mut request = work.request();
    request.extensions_mut().insert(id);
    request
}

fn of_one(work: &Work) -> Posted {
    of(work, 0)
}

fn of_a_thousand(work: &Work) -> Posted {
    of(work, draw(1000))
}

fn id(request: &Posted) -> u64 {
    request.extensions().get().copied().expect("an id")
}

fn sent<S: Service<Posted>>(service: &mut S, request: Posted) {
    call(service, request);
}

macro_rules! service {
    ($name:ident, |$this:ident, $request:ident| $call:expr) => {
        impl Service<Posted> for $name {
            type Response = <Auth<Inner> as Service<Posted>>::Response;
            type Error = <Auth<Inner> as Service<Posted>>::Error;
            type Future = <Auth<Inner> as Service<Posted>>::Future;

            fn poll_ready(
                &mut self,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), Self::Error>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn call(&mut self, $request: Posted) -> Self::Future {
                let $this = self;
                $call
            }
        }
    };
}

#[derive(Clone)]
struct ByDashMap(Arc<DashMap<u64, Auth<Inner>>>);
service!(ByDashMap, |this, request| {
    let mut service = this.0.get(&id(&request)).expect("it is there").clone();
    service.call(request)
});

#[derive(Clone)]
struct ByRwLock(Arc<RwLock<HashMap<u64, Auth<Inner>>>>);
service!(ByRwLock, |this, request| {
    let mut service = this.0.read().expect("no panic")[&id(&request)].clone();
    service.call(request)
});

#[derive(Clone)]
struct Floor(Arc<Cache<u64, HeaderValue>>);

impl Floor {
    fn of(count: u64) -> Self {
        let cache = Cache::new(usize::try_from(count).expect("it fits").max(64) * 2);
        (0..count).for_each(|id| cache.insert(id, header()));
        Self(Arc::new(cache))
    }
}

impl Service<Posted> for Floor {
    type Response = <Inner as Service<Posted>>::Response;
    type Error = <Inner as Service<Posted>>::Error;
    type Future = <Inner as Service<Posted>>::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        Service::<Posted>::poll_ready(&mut Inner, cx)
    }

    fn call(&mut self, mut request: Posted) -> Self::Future {
        let value = self.0.get(&id(&request)).expect("it is there");
        request.headers_mut().insert(AUTHORIZATION, value);
        Inner.call(request)
    }
}

/// Some number below `count`.
fn draw(count: u64) -> u64 {
    thread_local!(static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) });
    STATE.with(|state| {
        // xorshift64
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        x % count
    })
}

/// Few are called often, and many now and then: the n-th one n times less often than the first.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: u64) -> Self {
        let mut sum = 0.0;
        Self(
            (1..=count)
                .map(|rank| {
                    sum += 1.0 / rank as f64;
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self) -> u64 {
        let at = draw(1 << 53) as f64 / (1u64 << 53) as f64 * self.0[self.0.len() - 1];
        self.0.partition_point(|sum| *sum < at) as u64
    }
}

/// What the process has in memory, in bytes, as far as that can be told.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

/// Tells of what isn't a time.
fn tell(what: &str, count: u64) {
    let Ok(path) = env::var("TENANTS_TSV") else { return };
    let known = fs::read_to_string(&path).unwrap_or_default();
    let others = known.lines().filter(|line| line.split('\t').next() != Some(what));
    let lines: String =
        others.map(|line| format!("{line}\n")).chain([format!("{what}\t{count}\n")]).collect();
    fs::write(path, lines).expect("a file that can be written");
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

// The million first: what they take is told from what the process had before.
criterion_group!(benches, million, lookup, eviction, made_up, cold);
criterion_main!(benches);
