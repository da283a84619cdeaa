//! An acquisition belongs to nobody who waits for it: callers, deadlines and runtimes come and go.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::StatusCode;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};
use tower::{Layer, ServiceBuilder, timeout::error::Elapsed};
use tower_reauth::{
    AccessToken, AuthErrorKind, AuthLayer, BoxError, Videsk, from_fn,
    testing::{Endpoint, FakeVidesk, Revoked},
};

use crate::support::{
    Answered, Gate, Subject, api_video, auth_error, client, gated, get, is_waiting, requests_to, send,
    send_all, soon, until,
};

type Call = JoinHandle<Result<Answered, BoxError>>;

/// A refresh that the server has answered, with the answer still on its way; whoever began it; those who were
/// rejected as well; and those who came later.
struct UnderWay {
    subject: Subject,
    layer: AuthLayer,
    answer: Gate,
    leader: Call,
    others: Vec<Call>,
}

impl UnderWay {
    async fn begin() -> Self {
        let (subject, api, answer) = (api_video().await, Gate::new(), Gate::new());
        let layer = subject.layer_over(gated(&answer));
        let service = layer.layer(api.guard(client()));
        send(&service, subject.request()).await.unwrap();
        subject.controls.revoke(Revoked::Expired);

        api.hold(11);
        let call = || tokio::spawn(send(&service, subject.request()));
        let leader = call();
        api.held(1).await;
        let mut others: Vec<_> = (0..10).map(|_| call()).collect();
        api.held(11).await;
        answer.hold(1);
        api.release(1);
        answer.held(1).await;
        api.release(10);
        others.extend((0..10).map(|_| call()));
        assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
        Self { subject, layer, answer, leader, others }
    }
}

#[tokio::test]
async fn a_leader_that_is_dropped_in_mid_refresh_leaves_the_others_their_token() {
    let UnderWay { subject, layer, answer, leader, others } = UnderWay::begin().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    answer.release(1);
    for other in others {
        assert_eq!(soon(other).await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
    the_rotated_refresh_token_was_kept(subject, layer).await;
}

#[tokio::test]
async fn a_refresh_that_nobody_waits_for_any_more_still_brings_its_token() {
    let UnderWay { subject, layer, answer, leader, others } = UnderWay::begin().await;
    for call in others.into_iter().chain([leader]) {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    assert!(layer.tokens().try_get().is_none());
    answer.release(1);
    until(|| layer.tokens().try_get().is_some()).await;
    let service = layer.layer(client());
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
    the_rotated_refresh_token_was_kept(subject, layer).await;
}

/// A spent one would be refused, and kill the family.
async fn the_rotated_refresh_token_was_kept(subject: Subject, layer: AuthLayer) {
    subject.controls.revoke(Revoked::Expired);
    let answered = send(&layer.layer(client()), subject.request()).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 2));
    let refreshes = requests_to(Endpoint::Refresh, subject.controls.requests());
    for (request, token) in refreshes.iter().zip(subject.controls.refresh_tokens()) {
        assert_eq!(*request.body(), format!(r#"{{"refreshToken":"{token}"}}"#));
    }
}

#[tokio::test]
async fn a_callers_deadline_ends_its_own_wait_only() {
    let (subject, answer) = (api_video().await, Gate::new());
    let service = subject.layer_over(gated(&answer)).layer(client());
    let hasty = ServiceBuilder::new().timeout(Duration::from_millis(50)).service(service.clone());
    answer.hold(1);
    let mut patient = pin!(send(&service, subject.request()));
    assert!(is_waiting(patient.as_mut()).await);
    for error in send_all(&hasty, 10, || subject.request()).await {
        assert!(error.unwrap_err().is::<Elapsed>());
    }
    answer.release(1);
    assert_eq!(patient.await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 1));
}

#[test]
fn a_runtime_that_goes_away_in_mid_refresh_does_not_wedge_the_next_one() {
    let (servers, first, second) = (runtime(), runtime(), runtime());
    let subject = servers.block_on(api_video());
    let answer = Gate::new();
    let layer = subject.layer_over(gated(&answer));
    let service = layer.layer(client());
    first.block_on(send(&service, subject.request())).unwrap();
    subject.controls.revoke(Revoked::Expired);
    answer.hold(1);
    first.spawn(send(&service, subject.request()));
    first.block_on(answer.held(1));

    // What the refresh brought is lost with its runtime, so the refresh token is spent; the key is not.
    let answered = second.block_on(async {
        let mut waiting = pin!(send(&service, subject.request()));
        assert!(is_waiting(waiting.as_mut()).await);
        first.shutdown_background();
        waiting.await.unwrap()
    });
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (2, 1));

    // Neither the token nor the pool depends on the runtime that made it.
    drop(second);
    let third = runtime();
    assert_eq!(third.block_on(send(&service, subject.request())).unwrap().status(), StatusCode::OK);
    assert_eq!(subject.counts().token_calls(), 3);
    drop((third, service, layer));
    servers.block_on(async { drop(subject) });
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[tokio::test]
async fn a_panic_in_a_credential_is_an_error_to_those_who_wait_and_to_nobody_after() {
    let videsk = FakeVidesk::new();
    let served = videsk.serve().await.unwrap();
    let (calls, minting) = (Arc::new(AtomicUsize::new(0)), videsk.clone());
    let counted = calls.clone();
    let credential = from_fn(move |_, _| {
        let call = counted.fetch_add(1, SeqCst);
        let key = minting.mint();
        async move {
            assert!(call > 0, "the first call panics, as this test wants it to");
            Ok(AccessToken::new(key)?)
        }
    });
    let service = Videsk::minting(credential).base_url(served.origin()).layer().unwrap().layer(client());
    let request = || get(&served.url("/users"));
    for answer in send_all(&service, 10, request).await {
        assert_eq!(auth_error(&answer.unwrap_err()).kind(), AuthErrorKind::Panicked);
    }
    assert_eq!((calls.load(SeqCst), videsk.counts().api_calls), (1, 0));
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((calls.load(SeqCst), videsk.counts().api_calls), (2, 1));
    videsk.assert_no_refusals();
}
