//! Tokens that are stale, rejected, or revoked.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_rejected_lease_is_replaced_once_and_a_late_rejection_gets_the_fresh_token() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    let first = get(&tokens).await.expect("a token");
    tokens.mark_accepted(first.generation());
    let replaced = join_all((0..100).map(|_| tokens.reject(&first))).await;
    assert!(replaced.iter().all(|lease| text(lease.as_ref().expect("a token")) == "token-2"));
    assert_eq!(vendor.calls(), 2);
    let start = Instant::now();
    assert_eq!(text(&tokens.reject(&first).await.expect("the fresh one")), "token-2");
    assert_eq!((vendor.calls(), start.elapsed()), (2, Duration::ZERO), "without asking");
    assert_eq!(text(&tokens.try_get().expect("kept")), "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_stale_token_is_renewed_once_in_the_background_and_nobody_waits() {
    let vendor = Scripted::new([]).lasting(100);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(95 * SECOND).await;
    let start = Instant::now();
    for _ in 0..1000 {
        assert_eq!(text(&get(&tokens).await.expect("the valid token")), "token-1");
        assert!(tokens.usable_now().is_some());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    sleep(2 * SECOND).await;
    assert_eq!(text(&get(&tokens).await.expect("the new token")), "token-2");
    assert_eq!(vendor.calls(), 2);
    assert_eq!(vendor.reasons(), [Reason::Cold, Reason::Expiring]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_kills_its_predecessor_is_waited_for_and_its_failure_is_survived() {
    let fail = [Act::Answer, Act::Throttle];
    let vendor = Scripted::renewing(Renewal::RevokesPrevious, fail).lasting(100);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(95 * SECOND).await;
    assert!(tokens.usable_now().is_none(), "the hot path waits as well");
    for lease in join_all((0..100).map(|_| get(&tokens))).await {
        assert_eq!(text(&lease.expect("the valid token, after all")), "token-1");
    }
    assert_eq!(vendor.calls(), 2);

    let vendor = Scripted::renewing(Renewal::RevokesPrevious, [Act::Answer, Act::AnswerSoon]).lasting(100);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(95 * SECOND).await;
    for lease in join_all((0..100).map(|_| get(&tokens))).await {
        assert_eq!(text(&lease.expect("the new token")), "token-2");
    }
    assert_eq!(vendor.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hands_out_the_rejected_token_again_lets_nobody_try_in_turn() {
    struct Same;
    impl Credential for Same {
        async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(AccessToken::new("same")?)
        }
    }
    let tokens = TokenCache::new(Same);
    let lease = get(&tokens).await.expect("a token");
    for result in join_all((0..10).map(|_| tokens.reject(&lease))).await {
        assert_eq!(result.expect_err("no progress").kind(), AuthErrorKind::Paused);
    }
    assert!(get(&tokens).await.expect("the newest there is").is_rejected());
}

#[tokio::test(start_paused = true)]
async fn revoking_forgets_the_token_here_and_there() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    tokens.revoke().await.expect("nothing to do");
    assert_eq!(vendor.0.revoked.load(SeqCst), 0);
    get(&tokens).await.expect("a token");
    tokio::time::timeout(SECOND / 2, tokens.revoke()).await.expect_err("the caller goes away");
    assert!(tokens.try_get().is_none());
    sleep(SECOND).await;
    assert_eq!(vendor.0.revoked.load(SeqCst), 1, "the server was told all the same");
    assert_eq!(text(&get(&tokens).await.expect("a new token")), "token-2");
    assert_eq!(vendor.reasons(), [Reason::Cold, Reason::Cold]);

    struct Key;
    impl Credential for Key {
        async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(AccessToken::new("key")?)
        }
    }
    let tokens = TokenCache::new(Key);
    get(&tokens).await.expect("a token");
    let error = tokens.revoke().await.expect_err("can't");
    assert_eq!(error.kind(), AuthErrorKind::NotRevocable);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_not_be_revoked_is_gone_and_the_error_says_why() {
    #[derive(Clone, Copy)]
    enum Fails {
        Down,
        Panics,
        Hangs,
    }
    struct Vendor(Fails);
    impl Credential for Vendor {
        async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(AccessToken::new("abc")?)
        }

        async fn revoke(&self, _: &AccessToken) -> Result<(), AcquireError> {
            match self.0 {
                Fails::Down => Err(AcquireError::transient("down")),
                Fails::Panics => panic!("a bug"),
                Fails::Hangs => pending().await,
            }
        }
    }
    for (fails, kind) in [
        (Fails::Down, AuthErrorKind::Unavailable),
        (Fails::Panics, AuthErrorKind::Panicked),
        (Fails::Hangs, AuthErrorKind::TimedOut),
    ] {
        let tokens = TokenCache::new(Vendor(fails));
        assert_eq!(tokens.state().generation(), None);
        assert_eq!(get(&tokens).await.map(|lease| lease.generation()).ok(), tokens.state().generation());
        assert_eq!(tokens.revoke().await.expect_err("not revoked").kind(), kind);
        assert!(tokens.try_get().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_rejects_meanwhile_stands_no_more() {
    let tokens = Scripted::new([]).cache();
    let lease = get(&tokens).await.expect("a token");
    assert!(tokens.still_stands(&lease).is_some());
    tokens.mark_rejected(lease.generation(), Reason::Expired);
    assert!(tokens.still_stands(&lease).is_none());
    assert!(tokens.try_get().is_none());
    let shown = format!("{tokens:?} {lease:?}");
    assert!(!shown.contains("token-1"), "debug shows no secret");
    assert!(shown.contains("scripted") && shown.contains("generation: 1"), "but what it is about: {shown}");
    assert_eq!(lease.remaining(), None);
    let tokens = Scripted::new([]).lasting(100).cache();
    let lease = get(&tokens).await.expect("a token");
    sleep(9 * SECOND).await;
    assert_eq!(lease.remaining(), Some(90 * SECOND), "counted from when it was asked for");
}

#[tokio::test(start_paused = true)]
async fn the_state_tells_how_the_cache_is_doing() {
    let vendor = Scripted::new([Act::Reject]).lasting(100);
    let (tokens, start) = (vendor.cache(), Instant::now());
    let look = || (tokens.state().token(), tokens.state().acquiring());
    assert_eq!(look(), (TokenState::Missing, false));
    let (_, ()) = tokio::join!(get(&tokens), async {
        sleep(SECOND / 2).await;
        assert_eq!(look(), (TokenState::Missing, true));
    });
    let state = tokens.state();
    assert_eq!(state.failing_since(), Some(start + SECOND));
    assert_eq!(state.error().expect("the failure").kind(), AuthErrorKind::CredentialsRejected);
    tokens.invalidate();
    let lease = get(&tokens).await.expect("a token");
    assert_eq!(look(), (TokenState::Fresh, false));
    let state = tokens.state();
    assert_eq!((state.generation(), state.expires_at()), (Some(1), lease.expires_at()));
    assert!(state.failing_since().is_none() && state.error().is_none() && state.paused_until().is_none());
    sleep(96 * SECOND).await;
    assert_eq!(look(), (TokenState::Stale, false));
    sleep(10 * SECOND).await;
    assert_eq!(look(), (TokenState::Expired, false));
    let lease = get(&tokens).await.expect("a token");
    tokens.mark_rejected(lease.generation(), Reason::Expired);
    assert_eq!(look(), (TokenState::Rejected, false));
    let lease = get(&tokens).await.expect("another token");
    tokens.mark_rejected(lease.generation(), Reason::Expired);
    assert_eq!(tokens.state().paused_until(), Some(Instant::now() + SECOND));
}
