//! Tokens that end before they expire: what is their natural end, and what is a rejection like any other.

use super::*;

/// How many refreshes rejections may still cause at this moment.
fn left_in_budget(sim: &mut Sim) -> usize {
    let mut left = 0;
    loop {
        let lease = sim.acquire(token(&format!("left{left}")));
        sim.state.accept(lease.generation());
        sim.reject(&lease);
        if !matches!(sim.step(), Step::Begin(_)) {
            return left;
        }
        left += 1;
    }
}

#[test]
fn tokens_that_live_for_a_quarter_of_their_time_are_replaced_at_once_and_for_nothing() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    for n in 0..200 {
        let lease = sim.acquire(lasting(&format!("t{n}"), 2));
        sim.state.accept(lease.generation());
        sim.advance(0.5).reject(&lease);
        assert!(matches!(sim.step(), Step::Begin(Reason::Expired)), "token {n}");
        assert_eq!(sim.state.report(sim.now).paused_until(), None);
    }
    assert_eq!(left_in_budget(&mut sim), 10, "nothing was taken from it");
}

#[test]
fn a_rejection_is_no_natural_end_before_that_nor_of_a_token_that_nobody_accepted_or_that_has_no_lifetime() {
    for (lifetime, accepted, age) in [(Some(2), true, 0.49), (Some(2), false, 1.0), (None, true, 1e6)] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let text = token("a");
        let lease = sim.acquire(match lifetime {
            Some(seconds) => text.with_lifetime(seconds * SECOND),
            None => text,
        });
        if accepted {
            sim.state.accept(lease.generation());
        }
        sim.advance(age).reject(&lease);
        assert!(matches!(sim.step(), Step::Begin(_)), "the first refreshes at once");
        assert_eq!(left_in_budget(&mut sim), 9, "{lifetime:?} {accepted} {age}");
    }
}

#[test]
fn the_quarter_counts_from_when_the_token_came_and_of_what_was_left_of_it() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let id = sim.begin().id;
    let asked_at = sim.now;
    sim.advance(60.0);
    sim.state.land(id, Ok(Catch { token: lasting("a", 100), asked_at, wall_asked_at: WALL }), sim.now);
    sim.state.accept(1);
    sim.advance(9.9);
    sim.state.reject(1, Reason::Expired, sim.now);
    assert_eq!(left_in_budget(&mut sim), 9, "a quarter of 40 s is not over");
}

#[test]
fn a_token_that_came_with_nothing_left_has_no_natural_end() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    let lease = sim.acquire(lasting("a", 0));
    sim.state.accept(lease.generation());
    sim.advance(1.0).reject(&lease);
    assert_eq!(left_in_budget(&mut sim), 9);
}

#[test]
fn natural_ends_are_none_of_the_rejections_in_a_row() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    for n in 0..5 {
        let lease = sim.acquire(lasting(&format!("t{n}"), 2));
        sim.state.accept(lease.generation());
        sim.advance(1.0).reject(&lease);
    }
    // From here on everything is rejected.
    let first = sim.acquire(lasting("a", 2));
    sim.reject(&first);
    assert!(matches!(sim.step(), Step::Begin(_)), "the first refreshes at once");
    let second = sim.acquire(lasting("b", 2));
    sim.reject(&second);
    assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "the second pauses");
    assert_eq!(sim.state.report(sim.now).paused_until(), Some(sim.now + SECOND));
}

#[test]
fn a_token_that_was_rejected_too_early_is_replaced_when_it_is_rejected_at_its_end() {
    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, RefreshPolicy::default().budget(1, 1000 * SECOND));
    let first = sim.acquire(lasting("a", 2));
    sim.state.accept(first.generation());
    sim.reject(&first);
    let second = sim.acquire(lasting("b", 2));
    sim.state.accept(second.generation());
    sim.reject(&second);
    assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "one was all the budget had");
    sim.advance(1.5);
    assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "and it may still be good");
    assert!(!sim.state.reject(second.generation(), Reason::Expired, sim.now), "that is no news");
    assert!(matches!(sim.step(), Step::Begin(Reason::Expired)), "but it is the end");
}

#[test]
fn the_same_token_again_is_no_progress_though_it_had_lived_long_enough() {
    let mut sim =
        Sim::with_policy(Renewal::KeepsPrevious, RefreshPolicy::default().budget(10, 1000 * SECOND));
    let first = sim.acquire(lasting("a", 2));
    sim.state.accept(first.generation());
    sim.advance(1.0).reject(&first);
    for pause in [1.0, 2.0, 4.0] {
        assert!(sim.acquire(lasting("a", 2)).is_rejected());
        sim.reject(&first);
        assert!(matches!(sim.step(), Step::Use(lease) if lease.is_rejected()), "a pause");
        sim.advance(pause);
        assert!(matches!(sim.step(), Step::Begin(_)));
    }
    let other = sim.acquire(lasting("b", 2));
    sim.state.accept(other.generation());
    sim.reject(&other);
    assert_eq!(left_in_budget(&mut sim), 6, "the end was free, and the three after it and this one were not");
}

#[test]
fn a_path_that_rejects_everything_beside_a_healthy_one_costs_four_calls_a_lifetime_and_the_budget() {
    for (lifetime, uncharged) in [(Some(2), 4 * 300), (Some(60), 4 * 10), (Some(3600), 0), (None, 0)] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let fresh = |n: u64| match lifetime {
            Some(seconds) => lasting(&format!("t{n}"), seconds),
            None => token(&format!("t{n}")),
        };
        let mut lease = sim.acquire(fresh(0));
        let mut calls = 0;
        for n in 1..=60_000u64 {
            sim.advance(0.01);
            sim.state.accept(lease.generation());
            sim.reject(&lease);
            if matches!(sim.step(), Step::Begin(_)) {
                lease = sim.acquire(fresh(n));
                calls += 1;
            }
        }
        let charged = 10 + 120;
        assert!(calls <= uncharged + charged, "{lifetime:?}: {calls} calls in ten minutes");
        assert!(calls > 120, "{lifetime:?}: {calls} calls in ten minutes");
    }
}
