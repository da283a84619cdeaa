//! Early renewals that kill the token: how long they are waited for, by whom, and what comes after that.

use super::*;

const NEWER: Want = Want::Newer { than: 1 };

/// A state whose token, of ten minutes, is being renewed since now, half a minute before it expires.
fn renewing() -> (Sim, Order) {
    renewing_with(RefreshPolicy::default())
}

fn renewing_with(policy: RefreshPolicy) -> (Sim, Order) {
    let mut sim = Sim::with_policy(Renewal::RevokesPrevious, policy);
    sim.acquire(lasting("a", 600));
    let order = sim.advance(570.0).begin();
    assert_eq!(order.reason, Reason::Expiring);
    (sim, order)
}

#[test]
fn a_renewal_that_kills_the_token_is_waited_for_for_a_second_and_then_the_token_is_used() {
    let (mut sim, order) = renewing();
    for at in [0.0, 0.5, 0.499] {
        sim.advance(at);
        assert!(matches!(sim.step(), Step::Wait));
        assert!(sim.state.published(sim.now).is_none(), "nobody takes a token that is about to die");
        assert_eq!(sim.state.patience_until(ANY, sim.now), Some(order.deadline - 29 * SECOND));
    }
    sim.advance(0.001);
    assert_eq!(sim.in_use(), 1);
    assert!(matches!(sim.step(), Step::Use(_)), "and nobody begins another flight");
    assert!(sim.state.published(sim.now).is_some());
    assert_eq!(sim.state.quiet_until(), Quiet::UntilItExpires, "nor asks whether to");
    assert_eq!(sim.state.flight().map(|flight| flight.id), Some(order.id), "the flight goes on");
    let second = sim.land(order.id, lasting("b", 600));
    assert_eq!((sim.in_use(), second.generation()), (2, 2));
}

#[test]
fn only_those_have_something_to_go_on_with_for_whom_the_token_will_do() {
    let (sim, _) = renewing();
    let patience = |want| sim.state.patience_until(want, sim.now);
    let living_for = |seconds: u32| Want::Token { min_ttl: seconds * SECOND };
    assert!(patience(ANY).is_some() && patience(living_for(29)).is_some());
    assert_eq!(patience(living_for(30)), None, "it will live too short");
    assert_eq!(patience(NEWER), None, "it is too old");

    let cold = Sim::new(Renewal::RevokesPrevious);
    let (mut cold, at) = (cold, SECOND / 2);
    cold.begin();
    assert_eq!(cold.state.patience_until(ANY, cold.now + at), None, "there is none");

    let mut late = Sim::new(Renewal::RevokesPrevious);
    late.acquire(lasting("a", 600));
    late.advance(599.0).begin();
    assert_eq!(late.state.patience_until(ANY, late.now), None, "it will have expired");

    let mut kept = Sim::new(Renewal::KeepsPrevious);
    kept.acquire(lasting("a", 600));
    let Step::UseAndRenew(_, reason) = kept.advance(590.0).step() else { panic!("it is stale") };
    kept.state.begin(reason, kept.now, ());
    assert_eq!(kept.state.patience_until(ANY, kept.now), None, "nobody waits for that");
}

#[test]
fn nothing_but_a_valid_token_is_let_through_however_long_the_flight_takes() {
    // There is none.
    let mut cold = Sim::new(Renewal::RevokesPrevious);
    cold.begin();
    assert!(matches!(cold.advance(20.0).step(), Step::Wait));

    // It is too old for some, and too short-lived for others.
    let (mut sim, _) = renewing();
    sim.advance(2.0);
    let classify = |sim: &Sim, want| sim.state.classify(want, sim.now);
    assert!(matches!(classify(&sim, ANY), Step::Use(_)));
    assert!(matches!(classify(&sim, NEWER), Step::Wait));
    assert!(matches!(classify(&sim, Want::Token { min_ttl: 29 * SECOND }), Step::Wait));
    // A server has rejected it.
    sim.state.reject(1, Reason::Expired, sim.now);
    assert!(matches!(sim.step(), Step::Wait));
    assert!(sim.state.published(sim.now).is_none());

    // It expires while it is renewed, also where expired tokens bridge outages.
    let (mut sim, order) = renewing_with(RefreshPolicy::default().serve_expired(600 * SECOND));
    let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: true };
    sim.state.land(order.id, Err(miss), sim.now);
    let flight = sim.advance(29.0).begin();
    assert!(matches!(sim.advance(2.0).step(), Step::Wait), "{flight:?}");
}

#[test]
fn each_flight_is_waited_for_from_its_own_begin() {
    let (mut sim, first) = renewing();
    sim.advance(2.0);
    assert_eq!(sim.in_use(), 1);
    let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: true };
    let Some(((), Landing::Failed(error))) = sim.state.land(first.id, Err(miss), sim.now) else {
        panic!("it failed")
    };
    sim.now = error.retry_at().expect("a pause");
    sim.begin();
    assert!(matches!(sim.step(), Step::Wait));
    assert!(matches!(sim.advance(0.9).step(), Step::Wait));
    assert_eq!(sim.advance(0.1).in_use(), 1);
}
