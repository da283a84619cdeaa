//! Early renewals that kill the token, and take long.

use super::*;

/// A cache whose token of 100 s is stale now, and whose renewals hang as often as said.
async fn stale<const N: usize>(renewals: [Act; N]) -> (Scripted, TokenCache, Lease) {
    let vendor = Scripted::renewing(Renewal::RevokesPrevious, renewals).lasting(100);
    vendor.0.script.lock().expect("no panic").push(Act::Answer);
    let tokens = vendor.cache();
    let lease = get(&tokens).await.expect("a token");
    tokens.mark_accepted(lease.generation());
    sleep(90 * SECOND).await;
    assert!(tokens.try_get().is_some());
    (vendor, tokens, lease)
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_kills_and_hangs_is_waited_for_for_a_second_and_then_by_nobody() {
    let (vendor, tokens, _) = stale([Act::Hang]).await;
    sleep(5 * SECOND).await;
    let start = Instant::now();
    assert!(tokens.usable_now().is_none(), "the hot path waits as well");
    for lease in join_all((0..100).map(|_| get(&tokens))).await {
        assert_eq!(text(&lease.expect("the valid token")), "token-1");
    }
    assert_eq!(start.elapsed(), SECOND);
    for _ in 0..100 {
        let locked = tokens.shared.lock();
        assert!(tokens.usable_now().is_some(), "the hot path has it again");
        assert!(tokens.shared.is_quiet(Instant::now()), "and doesn't even try to lock");
        drop(locked);
        assert_eq!(text(&get(&tokens).await.expect("the valid token")), "token-1");
    }
    assert_eq!((start.elapsed(), vendor.calls(), vendor.running()), (SECOND, 2, 1));
    sleep(2 * SECOND).await;
    assert_eq!(vendor.running(), 1, "the flight goes on");
    assert!(tokens.usable_now().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_comes_late_in_the_first_second_waits_for_what_is_left_of_it() {
    let (vendor, tokens, _) = stale([Act::Hang]).await;
    sleep(5 * SECOND).await;
    let start = Instant::now();
    let late = async {
        sleep(SECOND * 3 / 4).await;
        get(&tokens).await
    };
    let (_, late) = tokio::join!(get(&tokens), late);
    assert_eq!(text(&late.expect("the valid token")), "token-1");
    assert_eq!((start.elapsed(), vendor.calls()), (SECOND, 2));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_waited_the_next_who_comes_finds_that_the_second_is_over() {
    let (vendor, tokens, _) = stale([Act::Hang]).await;
    sleep(5 * SECOND).await;
    assert!(get(&tokens).now_or_never().is_none(), "begins, and goes away");
    sleep(SECOND * 3 / 2).await;
    assert!(tokens.try_get().is_none(), "nobody has looked");
    let start = Instant::now();
    assert_eq!(text(&get(&tokens).await.expect("the valid token")), "token-1");
    assert!(tokens.try_get().is_some() && tokens.usable_now().is_some());
    assert_eq!((start.elapsed(), vendor.calls(), vendor.running()), (Duration::ZERO, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn who_can_not_use_the_token_waits_for_the_flights_end() {
    let (vendor, tokens, old) = stale([Act::Hang, Act::AnswerSoon]).await;
    sleep(5 * SECOND).await;
    let start = Instant::now();
    let (rejecting, long_lived) = (tokens.clone(), tokens.clone());
    let rejecting = tokio::spawn(async move {
        sleep(2 * SECOND).await;
        // It is dead, and the flight is under way.
        rejecting.reject(&old).await
    });
    let long_lived = tokio::spawn(async move { long_lived.get(50 * SECOND).await });
    assert_eq!(text(&get(&tokens).await.expect("the valid token")), "token-1");
    assert_eq!(start.elapsed(), SECOND);
    sleep(2 * SECOND).await;
    assert!(tokens.try_get().is_none(), "rejected");
    for waiting in [rejecting, long_lived] {
        let lease = waiting.await.expect("no panic").expect("the new token");
        assert_eq!(text(&lease), "token-3");
    }
    // The first attempt's time was up, and the second took half a second.
    assert!((10 * SECOND..12 * SECOND).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(vendor.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn expired_and_cold_callers_wait_for_the_flights_end() {
    for cold in [true, false] {
        let (vendor, tokens, _) = stale([Act::Hang, Act::AnswerSoon]).await;
        if cold {
            tokens.invalidate();
        } else {
            sleep(10 * SECOND).await;
        }
        let start = Instant::now();
        assert_eq!(text(&get(&tokens).await.expect("the new token")), "token-3");
        assert!(start.elapsed() > 10 * SECOND);
        assert_eq!(vendor.calls(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads_nobody_waits_for_longer_than_a_second_either() {
    // In real time, since time stands still on one thread only.
    let credential = crate::credential::from_fn(|_, previous| {
        let is_first = previous.is_none();
        async move {
            if is_first {
                return Ok(AccessToken::new("first")?.with_lifetime(4 * SECOND));
            }
            pending().await
        }
    });
    let tokens = TokenCache::with_policy(
        credential.renewal(Renewal::RevokesPrevious),
        RefreshPolicy::default().early(0.9, 4 * SECOND),
    );
    get(&tokens).await.expect("a token");
    sleep(SECOND * 3 / 2).await;
    while tokens.usable_now().is_some() {
        sleep(SECOND / 10).await;
    }
    let start = Instant::now();
    let waiting = (0..100).map(|_| {
        let tokens = tokens.clone();
        tokio::spawn(async move { get(&tokens).await })
    });
    for lease in join_all(waiting).await {
        assert_eq!(text(&lease.expect("no panic").expect("the valid token")), "first");
    }
    assert!((SECOND..SECOND * 3 / 2).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert!(tokens.usable_now().is_some() && tokens.state().acquiring());
}
