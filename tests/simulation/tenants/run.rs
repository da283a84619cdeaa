//! One run: chaos, then all that are down come back, then proof that all is well, then the end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::{
    runtime::{Builder, Handle},
    task::JoinSet,
    time::{Instant, sleep},
};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_reauth::{
    Auth, AuthError, AuthErrorKind, AuthLayer, AuthOutcome, BoxError, CloneBodies, Origin, RefreshPolicy,
    Rule, Signatures, Tenant, Tenants,
};

use super::{
    event::Event,
    login::Login,
    world::{CAP, Nature, TENANTS, World},
};
use crate::trace::Trace;

/// What became of a seed.
pub(crate) struct Outcome {
    pub(crate) violation: Option<String>,
    pub(crate) trace: Trace,
    pub(crate) seen: Vec<Event>,
}

type Api = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;
type Calls = Auth<Api, CloneBodies, Tenants<u64>>;

const ATTEMPT: Duration = Duration::from_secs(2);
const FLIGHT: Duration = Duration::from_secs(20);
const BUILD: Duration = Duration::from_secs(3);

/// Runs `seed`, on this thread, in virtual time.
pub(crate) fn run(seed: u64) -> Outcome {
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let world = runtime.block_on(async { World::new(seed) });
    let story = AssertUnwindSafe(|| runtime.block_on(story(&world)));
    if catch_unwind(story).is_err() {
        world.with(|world| world.check(false, "panic: the simulation itself"));
    }
    world.with(|world| Outcome {
        violation: world.violation.take(),
        trace: std::mem::take(&mut world.trace),
        seen: std::mem::take(&mut world.seen),
    })
}

async fn story(world: &World) {
    let bytes = world.with(|world| world.rng.u64(40..400) * 1000);
    let tenants = tenants(world, bytes);
    let service = service(world, &tenants);
    let mut tasks = JoinSet::new();
    for _ in 0..600 {
        let (gap, deed) = world.with(|world| (world.millis(0, 40), world.rng.u32(0..100)));
        sleep(gap).await;
        while tasks.try_join_next().is_some() {}
        match deed {
            0..90 => drop(tasks.spawn(call(world.clone(), service.clone()))),
            90..94 => drop(tasks.spawn(remove(world.clone(), tenants.clone()))),
            94..98 => world.with(|world| {
                let tenant = world.rng.usize(0..TENANTS);
                world.tenants[tenant].is_revoked = true;
            }),
            _ => drop(tasks.spawn(misuse(world.clone(), service.clone()))),
        }
        let census = tenants.census();
        world.with(|world| {
            // Tokens that have come for whoever is pinned may be more than there is room for.
            let holds = census.bytes <= bytes + bytes / 2;
            world.check(holds, format_args!("bounded by bytes: {} of {bytes}", census.bytes));
        });
    }
    sleep(FLIGHT + BUILD + 2 * ATTEMPT).await;
    while tasks.try_join_next().is_some() {}
    world.with(|world| {
        let asking = world.asking;
        world.check(tasks.is_empty(), format_args!("everybody gets an answer: {} wait", tasks.len()));
        world.check(asking == [0, 0], "each place is given back");
    });
    recover(world, &tenants, &service).await;
    drop((tenants, service));
    sleep(FLIGHT).await;
    let alive = Handle::current().metrics().num_alive_tasks();
    world.with(|world| {
        world.check(alive == 0, format_args!("nothing left: {alive} tasks are alive at the end"))
    });
}

/// All that were down are well. After every pause there may be, each call of who isn't dead succeeds, if there is room.
async fn recover(world: &World, tenants: &Tenants<u64>, service: &Calls) {
    world.with(|world| {
        world.say("all is well");
        for tenant in &mut world.tenants {
            if tenant.nature != Nature::IsDead {
                tenant.nature = Nature::IsWell;
            }
        }
    });
    sleep(Duration::from_secs(120)).await;
    for id in 0..TENANTS {
        let (answer, dead) = (
            send(service, id, id as u64).await,
            world.with(|world| world.tenants[id].nature == Nature::IsDead),
        );
        world.with(|world| {
            let expected = match &answer {
                Ok(_) => !dead,
                Err(AuthErrorKind::TenantsFull) => true,
                Err(kind) => dead && *kind == AuthErrorKind::CredentialsRejected,
            };
            world.check(expected, format_args!("recovery: tenant {id} gets {answer:?}"));
        });
    }
    for id in 0..TENANTS as u64 {
        if let Some(tokens) = tenants.find(&id) {
            let state = tokens.state();
            world.with(|world| {
                let is_well = state.error().is_none() || world.tenants[id as usize].nature == Nature::IsDead;
                world.check(is_well, format_args!("recovery: tenant {id} is {state:?}"));
            });
        }
    }
}

fn tenants(world: &World, bytes: u64) -> Tenants<u64> {
    let (building, telling) = (world.clone(), world.clone());
    let second = Duration::from_secs(1);
    let policy =
        RefreshPolicy::default().attempt_timeout(ATTEMPT).flight_deadline(FLIGHT).fail_fast(second, second);
    Tenants::builder(move |id: u64| build(building.clone(), id))
        .bytes(bytes)
        .at_one_endpoint(CAP as usize)
        .build_timeout(BUILD)
        .policy(policy)
        .on_dead_grant(move |id, _| {
            telling.with(|world| {
                world.saw(Event::ToldDead);
                world.tenants[*id as usize].told += 1;
            });
        })
        .build()
}

/// A site of building, until this is dropped.
struct Site(World, usize);

impl Drop for Site {
    fn drop(&mut self) {
        self.0.with(|world| world.tenants[self.1].building -= 1);
    }
}

async fn build(world: World, id: u64) -> Result<Tenant, BoxError> {
    let number = id as usize;
    let (nature, takes) = world.with(|world| {
        let tenant = &mut world.tenants[number];
        tenant.building += 1;
        let (building, removals) = (tenant.building, tenant.removals);
        world.check(
            building <= 1 + removals,
            format_args!("a tenant is built once: {building} build tenant {number}"),
        );
        (world.tenants[number].nature, world.millis(1, 20))
    });
    let _site = Site(world.clone(), number);
    sleep(takes).await;
    match nature {
        Nature::BuildFails => {
            world.saw(Event::BuildFailed);
            return Err("the program's database is down".into());
        }
        Nature::BuildHangs => {
            world.saw(Event::BuildHung);
            std::future::pending::<()>().await;
        }
        Nature::BuildPanics => {
            world.saw(Event::BuildPanicked);
            // Without its words on the terminal.
            std::panic::resume_unwind(Box::new("a bug"));
        }
        _ => {}
    }
    let initial = world.with(|world| {
        world.say(format_args!("tenant {number} is built"));
        let tenant = &mut world.tenants[number];
        tenant.built += 1;
        let (again, initial) = (tenant.built > 1, tenant.known);
        if again {
            world.saw(Event::BuiltAgain);
        }
        initial
    });
    let origin = Origin::parse(&format!("https://t{number}.test"))?;
    Ok(Tenant::new(Login { world, tenant: number, initial }).origin(origin))
}

fn service(world: &World, tenants: &Tenants<u64>) -> Calls {
    let world = world.clone();
    let api = service_fn(move |request: Request<Full<Bytes>>| {
        let world = world.clone();
        async move {
            let takes = world.with(|world| world.millis(1, 30));
            sleep(takes).await;
            let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
            let host = request.uri().host().unwrap_or_default();
            let status = world.with(|world| world.answer(host, authorization));
            Ok::<_, BoxError>(Response::builder().status(status).body(Full::default())?)
        }
    });
    AuthLayer::tenants(tenants.clone())
        .signatures(Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED)))
        .layer(BoxCloneSyncService::new(api))
}

/// Sends a request for `id` to the host of `host`. Returns whether it was replayed.
async fn send(service: &Calls, host: usize, id: u64) -> Result<bool, AuthErrorKind> {
    let request = Request::get(format!("https://t{host}.test/")).extension(id);
    let request = request.body(Full::default()).expect("a request");
    let mut service = service.clone();
    let answer = service.ready().await.expect("it is always ready").call(request).await;
    match answer {
        Ok(response) => Ok(response.extensions().get().is_some_and(AuthOutcome::replayed)),
        Err(error) => Err(AuthError::find(&*error).map_or(AuthErrorKind::Lost, AuthError::kind)),
    }
}

/// Somebody calls, for a customer with much traffic rather than for one with little.
async fn call(world: World, service: Calls) {
    let number = world.with(|world| {
        let most = world.rng.usize(1..=TENANTS);
        world.rng.usize(0..most)
    });
    let began_at = Instant::now();
    let removals = world.with(|world| world.tenants[number].removals);
    let answer = send(&service, number, number as u64).await;
    world.with(|world| {
        world.say(format_args!("tenant {number} gets {answer:?} after {:?}", began_at.elapsed()));
        let tenant = &world.tenants[number];
        let was_removed = tenant.removals > removals;
        let is_well = tenant.nature == Nature::IsWell;
        let (endpoint, nature) = (tenant.endpoint, tenant.nature);
        match answer {
            Ok(replayed) => world.saw(if replayed { Event::Replayed } else { Event::Answered }),
            Err(AuthErrorKind::TenantsFull) => return world.saw(Event::Full),
            Err(AuthErrorKind::TenantRemoved) => world.saw(Event::RemovedWhileWaiting),
            Err(_) => {}
        }
        // Whoever is ill is nobody's business: not even by a place, at the endpoint where nobody is.
        let is_right = answer.is_ok() || was_removed || !is_well || endpoint == 0;
        world.check(
            is_right,
            format_args!("one tenant's faults are no others: tenant {number} gets {answer:?}"),
        );
        let is_in_time = began_at.elapsed() < Duration::from_secs(1) || !is_well || endpoint == 0;
        world.check(is_in_time, format_args!("nobody waits for another: tenant {number}, {nature:?}"));
    });
}

/// A customer leaves, and may come back.
async fn remove(world: World, tenants: Tenants<u64>) {
    let number = world.with(|world| {
        let most = world.rng.usize(1..=TENANTS);
        let number = world.rng.usize(0..most);
        let tenant = &mut world.tenants[number];
        tenant.removals += 1;
        let is_building = tenant.building > 0;
        world.saw(Event::Removed);
        if is_building {
            world.saw(Event::RemovedWhileBuilding);
        }
        world.say(format_args!("tenant {number} is removed"));
        number
    });
    let Some(left) = tenants.remove(&(number as u64)).await else { return };
    world.with(|world| {
        world.saw(Event::HandedOver);
        let token = left.refresh_token().map(secrecy::ExposeSecret::expose_secret);
        let newest = world.tenants[number].newest;
        let is_newest = token.is_some_and(|token| token.parse() == Ok(newest));
        let is_reusable = world.tenants[number].is_reusable;
        world.check(
            is_newest && !is_reusable,
            format_args!(
                "a rotated token is handed over: {token:?} of tenant {number}, and the newest is {newest}"
            ),
        );
        world.tenants[number].known = newest;
    });
}

/// A request that is nobody's, or to another's host.
async fn misuse(world: World, mut service: Calls) {
    let (one, other) = world.with(|world| (world.rng.usize(0..TENANTS), world.rng.usize(0..TENANTS)));
    if world.with(|world| world.rng.bool()) {
        let request = Request::get("https://t0.test/").body(Full::default()).expect("a request");
        let answer = service.ready().await.expect("it is always ready").call(request).await;
        let kind = answer.err().and_then(|error| AuthError::find(&*error).map(AuthError::kind));
        world.with(|world| {
            world.saw(Event::NoTenant);
            world.check(kind == Some(AuthErrorKind::NoTenant), "no request without its tenant");
        });
    } else if one != other {
        let answer = send(&service, one, other as u64).await;
        world.with(|world| {
            if answer == Err(AuthErrorKind::OtherTenant) {
                world.saw(Event::OtherHost);
            }
            world.check(answer.is_err(), format_args!("no request to another's host: {answer:?}"));
        });
    }
}
