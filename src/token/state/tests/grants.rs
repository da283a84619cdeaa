//! Refresh tokens, flights that are superseded, and what is forgotten.

use secrecy::ExposeSecret;

use super::*;
use crate::token::RefreshTokens;

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
        wall_asked_at: WALL,
    };
    assert!(sim.state.land(old.id, Ok(catch("late", "r-late")), sim.now).is_none(), "tells nobody");
    let new = sim.begin();
    assert!(
        sim.state.land(old.id, Ok(catch("late", "r-late")), sim.now).is_none(),
        "nor does it end another"
    );
    assert!(matches!(sim.step(), Step::Wait));
    let previous = new.previous.expect("the saved grant");
    assert_eq!(previous.refresh_token().expect("saved").expose_secret(), "r-late");
    sim.state.land(new.id, Ok(catch("fresh", "r-fresh")), sim.now);
    sim.state.land(old.id, Ok(catch("later", "r-later")), sim.now);
    assert_eq!(sim.state.grant.as_ref().expect("a grant").token.expose_secret(), "fresh");
    assert_eq!(sim.in_use(), 1);
}

#[test]
fn a_refresh_token_alone_takes_the_place_of_an_older_one_only() {
    let refresh_token = |sim: &Sim| {
        let grant = sim.state.grant.as_ref()?;
        Some(grant.token.refresh_token()?.expose_secret().to_owned())
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
    let catch = Catch { token: token("b").with_refresh_token("r2"), asked_at: sim.now, wall_asked_at: WALL };
    sim.state.land(old.id, Ok(catch), sim.now);
    sim.state.depart(&mut new);
    let previous = new.previous.expect("a grant");
    assert_eq!(previous.refresh_token().expect("saved").expose_secret(), "r2");
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
fn a_refresh_token_that_the_credential_keeps_is_kept_nowhere_else() {
    let kept = RefreshTokens::new();
    let credential = Description::new("test").grants(Grants::SingleUse).refresh_tokens(kept.clone());
    let mut sim = Sim::of(&credential, RefreshPolicy::default());
    let sent = |order: &Order| {
        let refresh_token = order.previous.as_ref()?.refresh_token()?;
        Some(refresh_token.expose_secret().to_owned())
    };
    let first = sim.begin();
    assert_eq!(sent(&first), None);
    sim.land(first.id, lasting("a", 10).with_refresh_token("r1"));
    let second = sim.advance(10.0).begin();
    assert_eq!(sent(&second), None, "what came with a token isn't kept beside it");
    sim.state.rotate(second.id, "r1b".into());
    sim.land(second.id, lasting("b", 10).with_refresh_token("r2"));
    // By whatever cache of the credential.
    kept.replace("r3");
    let third = sim.advance(10.0).begin();
    assert_eq!(sent(&third).as_deref(), Some("r3"));
    assert!(sim.state.invalidate().is_some());
    assert_eq!(sent(&sim.begin()).as_deref(), Some("r3"));
    let (token, flight) = sim.state.take();
    assert!(flight.is_some());
    assert_eq!(token.expect("known").refresh_token().expect("in force").expose_secret(), "r3");
}
