//! Steady callers for ten minutes, at servers whose tokens end when they were said to, or sooner: what reaches callers,
//! and what it costs. The layer is the real one with the default policy, and time is virtual.
//!
//! `SOAK_MINUTES=600 cargo test --test soak -- --nocapture` goes on for longer, and the figures are for people as well.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]
#![allow(clippy::print_stdout, reason = "the figures are for people as well")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::{Empty, Full};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep},
};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AuthLayer, BoxError, Credential, Origin, Rule, Signatures,
};

const SECOND: Duration = Duration::from_secs(1);
/// Half of the way to the API and back.
const API: Duration = Duration::from_millis(40);
/// Half of the way to the token endpoint and back.
const TOKENS: Duration = Duration::from_millis(25);
/// Of all callers together.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(20);

#[tokio::test(start_paused = true)]
async fn tokens_that_live_as_long_as_they_should() {
    for seconds in [1, 2, 5, 60] {
        soak(seconds, Ends::WhenSaid).await;
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_whose_lives_are_counted_in_whole_seconds() {
    // Of one second nearly nothing may be left.
    for seconds in [2, 5, 60] {
        soak(seconds, Ends::OnTheSecond).await;
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_live_half_as_long_as_is_said() {
    for seconds in [2, 5, 60] {
        soak(seconds, Ends::HalfWay).await;
    }
}

/// No rejection reaches a caller whose request can be replayed, and of the others only those that were on their way
/// when a token died.
async fn soak(seconds: u32, ends: Ends) {
    let server = Server::new(Some(seconds * SECOND), ends);
    let [replayable, once] = server.clients();
    let time = minutes();
    server
        .called_by(time, |n| match n % 2 {
            0 => call(replayable.clone(), Sends::Twice),
            _ => call(once.clone(), Sends::Once),
        })
        .await;

    let told = seconds * SECOND;
    let shortest = match ends {
        Ends::WhenSaid => told,
        Ends::OnTheSecond => told - SECOND,
        Ends::HalfWay => told / 2,
    };
    // The widest window is a tenth of the lifetime.
    let most = 1.2 * time.as_secs_f64() / shortest.min(told.mul_f64(0.9)).as_secs_f64();
    let world = server.world.lock().unwrap();
    println!(
        "{seconds} s, {ends:?}: {} token calls [{most:.0}], {} tokens rejected, to callers {} of {} that \
         could be replayed, {} of {} others [{}]",
        world.calls,
        world.died.len(),
        world.rejected[&Sends::Twice],
        world.answered[&Sends::Twice],
        world.rejected[&Sends::Once],
        world.answered[&Sends::Once],
        world.died.values().sum::<usize>(),
    );
    assert!(world.calls as f64 <= most, "{} token calls", world.calls);
    assert_eq!(world.rejected[&Sends::Twice], 0);
    assert!(world.rejected[&Sends::Once] <= world.died.values().sum());
}

#[tokio::test(start_paused = true)]
async fn a_path_that_rejects_every_token_costs_four_calls_a_lifetime_beside_the_budget_and_no_other_path() {
    for lifetime in [Some(2), Some(60), None] {
        let server = Server::new(lifetime.map(|seconds| seconds * SECOND), Ends::WhenSaid);
        let ([client, _], time) = (server.clients(), minutes());
        let sends = |n| if n % 5 == 0 { Sends::InVain } else { Sends::Twice };
        server.called_by(time, |n| call(client.clone(), sends(n))).await;

        let world = server.world.lock().unwrap();
        let seconds = time.as_secs() as u32;
        let (uncharged, charged) = (lifetime.map_or(0, |each| 4 * seconds / each), 10 + seconds / 5);
        println!("{lifetime:?} s: {} token calls [{uncharged} and {charged}]", world.calls);
        // The first is nobody's rejection.
        assert!(world.calls as u32 <= 1 + uncharged + charged, "{} token calls", world.calls);
        assert_eq!(world.rejected[&Sends::Twice], 0, "the other paths don't notice");
        assert_eq!(
            world.rejected[&Sends::InVain],
            world.answered[&Sends::InVain],
            "and that one has its answers"
        );
    }
}

type Client = BoxCloneSyncService<Request<Full<Bytes>>, StatusCode, BoxError>;

/// What a caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sends {
    /// A request that can be replayed.
    Twice,
    /// One that can't.
    Once,
    /// One that can, to a path that rejects every token.
    InVain,
}

async fn call(client: Client, sends: Sends) -> (Sends, StatusCode) {
    let request = Request::get(format!("https://api.test/{sends:?}")).body(Full::default()).unwrap();
    (sends, client.oneshot(request).await.unwrap())
}

/// When tokens end, and what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    WhenSaid,
    /// The server counts in whole seconds, and rounds down.
    OnTheSecond,
    HalfWay,
}

/// The API and its token endpoint.
#[derive(Clone)]
struct Server {
    lifetime: Option<Duration>,
    ends: Ends,
    began: Instant,
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
struct World {
    calls: usize,
    /// When each token ends.
    ends_at: Vec<Instant>,
    /// Requests under way that can't be replayed, with each token.
    under_way: BTreeMap<usize, usize>,
    /// How many those were when the first rejection of a token was known.
    died: BTreeMap<usize, usize>,
    answered: BTreeMap<Sends, usize>,
    rejected: BTreeMap<Sends, usize>,
}

impl Server {
    fn new(lifetime: Option<Duration>, ends: Ends) -> Self {
        fastrand::seed(7);
        let counts = BTreeMap::from([(Sends::Twice, 0), (Sends::Once, 0), (Sends::InVain, 0)]);
        let world = World { answered: counts.clone(), rejected: counts, ..World::default() };
        // So that nothing else happens on the second.
        let began = Instant::now() - Duration::from_millis(123);
        Self { lifetime, ends, began, world: Arc::new(Mutex::new(world)) }
    }

    /// Two ways to the API, with one cache: requests of the first can be replayed.
    fn clients(&self) -> [Client; 2] {
        let expired = Rule::expired().status(StatusCode::UNAUTHORIZED);
        let layer = AuthLayer::new(Origin::parse("https://api.test").unwrap(), self.clone())
            .signatures(Signatures::new().rule(expired));
        let server = self.clone();
        let api = service_fn(move |request| server.clone().answer(request));
        let once = layer.clone().no_replay().layer(api.clone());
        [
            Client::new(layer.layer(api).map_response(|response| response.status())),
            Client::new(once.map_response(|response| response.status())),
        ]
    }

    /// Callers come, one after the other, for so long, and are answered.
    async fn called_by<F>(&self, time: Duration, call: impl Fn(usize) -> F)
    where
        F: Future<Output = (Sends, StatusCode)> + Send + 'static,
    {
        let (mut callers, mut ticks) = (JoinSet::new(), interval(BETWEEN_REQUESTS));
        let count = time.as_millis() / BETWEEN_REQUESTS.as_millis();
        for n in 0..count as usize {
            ticks.tick().await;
            callers.spawn(call(n));
            while let Some(done) = callers.try_join_next() {
                self.answered(done.unwrap());
            }
        }
        callers.join_all().await.into_iter().for_each(|done| self.answered(done));
    }

    fn answered(&self, (sends, status): (Sends, StatusCode)) {
        let mut world = self.world.lock().unwrap();
        *world.answered.entry(sends).or_default() += 1;
        *world.rejected.entry(sends).or_default() += usize::from(status == StatusCode::UNAUTHORIZED);
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<Empty<Bytes>>, Infallible> {
        let token = request.headers()[AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let token: usize = token.parse().unwrap();
        let once = usize::from(request.uri().path() == "/Once");
        *self.world.lock().unwrap().under_way.entry(token).or_default() += once;
        sleep(API).await;
        let is_good = Instant::now() < self.world.lock().unwrap().ends_at[token];
        sleep(API).await;
        let mut world = self.world.lock().unwrap();
        let mut response = Response::new(Empty::new());
        let under_way = world.under_way[&token];
        if request.uri().path() == "/InVain" {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        } else if !is_good {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            world.died.entry(token).or_insert(under_way);
        }
        world.under_way.insert(token, under_way - once);
        Ok(response)
    }
}

impl Credential for Server {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        sleep(TOKENS).await;
        let token = {
            let (mut world, now) = (self.world.lock().unwrap(), Instant::now());
            let life = self.lifetime.unwrap_or(3600 * SECOND);
            world.calls += 1;
            world.ends_at.push(match self.ends {
                Ends::WhenSaid => now + life,
                Ends::OnTheSecond => self.began + Duration::from_secs((now - self.began).as_secs()) + life,
                Ends::HalfWay => now + life / 2,
            });
            AccessToken::new((world.ends_at.len() - 1).to_string())?
        };
        sleep(TOKENS).await;
        Ok(match self.lifetime {
            Some(lifetime) => token.with_lifetime(lifetime),
            None => token,
        })
    }
}

fn minutes() -> Duration {
    let minutes = env::var("SOAK_MINUTES").ok().map_or(10, |minutes| minutes.parse().expect("a number"));
    Duration::from_secs(60 * minutes)
}
