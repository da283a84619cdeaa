//! The state with a clock of its own, and the tests that it is for, by what they are about.

mod ends;
mod failures;
mod grants;
mod lifetimes;
mod patience;
mod rejections;

use std::time::SystemTime;

use super::*;
use crate::{
    error::{AcquireError, AcquireErrorKind, AuthErrorKind},
    token::{AccessToken, TokenState},
};

const SECOND: Duration = Duration::from_secs(1);
/// When all tokens are asked for, by a wall clock that nobody looks at.
const WALL: SystemTime = SystemTime::UNIX_EPOCH;
const ANY: Want = Want::Token { min_ttl: Duration::ZERO };

/// A state with a clock of its own.
struct Sim {
    state: State<()>,
    now: Instant,
}

impl Sim {
    fn new(renewal: Renewal) -> Self {
        Self::with_policy(renewal, RefreshPolicy::default())
    }

    fn with_policy(renewal: Renewal, policy: RefreshPolicy) -> Self {
        Self::of(&Description::new("test").renewal(renewal), policy)
    }

    fn of(credential: &Description, policy: RefreshPolicy) -> Self {
        let state = State::new(Arc::new(policy), credential, fastrand::Rng::with_seed(1));
        Self { state, now: Instant::now() }
    }

    fn advance(&mut self, seconds: f64) -> &mut Self {
        self.now += Duration::from_secs_f64(seconds);
        self
    }

    fn step(&self) -> Step {
        self.state.classify(ANY, self.now)
    }

    fn begin(&mut self) -> Order {
        let Step::Begin(reason) = self.step() else { panic!("expected to begin, not {:?}", self.step()) };
        let mut order = self.state.begin(reason, self.now, ());
        self.state.depart(&mut order);
        order
    }

    fn land(&mut self, id: u64, token: AccessToken) -> Lease {
        match self.state.land(id, Ok(Catch { token, asked_at: self.now, wall_asked_at: WALL }), self.now) {
            Some(((), Landing::Landed(lease))) => lease,
            other => panic!("expected a lease, not {other:?}"),
        }
    }

    fn fail(&mut self, error: AcquireError) -> AuthError {
        let id = self.begin().id;
        let miss = Miss { error: Arc::new(error), grant_intact: false };
        match self.state.land(id, Err(miss), self.now) {
            Some(((), Landing::Failed(error))) => error,
            other => panic!("expected a failure, not {other:?}"),
        }
    }

    fn acquire(&mut self, token: AccessToken) -> Lease {
        let id = self.begin().id;
        self.land(id, token)
    }

    fn reject(&mut self, lease: &Lease) {
        self.state.reject(lease.generation(), Reason::Expired, self.now);
    }

    fn in_use(&self) -> u64 {
        match self.step() {
            Step::Use(lease) | Step::UseAndRenew(lease, _) => lease.generation(),
            other => panic!("expected a token in use, not {other:?}"),
        }
    }
}

fn token(text: &str) -> AccessToken {
    AccessToken::new(text).expect("a valid token")
}

fn lasting(text: &str, seconds: u64) -> AccessToken {
    token(text).with_lifetime(Duration::from_secs(seconds))
}
