//! Fresh, stale, expired: what a token's age calls for.

use super::*;

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
    let catch = Catch { token: lasting("a", 60), asked_at, wall_asked_at: WALL };
    sim.now = asked_at + 30 * SECOND;
    sim.state.land(id, Ok(catch), sim.now);
    assert!(matches!(sim.advance(30.1).step(), Step::Begin(Reason::Expired)), "else from when it was asked");
}

#[test]
fn by_the_wall_clock_the_lifetime_counts_from_before_the_request_as_well() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let id = sim.begin().id;
    let catch = Catch { token: lasting("a", 60), asked_at: sim.now, wall_asked_at: WALL };
    sim.advance(30.0);
    sim.state.land(id, Ok(catch), sim.now);
    let entry = sim.state.newest().expect("a token");
    assert!(!entry.is_expired_on_the_wall(WALL + Duration::from_millis(60_999)));
    assert!(entry.is_expired_on_the_wall(WALL + 61 * SECOND), "a second more than that");
    assert!(matches!(sim.step(), Step::Use(_)), "and that alone is no reason not to use it");

    let mut sim = Sim::new(Renewal::KeepsPrevious);
    sim.acquire(token("for-ever"));
    assert!(!sim.state.newest().expect("a token").is_expired_on_the_wall(WALL + 1_000_000 * SECOND));
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
    assert!(sim.state.published(sim.now).is_some());
    sim.advance(575.0);
    let order = sim.begin();
    assert_eq!(order.reason, Reason::Expiring);
    assert!(matches!(sim.step(), Step::Wait));
    assert!(sim.state.published(sim.now).is_none(), "nobody takes a token that is about to die");
    let second = sim.land(order.id, lasting("b", 600));
    assert_eq!(sim.in_use(), second.generation());
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

    for kind in [AcquireErrorKind::Rejected, AcquireErrorKind::Undeclared] {
        let mut sim = Sim::with_policy(Renewal::KeepsPrevious, policy.clone());
        sim.acquire(lasting("a", 10));
        sim.advance(11.0);
        sim.fail(AcquireError::new(kind, "wrong key"));
        assert!(matches!(sim.step(), Step::Fail(_)), "{kind:?} is no outage");
    }
}
