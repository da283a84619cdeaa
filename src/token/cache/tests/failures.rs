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

/// A credential whose failures say how far attempts are to be apart, until the call numbered `good`; with when it was asked.
fn apart(good: usize, fail: fn() -> AcquireError) -> (impl Credential, Arc<Mutex<Vec<u64>>>) {
    let (asked, start) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let credential = crate::credential::from_fn_with_state(asked.clone(), move |asked, _, _| {
        let mut asked = asked.lock().expect("no panic");
        asked.push(start.elapsed().as_secs());
        let is_good = asked.len() == good;
        async move { if is_good { Ok(AccessToken::new("token")?) } else { Err(fail()) } }
    });
    (credential, asked)
}

#[tokio::test(start_paused = true)]
async fn attempts_are_as_far_apart_as_the_failure_says_though_it_is_a_429() {
    for fail in [
        || AcquireError::transient("not ready").with_attempts_apart(2 * SECOND),
        || {
            let error = AcquireError::transient("too often").with_attempts_apart(2 * SECOND);
            error.with_status(http::StatusCode::TOO_MANY_REQUESTS)
        },
    ] {
        let (credential, asked) = apart(4, fail);
        let tokens = TokenCache::with_policy(credential, RefreshPolicy::default().attempts(5));
        for result in join_all((0..100).map(|_| get(&tokens))).await {
            result.expect("the fourth attempt");
        }
        assert_eq!(*asked.lock().expect("no panic"), [0, 2, 6, 14]);
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_time_for_another_attempt_the_failure_is_told_and_the_endpoint_left_alone() {
    for (policy, tried, told_at, pause) in [
        (RefreshPolicy::default().attempts(9), &[0, 2, 6, 14][..], 14, 16),
        (RefreshPolicy::default(), &[0, 2, 6], 6, 8),
        (RefreshPolicy::default().attempts(1), &[0], 0, 2),
        (RefreshPolicy::default().attempts(9).flight_deadline(5 * SECOND), &[0, 2], 2, 4),
    ] {
        let (credential, asked) =
            apart(9, || AcquireError::transient("not ready").with_attempts_apart(2 * SECOND));
        let (tokens, start) = (TokenCache::with_policy(credential, policy), Instant::now());
        let error = get(&tokens).await.expect_err("no token");
        assert_eq!(error.kind(), AuthErrorKind::Unavailable);
        assert_eq!(error.acquire_error().expect("told").to_string(), "not ready");
        assert_eq!(start.elapsed().as_secs(), told_at);
        let left_alone = error.retry_at().expect("a pause").duration_since(Instant::now());
        assert!(left_alone >= pause * SECOND && left_alone < (pause + 2) * SECOND, "{left_alone:?}");
        get(&tokens).await.expect_err("at once");
        assert_eq!(*asked.lock().expect("no panic"), tried);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_of_itself_comes_before_how_far_attempts_are_apart() {
    let (credential, asked) = apart(2, || {
        let error = AcquireError::transient("busy").with_retry_after(20 * SECOND);
        error.with_attempts_apart(2 * SECOND)
    });
    let tokens = TokenCache::new(credential);
    let error = get(&tokens).await.expect_err("busy");
    assert!(error.retry_at().expect("a pause") >= Instant::now() + 20 * SECOND);
    assert_eq!(*asked.lock().expect("no panic"), [0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_tried_again_however_far_apart() {
    let (credential, asked) = apart(2, || AcquireError::rejected("no").with_attempts_apart(2 * SECOND));
    let error = get(&TokenCache::new(credential)).await.expect_err("refused");
    assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!(*asked.lock().expect("no panic"), [0]);
}
