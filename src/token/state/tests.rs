use super::*;
use crate::{
    AuthErrorKind,
    token::{AccessToken, TokenState},
};

const SECOND: Duration = Duration::from_secs(1);
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
        let credential = Description::new("test").renewal(renewal);
        let state = State::new(Arc::new(policy), &credential, fastrand::Rng::with_seed(1));
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
        match self.state.land(id, Ok(Catch { token, asked_at: self.now }), self.now) {
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
        self.state.reject(lease.generation(), Reason::Expired);
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

#[test]
fn a_token_goes_from_fresh_over_stale_to_expired() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    assert!(matches!(sim.step(), Step::Begin(Reason::Cold)));
    sim.acquire(lasting("a", 600));
    assert!(matches!(sim.step(), Step::Use(_)));
    assert!(matches!(sim.advance(539.0).step(), Step::Use(_)), "the window is at most 60 s");
    assert!(matches!(sim.advance(32.0).step(), Step::UseAndRenew(_, Reason::Expiring)), "and at least 30 s");
    assert!(matches!(sim.advance(28.9).step(), Step::UseAndRenew(..)));
    assert!(matches!(sim.advance(0.1).step(), Step::Begin(Reason::Expired)));
}

#[test]
fn tokens_of_every_lifetime_are_used_and_renewed() {
    for seconds in [1, 2, 600, 3600, 86_400] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        sim.acquire(lasting("a", seconds));
        assert!(matches!(sim.step(), Step::Use(_)), "{seconds} s: used at first");
        let life = Duration::from_secs(seconds);
        sim.now += life - life.mul_f64(0.04).min(140 * SECOND);
        assert!(matches!(sim.step(), Step::UseAndRenew(..)), "{seconds} s: renewed before the end");
    }
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(token("for ever".split(' ').next().expect("a word")));
    assert!(matches!(sim.advance(1e9).step(), Step::Use(_)), "no known expiry: used until rejected");
}

#[test]
fn a_window_wider_than_the_lifetime_is_no_call_for_each_request() {
    let policy = RefreshPolicy::default().early(1.0, Duration::MAX);
    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, policy);
    sim.acquire(lasting("a", 100));
    assert!(matches!(sim.step(), Step::Use(_)), "fresh for at least a tenth of its life");
}

#[test]
fn the_lifetime_counts_from_before_the_request() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let id = sim.begin().id;
    let asked_at = sim.now;
    sim.advance(30.0);
    let said = lasting("a", 60).with_requested_at(asked_at + 10 * SECOND);
    let lease = sim.land(id, said);
    assert_eq!(lease.expires_at(), Some(asked_at + 70 * SECOND), "from when the credential sent its request");
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let id = sim.begin().id;
    let catch = Catch { token: lasting("a", 60), asked_at };
    sim.now = asked_at + 30 * SECOND;
    sim.state.land(id, Ok(catch), sim.now);
    assert!(matches!(sim.advance(30.1).step(), Step::Begin(Reason::Expired)), "else from when it was asked");
}

#[test]
fn a_token_that_arrives_expired_serves_those_who_waited_and_nobody_after() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let lease = sim.acquire(lasting("a", 0));
    assert_eq!(lease.token().expose_secret(), "a");
    assert!(matches!(sim.step(), Step::Begin(Reason::Expired)));
    let forever = token("b").with_lifetime(Duration::MAX);
    sim.acquire(forever);
    assert!(matches!(sim.step(), Step::Use(_)), "an endless lifetime doesn't overflow");
}

#[test]
fn a_late_rejection_leaves_the_newer_token_alone() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let first = sim.acquire(token("a"));
    sim.reject(&first);
    let second = sim.acquire(token("b"));
    sim.reject(&first);
    assert_eq!(sim.in_use(), second.generation());
    let newer = Want::Newer { than: first.generation() };
    assert!(matches!(sim.state.classify(newer, sim.now), Step::Use(lease) if lease.generation() == 2));
}

#[test]
fn a_rejection_decides_which_grant_is_tried() {
    for reason in [Reason::Expired, Reason::Rejected] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let lease = sim.acquire(token("a"));
        sim.state.reject(lease.generation(), reason);
        let order = sim.begin();
        assert_eq!(order.reason, reason);
        assert_eq!(order.previous.expect("the rejected token").expose_secret(), "a");
    }
}

#[test]
fn the_first_rejection_refreshes_at_once_and_then_pauses_double() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let mut lease = sim.acquire(token("t0"));
    sim.reject(&lease);
    lease = sim.acquire(token("t1"));
    for (n, pause) in [(2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 16.0), (7, 32.0), (8, 60.0), (9, 60.0)] {
        sim.reject(&lease);
        match sim.step() {
            Step::Use(lease) => assert!(lease.is_rejected(), "the newest token goes out, marked"),
            other => panic!("expected a pause, not {other:?}"),
        }
        let newer = sim.state.classify(Want::Newer { than: lease.generation() }, sim.now);
        let Step::Fail(error) = newer else { panic!("expected a pause, not {newer:?}") };
        assert_eq!(error.kind(), AuthErrorKind::Paused);
        assert_eq!(error.retry_at(), Some(sim.now + Duration::from_secs_f64(pause)));
        sim.advance(pause - 0.01);
        assert!(matches!(sim.step(), Step::Use(_)), "still paused after {n} rejections");
        sim.advance(0.01);
        lease = sim.acquire(token(&format!("t{n}")));
    }
    sim.state.accept(lease.generation());
    sim.reject(&lease);
    assert!(matches!(sim.step(), Step::Begin(Reason::Expired)), "an accepted token starts the count anew");
}

#[test]
fn the_pause_counts_from_the_last_acquisition() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let first = sim.acquire(token("a"));
    sim.reject(&first);
    let second = sim.acquire(token("b"));
    sim.advance(5.0).reject(&second);
    assert!(matches!(sim.step(), Step::Begin(_)), "the second it should pause is long over");
}

#[test]
fn the_same_token_again_is_no_progress() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let first = sim.acquire(token("a"));
    sim.state.accept(first.generation());
    sim.reject(&first);
    let again = sim.acquire(token("a"));
    assert_eq!(again.generation(), first.generation());
    assert!(again.is_rejected());
    assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "a pause");
    assert!(matches!(sim.advance(1.0).step(), Step::Begin(_)));
    let other = sim.acquire(token("b"));
    assert!(!other.is_rejected());
}

#[test]
fn the_same_token_again_is_no_progress_though_it_is_accepted_late() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let first = sim.acquire(token("a"));
    sim.reject(&first);
    sim.state.accept(first.generation());
    sim.acquire(token("a"));
    assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "a pause");
}

#[test]
fn the_budget_bounds_refreshes_also_where_tokens_are_accepted_in_between() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let mut lease = sim.acquire(token("t0"));
    let mut refreshes = 0;
    for n in 0..6000 {
        sim.advance(0.01);
        // A healthy path accepts the token, another one always rejects it.
        sim.state.accept(lease.generation());
        sim.reject(&lease);
        if let Step::Begin(_) = sim.step() {
            lease = sim.acquire(token(&format!("n{n}")));
            refreshes += 1;
        }
    }
    assert_eq!(refreshes, 10 + 11, "a burst of 10, then one for each of the 5 s of a minute");
}

#[test]
fn a_static_key_stays_in_use_when_it_is_rejected() {
    let mut sim = Sim::new(Renewal::Unsupported);
    let lease = sim.acquire(token("key"));
    sim.reject(&lease);
    assert_eq!(sim.in_use(), lease.generation());
    let newer = sim.state.classify(Want::Newer { than: lease.generation() }, sim.now);
    assert!(matches!(newer, Step::Fail(error) if error.kind() == AuthErrorKind::NotRenewable));
    assert_eq!(sim.state.report(sim.now).token(), TokenState::Rejected);
    sim.state.accept(lease.generation());
    assert_eq!(sim.state.report(sim.now).token(), TokenState::Fresh);
}

#[test]
fn rejected_credentials_fail_fast_and_longer_each_time_but_not_for_ever() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    for pause in [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0] {
        let error = sim.fail(AcquireError::rejected("no"));
        assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
        assert_eq!(error.retry_at(), Some(sim.now + Duration::from_secs_f64(pause)));
        sim.advance(pause - 0.1);
        assert!(
            matches!(sim.step(), Step::Fail(error) if error.kind() == AuthErrorKind::CredentialsRejected)
        );
        sim.advance(0.1);
    }
    sim.acquire(token("a"));
    assert!(matches!(sim.step(), Step::Use(_)));
}

#[test]
fn after_one_transient_failure_the_next_caller_tries_and_after_two_there_is_a_pause() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    assert_eq!(sim.fail(AcquireError::transient("down")).retry_at(), None);
    let error = sim.fail(AcquireError::transient("down"));
    let retry_at = error.retry_at().expect("a pause");
    assert!(retry_at <= sim.now + SECOND);
    assert!(
        matches!(sim.step(), Step::Fail(again) if again.retry_at() == Some(retry_at)),
        "the last error, shared"
    );
    sim.now = retry_at;
    assert!(matches!(sim.step(), Step::Begin(_)));
}

#[test]
fn the_servers_wish_to_be_left_alone_is_obeyed_up_to_the_cap() {
    for (wish, pause) in [(7, 7), (100_000, 600), (u64::MAX, 600)] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let error = sim.fail(AcquireError::transient("busy").with_retry_after(Duration::from_secs(wish)));
        assert_eq!(error.retry_at(), Some(sim.now + Duration::from_secs(pause)));
    }
}

#[test]
fn a_failed_early_renewal_leaves_the_token_and_time_for_other_attempts() {
    for renewal in [Renewal::KeepsPrevious, Renewal::RevokesPrevious] {
        let mut sim = Sim::new(renewal);
        sim.acquire(lasting("a", 100));
        sim.advance(96.0);
        let mut attempts = 0;
        while sim.now
            < sim.state.newest.as_ref().and_then(|newest| newest.entry.expires_at).expect("an expiry")
        {
            if let Step::UseAndRenew(_, reason) | Step::Begin(reason) = sim.step() {
                let id = sim.state.begin(reason, sim.now, ()).id;
                let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: false };
                sim.state.land(id, Err(miss), sim.now);
                attempts += 1;
                assert_eq!(sim.in_use(), 1, "the valid token stays");
            }
            sim.advance(0.01);
        }
        assert!((3..100).contains(&attempts), "{attempts} attempts in the last 4 s");
    }
}

#[test]
fn as_long_as_it_is_quiet_there_is_nothing_to_do_about_a_stale_token() {
    let assert_quiet_until = |sim: &Sim, quiet: Quiet| {
        assert_eq!(sim.state.quiet_until(), quiet);
        let asked = |at| sim.state.classify(ANY, at);
        let last = match quiet {
            Quiet::No => return assert!(matches!(asked(sim.now), Step::UseAndRenew(..))),
            Quiet::Until(at) => {
                assert!(matches!(asked(at), Step::UseAndRenew(..)), "no longer than that");
                at - Duration::from_nanos(1)
            }
            Quiet::UntilItExpires => sim.now + 4 * SECOND,
        };
        assert!(matches!(asked(sim.now), Step::Use(_)) && matches!(asked(last), Step::Use(_)));
    };
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(lasting("a", 100));
    sim.advance(95.0);
    assert_quiet_until(&sim, Quiet::No);
    let Step::UseAndRenew(_, reason) = sim.step() else { panic!("it is stale") };
    let id = sim.state.begin(reason, sim.now, ()).id;
    assert_quiet_until(&sim, Quiet::UntilItExpires);
    let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: true };
    let Some((_, Landing::Failed(error))) = sim.state.land(id, Err(miss), sim.now) else {
        panic!("it failed")
    };
    assert_quiet_until(&sim, Quiet::Until(error.retry_at().expect("a pause")));

    let mut sim = Sim::new(Renewal::Unsupported);
    sim.acquire(lasting("a", 100));
    sim.advance(95.0);
    assert_quiet_until(&sim, Quiet::UntilItExpires);
}

#[test]
fn a_renewal_that_kills_the_previous_token_is_waited_for() {
    let mut sim = Sim::new(Renewal::RevokesPrevious);
    sim.acquire(lasting("a", 600));
    assert!(sim.state.published().is_some());
    sim.advance(575.0);
    let order = sim.begin();
    assert_eq!(order.reason, Reason::Expiring);
    assert!(matches!(sim.step(), Step::Wait));
    assert!(sim.state.published().is_none(), "nobody takes a token that is about to die");
    let second = sim.land(order.id, lasting("b", 600));
    assert_eq!(sim.in_use(), second.generation());
}

#[test]
fn a_grant_whose_fate_is_unknown_is_not_sent_again_while_there_may_be_another() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(lasting("a", 10).with_refresh_token("r1"));
    sim.advance(10.0);
    assert_eq!(sim.begin().reason, Reason::Expired);
    // The flight is lost: whether the server has used the refresh token up, nobody knows.
    assert!(sim.state.supersede(None).is_some());
    let order = sim.begin();
    assert_eq!(order.reason, Reason::Rejected, "acquire anew");
    assert!(order.previous.is_some(), "for credentials that have nothing else");
    sim.land(order.id, lasting("b", 10).with_refresh_token("r2"));
    assert_eq!(sim.advance(10.0).begin().reason, Reason::Expired, "a new grant is good");
}

#[test]
fn a_grant_that_the_server_has_not_looked_at_stays_good() {
    for (grant_intact, reason) in [(true, Reason::Expired), (false, Reason::Rejected)] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        sim.acquire(lasting("a", 10).with_refresh_token("r1"));
        sim.advance(10.0);
        let id = sim.begin().id;
        let miss = Miss { error: Arc::new(AcquireError::transient("busy")), grant_intact };
        sim.state.land(id, Err(miss), sim.now);
        assert_eq!(sim.begin().reason, reason);
    }
}

#[test]
fn a_superseded_flight_saves_only_its_refresh_token_and_only_if_there_is_no_newer_one() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let old = sim.begin();
    assert!(sim.state.invalidate().is_some());
    let catch = |text: &str, refresh: &str| Catch {
        token: token(text).with_refresh_token(refresh),
        asked_at: Instant::now(),
    };
    assert!(sim.state.land(old.id, Ok(catch("late", "r-late")), sim.now).is_none(), "tells nobody");
    let new = sim.begin();
    assert!(
        sim.state.land(old.id, Ok(catch("late", "r-late")), sim.now).is_none(),
        "nor does it end another"
    );
    assert!(matches!(sim.step(), Step::Wait));
    let previous = new.previous.expect("the saved grant");
    assert_eq!(secrecy::ExposeSecret::expose_secret(previous.refresh_token().expect("saved")), "r-late");
    sim.state.land(new.id, Ok(catch("fresh", "r-fresh")), sim.now);
    sim.state.land(old.id, Ok(catch("later", "r-later")), sim.now);
    assert_eq!(sim.state.grant.as_ref().expect("a grant").token.expose_secret(), "fresh");
    assert_eq!(sim.in_use(), 1);
}

#[test]
fn a_refresh_token_alone_takes_the_place_of_an_older_one_only() {
    let refresh_token = |sim: &Sim| {
        let grant = sim.state.grant.as_ref()?;
        Some(secrecy::ExposeSecret::expose_secret(grant.token.refresh_token()?).to_owned())
    };
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let first = sim.begin();
    sim.state.rotate(first.id, "r0".into());
    assert_eq!(refresh_token(&sim), None, "there is no grant that it could belong to");
    sim.land(first.id, lasting("a", 10).with_refresh_token("r1"));

    let second = { sim.advance(10.0) }.begin();
    sim.state.rotate(second.id, "r2".into());
    assert_eq!(refresh_token(&sim).as_deref(), Some("r2"));
    sim.state.rotate(first.id, "r1b".into());
    assert_eq!(refresh_token(&sim).as_deref(), Some("r2"), "a late one is older");
    assert!(sim.state.grant.as_ref().is_some_and(|grant| !grant.spent), "it may be sent");
    sim.land(second.id, token("b").with_refresh_token("r3"));
    assert_eq!(refresh_token(&sim).as_deref(), Some("r3"));
}

#[test]
fn a_flight_departs_with_the_grant_that_a_superseded_one_brought_since_it_began() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(lasting("a", 10).with_refresh_token("r1"));
    let old = { sim.advance(10.0) }.begin();
    sim.state.invalidate();
    let mut new = sim.begin();
    let catch = Catch { token: token("b").with_refresh_token("r2"), asked_at: sim.now };
    sim.state.land(old.id, Ok(catch), sim.now);
    sim.state.depart(&mut new);
    let previous = new.previous.expect("a grant");
    assert_eq!(secrecy::ExposeSecret::expose_secret(previous.refresh_token().expect("saved")), "r2");
}

#[test]
fn invalidating_forgets_the_access_token_and_every_reason_to_wait() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.fail(AcquireError::rejected("no"));
    assert!(matches!(sim.step(), Step::Fail(_)));
    sim.state.invalidate();
    assert!(matches!(sim.step(), Step::Begin(Reason::Cold)));

    let first = sim.acquire(token("a").with_refresh_token("r"));
    sim.reject(&first);
    let second = sim.acquire(token("b").with_refresh_token("r2"));
    sim.reject(&second);
    sim.state.invalidate();
    let order = sim.begin();
    assert_eq!(order.reason, Reason::Expired, "there still is a refresh token");
    assert!(order.previous.is_some());

    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(token("a"));
    sim.state.invalidate();
    let order = sim.begin();
    assert_eq!((order.reason, order.previous.is_none()), (Reason::Cold, true));
}

#[test]
fn revoking_takes_everything() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(token("a").with_refresh_token("r"));
    let (taken, flight) = sim.state.take();
    assert_eq!(taken.expect("the token").expose_secret(), "a");
    assert!(flight.is_none());
    assert!(matches!(sim.step(), Step::Begin(Reason::Cold)));
}

#[test]
fn a_minimum_lifetime_is_had_by_one_acquisition_where_it_can_be_had() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(lasting("a", 600));
    let want = Want::Token { min_ttl: 300 * SECOND };
    assert!(matches!(sim.state.classify(want, sim.now), Step::Use(_)));
    sim.advance(301.0);
    assert!(matches!(sim.state.classify(want, sim.now), Step::Begin(Reason::Expiring)));
    assert!(matches!(sim.step(), Step::Use(_)), "others go on with the token there is");
    let more = Want::Token { min_ttl: 6000 * SECOND };
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(lasting("a", 600));
    assert!(matches!(sim.state.classify(more, sim.now), Step::Use(_)), "no other token would live longer");
}

#[test]
fn an_expired_token_bridges_an_outage_only_if_asked_and_only_up_to_the_limit() {
    let down = || AcquireError::transient("down");
    let mut strict = Sim::new(Renewal::KeepsPrevious);
    strict.acquire(lasting("a", 10));
    strict.advance(11.0);
    assert_eq!(strict.fail(down()).kind(), AuthErrorKind::Unavailable);
    assert!(matches!(strict.step(), Step::Begin(_)), "not asked for");

    let policy = RefreshPolicy::default().serve_expired(60 * SECOND);
    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, policy.clone());
    sim.acquire(lasting("a", 10));
    sim.advance(11.0);
    assert!(matches!(sim.step(), Step::Begin(Reason::Expired)), "first it is tried to get another");
    let id = sim.begin().id;
    assert!(matches!(sim.step(), Step::Wait));
    let miss = Miss { error: Arc::new(down()), grant_intact: false };
    sim.state.land(id, Err(miss), sim.now);
    assert!(sim.state.still_valid(ANY, sim.now).is_some(), "for those who waited");
    let Step::UseAndRenew(lease, reason) = sim.step() else { panic!("not bridged: {:?}", sim.step()) };
    sim.state.begin(reason, sim.now, ());
    assert!(matches!(sim.step(), Step::Use(_)), "nobody waits during an outage");
    sim.state.supersede(None);
    sim.advance(59.0);
    assert!(matches!(sim.step(), Step::Begin(_)), "the limit counts from the expiry");
    sim.now -= 10 * SECOND;
    sim.reject(&lease);
    assert!(!matches!(sim.step(), Step::Use(_) | Step::UseAndRenew(..)), "a rejected token is not served");

    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, policy);
    sim.acquire(lasting("a", 10));
    sim.advance(11.0);
    sim.fail(AcquireError::rejected("wrong key"));
    assert!(matches!(sim.step(), Step::Fail(_)), "rejected credentials are no outage");
}

#[test]
fn an_overloaded_endpoint_is_left_alone_from_the_first_failure_on() {
    for status in [429, 503] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let status = http::StatusCode::from_u16(status).expect("valid");
        let error = sim.fail(AcquireError::transient("busy").with_status(status));
        assert!(error.retry_at().is_some_and(|at| at <= sim.now + SECOND), "{status}: {error:?}");
        assert!(matches!(sim.step(), Step::Fail(_)));
    }
}

#[test]
fn a_failed_early_renewal_pauses_for_a_quarter_of_the_time_left_at_most() {
    // A back-off that would outlast the token.
    let policy = RefreshPolicy::default().back_off(1000 * SECOND, 1000 * SECOND);
    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, policy);
    sim.acquire(lasting("a", 100));
    sim.advance(96.0);
    let Step::UseAndRenew(_, reason) = sim.step() else { panic!("stale: {:?}", sim.step()) };
    let id = sim.state.begin(reason, sim.now, ()).id;
    let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: false };
    let Some(((), Landing::Failed(error))) = sim.state.land(id, Err(miss), sim.now) else { panic!("failed") };
    assert_eq!(error.retry_at(), Some(sim.now + SECOND));
}
