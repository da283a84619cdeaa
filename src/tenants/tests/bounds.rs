//! What tenants take, and how many ask at a time.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

use futures_util::future::join_all;

use super::*;

#[tokio::test(start_paused = true)]
async fn tenants_that_are_not_used_make_room() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).bytes(100_000).build();
    for number in 0..200 {
        assert_eq!(world.call(&tenants, &format!("t{number}")).await, Ok(StatusCode::OK));
        assert!(tenants.census().bytes <= 100_000, "{:?}", tenants.census());
    }
    let census = tenants.census();
    assert!((20..100).contains(&census.healthy), "{census:?}");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_land_are_weighed() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let tokens = tenants.get(&"acme".to_owned()).await.unwrap();
    let before = tenants.census().bytes;
    tokens.get(Duration::ZERO).await.unwrap();
    let with_token = tenants.census().bytes;
    assert!(with_token > before + 100, "{before} {with_token}");
    // What is written for it is kept from the second request on.
    for is_kept in [false, true, true] {
        assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK));
        assert_eq!(tenants.census().bytes > with_token, is_kept);
    }
    tokens.invalidate();
    tokens.get(Duration::ZERO).await.unwrap();
    assert_eq!(tenants.census().bytes, with_token);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_in_flight_keeps_its_place() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).bytes(50_000).build();
    let flying = tokio::spawn({
        let (world, tenants) = (world.clone(), tenants.clone());
        async move { world.call(&tenants, "hangs.b").await }
    });
    sleep(SECOND).await;
    for number in 0..100 {
        assert_eq!(world.call(&tenants, &format!("t{number}")).await, Ok(StatusCode::OK));
    }
    // To look before that would have made it one that is used.
    assert!(tenants.find(&"hangs.b".to_owned()).is_some());
    assert_eq!(flying.await.unwrap(), Err(AuthErrorKind::TimedOut));
    assert_eq!(of(&world.built, "hangs.b"), 1);
}

#[tokio::test(start_paused = true)]
async fn where_each_would_lose_its_grant_the_newest_is_refused() {
    let world = World::default();
    let tenants = world.tenants(Grants::SingleUse).bytes(50_000).build();
    let mut kept = Vec::new();
    let refused = loop {
        let id = format!("t{}", kept.len());
        assert!(kept.len() < 100, "nobody is refused");
        match world.call(&tenants, &id).await {
            Ok(_) => kept.push(id),
            Err(kind) => break kind,
        }
    };
    assert_eq!(refused, AuthErrorKind::TenantsFull);
    assert!(kept.len() > 10, "{}", kept.len());
    for id in &kept {
        assert_eq!(world.call(&tenants, id).await, Ok(StatusCode::OK));
        assert_eq!((of(&world.built, id), of(&world.asked, id)), (1, 1), "none was lost");
    }
    tenants.remove(&kept[0]).await.expect("its grant");
    assert_eq!(world.call(&tenants, "another").await, Ok(StatusCode::OK));
}

/// Or somebody would use its grant, and what comes of that would be lost.
#[tokio::test(start_paused = true)]
async fn whoever_is_refused_for_want_of_room_is_found_by_nobody_meanwhile() {
    let world = World::default();
    let tenants = world.tenants(Grants::SingleUse).bytes(50_000).build();
    let mut number = 0;
    while world.call(&tenants, &format!("t{number}")).await.is_ok() {
        number += 1;
    }
    let (late, is_over) = ("late".to_owned(), Arc::new(AtomicBool::new(false)));
    let finders = [(); 2].map(|()| {
        let (tenants, late, is_over) = (tenants.clone(), late.clone(), is_over.clone());
        thread::spawn(move || {
            let mut found = 0;
            while !is_over.load(SeqCst) {
                found += u32::from(tenants.find(&late).is_some());
            }
            found
        })
    });
    let mut refused = 0;
    for _ in 0..200 {
        let built = tenants.get(&late).await;
        refused += u32::from(built.is_err_and(|error| error.kind() == AuthErrorKind::TenantsFull));
    }
    is_over.store(true, SeqCst);
    assert_eq!((refused, finders.map(|finder| finder.join().unwrap())), (200, [0, 0]));
}

#[tokio::test(start_paused = true)]
async fn those_who_hang_at_one_endpoint_leave_others_alone_and_give_their_places_back() {
    let world = World::default();
    let policy = crate::token::RefreshPolicy::default().attempts(1);
    let tenants = world.tenants(Grants::Reusable).policy(policy).build();
    let hanging: Vec<_> = (0..128).map(|number| format!("hangs{number}.a")).collect();
    let mut all = Box::pin(join_all(hanging.iter().map(|id| world.call(&tenants, id))));
    assert!(tokio::time::timeout(SECOND, &mut all).await.is_err());
    assert_eq!(world.asked.lock().unwrap().len(), 64);
    let began = tokio::time::Instant::now();
    assert_eq!(world.call(&tenants, "acme.b").await, Ok(StatusCode::OK));
    assert_eq!(began.elapsed(), Duration::from_millis(20));
    // The first 64 give theirs back after an attempt's 10 s.
    assert!(tokio::time::timeout(10 * SECOND, &mut all).await.is_err());
    assert_eq!(world.asked.lock().unwrap().len(), 129);
    assert!(all.await.iter().all(|answer| *answer == Err(AuthErrorKind::TimedOut)));
    assert!(format!("{tenants:?}").contains("endpoints: 0"), "{tenants:?}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_cold_tenants_make_ten_thousand_calls_and_nobody_starves() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let ids: Vec<_> = (0..10_000).map(|number| format!("t{number}.a")).collect();
    let answers = join_all(ids.iter().map(|id| world.call(&tenants, id))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(StatusCode::OK)));
    assert!(world.asked.lock().unwrap().values().all(|calls| *calls == 1));
    assert_eq!(world.asked.lock().unwrap().len(), 10_000);
}

/// Brings a token that isn't short.
struct Long;

impl Credential for Long {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Ok(AccessToken::new("t".repeat(3000))?)
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_pinned_nobody_is_refused_however_tenants_have_grown() {
    const ROOM: u64 = 8 << 20;
    // With its token it takes a little more than before.
    let make = |_: u64| std::future::ready(Ok(Tenant::new(Long).heap_bytes(30_000)));
    let tenants =
        Tenants::builder(make).origin(Origin::parse("https://api.test").unwrap()).bytes(ROOM).build();
    for id in 0..5000 {
        let tokens = tenants.get(&id).await.unwrap_or_else(|error| panic!("{id}: {error}"));
        tokens.get(Duration::ZERO).await.unwrap();
        drop(tokens);
        tokio::task::yield_now().await;
        assert!(tenants.census().bytes <= ROOM);
    }
}
