//! One flight at a time, which belongs to nobody.

use super::*;

#[tokio::test(start_paused = true)]
async fn ten_thousand_cold_callers_make_one_call() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    let leases = join_all((0..10_000).map(|_| get(&tokens))).await;
    assert!(leases.iter().all(|lease| text(lease.as_ref().expect("a token")) == "token-1"));
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_call_also_from_many_threads_and_whatever_asks() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    let callers = (0..1000).map(|n| {
        let tokens = tokens.clone();
        tokio::spawn(async move {
            match n % 3 {
                0 => tokens.get(Duration::ZERO).await,
                1 => tokens.get(30 * SECOND).await,
                _ => tokens.usable().await,
            }
        })
    });
    for lease in join_all(callers).await {
        assert_eq!(text(&lease.expect("no panic").expect("a token")), "token-1");
    }
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn everyone_who_waited_gets_the_same_failure_and_nobody_tries_again() {
    let vendor = Scripted::new([Act::Reject]);
    let tokens = vendor.cache();
    for result in join_all((0..1000).map(|_| get(&tokens))).await {
        let error = result.expect_err("rejected");
        assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
        assert_eq!(error.acquire_error().expect("the cause").to_string(), "wrong key");
    }
    assert_eq!(vendor.calls(), 1);
    get(&tokens).await.expect_err("fails fast");
    assert_eq!(vendor.calls(), 1);
    tokens.invalidate();
    get(&tokens).await.expect("tries at once after invalidate");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_leader_neither_cancels_nor_stalls_the_flight() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    let leader = tokio::spawn({
        let tokens = tokens.clone();
        async move { get(&tokens).await }
    });
    vendor.0.called.notified().await;
    let follower = tokio::spawn({
        let tokens = tokens.clone();
        async move { get(&tokens).await }
    });
    tokio::task::yield_now().await;
    leader.abort();
    assert_eq!(text(&follower.await.expect("no panic").expect("a token")), "token-1");
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_is_superseded_before_it_runs_makes_no_call() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    assert!(get(&tokens).now_or_never().is_none(), "it has begun, and its task has not been polled");
    tokens.invalidate();
    assert_eq!(text(&get(&tokens).await.expect("a token")), "token-1");
    sleep(60 * SECOND).await;
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_nobody_waits_for_any_more_still_brings_its_token() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    tokio::time::timeout(SECOND / 2, get(&tokens)).await.expect_err("the caller's own deadline");
    sleep(SECOND).await;
    assert_eq!(text(&tokens.try_get().expect("a token")), "token-1");
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flight_follows_the_policy_of_its_cache() {
    let vendor = Scripted::new([Act::Fail]);
    let tokens = TokenCache::with_policy(vendor.clone(), RefreshPolicy::default().attempts(1));
    get(&tokens).await.expect_err("one attempt");
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn invalidating_in_mid_flight_sends_the_waiters_to_the_successor() {
    let vendor = Scripted::new([Act::Hang]);
    let tokens = vendor.cache();
    let waiters = join_all((0..100).map(|_| get(&tokens)));
    let (leases, ()) = tokio::join!(waiters, async {
        sleep(SECOND / 2).await;
        tokens.invalidate();
    });
    assert!(leases.iter().all(|lease| text(lease.as_ref().expect("a token")) == "token-2"));
    assert_eq!(vendor.calls(), 2);
    assert_eq!(vendor.running(), 0, "the first call was ended");
}

#[tokio::test(start_paused = true)]
async fn when_everything_is_dropped_the_flight_ends_by_its_deadline_and_nothing_is_left() {
    let vendor = Scripted::new([Act::Hang, Act::Hang, Act::Hang]);
    let tokens = vendor.cache();
    tokio::time::timeout(SECOND / 2, get(&tokens)).await.expect_err("hangs");
    let inner = Arc::downgrade(&tokens.shared);
    drop(tokens);
    assert_eq!(vendor.running(), 1);
    sleep(30 * SECOND).await;
    assert_eq!(vendor.running(), 0);
    assert!(inner.upgrade().is_none(), "no task holds on to the cache");
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_flight_goes_on_by_the_policy_that_it_began_with() {
    let vendor = Scripted::with(Renewal::KeepsPrevious, Grants::Reusable, [Act::Fail]);
    let tokens = vendor.cache();
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { get(&tokens).await }
    });
    vendor.0.called.notified().await;
    // By this one there is no second attempt, and no time for any answer.
    tokens.set_policy(RefreshPolicy::default().attempts(1).attempt_timeout(SECOND / 2));
    let lease = caller.await.expect("no panic").expect("a token");
    assert_eq!((text(&lease), vendor.calls()), ("token-2", 2));
    let same = tokens.try_get().map(|lease| lease.generation());
    assert_eq!(same, Some(lease.generation()), "the token stays");

    tokens.invalidate();
    let error = get(&tokens).await.expect_err("no time");
    assert_eq!(error.acquire_error().expect("the cause").kind(), AcquireErrorKind::TimedOut);
    assert_eq!(vendor.calls(), 3);
}
