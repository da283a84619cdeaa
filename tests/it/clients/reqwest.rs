//! reqwest's client, made a service for requests of the crate `http`.

use std::time::Duration;

use axum::{body::Body as AxumBody, response::Response as AxumResponse};
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, LOCATION},
};
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::{Body, redirect::Policy};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_reauth::{
    AuthLayer, BoxError, Origin, Placement, RecordBodies, StaticToken, Transport,
    testing::{Answer, On, Times},
};

use super::{assert_lives, call};
use crate::support::{Site, api_video, get, soon, vervoe, vidizmo};

/// As in the example: all that lies between reqwest and the layer.
fn over<B: Into<Body>>(
    client: reqwest::Client,
) -> impl Service<Request<B>, Response = Response<Body>, Error = reqwest::Error, Future: Send> + Clone {
    service_fn(move |request: Request<B>| {
        let (client, request) = (client.clone(), reqwest::Request::try_from(request));
        async move { Ok(client.execute(request?).await?.into()) }
    })
}

fn client(policy: Policy) -> reqwest::Client {
    reqwest::Client::builder().redirect(policy).no_proxy().build().unwrap()
}

#[tokio::test]
async fn reqwest_serves_for_calls_and_token_requests() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let client = client(Policy::none());
        let service = subject.layer_over(Transport::new(over::<Bytes>(client.clone()))).layer(over(client));
        assert_lives(&subject, service, || subject.request().map(|_| Bytes::new())).await;
    }
}

#[tokio::test]
async fn bodies_of_reqwest_are_recorded_and_replayed() {
    let subject = vervoe().await;
    let service = ServiceBuilder::new()
        .layer(subject.layer().record_bodies(RecordBodies::DEFAULT_LIMIT))
        .map_request(|request: Request<_>| request.map(Body::wrap))
        .service(over(client(Policy::none())));
    let post = || {
        let pieces = ["{\"name\":", "\"Esther\"}"];
        let frames = pieces.map(|piece| Ok::<_, BoxError>(Frame::data(Bytes::from(piece))));
        let mut request = subject.request().map(|_| Body::wrap(StreamBody::new(stream::iter(frames))));
        *request.method_mut() = http::Method::POST;
        request
    };
    assert_lives(&subject, service, post).await;
    for request in subject.controls.requests().iter().filter(|request| request.method() == "POST") {
        assert_eq!(request.body(), br#"{"name":"Esther"}"#.as_slice());
    }
}

/// reqwest's own policy follows redirects, and sends the body of a 307 or 308 once more: the key is in it.
#[tokio::test]
async fn a_redirected_token_request_takes_the_key_along_unless_reqwest_is_told_not_to() {
    for (policy, follows) in [(Policy::default(), true), (Policy::none(), false)] {
        let (subject, stranger) = (api_video().await, Site::that_agrees().await);
        let there = HeaderValue::try_from(stranger.url("/auth/api-key")).unwrap();
        let redirect = Answer::new(StatusCode::TEMPORARY_REDIRECT).header(LOCATION, there);
        subject.controls.fail(On::Tokens, Times::Next(1), redirect);
        let layer = subject.layer_over(Transport::new(over::<Bytes>(client(policy))));
        let token = soon(layer.tokens().get(Duration::ZERO)).await;
        // The stranger's answer makes no sense, so the key is sent once more, to the vendor.
        assert_eq!(token.is_ok(), follows);
        let lengths: Vec<_> = stranger.seen("content-length").into_iter().map(|(_, length)| length).collect();
        let key = format!(r#"{{"apiKey":"{}"}}"#, crate::support::KEYS.api_video);
        assert_eq!(lengths, vec![Some(key.len().to_string()); usize::from(follows)]);
    }
}

/// With redirects that reqwest follows by itself, beneath the layer.
#[tokio::test]
async fn reqwest_takes_authorization_off_a_redirect_to_elsewhere_but_no_other_header() {
    for (placement, leaks) in [(Placement::bearer(), false), (Placement::bare("X-Key").unwrap(), true)] {
        let other = Site::that_agrees().await;
        let there = HeaderValue::try_from(other.url("/there")).unwrap();
        let site = Site::start(move |_| {
            let mut response = AxumResponse::new(AxumBody::empty());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, there.clone());
            response
        })
        .await;
        let header = placement.header().unwrap().clone();
        let origin = Origin::parse(&site.url("")).unwrap();
        let layer = AuthLayer::new(origin, StaticToken::new("t0ken").unwrap()).placement(placement);
        let service = layer.layer(over(client(Policy::default())));
        let answered = call(&service, get(&site.url("/")).map(|_| Bytes::new())).await;
        assert_eq!(answered.status(), StatusCode::OK);
        let value = if header == AUTHORIZATION { "Bearer t0ken" } else { "t0ken" }.to_owned();
        assert_eq!(site.seen(header.as_str()), [("/".to_owned(), Some(value.clone()))]);
        assert_eq!(other.seen(header.as_str()), [("/there".to_owned(), leaks.then_some(value))]);
    }
}
