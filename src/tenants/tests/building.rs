//! How tenants are built.

use futures_util::future::join_all;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_tenant_is_built_once_for_all_who_wait() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let answers = join_all((0..100).map(|_| world.call(&tenants, "acme"))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(StatusCode::OK)));
    assert_eq!((of(&world.built, "acme"), of(&world.asked, "acme")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_does_not_end_it() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let gone = tokio::time::timeout(Duration::from_millis(5), world.call(&tenants, "acme")).await;
    assert!(gone.is_err());
    sleep(SECOND).await;
    assert!(tenants.find(&"acme".to_owned()).is_some());
    assert_eq!(of(&world.built, "acme"), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_or_panics_is_told_to_all_who_wait_and_tried_again_by_the_next() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build_timeout(SECOND).build();
    for id in ["sticks", "panics"] {
        for round in 1..3 {
            let answers = join_all((0..10).map(|_| world.call(&tenants, id))).await;
            assert!(answers.iter().all(|answer| *answer == Err(AuthErrorKind::TenantUnavailable)), "{id}");
            assert_eq!(of(&world.built, id), round, "{id}");
        }
    }
    let text = tenants.get(&"panics".to_owned()).await.unwrap_err();
    assert_eq!(text.acquire_error().unwrap().to_string(), "the program's code that builds tenants panicked");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_64_are_built_at_a_time() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build_timeout(SECOND).build();
    let ids: Vec<_> = (0..100).map(|number| format!("sticks{number}")).collect();
    let mut all = Box::pin(join_all(ids.iter().map(|id| world.call(&tenants, id))));
    assert!(tokio::time::timeout(SECOND / 2, &mut all).await.is_err());
    assert_eq!(world.built.lock().unwrap().len(), 64);
    let answers = all.await;
    assert!(answers.iter().all(|answer| *answer == Err(AuthErrorKind::TenantUnavailable)));
    assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK), "each has given its place back");
}

#[tokio::test(start_paused = true)]
async fn those_who_have_waited_for_a_place_build_it_once() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build_timeout(SECOND).build();
    let ids: Vec<_> = (0..64).map(|number| format!("sticks{number}")).collect();
    let hanging = join_all(ids.iter().map(|id| world.call(&tenants, id)));
    let waiting = async {
        sleep(SECOND / 2).await;
        join_all((0..10).map(|_| world.call(&tenants, "acme"))).await
    };
    let (_, answers) = tokio::join!(hanging, waiting);
    assert!(answers.iter().all(|answer| *answer == Ok(StatusCode::OK)), "{answers:?}");
    assert_eq!((of(&world.built, "acme"), of(&world.asked, "acme")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn of_refused_ids_nothing_is_kept() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    for number in 0..1000 {
        assert_eq!(
            world.call(&tenants, &format!("unknown{number}")).await,
            Err(AuthErrorKind::TenantRefused)
        );
    }
    assert_eq!(tenants.census(), Census::default());
    assert_eq!(of(&world.built, "unknown7"), 1);
    world.call(&tenants, "unknown7").await.unwrap_err();
    assert_eq!(of(&world.built, "unknown7"), 2, "the program may know it by now");
}

#[tokio::test(start_paused = true)]
async fn an_id_of_ten_megabytes_is_refused_unasked() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let id = "x".repeat(10 << 20);
    assert_eq!(world.send(&tenants, get("acme").extension(id)).await, Err(AuthErrorKind::TenantRefused));
    assert!(world.built.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_removed_while_it_is_built_is_nobodys() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let (answer, ()) = tokio::join!(world.call(&tenants, "acme"), async {
        sleep(Duration::from_millis(5)).await;
        assert!(tenants.remove(&"acme".to_owned()).await.is_none());
    });
    assert_eq!(answer, Err(AuthErrorKind::TenantRemoved));
    assert_eq!(tenants.census(), Census::default());
}
