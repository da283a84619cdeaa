use std::{
    future::pending,
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures_util::{FutureExt, future::join_all};
use tokio::{
    runtime::{self, Handle},
    sync::Notify,
    time::sleep,
};

use super::*;
use crate::token::{AccessToken, Acquire, Description, Grants, Renewal, TokenState};
use crate::{AcquireError, Credential};

const SECOND: Duration = Duration::from_secs(1);

/// What the token endpoint does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Answers after a second.
    Answer,
    Fail,
    Reject,
    RefuseGrant,
    /// A new refresh token, and no access token.
    RotateOnly,
    Throttle,
    Hang,
    PanicAtOnce,
    PanicLater,
}

/// A credential that follows a script, then answers, and counts.
#[derive(Clone)]
struct Scripted(Arc<Stage>);

struct Stage {
    script: Mutex<Vec<Act>>,
    reasons: Mutex<Vec<Reason>>,
    /// Refresh tokens in the order in which they were shown to us.
    grants: Mutex<Vec<Option<String>>>,
    lifetime: Mutex<Option<Duration>>,
    calls: AtomicUsize,
    running: AtomicUsize,
    most_running: AtomicUsize,
    revoked: AtomicUsize,
    renewal: Renewal,
    grant: Grants,
    called: Notify,
}

impl Scripted {
    fn new<const N: usize>(script: [Act; N]) -> Self {
        Self::renewing(Renewal::KeepsPrevious, script)
    }

    fn renewing<const N: usize>(renewal: Renewal, script: [Act; N]) -> Self {
        Self::with(renewal, Grants::default(), script)
    }

    fn with<const N: usize>(renewal: Renewal, grant: Grants, script: [Act; N]) -> Self {
        Self(Arc::new(Stage {
            script: Mutex::new(script.into_iter().rev().collect()),
            reasons: Mutex::default(),
            grants: Mutex::default(),
            lifetime: Mutex::default(),
            calls: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            revoked: AtomicUsize::new(0),
            renewal,
            grant,
            called: Notify::new(),
        }))
    }

    fn lasting(self, seconds: u64) -> Self {
        *self.0.lifetime.lock().expect("no panic") = Some(Duration::from_secs(seconds));
        self
    }

    fn cache(&self) -> TokenCache {
        TokenCache::new(self.clone())
    }

    fn calls(&self) -> usize {
        assert!(self.0.most_running.load(SeqCst) <= 1, "one acquisition at a time");
        self.0.calls.load(SeqCst)
    }

    fn reasons(&self) -> Vec<Reason> {
        self.0.reasons.lock().expect("no panic").clone()
    }

    fn running(&self) -> usize {
        self.0.running.load(SeqCst)
    }
}

/// Counts a call as running until it ends or is dropped.
struct Running<'a>(&'a Stage);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Credential for Scripted {
    fn acquire(
        &self,
        request: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        let stage = self.0.clone();
        let act = stage.script.lock().expect("no panic").pop().unwrap_or(Act::Answer);
        let call = stage.calls.fetch_add(1, SeqCst) + 1;
        stage.reasons.lock().expect("no panic").push(request.reason());
        let grant = request.previous().and_then(AccessToken::refresh_token);
        let grant = grant.map(|grant| secrecy::ExposeSecret::expose_secret(grant).to_owned());
        stage.grants.lock().expect("no panic").push(grant);
        assert!(!matches!(act, Act::PanicAtOnce), "a bug before the first await");
        async move {
            stage.most_running.fetch_max(stage.running.fetch_add(1, SeqCst) + 1, SeqCst);
            let _running = Running(&stage);
            stage.called.notify_waiters();
            sleep(SECOND).await;
            match act {
                Act::Answer => {
                    let token = AccessToken::new(format!("token-{call}"))?
                        .with_refresh_token(format!("grant-{call}"));
                    let lifetime = *stage.lifetime.lock().expect("no panic");
                    Ok(match lifetime {
                        Some(lifetime) => token.with_lifetime(lifetime),
                        None => token,
                    })
                }
                Act::Fail => Err(AcquireError::transient("down")),
                Act::Reject => Err(AcquireError::rejected("wrong key")),
                Act::RefuseGrant => Err(AcquireError::grant_rejected("spent")),
                Act::RotateOnly => {
                    Err(AcquireError::transient("no token").with_refresh_token(format!("grant-{call}")))
                }
                Act::Throttle => Err(AcquireError::transient("busy").with_retry_after(20 * SECOND)),
                Act::Hang => pending().await,
                Act::PanicAtOnce | Act::PanicLater => panic!("a bug after the first await"),
            }
        }
    }

    async fn revoke(&self, _: &AccessToken) -> Result<(), AcquireError> {
        sleep(SECOND).await;
        self.0.revoked.fetch_add(1, SeqCst);
        Ok(())
    }

    fn describe(&self) -> Description {
        Description::new("scripted").renewal(self.0.renewal).grants(self.0.grant)
    }
}

async fn get(tokens: &TokenCache) -> Result<Lease, AuthError> {
    tokens.get(Duration::ZERO).await
}

fn text(lease: &Lease) -> &str {
    lease.token().expose_secret()
}

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
async fn a_throttled_endpoint_is_left_alone_by_everybody() {
    let vendor = Scripted::new([Act::Throttle]);
    let tokens = vendor.cache();
    let start = Instant::now();
    let error = get(&tokens).await.expect_err("throttled");
    assert_eq!(error.retry_at(), Some(start + 21 * SECOND));
    for _ in 0..19 {
        sleep(SECOND).await;
        get(&tokens).await.expect_err("still throttled");
    }
    assert_eq!(vendor.calls(), 1);
    sleep(SECOND).await;
    get(&tokens).await.expect("the time is over");
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
async fn an_attempt_that_hangs_is_ended_and_another_one_made() {
    let vendor = Scripted::new([Act::Hang]);
    let (tokens, start) = (vendor.cache(), Instant::now());
    get(&tokens).await.expect("the second attempt");
    assert_eq!(vendor.calls(), 2);
    assert!(start.elapsed() >= 11 * SECOND && start.elapsed() < 12 * SECOND);
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
async fn a_flight_follows_the_policy_of_its_cache() {
    let vendor = Scripted::new([Act::Fail]);
    let tokens = TokenCache::with_policy(vendor.clone(), RefreshPolicy::default().attempts(1));
    get(&tokens).await.expect_err("one attempt");
    assert_eq!(vendor.calls(), 1);
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

    let vendor = Scripted::renewing(Renewal::RevokesPrevious, []).lasting(100);
    let tokens = vendor.cache();
    get(&tokens).await.expect("a token");
    sleep(95 * SECOND).await;
    for lease in join_all((0..100).map(|_| get(&tokens))).await {
        assert_eq!(text(&lease.expect("the new token")), "token-2");
    }
    assert_eq!(vendor.calls(), 2);
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

#[test]
fn a_token_that_is_being_revoked_when_its_runtime_ends_is_an_error() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    let runtime = current_thread();
    let mut revoking = Box::pin({
        let tokens = tokens.clone();
        async move { tokens.revoke().await }
    });
    runtime.block_on(async {
        get(&tokens).await.expect("a token");
        tokio::time::timeout(SECOND / 2, &mut revoking).await.expect_err("still at it");
    });
    drop(runtime);
    let error = current_thread().block_on(revoking).expect_err("nobody knows");
    assert_eq!(error.kind(), AuthErrorKind::Lost);
}

#[test]
fn without_a_runtime_or_its_timer_there_is_a_typed_error() {
    let tokens = Scripted::new([]).cache();
    let error = futures_executor(get(&tokens)).expect_err("no runtime");
    assert_eq!(error.kind(), AuthErrorKind::NoRuntime);
    let no_timer = runtime::Builder::new_current_thread().build().expect("a runtime");
    let error = no_timer.block_on(get(&tokens)).expect_err("no timer");
    assert_eq!(error.kind(), AuthErrorKind::NoRuntime);
}

/// Polls a future that is ready at once, outside of any runtime.
fn futures_executor<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("no waiting without a runtime")
}

fn current_thread() -> runtime::Runtime {
    runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

#[test]
fn a_runtime_dropped_in_mid_flight_does_not_wedge_the_next_one() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    let first = current_thread();
    first.block_on(async {
        tokio::time::timeout(SECOND / 2, get(&tokens)).await.expect_err("still flying");
    });
    drop(first);
    assert_eq!(vendor.running(), 0, "the call died with its runtime");
    let start = std::time::SystemTime::now();
    let lease = current_thread().block_on(get(&tokens)).expect("a token");
    assert_eq!(text(&lease), "token-2");
    assert!(start.elapsed().expect("time goes on") < 10 * SECOND, "no deadline had to pass");
}

#[test]
fn waiters_on_another_runtime_move_on_when_the_flights_runtime_dies() {
    let vendor = Scripted::new([Act::Hang]);
    let tokens = vendor.cache();
    let first =
        runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
    first.block_on(async {
        tokio::time::timeout(SECOND / 10, get(&tokens)).await.expect_err("hangs");
    });
    // In real time: a paused clock would race past the deadlines.
    let second = runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let waiter = std::thread::spawn(move || {
        second.block_on(async { tokio::time::timeout(20 * SECOND, get(&tokens)).await })
    });
    std::thread::sleep(SECOND / 10);
    drop(first);
    let lease = waiter.join().expect("no panic").expect("in time").expect("a token");
    assert_eq!(text(&lease), "token-2");
}

#[test]
fn a_runtime_that_nobody_drives_is_given_up_after_the_deadline() {
    let vendor = Scripted::new([Act::Hang]);
    let tokens = vendor.cache();
    let idle = current_thread();
    idle.block_on(async {
        tokio::time::timeout(SECOND / 2, get(&tokens)).await.expect_err("still flying");
    });
    // Nobody polls it from here on, but it lives.
    let leases = current_thread().block_on(async { join_all((0..100).map(|_| get(&tokens))).await });
    assert!(leases.iter().all(|lease| text(lease.as_ref().expect("a token")) == "token-2"));
    assert_eq!(vendor.0.calls.load(SeqCst), 2);
    // When somebody does drive it again, the old flight finds that it was superseded.
    idle.block_on(async { sleep(SECOND).await });
    assert_eq!(vendor.running(), 0);
    assert_eq!(text(&tokens.try_get().expect("kept")), "token-2");
}

#[test]
fn a_runtime_that_is_shutting_down_while_a_flight_begins_does_not_wedge_the_cache() {
    let vendor = Scripted::new([]);
    let tokens = vendor.cache();
    struct AtShutdown(TokenCache);
    impl Drop for AtShutdown {
        fn drop(&mut self) {
            // Begins a flight on a runtime that drops every new task unpolled.
            let _ = self.0.begin_to_replace(0);
        }
    }
    let dying = current_thread();
    let last = AtShutdown(tokens.clone());
    dying.spawn(async move {
        let _last = last;
        pending::<()>().await;
    });
    dying.block_on(tokio::task::yield_now());
    drop(dying);
    let lease = current_thread().block_on(async { tokio::time::timeout(SECOND * 5, get(&tokens)).await });
    lease.expect("not wedged").expect("a token");
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
