//! What becomes of a tenant's grant, and of the tenant.

use super::*;
use crate::token::TokenState;

#[tokio::test(start_paused = true)]
async fn a_dead_grant_is_told_once_and_not_sent_again() {
    let world = World::default();
    let tenants = world.tenants(Grants::SingleUse).build();
    for _ in 0..3 {
        assert_eq!(world.call(&tenants, "dead").await, Err(AuthErrorKind::CredentialsRejected));
        sleep(100 * 24 * 3600 * SECOND).await;
    }
    assert_eq!(of(&world.asked, "dead"), 1);
    assert_eq!(*world.dead.lock().unwrap(), ["dead"]);
    let census = tenants.census();
    assert_eq!((census.healthy, census.waiting, census.dead), (0, 0, 1));

    tenants.get(&"dead".to_owned()).await.unwrap().invalidate();
    assert_eq!(world.call(&tenants, "dead").await, Err(AuthErrorKind::CredentialsRejected));
    assert_eq!((of(&world.asked, "dead"), world.dead.lock().unwrap().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_when_the_tenant_is_removed_is_told_so_and_the_rotated_token_is_handed_over() {
    let world = World::default();
    let tenants = world.tenants(Grants::SingleUse).build();
    let (answer, left) = tokio::join!(world.call(&tenants, "acme"), async {
        // It was built after 10 ms, and its flight ends after 20.
        sleep(Duration::from_millis(15)).await;
        tenants.remove(&"acme".to_owned()).await
    });
    assert_eq!(answer, Err(AuthErrorKind::TenantRemoved));
    let left = left.expect("a grant that is kept nowhere else");
    assert_eq!(secrecy::ExposeSecret::expose_secret(left.refresh_token().unwrap()), "r-acme-1");
    assert!(world.sent().is_empty());
    assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK), "it was built anew");
    assert_eq!(of(&world.built, "acme"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_can_be_had_again_is_not_handed_over() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK));
    assert!(tenants.remove(&"acme".to_owned()).await.is_none());
    assert!(tenants.remove(&"acme".to_owned()).await.is_none(), "it is gone");
}

#[tokio::test(start_paused = true)]
async fn a_removed_tenant_asks_nobody_any_more() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let tokens = tenants.get(&"acme".to_owned()).await.unwrap();
    tenants.remove(&"acme".to_owned()).await;
    assert!(tokens.get(Duration::ZERO).await.is_err());
    assert_eq!((of(&world.asked, "acme"), tokens.state().token()), (0, TokenState::Missing));
}

#[tokio::test(start_paused = true)]
async fn the_census_says_how_tenants_are() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    for id in ["acme", "umbrella", "dead", "down"] {
        let _ = world.call(&tenants, id).await;
    }
    let census = tenants.census();
    assert_eq!((census.healthy, census.waiting, census.dead), (2, 1, 1));
    assert!(census.bytes > 4000, "{census:?}");
}

#[tokio::test(start_paused = true)]
async fn idle_tenants_make_no_call_and_those_in_use_are_renewed_early() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    for id in ["idle", "used"] {
        assert_eq!(world.call(&tenants, id).await, Ok(StatusCode::OK));
    }
    sleep(3590 * SECOND).await;
    assert_eq!(world.call(&tenants, "used").await, Ok(StatusCode::OK));
    sleep(SECOND).await;
    assert_eq!((of(&world.asked, "idle"), of(&world.asked, "used")), (1, 2));
    assert_eq!(world.sent().last().unwrap(), "used-1", "nobody has waited for it");
}
