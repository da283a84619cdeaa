//! No place in the inner service is held while a request waits for a token: over services with one place, with one
//! instance that is polled ready and called again and again, as programs do that don't clone per request.

use http::{Request, Response, StatusCode};
use tower::{
    Layer, Service, ServiceExt,
    buffer::Buffer,
    limit::ConcurrencyLimit,
    load_shed::{LoadShed, error::Overloaded},
};
use tower_reauth::{
    Auth, AuthLayer, BoxError, Client, Transport,
    testing::{Counts, Revoked},
};

use crate::support::{Body, Gate, Subject, api_video, client, gated, send, send_all, soon, vervoe, vidizmo};

/// A client with one place.
fn limited() -> ConcurrencyLimit<Client> {
    ConcurrencyLimit::new(client(), 1)
}

/// Cold start, a cached token, expiry by the clock, rejection with refresh and replay, and a rejection where the
/// refresh fails: all with one instance, one call after the other.
async fn run<S, R>(subject: &Subject, layer: AuthLayer, client: S)
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let mut service = layer.layer(client);
    for _ in 0..3 {
        assert_eq!(call(&mut service, subject).await, StatusCode::OK);
    }
    for revoked in [Revoked::Expired, Revoked::Invalid] {
        subject.controls.revoke(revoked);
        assert_eq!(call(&mut service, subject).await, StatusCode::OK);
        assert_eq!(call(&mut service, subject).await, StatusCode::OK);
    }
    layer.tokens().invalidate();
    assert_eq!(call(&mut service, subject).await, StatusCode::OK);
    let Counts { api_calls, api_accepted, api_unauthorised, .. } = subject.counts();
    assert_eq!((api_accepted, api_unauthorised, api_calls), (8, 2, 10));

    subject.controls.revoke(Revoked::Removed);
    assert_ne!(call(&mut service, subject).await, StatusCode::OK);
    assert!(soon(service.ready()).await.is_ok(), "the place that the failed refresh waited without is free");
}

async fn call<S, R>(service: &mut Auth<S>, subject: &Subject) -> StatusCode
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    soon(async { service.ready().await.unwrap().call(subject.request()).await.unwrap().status() }).await
}

#[tokio::test]
async fn with_one_place_in_the_client_every_call_ends() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        run(&subject, subject.layer(), limited()).await;
    }
}

#[tokio::test]
async fn with_one_place_in_the_client_token_requests_that_go_through_it_end_too() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let limited = limited();
        run(&subject, subject.layer_over(Transport::new(limited.clone())), limited).await;
        assert_eq!(subject.counts().most_token_calls_at_once, 1);
    }
}

#[tokio::test]
async fn with_one_place_in_a_buffer_every_call_ends() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        run(&subject, subject.layer(), Buffer::new(client(), 1)).await;
    }
}

#[tokio::test]
async fn with_one_place_in_a_buffer_token_requests_that_go_through_it_end_too() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let buffer = Buffer::new(limited(), 1);
        run(&subject, subject.layer_over(Transport::new(buffer.clone())), buffer).await;
    }
}

#[tokio::test]
async fn many_calls_share_one_place_with_their_token_requests() {
    let subject = api_video().await;
    let limited = limited();
    let service = subject.layer_over(Transport::new(limited.clone())).layer(limited);
    for round in 1..=3 {
        let answers = send_all(&service, 50, || subject.request()).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
        assert_eq!(subject.counts().token_calls(), round);
        assert_eq!(subject.counts().most_api_calls_at_once, 1);
        subject.controls.revoke(Revoked::Expired);
    }
}

#[tokio::test]
async fn a_place_is_free_for_others_while_a_call_waits_for_its_token() {
    let (subject, answer, limited) = (api_video().await, Gate::new(), limited());
    let mut service = subject.layer_over(gated(&answer)).layer(limited.clone());
    answer.hold(1);
    let waiting = tokio::spawn(service.ready().await.unwrap().call(subject.request()));
    answer.held(1).await;
    // The only place, twice: nobody holds it, not even the instance that was called.
    for _ in 0..2 {
        let mut other = limited.clone();
        soon(other.ready()).await.unwrap();
    }
    answer.release(1);
    assert_eq!(soon(waiting).await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn load_shed_above_the_layer_sheds_what_the_client_has_no_place_for_and_nothing_that_waits() {
    let (subject, answer, api) = (api_video().await, Gate::new(), Gate::new());
    let one_place = ConcurrencyLimit::new(api.guard(client()), 1);
    let layer = subject.layer_over(gated(&answer));
    let service = LoadShed::new(layer.layer(one_place));

    // Ten that wait for the token take no place, so none of them is shed on its way to the layer.
    answer.hold(1);
    let waiting = send_all(&service, 10, || subject.request());
    let (answers, ()) = tokio::join!(waiting, async {
        answer.held(1).await;
        answer.release(1);
    });
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    assert_eq!(subject.counts().token_calls(), 1);

    // With the token at hand, the second of two is one too many.
    api.hold(1);
    let first = tokio::spawn(send(&service, subject.request()));
    api.held(1).await;
    let second = send(&service, subject.request()).await;
    assert!(second.unwrap_err().is::<Overloaded>());
    api.release(1);
    assert_eq!(soon(first).await.unwrap().unwrap().status(), StatusCode::OK);
}
