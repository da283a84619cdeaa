//! Tokens that a server rejects: generations, pauses, the budget.

use super::*;

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
        sim.state.reject(lease.generation(), reason, sim.now);
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
fn another_policy_decides_from_now_on_with_a_full_budget() {
    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, RefreshPolicy::default().budget(1, 1000 * SECOND));
    let lease = sim.acquire(lasting("a", 1000));
    sim.state.accept(lease.generation());
    sim.reject(&lease);
    let lease = sim.acquire(lasting("b", 1000));
    sim.state.accept(lease.generation());
    sim.reject(&lease);
    assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "one was all the budget had");

    sim.state.set_policy(RefreshPolicy::default().budget(2, 1000 * SECOND).early(0.9, 1000 * SECOND));
    let lease = sim.acquire(lasting("c", 1000));
    assert_eq!(lease.generation(), 3, "the generations go on");
    sim.advance(600.0);
    assert!(
        matches!(sim.step(), Step::UseAndRenew(..)),
        "at a tenth of its lifetime it would not be stale yet"
    );
}
