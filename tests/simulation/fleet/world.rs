//! What the parts of one run share: the plan, dice, trace, and everything that was seen.

use std::{
    collections::BTreeSet,
    fmt::Display,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::{Instant, sleep_until};

use super::{
    authority::Authority,
    event::{Event, Seen},
    plan::Plan,
    store::Records,
};
use crate::{
    plan::{chance, millis},
    trace::Trace,
};

#[derive(Clone)]
pub(crate) struct Fleet(Arc<Mutex<Inner>>);

pub(crate) struct Inner {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    began_at: Instant,
    pub(crate) trace: Trace,
    pub(crate) seen: Seen,
    pub(crate) violation: Option<String>,
    pub(crate) store: Records,
    pub(crate) authority: Authority,
    pub(crate) processes: Vec<Process>,
    pub(crate) calls: Vec<Call>,
    pub(crate) ops: Vec<Op>,
    /// Nothing goes wrong any more.
    pub(crate) healthy: bool,
    /// That has been so for long enough that all requests succeed.
    pub(crate) calm: bool,
    /// Refresh tokens that were sent again, with a cause.
    pub(crate) reused: u32,
}

/// A process, from its start to its end. Who is started in its place is another one.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) account: usize,
    pub(crate) version: u32,
    pub(crate) mark: usize,
    pub(crate) alive: bool,
    /// It stands still until then, or did.
    pub(crate) stands_until: Option<Instant>,
    /// When the store last did something wrong to it.
    pub(crate) trouble_at: Option<Instant>,
    pub(crate) invalidated_at: Option<Instant>,
    pub(crate) started_at: Instant,
    pub(crate) sends: u32,
    /// Access tokens that the server has refused it, and that it has heard of.
    pub(crate) refused: BTreeSet<usize>,
}

/// One call of a credential.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) process: usize,
    /// Since when it was to be made.
    pub(crate) asked_at: Instant,
    pub(crate) began_at: Instant,
    /// Its refresh token, if that is what is sent.
    pub(crate) refresh: Option<Arc<str>>,
    /// Somebody still waits for it.
    pub(crate) alive: bool,
    /// Its answer has come to who asked.
    pub(crate) heard: bool,
}

#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) process: usize,
    pub(crate) began_at: Instant,
    /// There was a valid token when it began.
    pub(crate) had_token: bool,
    pub(crate) sends: u32,
}

/// Where something may happen to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// Its callers do what they do.
    Callers,
    BeforeStore,
    AfterStore,
    BeforeSending,
    AfterSending,
}

impl Fleet {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x66_6c65_6574);
        let (plan, now) = (Plan::random(&mut rng), Instant::now());
        let mut authority = Authority::default();
        (0..plan.accounts).for_each(|account| authority.configure(account));
        let mut inner = Inner {
            rng,
            began_at: now,
            trace: Trace::default(),
            seen: Seen::default(),
            violation: None,
            store: Records::new(now),
            authority,
            processes: Vec::new(),
            calls: Vec::new(),
            ops: Vec::new(),
            healthy: false,
            calm: false,
            reused: 0,
            plan,
        };
        inner.trace.add(Duration::ZERO, format!("{:?}", inner.plan));
        inner.saw_plan();
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Looks at the world, or changes it, at the current instant.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on, if the process does: here it may be killed, or stand still for a while.
    pub(crate) async fn passes(&self, process: usize, point: Point) {
        let mut may_strike = true;
        loop {
            match self.with(|fleet| fleet.turn(process, point, may_strike)) {
                Turn::GoesOn => return,
                Turn::StandsUntil(at) => sleep_until(at).await,
                Turn::IsDead => pending().await,
            }
            may_strike = false;
        }
    }
}

enum Turn {
    GoesOn,
    StandsUntil(Instant),
    IsDead,
}

impl Inner {
    fn turn(&mut self, process: usize, point: Point, may_strike: bool) -> Turn {
        let now = Instant::now();
        if may_strike && point != Point::Callers && !self.healthy && self.processes[process].alive {
            self.strike(process, point);
        }
        let there = &self.processes[process];
        match there.stands_until {
            _ if !there.alive => Turn::IsDead,
            Some(until) if until > now => Turn::StandsUntil(until),
            _ => Turn::GoesOn,
        }
    }

    fn strike(&mut self, process: usize, point: Point) {
        if chance(&mut self.rng, self.plan.kills) {
            self.saw(match point {
                Point::BeforeSending => Event::KilledBeforeSending,
                Point::AfterSending => Event::KilledAfterSending,
                _ => Event::KilledAroundTheStore,
            });
            self.kill(process, format_args!("{point:?}"));
        } else if chance(&mut self.rng, self.plan.stands) {
            self.saw(match point {
                Point::BeforeSending => Event::StoodStillBeforeSending,
                Point::AfterSending => Event::StoodStillAfterSending,
                _ => Event::StoodStillAroundTheStore,
            });
            let until = Instant::now() + millis(&mut self.rng, 1000, 70_000);
            let for_so_long = until - Instant::now();
            self.say(format_args!("process {process} stands still for {for_so_long:?}, {point:?}"));
            let there = &mut self.processes[process];
            there.stands_until = there.stands_until.max(Some(until));
            there.trouble_at = there.stands_until;
        }
    }

    pub(crate) fn kill(&mut self, process: usize, why: impl Display) {
        if std::mem::replace(&mut self.processes[process].alive, false) {
            self.say(format_args!("process {process} is killed, {why}"));
        }
    }

    /// Whether it goes on at all, and now.
    pub(crate) fn is_up(&self, process: usize) -> bool {
        let there = &self.processes[process];
        there.alive && there.stands_until.is_none_or(|until| until <= Instant::now())
    }

    /// Whether nothing has been wrong with a process's way to the store for so long that it asks as if nothing had ever been.
    pub(crate) fn is_at_peace(&self, process: usize) -> bool {
        self.was_at_peace(process, Instant::now())
    }

    /// Whether that was so then, and has been since.
    pub(crate) fn was_at_peace(&self, process: usize, then: Instant) -> bool {
        const LONGEST_REST: Duration = Duration::from_secs(62);
        let trouble = self.processes[process].trouble_at;
        trouble.is_none_or(|at| at + LONGEST_REST < then)
    }

    /// The longest way to a server, or back, in milliseconds.
    pub(crate) fn latency(&self) -> u64 {
        if self.healthy { 50 } else { self.plan.latency }
    }

    /// The longest way to the store, or back, in milliseconds.
    pub(crate) fn store_latency(&self) -> u64 {
        if self.healthy { self.plan.store_latency.min(25) } else { self.plan.store_latency }
    }

    /// The time since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now() - self.began_at
    }

    pub(crate) fn say(&mut self, line: impl Display) {
        self.trace.add(self.elapsed(), line.to_string());
    }

    pub(crate) fn saw(&mut self, event: Event) {
        self.seen.add(event);
    }

    fn saw_plan(&mut self) {
        let plan = &self.plan;
        let seen = [
            (plan.quiet, Event::Quiet),
            (plan.marks > 1, Event::TwoConfigurations),
            (plan.accounts > 1, Event::TwoAccounts),
            (plan.processes >= 10, Event::TenOrMore),
            (plan.sealed, Event::Sealed),
            (plan.keeps, Event::CredentialKeeps),
        ];
        seen.into_iter().filter(|(is_so, _)| *is_so).for_each(|(_, event)| self.saw(event));
    }

    /// Takes down that an invariant doesn't hold. Only the first counts.
    pub(crate) fn violated(&mut self, invariant: impl Display) {
        self.say(format_args!("VIOLATED {invariant}"));
        self.trace.close();
        if self.violation.is_none() {
            self.violation = Some(invariant.to_string());
        }
    }

    pub(crate) fn check(&mut self, holds: bool, invariant: impl Display) {
        if !holds {
            self.violated(invariant);
        }
    }
}
