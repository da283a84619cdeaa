//! One cache for many: layers, clients, and the program itself.

use std::time::Duration;

use http::StatusCode;
use tower::Layer;
use tower_reauth::{
    AuthLayer, Origin, RefreshPolicy,
    testing::{Endpoint, Revoked},
};

use crate::support::{
    Gate, api_video, bearers, client, gated, requests_to, send, send_all, until, vervoe, vidizmo,
};

#[tokio::test]
async fn layers_and_clients_that_share_a_cache_share_its_token() {
    let subject = api_video().await;
    let first = subject.layer();
    let second = AuthLayer::with_tokens(Origin::parse(subject.served.origin()).unwrap(), first.tokens());
    let services =
        [first.layer(client()), first.layer(client()), first.clone().layer(client()), second.layer(client())];
    for service in &services {
        assert_eq!(send(service, subject.request()).await.unwrap().status(), StatusCode::OK);
    }
    let lease = first.tokens().get(Duration::ZERO).await.unwrap();
    assert_eq!(second.tokens().try_get().unwrap().generation(), lease.generation());
    assert_eq!((subject.counts().token_calls(), subject.counts().api_accepted), (1, 4));

    // The second layer has no signatures of its own, so it doesn't notice; but it gets what the others got.
    subject.controls.revoke(Revoked::Expired);
    assert!(send(&services[0], subject.request()).await.unwrap().outcome().unwrap().replayed());
    for service in &services {
        let answered = send(service, subject.request()).await.unwrap();
        assert_eq!((answered.status(), answered.outcome().is_none()), (StatusCode::OK, true));
    }
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
}

#[tokio::test]
async fn the_program_and_the_layer_wait_for_the_same_flight() {
    let subject = vervoe().await;
    let layer = subject.layer();
    let (service, tokens) = (layer.layer(client()), layer.tokens());
    let gets = futures_util::future::join_all((0..20).map(|_| tokens.get(Duration::ZERO)));
    let (answers, leases) = tokio::join!(send_all(&service, 20, || subject.request()), gets);
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    let token = &subject.controls.tokens()[0];
    assert!(leases.into_iter().all(|lease| lease.unwrap().token().expose_secret() == token));
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 20));
}

#[tokio::test]
async fn a_lease_lives_as_long_as_asked_for_at_the_cost_of_at_most_one_token_call() {
    let subject = vidizmo().await;
    let layer = subject.short_lived_layer(Duration::from_secs(3));
    let tokens = layer.policy(RefreshPolicy::default().early(0.0, Duration::ZERO)).tokens();
    let first = tokens.get(Duration::from_secs(2)).await.unwrap();
    assert!(first.remaining().unwrap() > Duration::from_secs(2));
    until(|| first.remaining().unwrap() < Duration::from_millis(2800)).await;
    assert_eq!(tokens.get(Duration::from_secs(1)).await.unwrap().generation(), first.generation());
    assert_eq!(subject.counts().token_calls(), 1);

    let second = tokens.get(Duration::from_millis(2900)).await.unwrap();
    assert!(second.generation() > first.generation());
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
    // No token lives for an hour, so the freshest there is will do.
    let freshest = tokens.get(Duration::from_secs(3600)).await.unwrap();
    assert!(freshest.generation() >= second.generation());
    assert!(subject.counts().token_calls() <= 3);
}

#[tokio::test]
async fn what_the_program_rejects_is_replaced_once_however_many_say_so() {
    let subject = vervoe().await;
    let layer = subject.layer();
    let tokens = layer.tokens();
    let lease = tokens.get(Duration::ZERO).await.unwrap();
    let rejections = futures_util::future::join_all((0..20).map(|_| tokens.reject(&lease)));
    for newer in rejections.await {
        assert_eq!(newer.unwrap().generation(), lease.generation() + 1);
    }
    assert_eq!(tokens.reject(&lease).await.unwrap().generation(), lease.generation() + 1);
    assert_eq!(subject.counts().token_calls(), 2);
    assert_eq!(send(&layer.layer(client()), subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        bearers(&requests_to(Endpoint::Api, subject.controls.requests())),
        subject.controls.tokens()[1..]
    );
}

#[tokio::test]
async fn what_is_invalidated_is_replaced_before_the_next_request_and_the_refresh_token_kept() {
    let subject = api_video().await;
    let layer = subject.layer();
    let service = layer.layer(client());
    send(&service, subject.request()).await.unwrap();
    layer.tokens().invalidate();
    assert!(layer.tokens().try_get().is_none());
    let answers = send_all(&service, 20, || subject.request()).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    let counts = subject.counts();
    assert_eq!((counts.acquires, counts.refreshes), (1, 1));
    assert_eq!((counts.api_calls, counts.api_unauthorised), (21, 0));
}

/// Early renewal in the last part of the lifetime: between 45 % and 90 % of it, from cache to cache.
fn early() -> RefreshPolicy {
    RefreshPolicy::default().early(0.9, Duration::from_secs(2))
}

#[tokio::test]
async fn a_stale_token_is_renewed_while_everyone_goes_on_using_it() {
    let (subject, answer) = (vervoe().await, Gate::new());
    let layer = subject.short_lived_layer_over(gated(&answer), Duration::from_secs(2)).policy(early());
    let (service, tokens) = (layer.layer(client()), layer.tokens());
    send(&service, subject.request()).await.unwrap();
    let first = tokens.try_get().unwrap();
    until(|| first.remaining().unwrap() < Duration::from_millis(850)).await;
    answer.hold(1);
    let answers = send_all(&service, 20, || subject.request()).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    answer.held(1).await;
    assert!(tokens.try_get().is_some_and(|lease| lease.generation() == first.generation()));
    answer.release(1);
    until(|| tokens.try_get().is_some_and(|lease| lease.generation() > first.generation())).await;
    assert_eq!((subject.counts().acquires, subject.counts().api_unauthorised), (2, 0));
}

/// api.video's old token is dead as soon as the server has answered, whenever that answer arrives.
#[tokio::test]
async fn a_renewal_that_kills_its_predecessor_is_waited_for() {
    let (subject, answer) = (api_video().await, Gate::new());
    let layer = subject.short_lived_layer_over(gated(&answer), Duration::from_secs(2)).policy(early());
    let (service, tokens) = (layer.layer(client()), layer.tokens());
    send(&service, subject.request()).await.unwrap();
    let first = tokens.try_get().unwrap();
    until(|| first.remaining().unwrap() < Duration::from_millis(850)).await;
    answer.hold(1);
    let (answers, ()) = tokio::join!(send_all(&service, 20, || subject.request()), async {
        answer.held(1).await;
        assert_eq!(subject.counts().api_calls, 1, "nothing was sent with a token that is about to die");
        answer.release(1);
    });
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    let counts = subject.counts();
    assert_eq!((counts.acquires, counts.refreshes), (1, 1));
    assert_eq!((counts.api_accepted, counts.api_unauthorised), (21, 0));
}
