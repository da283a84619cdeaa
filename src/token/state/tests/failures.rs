//! Acquisitions that fail: fail-fast, back-off, being left alone.

use super::*;

#[test]
fn rejected_credentials_fail_fast_and_longer_each_time_but_not_for_ever() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    for pause in [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0] {
        let error = sim.fail(AcquireError::rejected("no"));
        assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
        assert_eq!(error.retry_at(), Some(sim.now + Duration::from_secs_f64(pause)));
        sim.advance(pause - 0.1);
        assert!(
            matches!(sim.step(), Step::Fail(error) if error.kind() == AuthErrorKind::CredentialsRejected)
        );
        sim.advance(0.1);
    }
    sim.acquire(token("a"));
    assert!(matches!(sim.step(), Step::Use(_)));
}

#[test]
fn a_refusal_in_words_that_nobody_declared_fails_fast_as_rejected_credentials_do() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    for pause in [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0] {
        let error = sim.fail(AcquireError::new(AcquireErrorKind::Undeclared, "no"));
        assert_eq!(error.kind(), AuthErrorKind::EndpointUnusable);
        assert_eq!(error.retry_at(), Some(sim.now + Duration::from_secs_f64(pause)));
        assert!(sim.state.look_for_secret(sim.now).is_some(), "another secret may be what it takes");
        sim.advance(pause);
    }
}

#[test]
fn an_endpoint_that_is_wrong_is_left_alone_from_the_first_time_on_and_for_seconds_only() {
    use AcquireErrorKind::{Blocked, Missing, Moved, NotAccepted, ProxyRefused, TokenType, Unintelligible};
    for kind in [Blocked, Missing, Moved, NotAccepted, ProxyRefused, TokenType, Unintelligible] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        for _ in 0..100 {
            let error = sim.fail(AcquireError::new(kind, "elsewhere"));
            let pause = error.retry_at().expect("a pause") - sim.now;
            assert!((SECOND / 2..=5 * SECOND).contains(&pause), "{kind:?}: {pause:?}");
            sim.now += pause;
            assert!(matches!(sim.step(), Step::Begin(_)));
        }
    }
}

#[test]
fn after_one_transient_failure_the_next_caller_tries_and_after_two_there_is_a_pause() {
    let mut sim = Sim::new(Renewal::KeepsPrevious);
    assert_eq!(sim.fail(AcquireError::transient("down")).retry_at(), None);
    let error = sim.fail(AcquireError::transient("down"));
    let retry_at = error.retry_at().expect("a pause");
    assert!(retry_at <= sim.now + SECOND);
    assert!(
        matches!(sim.step(), Step::Fail(again) if again.retry_at() == Some(retry_at)),
        "the last error, shared"
    );
    sim.now = retry_at;
    assert!(matches!(sim.step(), Step::Begin(_)));
}

#[test]
fn the_servers_wish_to_be_left_alone_is_obeyed_up_to_the_cap() {
    for (wish, pause) in [(7, 7), (100_000, 600), (u64::MAX, 600)] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let error = sim.fail(AcquireError::transient("busy").with_retry_after(Duration::from_secs(wish)));
        let pause = Duration::from_secs(pause);
        let waits = error.retry_at().expect("a pause").saturating_duration_since(sim.now);
        assert!((pause..pause + (pause / 10).min(10 * SECOND)).contains(&waits), "{waits:?}");
    }
}

#[test]
fn a_failed_early_renewal_leaves_the_token_and_time_for_other_attempts() {
    for renewal in [Renewal::KeepsPrevious, Renewal::RevokesPrevious] {
        let mut sim = Sim::new(renewal);
        sim.acquire(lasting("a", 100));
        sim.advance(96.0);
        let mut attempts = 0;
        while sim.now
            < sim.state.newest.as_ref().and_then(|newest| newest.entry.expires_at()).expect("an expiry")
        {
            if let Step::UseAndRenew(_, reason) | Step::Begin(reason) = sim.step() {
                let id = sim.state.begin(reason, sim.now, ()).id;
                let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: false };
                sim.state.land(id, Err(miss), sim.now);
                attempts += 1;
                assert_eq!(sim.in_use(), 1, "the valid token stays");
            }
            sim.advance(0.01);
        }
        assert!((3..100).contains(&attempts), "{attempts} attempts in the last 4 s");
    }
}

#[test]
fn an_overloaded_endpoint_is_left_alone_from_the_first_failure_on() {
    for status in [429, 503] {
        let mut sim = Sim::new(Renewal::KeepsPrevious);
        let status = http::StatusCode::from_u16(status).expect("valid");
        let error = sim.fail(AcquireError::transient("busy").with_status(status));
        assert!(error.retry_at().is_some_and(|at| at <= sim.now + SECOND), "{status}: {error:?}");
        assert!(matches!(sim.step(), Step::Fail(_)));
    }
}

#[test]
fn a_failed_early_renewal_pauses_for_a_quarter_of_the_time_left_at_most() {
    // A back-off that would outlast the token.
    let policy = RefreshPolicy::default().back_off(1000 * SECOND, 1000 * SECOND);
    let mut sim = Sim::with_policy(Renewal::KeepsPrevious, policy);
    sim.acquire(lasting("a", 100));
    sim.advance(96.0);
    let Step::UseAndRenew(_, reason) = sim.step() else { panic!("stale: {:?}", sim.step()) };
    let id = sim.state.begin(reason, sim.now, ()).id;
    let miss = Miss { error: Arc::new(AcquireError::transient("down")), grant_intact: false };
    let Some(((), Landing::Failed(error))) = sim.state.land(id, Err(miss), sim.now) else { panic!("failed") };
    assert_eq!(error.retry_at(), Some(sim.now + SECOND));
}
