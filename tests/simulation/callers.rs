//! Those who use the layer and its cache: impatient, many at a time, and gone when they like.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimit, util::BoxCloneSyncService};
use tower_reauth::{
    Auth, AuthLayer, AuthOutcome, BoxError, Exempt, NoReplay, Origin, PeekBody, RecordBodies, ReplayBody,
    TokenCache,
};

use crate::{
    credential::pause,
    event::Event,
    plan::{Callers, chance, millis, pick},
    server::{AnswerBody, Server, signatures},
    world::{Does, Inner, World},
};

type Client<B> = BoxCloneSyncService<Request<B>, Response<AnswerBody>, BoxError>;
type Plain = Full<Bytes>;
type Recorded = ReplayBody<Full<Bytes>>;

/// The layers of a run, all with the same cache.
pub(crate) struct Clients {
    replaying: Auth<Client<Plain>>,
    recording: Auth<Client<Recorded>, RecordBodies>,
    once: Auth<Client<Plain>, NoReplay>,
}

impl Clients {
    pub(crate) fn new(world: &World, tokens: TokenCache) -> Self {
        let (sign, peek, places) = world.with(|world| (world.plan.sign, world.plan.peek, world.plan.places));
        let origin = Origin::parse("https://api.example.com").expect("an origin");
        let layer = AuthLayer::with_tokens(origin, tokens).signatures(signatures(sign)).peek(peek.0, peek.1);
        let server = Server::new(world.clone());
        let (plain, recorded): (Client<Plain>, Client<Recorded>) = match places {
            Some(places) => {
                let limited = ConcurrencyLimit::new(server, places);
                (Client::new(limited.clone()), Client::new(limited))
            }
            None => (Client::new(server.clone()), Client::new(server)),
        };
        Self {
            recording: layer.clone().record_bodies(RecordBodies::DEFAULT_LIMIT).layer(recorded),
            once: layer.clone().no_replay().layer(plain.clone()),
            replaying: layer.layer(plain),
        }
    }
}

/// One request, as it is meant.
#[derive(Debug)]
struct Wish {
    method: Method,
    path: &'static str,
    body: Bytes,
    replay: Replay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    OfAClone,
    OfARecord,
    NotByTheLayer,
    NotByTheRequest,
}

impl Replay {
    fn is_possible(self) -> bool {
        matches!(self, Self::OfAClone | Self::OfARecord)
    }
}

/// Takes down how a caller left, unless it was answered.
struct Leaving {
    world: World,
    op: usize,
    event: Event,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.world.with(|world| world.caller_is_gone(self.op, self.event));
    }
}

/// Several callers at the same moment.
pub(crate) fn burst(world: &World, clients: &Arc<Clients>, tasks: &mut JoinSet<()>) {
    let (callers, count) = world.with(|world| {
        let callers = world.plan.callers;
        let count = world.rng.usize(1..=callers.burst);
        if count > 1 {
            world.saw(Event::Burst);
        }
        (callers, count)
    });
    for _ in 0..count {
        one(world, clients, &callers, tasks);
    }
}

/// One caller, who does something.
fn one(world: &World, clients: &Arc<Clients>, callers: &Callers, tasks: &mut JoinSet<()>) {
    let (world, clients) = (world.clone(), clients.clone());
    let (dice, limit, cancel) = world.with(|world| {
        let rng = &mut world.rng;
        let limit = chance(rng, callers.time_limits).then(|| millis(rng, 25, 6000));
        let cancel = chance(rng, callers.cancels).then(|| millis(rng, 0, 3000));
        (rng.f64(), limit, cancel)
    });
    let bounds =
        [callers.gets, callers.rejects, callers.invalidates, callers.revokes].map(|each| each.max(0.0));
    let nth = bounds.iter().scan(0.0, |sum, each| {
        *sum += each;
        Some(*sum)
    });
    let event = if limit.is_some() { Event::CallerTimedOut } else { Event::Cancelled };
    let limited = limit.unwrap_or(Duration::from_secs(3600));
    let handle = match nth.take_while(|bound| *bound <= dice).count() {
        0 => tasks.spawn(async move { drop(timeout(limited, get(&world, event)).await) }),
        1 => tasks.spawn(async move { drop(timeout(limited, get_and_reject(&world, event)).await) }),
        2 => return invalidate(&world),
        3 => tasks.spawn(async move { drop(timeout(limited, log_out(&world)).await) }),
        _ => {
            let wish = world.with(wish);
            let task = async move {
                drop(timeout(limited, send(&world, &clients, wish, event, limit.is_some())).await)
            };
            tasks.spawn(task)
        }
    };
    if let Some(after) = cancel.filter(|_| limit.is_none()) {
        tasks.spawn(async move {
            tokio::time::sleep(after).await;
            handle.abort();
        });
    }
}

fn wish(world: &mut Inner) -> Wish {
    let (rng, callers) = (&mut world.rng, world.plan.callers);
    let path = match rng.f64() {
        dice if dice < callers.bad_path => "/always-rejected",
        dice if dice > 0.95 => "/forbidden",
        _ => "/things?a=%2f&b",
    };
    let length = pick(rng, &[0, 3, 100]);
    let replay = match rng.f64() {
        dice if dice > callers.without_replay => pick(rng, &[Replay::OfAClone, Replay::OfARecord]),
        _ => pick(rng, &[Replay::NotByTheLayer, Replay::NotByTheRequest]),
    };
    if !replay.is_possible() {
        world.saw(Event::SentWithoutReplay);
    }
    let rng = &mut world.rng;
    let method = if rng.bool() { Method::GET } else { Method::POST };
    let body = std::iter::repeat_with(|| rng.u8(..)).take(length).collect();
    Wish { method, path, body, replay }
}

/// A request that must succeed.
pub(crate) async fn send_and_succeed(world: &World, clients: &Clients) {
    let wish = Wish { method: Method::GET, path: "/things", body: Bytes::new(), replay: Replay::OfAClone };
    send(world, clients, wish, Event::Cancelled, false).await;
}

async fn send(world: &World, clients: &Clients, wish: Wish, event: Event, impatient: bool) {
    let replayable = wish.replay.is_possible();
    let op = world.with(|world| world.op_begins(Does::Sends { replayable }));
    let _leaving = Leaving { world: world.clone(), op, event };
    let mut request = Request::builder()
        .method(wish.method)
        .uri(format!("https://api.example.com{}", wish.path))
        .header("x-op", op)
        .header("x-many", "1")
        .header("x-many", "2");
    if impatient {
        request = request.header("x-impatient", 1);
    }
    if wish.replay == Replay::NotByTheRequest {
        request = request.extension(Exempt::FromReplay);
    }
    let request = request.body(Full::new(wish.body)).expect("a request");
    let answer = match wish.replay {
        Replay::NotByTheLayer => call(clients.once.clone(), request),
        Replay::OfARecord => call(clients.recording.clone(), request),
        Replay::OfAClone | Replay::NotByTheRequest => call(clients.replaying.clone(), request),
    };
    let result = answer.await;
    match result {
        Ok(response) => read(world, op, response).await,
        Err(error) => world.with(|world| world.caller_is_answered(op, Err(&error))),
    }
}

/// As `oneshot`, in a boxed future: of a future that holds a service with boxed errors across an await, the compiler
/// does not see that it is `Send`.
fn call<S>(mut service: S, request: Request<Full<Bytes>>) -> BoxFuture<'static, Result<S::Response, BoxError>>
where
    S: Service<Request<Full<Bytes>>, Error = BoxError, Future: Send> + Send + 'static,
{
    async move { service.ready().await?.call(request).await }.boxed()
}

async fn read(world: &World, op: usize, response: Response<PeekBody<AnswerBody>>) {
    let (head, body) = response.into_parts();
    let sent = head.headers.get("x-sent").and_then(|sent| sent.to_str().ok()?.parse().ok());
    let sent = sent.unwrap_or(usize::MAX);
    let answer = world.with(|world| {
        let outcome = head.extensions.get::<AuthOutcome>();
        world.caller_is_answered(op, Ok((sent, head.status, outcome)));
        world.sends[sent].answer.clone()
    });
    let Some(answer) = answer else { return };
    let mut same = head.status == answer.status && head.headers.len() == 2;
    same &= head.headers.get("x-bad").is_some_and(|word| word == answer.word);
    match body.collect().await {
        Ok(body) => {
            same &= !answer.breaks_off && body.trailers() == answer.trailers.as_ref();
            same &= body.to_bytes() == answer.body;
        }
        Err(_) => same &= answer.breaks_off,
    }
    world.with(|world| world.check(same, format_args!("untouched: answer {sent} was altered")));
}

async fn get(world: &World, event: Event) -> Option<tower_reauth::Lease> {
    let tokens = world.tokens()?;
    let (op, min_ttl) = world.with(|world| {
        world.saw(Event::AskedForMinTtl);
        let min_ttl = millis(&mut world.rng, 0, 20_000);
        (world.op_begins(Does::Gets { min_ttl }), min_ttl)
    });
    let _leaving = Leaving { world: world.clone(), op, event };
    let result = tokens.get(min_ttl).await;
    world.with(|world| world.lease_is_handed_out(op, 0, result.as_ref()));
    result.ok()
}

/// Uses the token for something else than a request, and is told that it is bad.
async fn get_and_reject(world: &World, event: Event) {
    let Some(lease) = get(world, event).await else { return };
    let later = world.with(|world| millis(&mut world.rng, 0, 2000));
    pause(later).await;
    let Some(tokens) = world.tokens() else { return };
    let older = lease.generation();
    let op = world.with(|world| {
        world.saw(Event::ReportedRejection);
        let op = world.op_begins(Does::Rejects);
        world.model.reject(older);
        op
    });
    let _leaving = Leaving { world: world.clone(), op, event };
    let result = tokens.reject(&lease).await;
    world.with(|world| world.lease_is_handed_out(op, older, result.as_ref()));
}

pub(crate) fn invalidate(world: &World) {
    let Some(tokens) = world.tokens() else { return };
    let acquiring = tokens.state().acquiring();
    world.with(|world| {
        world.say("somebody invalidates the cache");
        world.saw(Event::Invalidated);
        world.cache_is_invalidated(acquiring, false);
    });
    tokens.invalidate();
}

async fn log_out(world: &World) {
    let Some(tokens) = world.tokens() else { return };
    let acquiring = tokens.state().acquiring();
    let limit = world.with(|world| {
        world.say("somebody logs out");
        world.saw(Event::LoggedOut);
        world.cache_is_invalidated(acquiring, true);
        world.configure();
        world.plan.numbers.attempt + Duration::from_millis(1)
    });
    let began_at = Instant::now();
    let _ = tokens.revoke().await;
    let in_time = began_at.elapsed() <= limit;
    world.with(|world| world.check(in_time, "deadline: a logout takes longer than an attempt may"));
}
