//! When to renew, how long to wait, when to stop asking. Numbers only: no state, no clock, no I/O.

use std::time::Duration;

/// The longest that calls fail at once because the endpoint is wrong: nobody waits longer for one that was mended.
const LONGEST_ENDPOINT_PAUSE: Duration = Duration::from_secs(5);

/// The shortest wait after a failure that may pass, whatever is set: no endpoint is asked in a tight loop.
pub(super) const LEAST_WAIT: Duration = Duration::from_millis(50);

/// The shortest time for which calls fail at once after the credentials were rejected.
const LEAST_FAIL_FAST: Duration = Duration::from_secs(1);

/// Over how long those come back whom a server has sent away for a while: a tenth of that, within these bounds.
const LEAST_SPREAD: Duration = Duration::from_millis(100);
const MOST_SPREAD: Duration = Duration::from_secs(10);

/// When tokens are renewed, and what happens when that fails.
///
/// | what | default | set by |
/// |---|---|---|
/// | early renewal: the last part of the lifetime, at most | 10 %, 5 min | [`early`](Self::early) |
/// | one attempt at the token endpoint | 10 s | [`attempt_timeout`](Self::attempt_timeout) |
/// | one flight, with all its attempts | 30 s | [`flight_deadline`](Self::flight_deadline) |
/// | attempts a flight, after transient failures | 3 | [`attempts`](Self::attempts) |
/// | between those attempts, at random up to | 200 ms, doubling to 5 s | [`between_attempts`](Self::between_attempts) |
/// | the same, where [a failure says more](crate::AcquireError::with_attempts_apart) | that, doubling to 60 s | |
/// | pause while new tokens are rejected | 1 s, doubling to 60 s | [`pause`](Self::pause) |
/// | budget of acquisitions driven by rejections | 10, one back every 5 s | [`budget`](Self::budget) |
/// | failing fast after rejected credentials | 30 s, doubling to 10 min | [`fail_fast`](Self::fail_fast) |
/// | back-off after transient failures, at random up to | 1 s, doubling to 60 s | [`back_off`](Self::back_off) |
/// | back-off where the endpoint itself is wrong ([`EndpointUnusable`](crate::AuthErrorKind::EndpointUnusable)), at random from half of | 1 s, doubling to 5 s | [`back_off`](Self::back_off), 5 s at most |
/// | longest `Retry-After` that is obeyed | 10 min | [`retry_after_cap`](Self::retry_after_cap) |
/// | beyond what is obeyed of it, at random up to | a tenth of that, from 100 ms to 10 s | |
/// | serving an expired token during an outage, up to | not at all | [`serve_expired`](Self::serve_expired) |
///
/// An early renewal [that kills the token](crate::Renewal::RevokesPrevious) is waited for until it is 1 s old, and then the
/// token is used again.
///
/// The window for early renewal is shortened at random, to between half and the whole of it, once for each
/// cache: processes that start together don't renew together.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::RefreshPolicy;
///
/// let policy = RefreshPolicy::default()
///     .early(0.2, Duration::from_secs(120))
///     .flight_deadline(Duration::from_secs(15));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RefreshPolicy {
    early_fraction: f64,
    early_cap: Duration,
    attempt_timeout: Duration,
    flight_deadline: Duration,
    attempts: u32,
    between_attempts: Doubling,
    pause: Doubling,
    budget: Option<Allowance>,
    fail_fast: Doubling,
    back_off: Doubling,
    retry_after_cap: Duration,
    serve_expired: Duration,
    without_dead_grants: bool,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            early_fraction: 0.1,
            early_cap: Duration::from_secs(5 * 60),
            attempt_timeout: Duration::from_secs(10),
            flight_deadline: Duration::from_secs(30),
            attempts: 3,
            between_attempts: Doubling { first: Duration::from_millis(200), longest: Duration::from_secs(5) },
            pause: Doubling { first: Duration::from_secs(1), longest: Duration::from_secs(60) },
            budget: Some(Allowance { burst: 10, refill: Duration::from_secs(5) }),
            fail_fast: Doubling { first: Duration::from_secs(30), longest: Duration::from_secs(10 * 60) },
            back_off: Doubling { first: Duration::from_secs(1), longest: Duration::from_secs(60) },
            retry_after_cap: Duration::from_secs(10 * 60),
            serve_expired: Duration::ZERO,
            without_dead_grants: false,
        }
    }
}

impl RefreshPolicy {
    /// Renews in the background during the last `fraction` of a token's lifetime, but not more than `cap` before
    /// its expiry. A fraction is kept between 0 (only renew what has expired) and 0.9; not a number counts as 0.
    pub fn early(mut self, fraction: f64, cap: Duration) -> Self {
        self.early_fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 0.9) };
        self.early_cap = cap;
        self
    }

    /// Sets how long one call of [`Credential::acquire`](crate::Credential::acquire) may take.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets how long all attempts of one flight may take together.
    pub fn flight_deadline(mut self, deadline: Duration) -> Self {
        self.flight_deadline = deadline;
        self
    }

    /// Sets how often a flight tries, when its attempts fail in a way that may pass: no connection, no answer in time, 408,
    /// 425, 5xx, or an answer that makes no sense. At least 1; by default 3.
    ///
    /// What a server refuses is tried once, and so is what it wants to be left alone with (429, 503, `Retry-After`). So a
    /// wrong password counts once against its user's lock-out, and not again before [`fail_fast`](Self::fail_fast) is over.
    /// That is so where it is refused by a status or in words that are known: where a vendor answers it with a 500, say, each
    /// flight sends it 3 times. Then declare these words with [`TokenEndpoint::refusal`](crate::TokenEndpoint::refusal), or
    /// set this to 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets how long a flight waits between its attempts: at random up to `first`, a bound that doubles up to `longest`. At
    /// least 50 ms, so that an endpoint that fails at once isn't asked hundreds of times a second.
    pub fn between_attempts(mut self, first: Duration, longest: Duration) -> Self {
        self.between_attempts = Doubling { first, longest };
        self
    }

    /// Sets the pause, counted from the last acquisition, that follows when a new token was rejected without ever
    /// having been accepted. It doubles with each such token in a row. Meanwhile requests go out once with the
    /// newest token, and their answers pass through.
    ///
    /// It may be zero, as the [`budget`](Self::budget) is a bound as well. Without either, a server that rejects every token
    /// causes one acquisition for each request.
    pub fn pause(mut self, first: Duration, longest: Duration) -> Self {
        self.pause = Doubling { first, longest };
        self
    }

    /// Sets how many acquisitions rejections may cause: `burst` at once, and one more every `refill`. Beyond that,
    /// requests go out once with the newest token, and their answers pass through.
    ///
    /// A token that was accepted, and is rejected when it has lived for a quarter of its known lifetime, has expired
    /// before its time. It is replaced at once, and that neither counts nor pauses.
    pub fn budget(mut self, burst: u32, refill: Duration) -> Self {
        self.budget = Some(Allowance { burst, refill });
        self
    }

    /// Lets rejections cause any number of acquisitions.
    pub fn unlimited_budget(mut self) -> Self {
        self.budget = None;
        self
    }

    /// Sets how long calls fail at once after the credentials were rejected. At least 1 s: to send what was refused with
    /// each request would lock accounts.
    pub fn fail_fast(mut self, first: Duration, longest: Duration) -> Self {
        self.fail_fast = Doubling { first, longest };
        self
    }

    /// Sets how long calls fail at once after the second transient failure in a row, and the following ones. The
    /// pause is random up to the bound, which starts at `first` and doubles up to `longest`, and at least 50 ms.
    pub fn back_off(mut self, first: Duration, longest: Duration) -> Self {
        self.back_off = Doubling { first, longest };
        self
    }

    /// Sets the longest `Retry-After` that is obeyed; of a longer one so much is. To that a random time is added, up to a
    /// tenth of it, but at least up to 100 ms and at most up to 10 s. So nobody comes back earlier than the server said,
    /// if that is within the cap, and those who were sent away together don't come back at one instant.
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.retry_after_cap = cap;
        self
    }

    /// Lets requests go on with an expired token, for at most `limit` after its expiry, once the token endpoint could
    /// not be reached or did not work. Meanwhile it is asked in the background. A rejected token is never served.
    ///
    /// Servers' clocks differ, and some grant a little time after the expiry; others answer 401.
    pub fn serve_expired(mut self, limit: Duration) -> Self {
        self.serve_expired = limit;
        self
    }

    /// Has a grant that a server calls dead not sent again, however long ago that was.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(crate) fn without_dead_grants(mut self) -> Self {
        self.without_dead_grants = true;
        self
    }

    pub(super) fn is_without_dead_grants(&self) -> bool {
        self.without_dead_grants
    }

    /// How long before its expiry a token of this lifetime is stale. `spread` is the cache's own, from 0 to 1.
    pub(super) fn early_window(&self, lifetime: Duration, spread: f64) -> Duration {
        let window = lifetime.mul_f64(self.early_fraction).min(self.early_cap);
        window.mul_f64(0.5 + spread.clamp(0.0, 1.0) / 2.0)
    }

    pub(super) fn attempt_limit(&self) -> Duration {
        self.attempt_timeout
    }

    pub(super) fn flight_limit(&self) -> Duration {
        self.flight_deadline
    }

    pub(super) fn max_attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) fn allowance(&self) -> Option<Allowance> {
        self.budget
    }

    pub(super) fn expired_limit(&self) -> Duration {
        self.serve_expired
    }

    /// The pause after the `rejections`-th rejection in a row; none after the first, which refreshes at once.
    pub(super) fn pause_after(&self, rejections: u32) -> Duration {
        match rejections {
            0 | 1 => Duration::ZERO,
            more => self.pause.nth(more - 1),
        }
    }

    /// How long calls fail at once after the credentials were rejected for the `failures`-th time in a row.
    pub(super) fn fail_fast_after(&self, failures: u32) -> Duration {
        self.fail_fast.nth(failures).max(LEAST_FAIL_FAST)
    }

    /// How long calls fail at once after the `failures`-th transient failure in a row; not after the first.
    pub(super) fn back_off_after(&self, failures: u32, rng: &mut fastrand::Rng) -> Duration {
        match failures {
            0 | 1 => Duration::ZERO,
            more => self.back_off.nth(more - 1).mul_f64(rng.f64()).max(LEAST_WAIT),
        }
    }

    /// How long calls fail at once after the endpoint itself was wrong for the `failures`-th time in a row: from the first
    /// one on, since it is not the server's health that is waited for; never for long, since it may be mended at any time.
    pub(super) fn endpoint_pause_after(&self, failures: u32, rng: &mut fastrand::Rng) -> Duration {
        let bound = self.back_off.nth(failures).min(LONGEST_ENDPOINT_PAUSE);
        bound.mul_f64(0.5 + rng.f64() / 2.0).max(LEAST_WAIT)
    }

    /// How long the server's wish to be left alone is obeyed, with a time of one's own beyond that.
    pub(super) fn obey(&self, retry_after: Duration, rng: &mut fastrand::Rng) -> Duration {
        let obeyed = retry_after.min(self.retry_after_cap);
        let spread = (obeyed / 10).clamp(LEAST_SPREAD, MOST_SPREAD);
        obeyed.saturating_add(spread.mul_f64(rng.f64()))
    }

    /// The wait before the next attempt of a flight, after `attempts` of them.
    pub(super) fn wait_after(&self, attempts: u32, rng: &mut fastrand::Rng) -> Duration {
        self.between_attempts.nth(attempts).mul_f64(rng.f64()).max(LEAST_WAIT)
    }
}

/// A time that doubles up to a bound.
#[derive(Clone, Copy, Debug)]
struct Doubling {
    first: Duration,
    longest: Duration,
}

impl Doubling {
    /// The `n`-th, counted from 1.
    fn nth(self, n: u32) -> Duration {
        let factor = 1u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// A number of acquisitions at once, and how fast they come back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) burst: u32,
    pub(super) refill: Duration,
}

impl Allowance {
    /// How much can be missing at all.
    pub(super) fn most(self) -> Duration {
        self.refill.saturating_mul(self.burst)
    }

    /// How long to wait for the next one, while so much is missing.
    pub(super) fn wait(self, missing: Duration) -> Duration {
        match self.burst {
            // Nothing ever comes back into a bucket without room.
            0 => Duration::MAX,
            // One may be taken while no more than `burst - 1` of them are missing.
            burst => missing.saturating_sub(self.refill.saturating_mul(burst - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_early_window_is_a_capped_part_of_the_lifetime() {
        let policy = RefreshPolicy::default();
        for (lifetime, widest) in [(1, 0.1), (2, 0.2), (600, 60.0), (3600, 300.0), (86_400, 300.0)] {
            let window = policy.early_window(Duration::from_secs(lifetime), 1.0);
            assert_eq!(window, Duration::from_secs_f64(widest), "{lifetime} s");
            let narrowest = policy.early_window(Duration::from_secs(lifetime), 0.0);
            assert_eq!(narrowest, window / 2, "{lifetime} s");
        }
        assert_eq!(policy.early_window(Duration::ZERO, 1.0), Duration::ZERO);
    }

    #[test]
    fn a_window_can_never_be_the_whole_lifetime() {
        for fraction in [1.0, 7.0, f64::INFINITY] {
            let policy = RefreshPolicy::default().early(fraction, Duration::MAX);
            assert!(policy.early_window(10 * SECOND, 1.0) < 10 * SECOND, "{fraction}");
        }
        for fraction in [-1.0, f64::NAN, f64::NEG_INFINITY] {
            let policy = RefreshPolicy::default().early(fraction, Duration::MAX);
            assert_eq!(policy.early_window(10 * SECOND, 1.0), Duration::ZERO, "{fraction}");
        }
    }

    #[test]
    fn pauses_double_up_to_their_bound_and_never_overflow() {
        let policy = RefreshPolicy::default();
        let pauses: Vec<_> = (0..=9).map(|n| policy.pause_after(n).as_secs()).collect();
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(policy.pause_after(u32::MAX), 60 * SECOND);
        let fail_fast: Vec<_> = (1..=6).map(|n| policy.fail_fast_after(n).as_secs()).collect();
        assert_eq!(fail_fast, [30, 60, 120, 240, 480, 600]);
        assert_eq!(policy.fail_fast_after(u32::MAX), 600 * SECOND);
        let endless = RefreshPolicy::default().pause(Duration::MAX, Duration::MAX);
        assert_eq!(endless.pause_after(40), Duration::MAX);
    }

    #[test]
    fn back_off_starts_with_the_second_failure_and_is_random_below_its_bound() {
        let (policy, mut rng) = (RefreshPolicy::default(), fastrand::Rng::with_seed(7));
        assert_eq!(policy.back_off_after(1, &mut rng), Duration::ZERO);
        for (failures, bound) in [(2, 1), (3, 2), (8, 60), (99, 60)] {
            let drawn: Vec<_> = (0..200).map(|_| policy.back_off_after(failures, &mut rng)).collect();
            assert!(drawn.iter().all(|pause| *pause < bound * SECOND));
            assert!(drawn.iter().any(|pause| *pause > bound * SECOND / 2));
            assert!(drawn.iter().any(|pause| *pause < bound * SECOND / 2));
        }
    }

    #[test]
    fn who_is_sent_away_comes_back_no_earlier_than_that_and_not_all_at_one_instant() {
        let (policy, mut rng) = (RefreshPolicy::default(), fastrand::Rng::with_seed(7));
        let millis = Duration::from_millis;
        for (said, obeyed, spread) in [
            (Duration::ZERO, Duration::ZERO, millis(100)),
            (SECOND, SECOND, millis(100)),
            (2 * SECOND, 2 * SECOND, millis(200)),
            (60 * SECOND, 60 * SECOND, 6 * SECOND),
            (300 * SECOND, 300 * SECOND, 10 * SECOND),
            (Duration::MAX, 600 * SECOND, 10 * SECOND),
        ] {
            let mut drawn: Vec<_> = (0..1000).map(|_| policy.obey(said, &mut rng)).collect();
            drawn.sort();
            assert!(drawn[0] >= obeyed && drawn[999] < obeyed + spread, "{said:?}: {:?}", drawn[999]);
            // Each quarter of the spread has about a quarter of them.
            for quarter in 1..4 {
                let before = drawn.partition_point(|pause| *pause < obeyed + spread * quarter / 4);
                assert!(before.abs_diff(250 * quarter as usize) < 60, "{said:?}: {before} by then");
            }
        }
        let endless = RefreshPolicy::default().retry_after_cap(Duration::MAX);
        assert_eq!(endless.obey(Duration::MAX, &mut rng), Duration::MAX, "nothing overflows");
    }

    #[test]
    fn no_wait_is_so_short_that_an_endpoint_is_asked_in_a_tight_loop() {
        let (none, mut rng) = (Duration::ZERO, fastrand::Rng::with_seed(7));
        let policy =
            RefreshPolicy::default().between_attempts(none, none).back_off(none, none).fail_fast(none, none);
        for n in [1, 2, 7, u32::MAX] {
            assert_eq!(policy.wait_after(n, &mut rng), LEAST_WAIT);
            assert_eq!(policy.back_off_after(n, &mut rng), if n == 1 { none } else { LEAST_WAIT });
            assert_eq!(policy.fail_fast_after(n), SECOND);
        }
        let policy = RefreshPolicy::default();
        assert!((0..1000).all(|_| policy.wait_after(1, &mut rng) >= LEAST_WAIT));
        assert!((0..1000).all(|_| policy.back_off_after(2, &mut rng) >= LEAST_WAIT));
    }

    #[test]
    fn attempts_of_one_flight_are_spread_a_little() {
        let (policy, mut rng) = (RefreshPolicy::default(), fastrand::Rng::with_seed(7));
        for (attempts, bound) in [(1, 200), (2, 400), (9, 5000)] {
            let bound = Duration::from_millis(bound);
            let drawn: Vec<_> = (0..200).map(|_| policy.wait_after(attempts, &mut rng)).collect();
            assert!(drawn.iter().all(|wait| *wait < bound) && drawn.iter().any(|wait| *wait > bound / 2));
        }
    }

    #[test]
    fn every_setting_is_its_own_and_leaves_the_others_alone() {
        let minute = 60 * SECOND;
        let policy = RefreshPolicy::default()
            .early(0.5, minute)
            .attempt_timeout(2 * SECOND)
            .flight_deadline(3 * SECOND)
            .attempts(7)
            .between_attempts(11 * SECOND, minute)
            .pause(4 * SECOND, minute)
            .budget(5, 6 * SECOND)
            .fail_fast(7 * SECOND, minute)
            .back_off(8 * SECOND, minute)
            .retry_after_cap(9 * SECOND)
            .serve_expired(10 * SECOND);
        let mut rng = fastrand::Rng::with_seed(7);
        assert_eq!(policy.early_window(10 * SECOND, 1.0), 5 * SECOND);
        assert_eq!((policy.attempt_limit(), policy.flight_limit()), (2 * SECOND, 3 * SECOND));
        assert_eq!((policy.max_attempts(), policy.clone().attempts(0).max_attempts()), (7, 1));
        assert!((0..100).any(|_| policy.wait_after(1, &mut rng) > 6 * SECOND));
        assert_eq!(policy.pause_after(2), 4 * SECOND);
        let Some(Allowance { burst, refill }) = policy.allowance() else { panic!("there is a budget") };
        assert_eq!((burst, refill), (5, 6 * SECOND));
        assert_eq!(policy.fail_fast_after(1), 7 * SECOND);
        assert!((0..100).any(|_| policy.back_off_after(2, &mut rng) > 4 * SECOND));
        assert!((9 * SECOND..10 * SECOND).contains(&policy.obey(minute, &mut rng)));
        assert_eq!(policy.expired_limit(), 10 * SECOND);
        let policy = policy.unlimited_budget();
        assert!(policy.allowance().is_none());
        assert_eq!(policy.attempt_limit(), 2 * SECOND);
    }
}
