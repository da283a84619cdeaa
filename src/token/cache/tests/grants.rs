//! Refresh tokens: sent once, and never lost.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_refused_or_hanging_refresh_falls_back_to_another_grant_in_the_same_flight() {
    for (act, takes) in [(Act::RefuseGrant, 2), (Act::Hang, 11), (Act::Fail, 2)] {
        let vendor = Scripted::new([Act::Answer, act]).lasting(60);
        let tokens = vendor.cache();
        get(&tokens).await.expect("a token");
        sleep(60 * SECOND).await;
        let start = Instant::now();
        assert_eq!(text(&get(&tokens).await.expect("another token")), "token-3");
        assert_eq!(start.elapsed(), takes * SECOND, "{act:?}");
        assert_eq!(vendor.reasons(), [Reason::Cold, Reason::Expired, Reason::Rejected]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_may_be_spent_is_not_sent_again_by_the_next_flight() {
    for acts in [&[Act::Fail, Act::Throttle][..], &[Act::Reject]] {
        let vendor = Scripted::new([Act::Answer]).lasting(60);
        let tokens = vendor.cache();
        get(&tokens).await.expect("a token");
        sleep(60 * SECOND).await;
        *vendor.0.script.lock().expect("no panic") = acts.iter().rev().copied().collect();
        get(&tokens).await.expect_err("no token");
        sleep(60 * SECOND).await;
        assert_eq!(text(&get(&tokens).await.expect("a token")), format!("token-{}", acts.len() + 2));
        let reasons = vendor.reasons();
        assert_eq!(reasons[1], Reason::Expired, "it was sent once");
        assert!(!reasons[2..].contains(&Reason::Expired), "{acts:?}: {reasons:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_a_busy_server_has_not_looked_at_is_sent_again() {
    let vendor = Scripted::new([Act::Answer, Act::Throttle]).lasting(60);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(60 * SECOND).await;
    get(&tokens).await.expect_err("busy");
    sleep(60 * SECOND).await;
    get(&tokens).await.expect("a token");
    assert_eq!(vendor.reasons(), [Reason::Cold, Reason::Expired, Reason::Expired]);
}

#[tokio::test(start_paused = true)]
async fn without_a_refresh_grant_a_failed_renewal_is_an_attempt_like_any_other() {
    for act in [Act::Fail, Act::Hang] {
        let vendor =
            Scripted::with(Renewal::default(), Grants::Reusable, [Act::Answer, act, act, act]).lasting(60);
        let tokens = vendor.cache();
        get(&tokens).await.expect("a token");
        sleep(60 * SECOND).await;
        get(&tokens).await.expect_err("three attempts in all");
        assert_eq!(vendor.calls(), 4);
        assert_eq!(vendor.reasons()[1..], [Reason::Expired; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_with_nothing_to_fall_back_to_is_sent_once_more() {
    for act in [Act::Fail, Act::Hang] {
        let vendor =
            Scripted::with(Renewal::default(), Grants::SingleUse, [Act::Answer, act, act, act]).lasting(60);
        let tokens = vendor.cache();
        get(&tokens).await.expect("a token");
        sleep(60 * SECOND).await;
        get(&tokens).await.expect_err("two attempts in all");
        assert_eq!(vendor.calls(), 3);
        let grants = vendor.0.grants.lock().expect("no panic").clone();
        assert_eq!(grants[1..], [Some("grant-1".to_owned()), Some("grant-1".to_owned())]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_comes_without_an_access_token_is_not_lost() {
    // By the next flight, since in this one the other grant is tried, and fails.
    let vendor = Scripted::new([Act::Answer, Act::RotateOnly, Act::Fail, Act::Fail, Act::Fail, Act::Answer])
        .lasting(60);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(60 * SECOND).await;
    get(&tokens).await.expect_err("the other grant fails too");
    let calls = vendor.calls();
    get(&tokens).await.expect("a token");
    let shown = vendor.0.grants.lock().expect("no panic").clone();
    assert_eq!(shown[1].as_deref(), Some("grant-1"));
    assert_eq!((shown[calls].as_deref(), vendor.reasons()[calls]), (Some("grant-2"), Reason::Expired));

    // By the next attempt, where there is no other grant.
    let vendor =
        Scripted::with(Renewal::default(), Grants::SingleUse, [Act::Answer, Act::RotateOnly]).lasting(60);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(60 * SECOND).await;
    assert_eq!(text(&get(&tokens).await.expect("a token")), "token-3");
    let shown = vendor.0.grants.lock().expect("no panic").clone();
    assert_eq!(shown[1..], [Some("grant-1".to_owned()), Some("grant-2".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_of_a_flight_whose_time_is_up_is_not_lost() {
    let vendor = Scripted::new([Act::Answer, Act::RotateOnly, Act::Hang, Act::Hang, Act::Hang]).lasting(60);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(60 * SECOND).await;
    get(&tokens).await.expect_err("its time is up");
    let calls = vendor.calls();
    vendor.0.script.lock().expect("no panic").clear();
    get(&tokens).await.expect("a token");
    assert_eq!(vendor.0.grants.lock().expect("no panic")[calls].as_deref(), Some("grant-2"));
}
