//! Runtimes that end, stand still, or are not there.

use super::*;

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

#[test]
fn a_flight_that_blocks_its_thread_is_given_up_by_those_on_others() {
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Mutex::new(Some(blocked));
    let credential = crate::credential::from_fn(move |_, _| {
        let blocked = blocked.lock().expect("no panic").take();
        async move {
            let Some(blocked) = blocked else { return Ok(AccessToken::new("second")?) };
            // What no credential may do.
            let _ = blocked.recv();
            Err(AcquireError::transient("too late"))
        }
    });
    let policy = RefreshPolicy::default().flight_deadline(SECOND / 10);
    let tokens = TokenCache::with_policy(credential, policy);
    // In real time, since time stands still on one thread only.
    let runtime =
        runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    let lease = runtime.block_on(async { tokio::time::timeout(20 * SECOND, get(&tokens)).await });
    release.send(()).expect("it blocks still");
    assert_eq!(text(&lease.expect("in time").expect("a token")), "second");
}
