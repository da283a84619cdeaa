//! What one seed means for a fleet: the credential, the policy, and what goes wrong how often. Some seeds are quiet: nothing
//! goes wrong in them but that servers revoke tokens.

use std::time::Duration;

use fastrand::Rng;
use tower_reauth::{Grants, RefreshPolicy};

use crate::plan::{Period, chance, millis, pick};

const SECOND: Duration = Duration::from_secs(1);

/// How tokens are got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A refresh token where there is one, else a password.
    RefreshOrLogin,
    /// Only ever a refresh token; the first one is configured.
    RefreshOnly,
    /// Always the password.
    LoginOnly,
}

impl Kind {
    pub(crate) fn grants(self) -> Grants {
        match self {
            Self::RefreshOrLogin => Grants::RefreshThenOther,
            Self::RefreshOnly => Grants::SingleUse,
            Self::LoginOnly => Grants::Reusable,
        }
    }
}

/// What a store may do wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreFault {
    Fails,
    AnswerLost,
    Hangs,
    HangsAfterwards,
    /// It is asked twice for the same, since its client took the first for lost.
    Twice,
    /// It is late, perhaps so late that nobody waits any more.
    Late,
}

/// What the token endpoint may do wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointFault {
    Fails,
    Throttles,
    Hangs,
    /// It does what it was asked, and its answer is lost.
    LosesAnswer,
    HangsAfterwards,
    /// It hands out the newest token once more.
    SameAgain,
}

/// Everything that a seed decides before the run begins.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) quiet: bool,
    pub(crate) kind: Kind,
    /// The credential keeps its refresh token itself.
    pub(crate) keeps: bool,
    pub(crate) sealed: bool,
    pub(crate) processes: usize,
    pub(crate) accounts: usize,
    pub(crate) marks: usize,
    pub(crate) early: (f64, Duration),
    pub(crate) attempt: Duration,
    pub(crate) flight: Duration,
    pub(crate) attempts: u32,
    pub(crate) pause: (Duration, Duration),
    pub(crate) budget: (u32, Duration),
    pub(crate) chaos: Duration,
    pub(crate) lifetime: Duration,
    /// The server says of what it has revoked that it has expired.
    pub(crate) says_expired: bool,
    /// The longest way to a server and back, in milliseconds, for each of the two ways.
    pub(crate) latency: u64,
    pub(crate) store_latency: u64,
    /// The longest time between two bursts of one process, in milliseconds.
    pub(crate) gap: u64,
    pub(crate) burst: usize,
    /// How often a process is killed, or stands still, at one await point.
    pub(crate) kills: f64,
    pub(crate) stands: f64,
    pub(crate) kills_idle: f64,
    pub(crate) store: Vec<(StoreFault, f64)>,
    pub(crate) store_down: Period,
    pub(crate) flushes: f64,
    pub(crate) fails_over: f64,
    pub(crate) sets_clock: f64,
    pub(crate) endpoint: Vec<(EndpointFault, f64)>,
    pub(crate) outage: Period,
    pub(crate) rejects_everything: Period,
    pub(crate) server_revokes: f64,
    pub(crate) invalidates: f64,
    pub(crate) logs_out: f64,
}

impl Plan {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        use EndpointFault::{HangsAfterwards, LosesAnswer, SameAgain, Throttles};
        use StoreFault::{AnswerLost, Late, Twice};
        let quiet = chance(rng, 0.25);
        let kind = pick(rng, &[Kind::RefreshOrLogin, Kind::RefreshOnly, Kind::LoginOnly]);
        let lifetime = pick(rng, &[10, 30, 120]) * SECOND;
        let chaos = lifetime * rng.u32(2..=4);
        // Long enough for a process to stand still meanwhile, in some.
        let attempt = if chance(rng, 0.3) { millis(rng, 60_000, 90_000) } else { millis(rng, 1000, 10_000) };
        let attempt = if quiet { attempt.max(6 * SECOND) } else { attempt };
        let flight = if chance(rng, 0.1) && !quiet { attempt / 2 } else { attempt * rng.u32(1..=3) };
        let pause = millis(rng, 500, 3000);
        let processes = match rng.f64() {
            dice if dice < 0.01 => rng.usize(20..=50),
            dice if dice < 0.04 => rng.usize(10..=15),
            _ => rng.usize(2..=5),
        };
        let mut sometimes = |probability: f64, most: f64| {
            if !quiet && chance(rng, probability) { rng.f64() * most } else { 0.0 }
        };
        let (kills, stands, kills_idle) = (sometimes(0.5, 0.06), sometimes(0.35, 0.04), sometimes(0.4, 0.2));
        let (flushes, fails_over, sets_clock) =
            (sometimes(0.2, 0.1), sometimes(0.2, 0.15), sometimes(0.2, 0.1));
        let (invalidates, logs_out) = (sometimes(0.25, 0.05), sometimes(0.25, 0.03));
        let mut period = |probability: f64| Period::random(rng, if quiet { 0.0 } else { probability }, chaos);
        let (store_down, outage, rejects_everything) = (period(0.25), period(0.2), period(0.25));
        let mut some =
            |probability: f64, most: f64| (!quiet && chance(rng, probability)).then(|| rng.f64() * most);
        let store =
            [StoreFault::Fails, AnswerLost, StoreFault::Hangs, StoreFault::HangsAfterwards, Twice, Late];
        let store = store.into_iter().filter_map(|fault| Some((fault, some(0.25, 0.25)?))).collect();
        let endpoint =
            [EndpointFault::Fails, Throttles, EndpointFault::Hangs, LosesAnswer, HangsAfterwards, SameAgain];
        let endpoint = endpoint.into_iter().filter_map(|fault| Some((fault, some(0.25, 0.3)?))).collect();
        Self {
            quiet,
            kind,
            keeps: kind == Kind::RefreshOnly && rng.bool(),
            sealed: chance(rng, 0.15),
            processes,
            accounts: if chance(rng, 0.2) { 2 } else { 1 },
            marks: if chance(rng, 0.2) { 2 } else { 1 },
            early: (pick(rng, &[0.1, 0.3]), millis(rng, 2000, 30_000)),
            attempt,
            flight,
            attempts: rng.u32(1..=3),
            pause: (pause, pause * 4),
            budget: (rng.u32(2..=10), millis(rng, 1000, 6000)),
            chaos,
            lifetime,
            says_expired: rng.bool(),
            latency: pick(rng, &[50, 600, 1500]),
            store_latency: pick(rng, &[0, 25, 150]),
            gap: lifetime.as_millis() as u64 / pick(rng, &[3, 12]),
            burst: pick(rng, &[1, 2, 3]),
            kills,
            stands,
            kills_idle,
            store,
            store_down,
            flushes,
            fails_over,
            sets_clock,
            endpoint,
            outage,
            rejects_everything,
            server_revokes: if chance(rng, 0.5) { rng.f64() * 0.3 } else { 0.0 },
            invalidates,
            // What is left after that is the token that the program was given, and that is spent.
            logs_out: if kind == Kind::RefreshOnly { 0.0 } else { logs_out },
        }
    }

    pub(crate) fn policy(&self) -> RefreshPolicy {
        RefreshPolicy::default()
            .early(self.early.0, self.early.1)
            .attempt_timeout(self.attempt)
            .flight_deadline(self.flight)
            .attempts(self.attempts)
            .pause(self.pause.0, self.pause.1)
            .budget(self.budget.0, self.budget.1)
            .fail_fast(SECOND, 10 * SECOND)
            .back_off(SECOND / 2, 10 * SECOND)
            .retry_after_cap(10 * SECOND)
    }

    /// How long before its end a token is stale at the earliest.
    pub(crate) fn window(&self) -> Duration {
        self.lifetime.mul_f64(self.early.0).min(self.early.1)
    }

    /// Once everything works, calls succeed after this time at the latest: the store is asked again, doubt about a refresh
    /// token is over, and so is each pause.
    pub(crate) fn recovery(&self) -> Duration {
        self.flight + self.attempt + self.lifetime + self.pause.1 + self.budget.1 + 100 * SECOND
    }
}
