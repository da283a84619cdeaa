//! The suite that every vendor goes through, the built-in ones and those of `tests/declared`. What differs between
//! them is in [`Subject`].

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tower::{Layer, limit::ConcurrencyLimitLayer};
use tower_reauth::{
    AuthErrorKind, NotReplayed, RefreshPolicy, Transport, Verdict,
    testing::{Endpoint, Fault, On, Revoked, Times},
};

use crate::support::{self, End, Gate, Subject, auth_error, client, send, send_all, soon};

/// Makes one test of each function, for each vendor.
macro_rules! suite {
    ($($vendor:ident: [$($flavor:ident $test:ident),* $(,)?])*) => {$(
        mod $vendor {
            use crate::support;
            $(suite! { @$flavor $vendor $test })*
        }
    )*};
    (@calm $vendor:ident $test:ident) => {
        #[tokio::test]
        async fn $test() {
            super::$test(async || support::$vendor().await).await;
        }
    };
    (@busy $vendor:ident $test:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::$test(async || support::$vendor().await).await;
        }
    };
}

/// The same for all of them, and what needs a token endpoint beside it.
macro_rules! suites {
    ($($vendor:ident: [$($more:ident),*])*) => {
        suite! {$(
            $vendor: [
                calm the_first_call_makes_one_token_call,
                calm a_thousand_cold_calls_make_one_token_call,
                busy a_thousand_cold_calls_from_two_threads_make_one_token_call,
                calm a_rejected_token_is_replaced_once_and_the_request_sent_twice,
                calm a_token_past_its_lifetime_is_replaced_before_the_request_is_sent,
                calm a_hundred_rejections_at_once_are_one_renewal,
                calm a_hundred_rejections_spread_over_200_ms_are_one_renewal,
                busy a_storm_of_rejections_on_two_threads_is_one_renewal,
                calm a_late_rejection_keeps_the_fresh_token,
                calm revoked_tokens_recover_as_the_contract_says,
                calm answers_that_no_token_can_better_pass_as_they_are,
                calm a_second_rejection_is_returned_as_it_is,
                $(calm $more),*
            ]
        )*}
    };
}

suites! {
    api_video: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
    videsk: []
    vidizmo: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
    vervoe: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
    declared_api_video: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
    declared_videsk: []
    declared_vidizmo: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
    declared_vervoe: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
    declared_vervoe_in_json: [a_token_endpoint_that_fails_leaves_the_rejection_as_it_is, no_token_means_an_error_and_nothing_sent]
}

async fn the_first_call_makes_one_token_call(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let service = subject.service();
    for calls in 1..=3 {
        let answered = send(&service, subject.request()).await.unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
        assert!(answered.outcome().is_none(), "nothing happened");
        let requests = subject.controls.requests();
        let request = requests.last().unwrap();
        assert_eq!(request.target(), subject.target);
        answered.assert_is_answer_to(request);
        let counts = subject.counts();
        assert_eq!((counts.acquires, counts.refreshes), (1, 0));
        assert_eq!((counts.api_calls, counts.api_accepted), (calls, calls));
    }
}

async fn a_thousand_cold_calls_make_one_token_call(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    // A thousand connections would need more open files than some machines allow. No request holds one of these
    // places while it waits for the token.
    let service = subject.layer().layer(ConcurrencyLimitLayer::new(50).layer(client()));
    let answers = send_all(&service, 1000, || subject.request()).await;
    assert_thousand(&subject, answers.into_iter().map(|answer| answer.unwrap().status()));
}

async fn a_thousand_cold_calls_from_two_threads_make_one_token_call(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let service = subject.layer().layer(ConcurrencyLimitLayer::new(50).layer(client()));
    let calls: Vec<_> = (0..1000).map(|_| tokio::spawn(send(&service, subject.request()))).collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().unwrap().status());
    }
    assert_thousand(&subject, statuses);
}

fn assert_thousand(subject: &Subject, statuses: impl IntoIterator<Item = StatusCode>) {
    assert!(statuses.into_iter().all(|status| status == StatusCode::OK));
    let counts = subject.counts();
    assert_eq!((counts.acquires, counts.refreshes), (1, 0));
    assert!(counts.most_token_calls_at_once <= 1);
    assert_eq!((counts.api_calls, counts.api_accepted), (1000, 1000));
}

async fn a_rejected_token_is_replaced_once_and_the_request_sent_twice(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    subject.controls.revoke(Revoked::Expired);
    subject.controls.reset_counts();

    let answered = send(&service, subject.request()).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    let outcome = answered.outcome().unwrap();
    assert!(outcome.refreshed() && outcome.replayed() && outcome.error().is_none(), "{outcome:?}");
    assert_eq!(outcome.verdict(), Verdict::Accepted);
    assert_eq!((subject.renewals(), subject.counts().token_calls()), (1, 1));
    assert_eq!((subject.counts().api_unauthorised, subject.counts().api_accepted), (1, 1));
    assert_eq!(subject.counts().api_calls, 2);

    let requests = subject.controls.requests();
    answered.assert_is_answer_to(requests.last().unwrap());
    let sent: Vec<_> = requests.iter().filter(|request| request.endpoint() == Endpoint::Api).collect();
    assert_eq!((sent[0].target(), sent[1].target()), (subject.target, subject.target));
    let bearers = support::bearers(&[sent[0].clone(), sent[1].clone()]);
    let tokens = subject.controls.tokens();
    assert_eq!(bearers, tokens[tokens.len() - 2..]);

    let answered = send(&service, subject.request()).await.unwrap();
    assert!(answered.outcome().is_none());
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 3));
}

async fn a_token_past_its_lifetime_is_replaced_before_the_request_is_sent(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let layer = subject.short_lived_layer(Duration::from_millis(1500));
    let service = layer.layer(client());
    send(&service, subject.request()).await.unwrap();
    let first = layer.tokens().try_get().unwrap();
    tokio::time::sleep_until(first.expires_at().unwrap()).await;
    assert!(layer.tokens().try_get().is_none());

    let answers = send_all(&service, 10, || subject.request()).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    let counts = subject.counts();
    assert_eq!((counts.token_calls(), counts.api_unauthorised), (2, 0));
    assert_eq!((counts.api_calls, counts.api_accepted), (11, 11));
    match subject.renewed_at {
        Endpoint::Refresh => assert_eq!((counts.acquires, counts.refreshes), (1, 1)),
        _ => assert_eq!((counts.acquires, counts.refreshes), (2, 0)),
    }
}

async fn a_hundred_rejections_at_once_are_one_renewal(start: impl AsyncFn() -> Subject) {
    a_hundred_rejections(start().await, async |gate| gate.release(100)).await;
}

async fn a_hundred_rejections_spread_over_200_ms_are_one_renewal(start: impl AsyncFn() -> Subject) {
    let spread = async |gate: Gate| {
        for _ in 0..100 {
            gate.release(1);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    a_hundred_rejections(start().await, spread).await;
}

/// A hundred requests are all sent with the token that has expired, and all answers are held until `release`.
async fn a_hundred_rejections(subject: Subject, release: impl AsyncFnOnce(Gate)) {
    let gate = Gate::new();
    let service = subject.layer().layer(gate.guard(client()));
    send(&service, subject.request()).await.unwrap();
    subject.controls.revoke(Revoked::Expired);
    subject.controls.reset_counts();

    gate.hold(100);
    let calls = send_all(&service, 100, || subject.request());
    let (answers, ()) = tokio::join!(calls, async {
        gate.held(100).await;
        release(gate.clone()).await;
    });
    for answer in answers {
        let answered = answer.unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
        assert!(answered.outcome().unwrap().replayed());
    }
    let counts = subject.counts();
    assert_eq!((subject.renewals(), counts.token_calls()), (1, 1));
    assert_eq!((counts.api_unauthorised, counts.api_accepted, counts.api_calls), (100, 100, 200));
}

/// Here nobody holds anything, so some requests may find the new token at once.
async fn a_storm_of_rejections_on_two_threads_is_one_renewal(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    subject.controls.revoke(Revoked::Expired);
    subject.controls.reset_counts();
    subject.controls.spread(On::Api, Times::Next(100), Duration::from_millis(200));

    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(send(&service, subject.request()))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    let counts = subject.counts();
    assert_eq!((subject.renewals(), counts.token_calls()), (1, 1));
    assert_eq!(counts.api_accepted, 100);
    assert_eq!(counts.api_calls, 100 + counts.api_unauthorised);
}

async fn a_late_rejection_keeps_the_fresh_token(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let gate = Gate::new();
    let layer = subject.layer();
    let service = layer.layer(gate.guard(client()));
    send(&service, subject.request()).await.unwrap();
    subject.controls.revoke(Revoked::Expired);
    subject.controls.reset_counts();

    gate.hold(1);
    let late = tokio::spawn(send(&service, subject.request()));
    gate.held(1).await;
    assert!(send(&service, subject.request()).await.unwrap().outcome().unwrap().replayed());
    let fresh = layer.tokens().try_get().unwrap().generation();

    gate.release(1);
    assert_eq!(soon(late).await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(layer.tokens().try_get().unwrap().generation(), fresh);
    assert_eq!(subject.counts().token_calls(), 1);
    assert_eq!((subject.counts().api_unauthorised, subject.counts().api_accepted), (2, 2));
}

async fn revoked_tokens_recover_as_the_contract_says(start: impl AsyncFn() -> Subject) {
    for index in 0.. {
        let subject = start().await;
        let Some(&recovery) = subject.recoveries.get(index) else { return };
        let service = subject.service();
        send(&service, subject.request()).await.unwrap();
        subject.controls.revoke(recovery.revoked);
        subject.controls.reset_counts();

        let answered = send(&service, subject.request()).await.unwrap();
        let counts = subject.counts();
        let token_calls = (counts.acquires, counts.refreshes);
        assert_eq!(token_calls, (recovery.acquires, recovery.refreshes), "{recovery:?}");
        let requests = subject.controls.requests();
        let mut sent = requests.iter().filter(|request| request.endpoint() == Endpoint::Api);
        answered.assert_is_answer_to(sent.clone().last().unwrap());
        let outcome = answered.outcome().unwrap();
        match recovery.end {
            End::Success => {
                assert_eq!(answered.status(), StatusCode::OK);
                assert!(outcome.replayed());
                assert_eq!((counts.api_unauthorised, counts.api_accepted), (1, 1));
            }
            End::Rejection(kind) => {
                let error = outcome.error().unwrap();
                assert_eq!(error.kind(), kind);
                assert!(!outcome.refreshed() && !outcome.replayed());
                assert_ne!(outcome.verdict(), Verdict::Accepted);
                subject.secrets().assert_not_in(error);
                assert_eq!(sent.by_ref().count(), 1);
            }
            End::Denial => {
                assert_eq!(outcome.verdict(), Verdict::Denied);
                assert!(outcome.error().is_none() && outcome.reason().is_some());
                assert_eq!(sent.by_ref().count(), 1);
            }
        }
    }
}

async fn answers_that_no_token_can_better_pass_as_they_are(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    for (answer, verdict) in &subject.passing {
        subject.controls.reset_counts();
        subject.controls.fail(On::Api, Times::Next(1), answer.clone());
        let answered = send(&service, subject.request()).await.unwrap();
        let requests = subject.controls.requests();
        assert_eq!(requests.len(), 1, "one send and no token call: {answered:?}");
        answered.assert_is_answer_to(&requests[0]);
        assert_eq!(answered.status(), answer.status());
        let said = answered.outcome().map_or(Verdict::Accepted, |outcome| outcome.verdict());
        assert_eq!(said, *verdict, "{answered:?}");
        assert_eq!((subject.counts().token_calls(), subject.counts().api_planned), (0, 1));
    }
    // The token has stayed what it was.
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(subject.counts().token_calls(), 0);
}

async fn a_second_rejection_is_returned_as_it_is(start: impl AsyncFn() -> Subject) {
    let subject = start().await;
    let policy = RefreshPolicy::default().pause(Duration::from_secs(60), Duration::from_secs(60));
    let service = subject.layer().policy(policy).layer(client());
    send(&service, subject.request()).await.unwrap();
    subject.controls.fail(On::Api, Times::UntilCleared, subject.expired.clone());
    subject.controls.reset_counts();

    let answered = send(&service, subject.request()).await.unwrap();
    let requests = subject.controls.requests();
    answered.assert_is_answer_to(requests.last().unwrap());
    assert_eq!(answered.status(), subject.expired.status());
    let outcome = answered.outcome().unwrap();
    assert_eq!(outcome.verdict(), Verdict::Expired);
    assert!(outcome.replayed());
    assert_eq!((subject.counts().api_calls, subject.counts().api_planned), (2, 2));
    assert_eq!((subject.renewals(), subject.counts().token_calls()), (1, 1));

    // No progress: from here on requests go out once, until the pause is over.
    let answered = send(&service, subject.request()).await.unwrap();
    let outcome = answered.outcome().unwrap();
    assert_eq!(outcome.not_replayed(), Some(NotReplayed::Paused));
    assert_eq!(outcome.error().unwrap().kind(), AuthErrorKind::Paused);
    assert_eq!((subject.counts().api_calls, subject.counts().token_calls()), (3, 1));
}

/// One attempt a flight, and little time where only the time ends it.
fn impatient(fault: &Fault) -> RefreshPolicy {
    let policy = RefreshPolicy::default().attempts(1);
    match fault {
        Fault::Hang => policy.flight_deadline(Duration::from_secs(1)),
        _ => policy,
    }
}

async fn a_token_endpoint_that_fails_leaves_the_rejection_as_it_is(start: impl AsyncFn() -> Subject) {
    // Where a refresh fails, the other grant is tried: but not if the server has enough to do, nor if time is up.
    let faults = [
        (Fault::status(StatusCode::INTERNAL_SERVER_ERROR), AuthErrorKind::Unavailable, 2),
        (Fault::status(StatusCode::SERVICE_UNAVAILABLE), AuthErrorKind::Unavailable, 1),
        (Fault::status(StatusCode::UNAUTHORIZED), AuthErrorKind::CredentialsRejected, 2),
        (Fault::status(StatusCode::FORBIDDEN), AuthErrorKind::EndpointUnusable, 2),
        (Fault::status(StatusCode::FOUND), AuthErrorKind::EndpointUnusable, 2),
        (Fault::Malformed, AuthErrorKind::EndpointUnusable, 2),
        (Fault::RequestLost, AuthErrorKind::Unavailable, 2),
        (Fault::Hang, AuthErrorKind::TimedOut, 1),
    ];
    for (fault, kind, with_two_grants) in faults {
        let subject = start().await;
        let policy = impatient(&fault);
        let service = subject.layer().policy(policy).layer(client());
        send(&service, subject.request()).await.unwrap();
        subject.controls.fail(On::Tokens, Times::UntilCleared, fault.clone());
        let marked = subject.expired.clone().header("x-request-id".parse().unwrap(), 4711);
        subject.controls.fail(On::Api, Times::Next(1), marked);
        subject.controls.reset_counts();

        let answered = send(&service, subject.request()).await.unwrap();
        let requests = subject.controls.requests();
        answered.assert_is_answer_to(&requests[0]);
        assert_eq!(answered.head.headers["x-request-id"], "4711");
        let outcome = answered.outcome().unwrap();
        let error = outcome.error().unwrap();
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
        assert_eq!(outcome.verdict(), Verdict::Expired);
        assert!(!outcome.refreshed() && !outcome.replayed());
        assert_eq!(subject.counts().api_calls, 1);
        let calls = if subject.renewed_at == Endpoint::Refresh { with_two_grants } else { 1 };
        assert_eq!((subject.counts().token_calls(), subject.counts().most_token_calls_at_once), (calls, 1));
        subject.secrets().assert_not_in(error);
    }
}

async fn no_token_means_an_error_and_nothing_sent(start: impl AsyncFn() -> Subject) {
    let faults = [
        (Fault::status(StatusCode::BAD_GATEWAY), AuthErrorKind::Unavailable),
        (Fault::status(StatusCode::TOO_MANY_REQUESTS), AuthErrorKind::Unavailable),
        (Fault::status(StatusCode::UNAUTHORIZED), AuthErrorKind::CredentialsRejected),
        (Fault::status(StatusCode::NOT_FOUND), AuthErrorKind::EndpointUnusable),
        (Fault::Malformed, AuthErrorKind::EndpointUnusable),
        (Fault::AnswerLost, AuthErrorKind::Unavailable),
        (Fault::Hang, AuthErrorKind::TimedOut),
    ];
    for (fault, kind) in faults {
        let subject = start().await;
        let policy = impatient(&fault);
        let transport = Transport::from(client());
        let service = subject.layer_over(transport).policy(policy).layer(client());
        subject.controls.fail(On::Tokens, Times::UntilCleared, fault.clone());
        let answers = send_all(&service, 100, || subject.request()).await;
        // Everyone is told of the same failure, which nobody tried to better.
        let errors: Vec<_> = answers.into_iter().map(|answer| Arc::new(answer.unwrap_err())).collect();
        for error in &errors {
            assert_eq!(auth_error(error).kind(), kind, "{fault:?}");
            assert_eq!(auth_error(error).to_string(), auth_error(&errors[0]).to_string());
            subject.secrets().assert_not_in(&***error);
        }
        assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 0), "{fault:?}");

        subject.controls.clear();
        service.tokens().invalidate();
        assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    }
}
