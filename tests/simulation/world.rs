//! What the parts of one run share: the plan, dice, trace, and everything that was seen.
//!
//! The parts call in here at every event. The checks are `impl`s of [`Inner`] in [`crate::checks`]; nothing of the
//! product is called while the world is locked.

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use http::{HeaderMap, StatusCode};
use tokio::{task::Id, time::Instant};
use tower_reauth::TokenCache;

use crate::{
    endpoint::{Endpoint, Presented},
    event::{Event, Seen},
    model::Model,
    plan::Plan,
    trace::Trace,
};

#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<Inner>>);

pub(crate) struct Inner {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    began_at: Instant,
    pub(crate) trace: Trace,
    pub(crate) seen: Seen,
    pub(crate) violation: Option<String>,
    pub(crate) model: Model,
    pub(crate) endpoint: Endpoint,
    /// The refresh token of a credential that has nothing else.
    pub(crate) configured: Option<Arc<str>>,
    /// What is known of refresh tokens that were sent.
    pub(crate) known: BTreeMap<Arc<str>, Known>,
    pub(crate) calls: Vec<Call>,
    pub(crate) ops: Vec<Op>,
    pub(crate) sends: Vec<Sent>,
    /// Nothing goes wrong any more.
    pub(crate) healthy: bool,
    /// That has been so for long enough that all requests succeed.
    pub(crate) calm: bool,
    /// When somebody who had waited was last told of a failure.
    pub(crate) failure_told_at: Option<Instant>,
    /// All handles are dropped.
    pub(crate) closed: bool,
    /// Until the run's end, for those who use the cache directly.
    pub(crate) tokens: Option<TokenCache>,
}

/// What the credential knows of a refresh token that it has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Replaced,
    Refused,
    /// The answer never came.
    Unknown,
}

/// One call of the credential.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) task: Option<Id>,
    pub(crate) flight: u64,
    pub(crate) began_at: Instant,
    /// The flight's deadline.
    pub(crate) deadline: Instant,
    pub(crate) may_refresh: bool,
    pub(crate) presented: Presented,
    pub(crate) alive: bool,
    pub(crate) superseded_at: Option<Instant>,
}

/// What a caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Sends { replayable: bool },
    Gets { min_ttl: Duration },
    Rejects,
}

#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) does: Does,
    /// Since when the layer is in charge, and not the server.
    pub(crate) waiting_since: Option<Instant>,
    pub(crate) sends: Vec<usize>,
    pub(crate) done: bool,
}

/// One request as the server got it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) op: usize,
    pub(crate) text: String,
    pub(crate) generation: u64,
    /// It carried a token that was known to be rejected.
    pub(crate) in_pause: bool,
    pub(crate) likeness: String,
    pub(crate) answer: Option<Answer>,
    pub(crate) broke: bool,
    /// The layer knows what this answer says of the token.
    pub(crate) told: bool,
    /// The caller has the answer.
    pub(crate) delivered: bool,
}

/// What the server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// What a header says of the token.
    pub(crate) word: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) breaks_off: bool,
    pub(crate) is_slow: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (plan, now) = (Plan::random(&mut rng), Instant::now());
        let mut inner = Inner {
            model: Model::new(plan.kind, plan.numbers, now),
            rng,
            began_at: now,
            trace: Trace::default(),
            seen: Seen::default(),
            violation: None,
            endpoint: Endpoint::default(),
            configured: None,
            known: BTreeMap::new(),
            calls: Vec::new(),
            ops: Vec::new(),
            sends: Vec::new(),
            healthy: false,
            calm: false,
            failure_told_at: None,
            closed: false,
            tokens: None,
            plan,
        };
        inner.configure();
        inner.trace.add(Duration::ZERO, format!("{:?}", inner.plan));
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Looks at the world, or changes it, at the current instant.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.model.tick(Instant::now());
        inner.superseded_calls_are_dropped_at_once();
        act(&mut inner)
    }

    /// The cache, as long as somebody may use it.
    pub(crate) fn tokens(&self) -> Option<TokenCache> {
        self.with(|world| world.tokens.clone())
    }
}

impl Inner {
    /// Gives a credential that has only a refresh token a new one.
    pub(crate) fn configure(&mut self) {
        if self.plan.kind == crate::plan::Kind::RefreshOnly {
            self.configured = Some(self.endpoint.log_in().1);
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.model.now()
    }

    /// The time since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now() - self.began_at
    }

    pub(crate) fn say(&mut self, line: impl Display) {
        self.trace.add(self.elapsed(), line.to_string());
    }

    pub(crate) fn saw(&mut self, event: Event) {
        self.seen.add(event);
    }

    /// Takes down that an invariant doesn't hold. Only the first counts.
    pub(crate) fn violated(&mut self, invariant: impl Display) {
        self.say(format_args!("VIOLATED {invariant}"));
        self.trace.close();
        if self.violation.is_none() {
            self.violation = Some(invariant.to_string());
        }
    }

    /// A caller begins: from here on the layer, or the cache, is in charge.
    pub(crate) fn op_begins(&mut self, does: Does) -> usize {
        let (op, now) = (self.ops.len(), self.now());
        self.say(format_args!("op {op} begins: {does:?}"));
        if let Does::Gets { min_ttl } = does {
            self.model.wishes.push((op, min_ttl, None));
        }
        self.ops.push(Op { does, waiting_since: Some(now), sends: Vec::new(), done: false });
        op
    }

    pub(crate) fn check(&mut self, holds: bool, invariant: impl Display) {
        if !holds {
            self.violated(invariant);
        }
    }
}
