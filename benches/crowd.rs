//! Ten thousand requests at once: with no token yet, and with a token that is rejected. Calls are counted: more than one
//! is a failure of the bench. Everything runs on one thread.
//!
//! "By hand" is what can't be done with less: everybody waits for one channel, and a request is cloned before it is
//! sent. No cache, no failure, no deadline, no body that isn't there at once.

mod support;

use std::{
    convert::Infallible,
    fmt::Debug,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use futures_util::{FutureExt, future::Shared};
use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use support::{Counted, Inner, TOKEN, Work, layer};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Semaphore, oneshot, watch},
    task::yield_now,
    time::{Instant, sleep},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_reauth::{AccessToken, Acquire, AcquireError, Credential, Reason, TokenCache};

const CROWD: usize = 10_000;

/// From the token's arrival until the last one who waited for it is done.
fn cold_start(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("crowd");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    group.bench_function("cold start by hand: 10,000 wait for a channel, and are woken", |b| {
        b.iter_custom(|iters| {
            repeat(iters, &runtime, || async {
                let held = Held::default();
                let token = by_hand(held.clone());
                let waiting = (0..CROWD).map(|_| {
                    let token = token.clone();
                    async move { drop(token.await.expect("a token")) }
                });
                held.release(waiting).await
            })
        });
    });
    group.bench_function("cold start: 10,000 wait for a token, and are woken", |b| {
        b.iter_custom(|iters| {
            repeat(iters, &runtime, || async {
                let held = Held::default();
                let tokens = TokenCache::new(held.clone());
                let waiting = (0..CROWD).map(|_| {
                    let tokens = tokens.clone();
                    async move { drop(tokens.get(Duration::ZERO).await.expect("a token")) }
                });
                held.release(waiting).await
            })
        });
    });
    group.bench_function("cold start: 10,000 requests wait for a token, and are sent", |b| {
        b.iter_custom(|iters| {
            repeat(iters, &runtime, || async {
                let held = Held::default();
                let service = layer(held.clone()).layer(Inner);
                let work = Work::new();
                let waiting = (0..CROWD).map(|_| {
                    let (service, request) = (service.clone(), work.request());
                    async move { drop(service.oneshot(request).await.expect("an answer")) }
                });
                held.release(waiting).await
            })
        });
    });
}

/// What a credential's first token is sent through.
fn by_hand(credential: impl Credential) -> Shared<oneshot::Receiver<AccessToken>> {
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(async move {
        let token = credential.acquire(Acquire::new(Reason::Cold, None)).await.expect("a token");
        sender.send(token).expect("somebody waits");
    });
    receiver.shared()
}

/// From the first 401 until the last replay is answered. The token endpoint takes 10 ms.
fn storm(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("crowd");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("storm by hand: 10,000 requests rejected at once, and sent again", |b| {
        b.iter_custom(|iters| repeat(iters, &runtime, rejected_by_hand));
    });
    for (name, spread) in [
        ("storm: 10,000 requests rejected at once, refreshed and replayed", Duration::ZERO),
        ("storm: 10,000 requests rejected over 100 ms, refreshed and replayed", Duration::from_millis(100)),
    ] {
        group.bench_function(name, |b| {
            b.iter_custom(|iters| repeat(iters, &runtime, || rejected_together(spread)));
        });
    }
}

async fn rejected_together(spread: Duration) -> Duration {
    let credential = Slow::default();
    let auth = layer(credential.clone());
    auth.tokens().get(Duration::ZERO).await.expect("a token");
    let server = Server::new(spread);
    let service = {
        let server = server.clone();
        auth.layer(service_fn(move |request| server.clone().answer(request)))
    };
    let work = Work::new();
    let requests = (0..CROWD).map(|_| service.clone().oneshot(work.request()));
    let elapsed = server.answer_all(requests).await;
    assert_eq!(credential.counted.calls(), 2, "one refresh for all");
    elapsed
}

async fn rejected_by_hand() -> Duration {
    let server = Server::new(Duration::ZERO);
    let first = HeaderValue::try_from(format!("Bearer {TOKEN}")).expect("valid");
    // Begun by the first who is rejected.
    let second = async { by_hand(Slow::default()).await.map(|_| HeaderValue::from_static("Bearer second")) };
    let (second, work) = (second.boxed().shared(), Work::new());
    let requests = (0..CROWD).map(|_| {
        let (server, first, second, mut request) =
            (server.clone(), first.clone(), second.clone(), work.request());
        async move {
            let mut again = request.clone();
            request.headers_mut().insert(AUTHORIZATION, first);
            let rejection = server.clone().answer(request).await?.into_body().collect().await?.to_bytes();
            assert!(rejection.ends_with(br#""jwt expired"}"#));
            again.headers_mut().insert(AUTHORIZATION, second.await.expect("a token"));
            server.answer(again).await
        }
    });
    server.answer_all(requests).await
}

/// Holds its answers back until it is opened. Rejects the first token.
struct Server {
    sends: AtomicUsize,
    open: watch::Sender<bool>,
    spread: Duration,
}

impl Server {
    fn new(spread: Duration) -> Arc<Self> {
        Arc::new(Self { sends: AtomicUsize::new(0), open: watch::Sender::new(false), spread })
    }

    /// How long it takes from the first answer to the last, when all requests are there.
    async fn answer_all<F, R, E>(&self, requests: impl Iterator<Item = F>) -> Duration
    where
        F: Future<Output = Result<Response<R>, E>> + Send + 'static,
        R: Send + 'static,
        E: Debug + Send + 'static,
    {
        let requests: Vec<_> = requests.map(tokio::spawn).collect();
        while self.sends.load(Relaxed) < CROWD {
            yield_now().await;
        }
        let started = Instant::now();
        self.open.send_replace(true);
        for response in requests {
            assert_eq!(response.await.expect("no panic").expect("an answer").status(), StatusCode::OK);
        }
        let elapsed = started.elapsed();
        assert_eq!(self.sends.load(Relaxed), 2 * CROWD, "one replay for each");
        elapsed
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let before = self.sends.fetch_add(1, Relaxed);
        self.open.subscribe().wait_for(|open| *open).await.expect("the sender lives");
        if !self.spread.is_zero() && before < CROWD {
            sleep(self.spread.mul_f64(before as f64 / CROWD as f64)).await;
        }
        let token = request.headers()[AUTHORIZATION].as_bytes();
        if token.strip_prefix(b"Bearer ") != Some(TOKEN.as_bytes()) {
            return Ok(Response::new(Full::default()));
        }
        let mut response = Response::new(Bytes::from_static(br#"{"message":"jwt expired"}"#).into());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        Ok(response)
    }
}

/// Hands out its token when it is told to.
#[derive(Clone)]
struct Held {
    counted: Counted,
    gate: Arc<Semaphore>,
}

impl Default for Held {
    fn default() -> Self {
        Self { counted: Counted::default(), gate: Arc::new(Semaphore::new(0)) }
    }
}

impl Held {
    /// How long it takes those who wait, from when the token is there.
    async fn release<F>(&self, waiting: impl Iterator<Item = F>) -> Duration
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let arrived = Arc::new(AtomicUsize::new(0));
        let arriving = waiting.map(|waiting| {
            let arrived = arrived.clone();
            async move {
                arrived.fetch_add(1, Relaxed);
                waiting.await;
            }
        });
        let waiting: Vec<_> = arriving.map(tokio::spawn).collect();
        while arrived.load(Relaxed) < CROWD || self.counted.calls() == 0 {
            yield_now().await;
        }
        self.gate.add_permits(1);
        let started = Instant::now();
        for done in waiting {
            done.await.expect("no panic");
        }
        let elapsed = started.elapsed();
        assert_eq!(self.counted.calls(), 1, "one flight for all");
        elapsed
    }
}

impl Credential for Held {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let token = self.counted.acquire(request).await;
        self.gate.acquire().await.expect("it is never closed").forget();
        token
    }
}

/// Takes 10 ms.
#[derive(Clone, Default)]
struct Slow {
    counted: Counted,
}

impl Credential for Slow {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        sleep(Duration::from_millis(10)).await;
        self.counted.acquire(request).await
    }
}

fn repeat<F: Future<Output = Duration>>(iters: u64, runtime: &Runtime, one: impl Fn() -> F) -> Duration {
    (0..iters).map(|_| runtime.block_on(one())).sum()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

criterion_group!(benches, cold_start, storm);
criterion_main!(benches);
