//! What one seed means: the credential, the policy, and what goes wrong how often. Each run has some of the faults
//! only, so that they don't hide each other.

use std::time::Duration;

use fastrand::Rng;
use tower_reauth::RefreshPolicy;

use crate::model::spread;

/// Times are multiples of this, so that many things happen at the same instant.
const GRID: u64 = 25;

/// A random time between `low` and `high` milliseconds.
pub(crate) fn millis(rng: &mut Rng, low: u64, high: u64) -> Duration {
    Duration::from_millis(rng.u64(low / GRID..=high / GRID) * GRID)
}

pub(crate) fn pick<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())]
}

pub(crate) fn chance(rng: &mut Rng, probability: f64) -> bool {
    rng.f64() < probability
}

/// How tokens are got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A refresh token where there is one, else a password.
    RefreshOrLogin,
    /// As above, and a new token kills all tokens before it.
    RevokesPrevious,
    /// Only ever a refresh token; the first one is configured.
    RefreshOnly,
    /// Always the password.
    LoginOnly,
    StaticKey,
}

impl Kind {
    /// Whether something else can be tried when a refresh token is refused.
    pub(crate) fn has_fallback(self) -> bool {
        matches!(self, Self::RefreshOrLogin | Self::RevokesPrevious)
    }
}

/// How the server says that a token is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// With a 401 and a header.
    Head,
    /// With a 401 and a word in the body; other 401 bodies mean nothing.
    Body,
}

/// A time that doubles up to a bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubling {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Doubling {
    fn random(rng: &mut Rng, first: (u64, u64), most: u64) -> Self {
        let first = millis(rng, first.0, first.1);
        Self { first, longest: first.max(millis(rng, GRID, most)) }
    }

    /// The `n`-th, counted from 1.
    pub(crate) fn nth(self, n: u32) -> Duration {
        self.first.saturating_mul(1 << n.saturating_sub(1).min(20)).min(self.longest)
    }
}

/// The policy's numbers, which the layer gets and the checks know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) early: (f64, Duration),
    pub(crate) attempt: Duration,
    pub(crate) flight: Duration,
    pub(crate) attempts: u32,
    pub(crate) pause: Doubling,
    pub(crate) budget: Option<(u32, Duration)>,
    pub(crate) fail_fast: Doubling,
    pub(crate) back_off: Doubling,
    pub(crate) retry_after_cap: Duration,
    pub(crate) serve_expired: Duration,
}

impl Numbers {
    fn random(rng: &mut Rng) -> Self {
        let fraction = pick(rng, &[0.0, 0.1, 0.3, 0.5, 0.9]);
        Self {
            early: (fraction, millis(rng, 500, 30_000)),
            attempt: millis(rng, 300, 3000),
            flight: millis(rng, 500, 8000),
            attempts: rng.u32(1..=4),
            pause: Doubling::random(rng, (100, 2000), 12_000),
            budget: chance(rng, 0.7).then(|| (rng.u32(1..=6), millis(rng, 500, 6000))),
            fail_fast: Doubling::random(rng, (500, 4000), 15_000),
            back_off: Doubling::random(rng, (200, 2000), 12_000),
            retry_after_cap: millis(rng, 500, 12_000),
            serve_expired: if chance(rng, 0.3) { millis(rng, 500, 10_000) } else { Duration::ZERO },
        }
    }

    pub(crate) fn policy(&self) -> RefreshPolicy {
        let policy = RefreshPolicy::default()
            .early(self.early.0, self.early.1)
            .attempt_timeout(self.attempt)
            .flight_deadline(self.flight)
            .attempts(self.attempts)
            .pause(self.pause.first, self.pause.longest)
            .fail_fast(self.fail_fast.first, self.fail_fast.longest)
            .back_off(self.back_off.first, self.back_off.longest)
            .retry_after_cap(self.retry_after_cap)
            .serve_expired(self.serve_expired);
        match self.budget {
            Some((burst, refill)) => policy.budget(burst, refill),
            None => policy.unlimited_budget(),
        }
    }

    /// Before the `tries`-th attempt after the first, at most this long is waited.
    pub(crate) fn between_attempts(&self, tries: u32) -> Duration {
        Doubling { first: Duration::from_millis(200), longest: Duration::from_secs(5) }.nth(tries)
    }

    /// Once everything works, calls succeed after this time at the latest.
    pub(crate) fn recovery(&self) -> Duration {
        let refill = self.budget.map_or(Duration::ZERO, |(_, refill)| refill);
        let obeyed = self.retry_after_cap + spread(self.retry_after_cap);
        let fail_fast = self.fail_fast.longest.max(Duration::from_secs(1));
        let longest = [self.pause.longest, fail_fast, self.back_off.longest, obeyed, refill];
        self.flight + longest.into_iter().max().unwrap_or_default()
    }
}

/// What the token endpoint, or the way to it, may do wrong in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointFault {
    /// Fails without having done anything, but doesn't say so.
    Fails,
    /// 429 or 503, with or without `Retry-After`.
    Throttles,
    /// Never answers; nothing was done.
    Hangs,
    /// Does what it was asked, and never answers.
    HangsAfterwards,
    /// Does what it was asked, and the answer is lost.
    LosesAnswer,
    /// Does what it was asked, and sends no token.
    Garbles,
    /// The credential's code panics before, or after, its request.
    PanicsEarly,
    PanicsLate,
    /// Hands out the newest token once more.
    SameAgain,
    /// Somebody invalidates the cache at the moment of the answer.
    InvalidatedAtAnswer,
}

/// What the endpoint says of a token's lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LifetimeFault {
    TooLong,
    TooShort,
    Absent,
    Zero,
}

/// What the server, or the way to it, may do wrong in one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerFault {
    Fails,
    BreaksConnection,
    /// Never answers; only where the caller has a time limit.
    Hangs,
    SlowBody,
    LongBody,
    BrokenBody,
}

/// A stretch of the run during which something is always so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Period(Option<(Duration, Duration)>);

impl Period {
    pub(crate) fn random(rng: &mut Rng, probability: f64, run: Duration) -> Self {
        if !chance(rng, probability) {
            return Self(None);
        }
        let begin = millis(rng, 0, run.as_millis() as u64 * 3 / 4);
        Self(Some((begin, begin + millis(rng, 1000, 15_000))))
    }

    pub(crate) fn covers(self, at: Duration) -> bool {
        self.0.is_some_and(|(begin, end)| (begin..end).contains(&at))
    }
}

/// How callers behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Callers {
    /// The longest time between two bursts, in milliseconds.
    pub(crate) gap: u64,
    pub(crate) burst: usize,
    pub(crate) cancels: f64,
    pub(crate) time_limits: f64,
    pub(crate) without_replay: f64,
    pub(crate) bad_path: f64,
    pub(crate) gets: f64,
    pub(crate) rejects: f64,
    pub(crate) invalidates: f64,
    pub(crate) revokes: f64,
}

impl Callers {
    fn random(rng: &mut Rng) -> Self {
        let mut sometimes = |probability: f64, most: f64| {
            if chance(rng, probability) { rng.f64() * most } else { 0.0 }
        };
        Self {
            cancels: sometimes(0.6, 0.4),
            time_limits: sometimes(0.6, 0.5),
            without_replay: sometimes(0.4, 0.5),
            bad_path: sometimes(0.3, 0.3),
            gets: sometimes(0.5, 0.2),
            rejects: sometimes(0.4, 0.1),
            invalidates: sometimes(0.4, 0.08),
            revokes: sometimes(0.3, 0.05),
            gap: pick(rng, &[800, 2000, 4000]),
            burst: pick(rng, &[3, 6, 10]),
        }
    }
}

/// Everything that a seed decides before the run begins.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) sign: Sign,
    pub(crate) numbers: Numbers,
    /// How many requests may be under way, where there is a limit beneath the layer.
    pub(crate) places: Option<usize>,
    pub(crate) peek: (usize, Duration),
    pub(crate) chaos: Duration,
    /// The longest lifetime of tokens, in milliseconds.
    pub(crate) lifetime: u64,
    /// The longest way to the server and back, in milliseconds, for each of the two ways.
    pub(crate) latency: u64,
    pub(crate) endpoint: Vec<(EndpointFault, f64)>,
    /// How often the endpoint hangs when a token is renewed early.
    pub(crate) hangs_early: f64,
    pub(crate) lifetimes: Vec<(LifetimeFault, f64)>,
    pub(crate) server: Vec<(ServerFault, f64)>,
    pub(crate) rotates: f64,
    pub(crate) server_revokes: f64,
    pub(crate) outage: Period,
    pub(crate) refuses_credentials: Period,
    pub(crate) rejects_everything: Period,
    pub(crate) callers: Callers,
}

impl Plan {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        use EndpointFault::{
            Fails, Garbles, Hangs, HangsAfterwards, InvalidatedAtAnswer, LosesAnswer, PanicsEarly,
            PanicsLate, SameAgain, Throttles,
        };
        use LifetimeFault::{Absent, TooLong, TooShort, Zero};
        use ServerFault::{BreaksConnection, BrokenBody, LongBody, SlowBody};
        let kinds = [Kind::RefreshOrLogin, Kind::RevokesPrevious, Kind::RefreshOnly, Kind::LoginOnly];
        let chaos = millis(rng, 15_000, 50_000);
        let endpoint = [
            Fails,
            Throttles,
            Hangs,
            HangsAfterwards,
            LosesAnswer,
            Garbles,
            PanicsEarly,
            PanicsLate,
            SameAgain,
            InvalidatedAtAnswer,
        ];
        let server =
            [ServerFault::Fails, BreaksConnection, ServerFault::Hangs, SlowBody, LongBody, BrokenBody];
        Self {
            kind: if chance(rng, 0.06) { Kind::StaticKey } else { pick(rng, &kinds) },
            sign: pick(rng, &[Sign::Head, Sign::Body]),
            numbers: Numbers::random(rng),
            places: chance(rng, 0.25).then(|| rng.usize(1..=4)),
            peek: (pick(rng, &[256, 4096]), millis(rng, 100, 1000)),
            chaos,
            lifetime: pick(rng, &[2000, 6000, 20_000]),
            latency: pick(rng, &[0, 100, 600, 1500]),
            endpoint: some_of(rng, &endpoint, 0.3, 0.35),
            hangs_early: if chance(rng, 0.6) { rng.f64() } else { 0.0 },
            lifetimes: some_of(rng, &[TooLong, TooShort, Absent, Zero], 0.3, 0.4),
            server: some_of(rng, &server, 0.25, 0.25),
            rotates: pick(rng, &[0.0, 0.8, 1.0]),
            server_revokes: if chance(rng, 0.5) { rng.f64() * 0.5 } else { 0.0 },
            outage: Period::random(rng, 0.25, chaos),
            refuses_credentials: Period::random(rng, 0.2, chaos),
            rejects_everything: Period::random(rng, 0.3, chaos),
            callers: Callers::random(rng),
        }
    }
}

/// Each fault with `probability`, then as often as chance will have it, up to `most`.
fn some_of<T: Copy>(rng: &mut Rng, faults: &[T], probability: f64, most: f64) -> Vec<(T, f64)> {
    let mut some = Vec::new();
    for fault in faults {
        if chance(rng, probability) {
            some.push((*fault, rng.f64() * most));
        }
    }
    some
}

/// One of `faults`, or none, according to how often each is to be.
pub(crate) fn draw<T: Copy>(rng: &mut Rng, faults: &[(T, f64)]) -> Option<T> {
    faults.iter().find(|(_, rate)| chance(rng, *rate)).map(|(fault, _)| *fault)
}
