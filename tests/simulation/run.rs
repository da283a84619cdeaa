//! One run: chaos, then recovery, then proof that all is well, then the end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower_reauth::TokenCache;

use crate::{
    callers::{self, Clients},
    credential::Account,
    event::{Event, Seen},
    plan::{chance, millis},
    trace::Trace,
    world::World,
};

/// What became of a seed.
pub(crate) struct Outcome {
    pub(crate) violation: Option<String>,
    pub(crate) trace: Trace,
    pub(crate) seen: Seen,
}

/// Runs `seed`, on this thread, in virtual time.
pub(crate) fn run(seed: u64) -> Outcome {
    // The cache takes its randomness from this thread's generator.
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let world = runtime.block_on(async { World::new(seed) });
    let story = AssertUnwindSafe(|| runtime.block_on(story(&world)));
    if catch_unwind(story).is_err() {
        runtime.block_on(async { world.with(|world| world.violated("panic: the simulation itself")) });
    }
    runtime.block_on(async {
        world.with(|world| Outcome {
            violation: world.violation.take(),
            trace: std::mem::take(&mut world.trace),
            seen: world.seen,
        })
    })
}

async fn story(world: &World) {
    let policy = world.with(|world| world.plan.numbers.policy());
    let tokens = TokenCache::with_policy(Account::new(world.clone()), policy);
    let clients = Arc::new(Clients::new(world, tokens.clone()));
    world.with(|world| world.tokens = Some(tokens));

    chaos(world, &clients).await;
    recovery(world, &clients).await;
    end(world, clients).await;
}

/// Callers come and go while things go wrong.
async fn chaos(world: &World, clients: &Arc<Clients>) {
    let mut tasks = JoinSet::new();
    while let Some(gap) = world.with(|world| {
        let gap = world.plan.callers.gap;
        let goes_on = world.elapsed() < world.plan.chaos && world.violation.is_none();
        goes_on.then(|| millis(&mut world.rng, 0, gap))
    }) {
        callers::burst(world, clients, &mut tasks);
        sleep(gap).await;
        world.with(|world| {
            if chance(&mut world.rng, world.plan.server_revokes) {
                let revoked = world.endpoint.revoke_newest();
                world.say(format_args!("the server revokes {revoked:?}"));
            }
        });
    }
    // Everybody has a deadline: those who wait for the cache, and those who wait for the server.
    let limit = world.with(|world| {
        let queue = world.plan.places.map_or(0, |_| world.ops.len() as u32);
        world.plan.numbers.flight * 10 + Duration::from_secs(30) + Duration::from_secs(10) * queue
    });
    let drained = timeout(limit, async {
        while let Some(done) = tasks.join_next().await {
            let panicked = done.is_err_and(|error| error.is_panic());
            world.with(|world| world.check(!panicked, "panic: in a caller"));
        }
    });
    let in_time = drained.await.is_ok();
    world.with(|world| world.check(in_time, "deadline: somebody is never answered"));
}

/// The server works again. After every pause there may be, all calls succeed.
async fn recovery(world: &World, clients: &Clients) {
    let wait = world.with(|world| {
        world.say("all is well");
        world.healthy = true;
        world.configure();
        world.plan.numbers.recovery()
    });
    sleep(wait).await;
    world.with(|world| world.calm = true);
    for _ in 0..3 {
        callers::send_and_succeed(world, clients).await;
        let gap = world.with(|world| millis(&mut world.rng, 0, 3000));
        sleep(gap).await;
    }
    let together = std::iter::repeat_with(|| callers::send_and_succeed(world, clients)).take(3);
    futures_util::future::join_all(together).await;
    world.with(|world| world.calm = false);
}

/// Everybody lets go of the cache, perhaps in mid-flight. Nothing is left of it after that.
async fn end(world: &World, clients: Arc<Clients>) {
    let (in_mid_flight, limit) = world.with(|world| {
        world.healthy = world.rng.bool();
        let numbers = &world.plan.numbers;
        (world.rng.bool(), numbers.flight + numbers.attempt + Duration::from_secs(1))
    });
    if in_mid_flight {
        callers::invalidate(world);
        let send = callers::send_and_succeed(world, &clients);
        let _ = timeout(Duration::from_millis(10), send).await;
    }
    let tokens = world.with(|world| {
        world.say("all handles are dropped");
        world.closed = true;
        if world.calls.iter().any(|call| call.alive) {
            world.saw(Event::DroppedInMidFlight);
        }
        world.tokens.take()
    });
    drop((tokens, clients));
    sleep(limit).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    world.with(|world| {
        world.check(tasks == 0, format_args!("nothing left: {tasks} tasks are alive at the end"));
        let calls = world.calls.iter().filter(|call| call.alive).count();
        world.check(calls == 0, format_args!("nothing left: {calls} calls are alive at the end"));
    });
}
