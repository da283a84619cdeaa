//! One run of a fleet: chaos, then recovery, then proof that all is well, then the end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    time::{Instant, sleep},
};

use super::{
    event::{Event, Seen},
    plan::Kind,
    process::{Running, meddle},
    world::Fleet,
};
use crate::{plan::millis, trace::Trace};

/// How long it takes until somebody notices that a family is dead, and logs in again.
const NOTICED_AFTER: Duration = Duration::from_secs(5);

/// What became of a seed.
pub(crate) struct Outcome {
    pub(crate) violation: Option<String>,
    pub(crate) trace: Trace,
    pub(crate) seen: Seen,
}

/// Runs `seed`, on this thread, in virtual time.
pub(crate) fn run(seed: u64) -> Outcome {
    // Caches take their randomness from this thread's generator.
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let fleet = runtime.block_on(async { Fleet::new(seed) });
    let story = AssertUnwindSafe(|| runtime.block_on(story(&fleet)));
    if catch_unwind(story).is_err() {
        runtime.block_on(async { fleet.with(|fleet| fleet.violated("panic: the simulation itself")) });
    }
    fleet.with(|fleet| Outcome {
        violation: fleet.violation.take(),
        trace: std::mem::take(&mut fleet.trace),
        seen: fleet.seen,
    })
}

async fn story(fleet: &Fleet) {
    let places = fleet.with(|fleet| fleet.plan.processes);
    let mut running: Vec<_> = (0..places).map(|place| Some(Running::start(fleet, place))).collect();
    let (chaos, gap) = fleet.with(|fleet| (fleet.plan.chaos, fleet.plan.gap));
    let began_at = Instant::now();
    while began_at.elapsed() < chaos && fleet.with(|fleet| fleet.violation.is_none()) {
        pass(fleet, gap).await;
        meddle(fleet, &running);
        log_in_again(fleet);
        replace(fleet, &mut running);
    }
    recover(fleet, &mut running).await;
    end(fleet, running).await;
}

async fn pass(fleet: &Fleet, most: u64) {
    let gap = fleet.with(|fleet| millis(&mut fleet.rng, 25, most));
    sleep(gap).await;
}

/// Somebody logs in again for those who have nothing but a refresh token that is dead, and starts them with what that brings.
fn log_in_again(fleet: &Fleet) {
    fleet.with(|fleet| {
        if fleet.plan.kind != Kind::RefreshOnly {
            return;
        }
        for account in 0..fleet.plan.accounts {
            let initial = fleet.authority.accounts[account].initial.clone();
            let told_at = fleet.authority.accounts[account].told_at;
            let dead_since = fleet.authority.family_of(&initial).and_then(|family| family.dead_since);
            if dead_since.or(told_at).is_none_or(|at| !fleet.healthy && at.elapsed() < NOTICED_AFTER) {
                continue;
            }
            fleet.saw(Event::SomebodyLoggedInAgain);
            fleet.authority.configure(account);
            for process in 0..fleet.processes.len() {
                if fleet.processes[process].account == account {
                    fleet.kill(process, "to be started with another refresh token");
                }
            }
        }
    });
}

/// Starts processes in the places of those that are gone.
fn replace(fleet: &Fleet, running: &mut [Option<Running>]) {
    for (place, running) in running.iter_mut().enumerate() {
        let is_gone =
            running.as_ref().is_none_or(|there| !fleet.with(|fleet| fleet.processes[there.process].alive));
        if is_gone {
            fleet.with(|fleet| fleet.saw(Event::StartedAgain));
            if let Some(gone) = running.take() {
                gone.clear();
            }
            *running = Some(Running::start(fleet, place));
        }
    }
}

/// Everything works again. After every pause there may be, all calls succeed.
async fn recover(fleet: &Fleet, running: &mut [Option<Running>]) {
    let wait = fleet.with(|fleet| {
        fleet.say("all is well");
        fleet.healthy = true;
        fleet.plan.recovery()
    });
    replace(fleet, running);
    sleep(wait).await;
    // In the course of it the last refresh tokens may have turned out to be dead.
    log_in_again(fleet);
    replace(fleet, running);
    sleep(Duration::from_secs(5)).await;
    let rest = fleet.with(|fleet| {
        fleet.calm = true;
        fleet.plan.lifetime
    });
    sleep(rest).await;
    for there in running.iter().flatten() {
        let lost = there.tokens().state().store_lost_since();
        fleet.with(|fleet| fleet.check(lost.is_none(), "recovery: a store counts as lost, and all is well"));
    }
    fleet.with(|fleet| fleet.calm = false);
}

/// All processes are gone, perhaps in mid-flight. Nothing is left of them after that.
async fn end(fleet: &Fleet, running: Vec<Option<Running>>) {
    let limit = fleet.with(|fleet| {
        fleet.say("all processes end");
        fleet.plan.flight + fleet.plan.attempt + Duration::from_secs(10)
    });
    running.into_iter().flatten().for_each(Running::clear);
    sleep(limit).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    fleet.with(|fleet| {
        fleet.check(tasks == 0, format_args!("nothing left: {tasks} tasks are alive at the end"));
    });
}
