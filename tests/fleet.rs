//! What a thousand processes do to one token endpoint: the figures in `docs/scaling.md`, measured and held.
//!
//! Each process is a real layer with the default policy. Time is virtual and chance seeded, so the figures are the same
//! each time. `cargo test --test fleet -- --nocapture` prints them.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]
#![allow(clippy::print_stdout, reason = "the figures are for people as well")]

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::{Empty, Full};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AuthError, AuthLayer, BoxError, Credential, Origin, Rule, Signatures,
    store::SharedSlot, testing::MemoryStore,
};

const PROCESSES: usize = 1000;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Of one process.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn starting_together_makes_one_call_for_each_process() {
    let fleet = Fleet::new();
    // Ten requests each, all at once.
    fleet.each(|process| async move { process.requests(10).await }).await;
    fleet.tell("start, 10 requests each at once");
    assert_eq!(fleet.calls().len(), PROCESSES);
    assert_eq!(fleet.failed(), 0);
}

#[tokio::test(start_paused = true)]
async fn starting_together_at_an_endpoint_with_a_limit_is_over_soon_after_it_could_be() {
    let fleet = Fleet::new();
    fleet.endpoint.set(Behaviour::Limited { per_second: 100 });
    let started = Instant::now();
    fleet.each(|process| async move { process.request_until_served().await }).await;
    let took = started.elapsed();
    fleet.tell("start, the endpoint allows 100 calls a second");
    // All but the first, which come when the fleet starts.
    let busiest = busiest(&fleet.calls()[PROCESSES..], SECOND / 100);
    println!("  all have a token after {took:?}, in the busiest 10 ms {busiest} calls came back");
    // Ten seconds are what it takes at best.
    assert!(took < MINUTE, "{took:?}");
    assert!(fleet.calls().len() < 10 * PROCESSES, "{} calls", fleet.calls().len());
    assert!(busiest < PROCESSES / 5, "{busiest} calls in 10 ms");
}

#[tokio::test(start_paused = true)]
async fn those_who_started_together_do_not_renew_together() {
    let fleet = Fleet::new();
    let started = Instant::now();
    fleet.until_renewed().await;
    let renewals = fleet.calls().split_off(PROCESSES);
    let (first, last) = (renewals[0] - started, renewals[renewals.len() - 1] - started);
    let busiest = busiest(&renewals, SECOND);
    fleet.tell("renewal of one-hour tokens");
    println!("  from {first:?} to {last:?}, in the busiest second {busiest}");
    assert_eq!((renewals.len(), fleet.failed()), (PROCESSES, 0));
    assert!(first >= 55 * MINUTE && last <= 58 * MINUTE, "{first:?} to {last:?}");
    assert!(busiest < 25, "{busiest} in one second");
}

#[tokio::test(start_paused = true)]
async fn revoking_all_tokens_makes_one_call_for_each_process() {
    let fleet = Fleet::new();
    fleet.revoked().await;
    let storm = fleet.calls().split_off(PROCESSES);
    fleet.tell("all tokens revoked, 10 requests of each process rejected within a second");
    println!("  in the busiest 100 ms {}", busiest(&storm, SECOND / 10));
    assert_eq!((storm.len(), fleet.failed()), (PROCESSES, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_asked_about_rarely_and_its_end_is_no_stampede() {
    let fleet = Fleet::new();
    let (started, outage) = (Instant::now(), 10 * MINUTE);
    fleet.out_of_order(outage).await;
    let took = started.elapsed() - outage;
    let (during, after): (Vec<_>, Vec<_>) = fleet.calls().iter().partition(|at| **at < started + outage);
    let in_last_minute = during.iter().filter(|at| **at >= started + outage - MINUTE).count();
    let busiest = busiest(&after, SECOND);
    fleet.tell("outage of 10 minutes, one request in 5 s each");
    println!("  {} calls during it, {in_last_minute} in its last minute", during.len());
    println!("  then {} calls within {took:?}, in the busiest second {busiest}", after.len());
    assert!(during.len() < 100 * PROCESSES, "{} calls", during.len());
    assert!(in_last_minute < 10 * PROCESSES, "{in_last_minute} calls");
    assert_eq!(after.len(), PROCESSES);
    assert!(busiest < PROCESSES / 10, "{busiest} in one second");
    assert!(took < 2 * MINUTE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_rejects_every_token_costs_few_calls() {
    let fleet = Fleet::new();
    fleet.rejected_for(10 * MINUTE).await;
    let each = fleet.calls().len() / PROCESSES;
    fleet.tell("every token rejected for 10 minutes, one request in 5 s each");
    println!("  {each} calls for each process");
    assert!(each <= 20, "{each} calls for each process");
}

#[tokio::test(start_paused = true)]
async fn with_a_store_a_fleet_makes_one_call_where_one_process_does() {
    let (fleet, store) = Fleet::sharing();
    fleet.each(|process| async move { process.requests(10).await }).await;
    fleet.tell_shared("start, 10 requests each at once", &store);
    assert_eq!((fleet.calls().len(), fleet.failed()), (1, 0));
    let start = store.calls(None);
    assert!(start < 3_000, "{start} commands");

    let (fleet, store) = Fleet::sharing();
    fleet.until_renewed().await;
    fleet.tell_shared("renewal of one-hour tokens", &store);
    assert_eq!((fleet.calls().len(), fleet.failed()), (2, 0));
    let commands = store.calls(None) - start;
    assert!(commands < 1_200, "{commands} commands");

    let (fleet, store) = Fleet::sharing();
    fleet.revoked().await;
    fleet.tell_shared("the token revoked, 10 requests of each process rejected within a second", &store);
    assert_eq!((fleet.calls().len(), fleet.failed()), (2, 0));
    let commands = store.calls(None) - start;
    assert!(commands < 2_500, "{commands} commands");
}

#[tokio::test(start_paused = true)]
async fn with_a_store_a_fleet_asks_an_endpoint_that_fails_about_as_often_as_one_process_does() {
    let (fleet, store) = Fleet::sharing();
    let (started, outage) = (Instant::now(), 10 * MINUTE);
    fleet.out_of_order(outage).await;
    let took = started.elapsed() - outage;
    let calls = fleet.calls();
    let (during, after) = calls.split_at(calls.partition_point(|at| *at < started + outage));
    fleet.tell_shared("outage of 10 minutes, one request in 5 s each", &store);
    println!("  {} calls during it, then {} within {took:?}", during.len(), after.len());
    assert!(during.len() < 100, "{} calls", during.len());
    assert!(store.calls(None) < 300 * outage.as_secs(), "{} commands", store.calls(None));
    assert_eq!(after.len(), 1);
    assert!(took < 2 * MINUTE, "{took:?}");

    let (fleet, store) = Fleet::sharing();
    fleet.rejected_for(10 * MINUTE).await;
    fleet.tell_shared("every token rejected for 10 minutes, one request in 5 s each", &store);
    assert!(fleet.calls().len() <= 20, "{} calls", fleet.calls().len());
    assert!(store.calls(None) < 300 * outage.as_secs(), "{} commands", store.calls(None));
}

/// A thousand processes, and what they talk to.
struct Fleet {
    processes: Vec<Process>,
    world: Arc<World>,
    endpoint: Arc<Endpoint>,
    failed: Arc<AtomicUsize>,
}

impl Fleet {
    /// Each process for itself.
    fn new() -> Self {
        Self::of(|layer| layer)
    }

    /// All of them with one token, which is in a store.
    fn sharing() -> (Self, MemoryStore) {
        let store = MemoryStore::new();
        let slot = SharedSlot::plain(store.clone(), "fleet").unwrap().subject("all");
        (Self::of(|layer| layer.shared(slot.clone()).unwrap()), store)
    }

    fn of(with: impl Fn(AuthLayer) -> AuthLayer) -> Self {
        fastrand::seed(7);
        let (world, endpoint, failed) = <(Arc<World>, Arc<Endpoint>, Arc<AtomicUsize>)>::default();
        let process = |_| Process::new(&with, world.clone(), endpoint.clone(), failed.clone());
        Self { processes: (0..PROCESSES).map(process).collect(), world, endpoint, failed }
    }

    /// A request of each, and then one in 5 s while the token runs out.
    async fn until_renewed(&self) {
        let started = Instant::now();
        self.each(|process| async move {
            process.request().await;
            sleep_until(started + 54 * MINUTE + BETWEEN_REQUESTS.mul_f64(fastrand::f64())).await;
            while started.elapsed() < 59 * MINUTE {
                process.request().await;
                sleep(BETWEEN_REQUESTS).await;
            }
        })
        .await;
    }

    /// A request of each. Then all tokens are revoked, which 10 requests of each meet within a second.
    async fn revoked(&self) {
        self.each(|process| async move { process.requests(1).await }).await;
        self.world.revoke_all_before(self.calls().len() + 1);
        self.each(|process| async move {
            sleep(SECOND.mul_f64(fastrand::f64())).await;
            process.requests(10).await;
        })
        .await;
    }

    /// A request of each in 5 s, until one goes well after the token endpoint was out of order for so long.
    async fn out_of_order(&self, outage: Duration) {
        self.endpoint.set(Behaviour::Down);
        let (started, endpoint) = (Instant::now(), self.endpoint.clone());
        tokio::spawn(async move {
            sleep(outage).await;
            endpoint.set(Behaviour::Up);
        });
        self.each(|process| async move {
            sleep(BETWEEN_REQUESTS.mul_f64(fastrand::f64())).await;
            while !process.request().await || started.elapsed() < outage {
                sleep(BETWEEN_REQUESTS).await;
            }
        })
        .await;
    }

    /// A request of each in 5 s, all of which are rejected.
    async fn rejected_for(&self, time: Duration) {
        let started = Instant::now();
        self.world.revoke_all_before(usize::MAX);
        self.each(|process| async move {
            while started.elapsed() < time {
                process.request().await;
                sleep(BETWEEN_REQUESTS).await;
            }
        })
        .await;
    }

    /// Runs something in each process at the same time.
    async fn each<F>(&self, run: impl Fn(Process) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut all: JoinSet<()> = self.processes.iter().cloned().map(run).collect();
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    }

    /// When the token endpoint was called.
    fn calls(&self) -> Vec<Instant> {
        self.endpoint.calls.lock().unwrap().clone()
    }

    /// How many requests didn't get a 200.
    fn failed(&self) -> usize {
        self.failed.load(Relaxed)
    }

    fn tell(&self, what: &str) {
        println!("{what}: {} calls, {} requests failed", self.calls().len(), self.failed());
    }

    fn tell_shared(&self, what: &str, store: &MemoryStore) {
        let (calls, commands) = (self.calls().len(), store.calls(None));
        println!("with a store, {what}: {calls} calls, {} requests failed", self.failed());
        println!("  {commands} commands to the store");
    }
}

/// The most calls within any stretch of this length.
fn busiest(calls: &[Instant], length: Duration) -> usize {
    let from = |(i, at): (usize, &Instant)| calls.partition_point(|later| *later < *at + length) - i;
    calls.iter().enumerate().map(from).max().unwrap_or(0)
}

#[derive(Clone)]
struct Process {
    api: BoxCloneSyncService<Request<Full<Bytes>>, StatusCode, BoxError>,
    failed: Arc<AtomicUsize>,
}

impl Process {
    fn new(
        with: impl Fn(AuthLayer) -> AuthLayer,
        world: Arc<World>,
        endpoint: Arc<Endpoint>,
        failed: Arc<AtomicUsize>,
    ) -> Self {
        let expired = Rule::expired().status(StatusCode::UNAUTHORIZED);
        let auth = AuthLayer::new(Origin::parse("https://api.test").unwrap(), Shared(endpoint))
            .signatures(Signatures::new().rule(expired));
        let api = with(auth).layer(service_fn(move |request| world.clone().answer(request)));
        Self { api: BoxCloneSyncService::new(api.map_response(|response| response.status())), failed }
    }

    /// Sends a request, and says whether it went well.
    async fn request(&self) -> bool {
        let request = Request::get("https://api.test/things").body(Full::default()).unwrap();
        let well = matches!(self.api.clone().oneshot(request).await, Ok(StatusCode::OK));
        self.failed.fetch_add(usize::from(!well), Relaxed);
        well
    }

    /// Sends a request until it goes well, each time when there may be a token again.
    async fn request_until_served(&self) {
        loop {
            let request = Request::get("https://api.test/things").body(Full::default()).unwrap();
            let Err(error) = self.api.clone().oneshot(request).await else { return };
            self.failed.fetch_add(1, Relaxed);
            let retry_at = AuthError::find(&*error).and_then(AuthError::retry_at);
            sleep_until(retry_at.unwrap_or_else(|| Instant::now() + SECOND)).await;
        }
    }

    /// Sends so many at once.
    async fn requests(&self, count: usize) {
        join_all((0..count).map(|_| self.request())).await;
    }
}

/// The API. Tokens are numbers, and those below the first valid one are rejected. It takes 50 ms.
#[derive(Default)]
struct World {
    first_valid: AtomicUsize,
}

impl World {
    fn revoke_all_before(&self, token: usize) {
        self.first_valid.store(token, Relaxed);
    }

    async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Result<Response<Empty<Bytes>>, Infallible> {
        sleep(SECOND / 20).await;
        let token = request.headers()[AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let mut response = Response::new(Empty::new());
        if token.parse::<usize>().unwrap() < self.first_valid.load(Relaxed) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        Ok(response)
    }
}

/// The token endpoint. It takes 20 ms.
#[derive(Default)]
struct Endpoint {
    calls: Mutex<Vec<Instant>>,
    /// Those that were served under a limit.
    served: Mutex<Vec<Instant>>,
    behaviour: Mutex<Behaviour>,
}

#[derive(Clone, Copy, Default)]
enum Behaviour {
    #[default]
    Up,
    Down,
    /// Serves so many calls a second; the others get a 429 that asks for a second's pause.
    Limited {
        per_second: usize,
    },
}

impl Endpoint {
    fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// The number of this call, if it is served.
    fn call(&self) -> Result<usize, AcquireError> {
        let (mut calls, now) = (self.calls.lock().unwrap(), Instant::now());
        calls.push(now);
        let behaviour = *self.behaviour.lock().unwrap();
        match behaviour {
            Behaviour::Up => Ok(calls.len()),
            Behaviour::Down => Err(AcquireError::transient("out of order")),
            Behaviour::Limited { per_second } => {
                let mut served = self.served.lock().unwrap();
                let lately = served.iter().rev().take_while(|at| now - **at < SECOND).count();
                if lately < per_second {
                    served.push(now);
                    return Ok(calls.len());
                }
                let error = AcquireError::transient("too many requests");
                Err(error.with_status(StatusCode::TOO_MANY_REQUESTS).with_retry_after(SECOND))
            }
        }
    }
}

/// A credential whose endpoint others share.
struct Shared(Arc<Endpoint>);

impl Credential for Shared {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let answer = self.0.call();
        sleep(SECOND / 50).await;
        Ok(AccessToken::new(answer?.to_string())?.with_lifetime(60 * MINUTE))
    }
}
