//! Attempts, deadlines, and what callers get when there is no token.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_flight_makes_a_bounded_number_of_attempts_and_the_next_caller_another_flight() {
    let vendor = Scripted::new([Act::Fail, Act::Fail, Act::Fail, Act::Fail]);
    let tokens = vendor.cache();
    let results = join_all((0..100).map(|_| get(&tokens))).await;
    assert!(
        results.iter().all(|result| result.as_ref().is_err_and(|e| e.kind() == AuthErrorKind::Unavailable))
    );
    assert_eq!(vendor.calls(), 3);
    assert_eq!(text(&get(&tokens).await.expect("the second attempt succeeds")), "token-5");
}

#[tokio::test(start_paused = true)]
async fn only_what_may_be_better_at_once_is_tried_again_in_the_same_flight() {
    use AcquireErrorKind::{
        Blocked, Missing, Moved, NotAccepted, ProxyRefused, TokenType, Undeclared, Unintelligible,
    };
    for (kind, calls) in [
        (Blocked, 1),
        (Missing, 1),
        (Moved, 1),
        (NotAccepted, 1),
        (ProxyRefused, 1),
        (TokenType, 1),
        (Undeclared, 1),
        (Unintelligible, 3),
    ] {
        let vendor = Scripted::new([Act::FailBy(kind); 3]);
        let tokens = vendor.cache();
        for error in join_all((0..100).map(|_| get(&tokens))).await {
            assert_eq!(error.expect_err("no token").kind(), AuthErrorKind::EndpointUnusable);
        }
        assert_eq!(vendor.calls(), calls, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_endpoint_is_left_alone_by_everybody() {
    let vendor = Scripted::new([Act::Throttle]);
    let tokens = vendor.cache();
    let start = Instant::now();
    let error = get(&tokens).await.expect_err("throttled");
    let retry_at = error.retry_at().expect("a pause");
    assert!((start + 21 * SECOND..start + 23 * SECOND).contains(&retry_at), "a tenth of it as spread");
    for _ in 0..19 {
        sleep(SECOND).await;
        get(&tokens).await.expect_err("still throttled");
    }
    assert_eq!(vendor.calls(), 1);
    sleep(3 * SECOND).await;
    get(&tokens).await.expect("the time is over");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_ended_and_another_one_made() {
    let vendor = Scripted::new([Act::Hang]);
    let (tokens, start) = (vendor.cache(), Instant::now());
    get(&tokens).await.expect("the second attempt");
    assert_eq!(vendor.calls(), 2);
    assert!(start.elapsed() >= 11 * SECOND && start.elapsed() < 12 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn attempts_without_end_and_without_waits_end_at_the_flights_deadline_and_are_no_tight_loop() {
    let calls = Arc::new(AtomicUsize::new(0));
    let credential = crate::credential::from_fn_with_state(calls.clone(), |calls, _, _| async move {
        calls.fetch_add(1, SeqCst);
        Err(AcquireError::transient("down"))
    });
    let policy = RefreshPolicy::default().attempts(u32::MAX).between_attempts(Duration::ZERO, Duration::ZERO);
    let (tokens, start) = (TokenCache::with_policy(credential, policy), Instant::now());
    assert_eq!(get(&tokens).await.expect_err("timed out").kind(), AuthErrorKind::TimedOut);
    assert_eq!(start.elapsed(), 30 * SECOND);
    let calls = calls.load(SeqCst);
    assert!((500..=601).contains(&calls), "{calls} calls, 50 ms apart");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_sent_with_each_request_whatever_the_policy_says() {
    let calls = Arc::new(AtomicUsize::new(0));
    let credential = crate::credential::from_fn_with_state(calls.clone(), |calls, _, _| async move {
        calls.fetch_add(1, SeqCst);
        Err(AcquireError::rejected("wrong key"))
    });
    let policy = RefreshPolicy::default().fail_fast(Duration::ZERO, Duration::ZERO);
    let tokens = TokenCache::with_policy(credential, policy);
    for _ in 0..1000 {
        get(&tokens).await.expect_err("refused");
        sleep(SECOND / 100).await;
    }
    assert_eq!(calls.load(SeqCst), 10, "once a second");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_is_not_asked_with_each_request_whatever_the_policy_says() {
    let calls = Arc::new(AtomicUsize::new(0));
    let credential = crate::credential::from_fn_with_state(calls.clone(), |calls, _, _| async move {
        calls.fetch_add(1, SeqCst);
        Err(AcquireError::transient("down"))
    });
    let policy = RefreshPolicy::default().attempts(1).back_off(Duration::ZERO, Duration::ZERO);
    let tokens = TokenCache::with_policy(credential, policy);
    for _ in 0..10_000 {
        get(&tokens).await.expect_err("down");
        sleep(SECOND / 1000).await;
    }
    let calls = calls.load(SeqCst);
    assert!(calls <= 2 + 200, "{calls} calls in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn the_flights_deadline_ends_the_call_itself() {
    let vendor = Scripted::new([Act::Hang]);
    let policy = RefreshPolicy::default().attempt_timeout(1000 * SECOND).flight_deadline(5 * SECOND);
    let (tokens, start) = (TokenCache::with_policy(vendor.clone(), policy), Instant::now());
    let error = get(&tokens).await.expect_err("timed out");
    assert_eq!(error.kind(), AuthErrorKind::TimedOut);
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert_eq!(vendor.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_credential_is_an_error_to_all_and_the_next_call_works() {
    for act in [Act::PanicAtOnce, Act::PanicLater] {
        let vendor = Scripted::new([act]);
        let tokens = vendor.cache();
        for result in join_all((0..100).map(|_| get(&tokens))).await {
            assert_eq!(result.expect_err("panicked").kind(), AuthErrorKind::Panicked);
        }
        get(&tokens).await.expect("the next call works");
        assert_eq!(vendor.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_is_tried_at_once_though_the_old_one_was_refused() {
    /// Knows the key that was last refused, and the key that there is now.
    #[derive(Default)]
    struct Rotating {
        refused: Mutex<Option<u64>>,
        key: AtomicUsize,
        calls: AtomicUsize,
        looks: AtomicUsize,
    }
    impl Credential for Rotating {
        async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            self.calls.fetch_add(1, SeqCst);
            let key = self.key.load(SeqCst) as u64;
            if key == 2 {
                return Ok(AccessToken::new("token")?);
            }
            *self.refused.lock().expect("no panic") = Some(key);
            Err(AcquireError::rejected("wrong key"))
        }

        fn has_new_secret(&self) -> bool {
            assert!(self.looks.fetch_add(1, SeqCst) > 0, "a bug in here is survived");
            *self.refused.lock().expect("no panic") != Some(self.key.load(SeqCst) as u64)
        }
    }
    let rotating = Arc::new(Rotating::default());
    let tokens = TokenCache::new(rotating.clone());
    for _ in 0..50 {
        get(&tokens).await.expect_err("the wrong key");
        sleep(SECOND / 10).await;
    }
    assert_eq!(rotating.calls.load(SeqCst), 1, "fails fast");
    assert_eq!(rotating.looks.load(SeqCst), 5, "once a second");
    for key in [1, 2] {
        rotating.key.store(key, SeqCst);
        sleep(SECOND).await;
        let result = get(&tokens).await;
        assert_eq!(result.is_ok(), key == 2);
    }
    assert_eq!(rotating.calls.load(SeqCst), 3, "one for each key");
}
