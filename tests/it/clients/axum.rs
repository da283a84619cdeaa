//! An axum handler that passes requests on, with bodies that stream both ways.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{future::join_all, stream};
use http::{StatusCode, header::CONTENT_TYPE};
use tower::{Layer, Service, ServiceExt};
use tower_reauth::{
    Auth, AuthError, AuthOutcome, BoxError, Client, NotReplayed, RecordBodies, ReplayBody,
    client::Roots,
    testing::{Endpoint, Fault, On, Revoked, Times},
};

use super::call;
use crate::support::{Answered, Serving, Subject, requests_to, until, vervoe};

type Api = Auth<Client<ReplayBody<Body>>, RecordBodies>;

const LIMIT: usize = 64;

/// An application whose only handler passes bodies on to the vendor.
struct App(Serving);

impl App {
    async fn over(subject: &Subject) -> Self {
        let api = subject.layer().record_bodies(LIMIT).layer(builder().build_for().unwrap());
        let app = Router::new().fallback(forward).with_state((api, subject.served.url("/jobs")));
        Self(Serving::of(app).await)
    }

    /// Posts a body in two pieces.
    async fn post(&self, text: String) -> Answered {
        let (one, two) = text.split_at(text.len() / 2);
        let pieces = [one, two].map(|piece| Ok::<_, BoxError>(Bytes::copy_from_slice(piece.as_bytes())));
        let request =
            http::Request::post(&self.0.origin).body(Body::from_stream(stream::iter(pieces))).unwrap();
        call(&builder().build_for().unwrap(), request).await
    }
}

fn builder() -> tower_reauth::client::ClientBuilder {
    Client::builder().roots(Roots::Bundled)
}

async fn forward(State((mut api, url)): State<(Api, String)>, request: Request) -> Response {
    let request =
        http::Request::post(url).header(CONTENT_TYPE, "application/json").body(request.into_body()).unwrap();
    let answer = async { api.ready().await?.call(request).await };
    match answer.await {
        Ok(response) => {
            let why = response.extensions().get().and_then(AuthOutcome::not_replayed);
            let mut response = response.map(Body::new);
            if why == Some(NotReplayed::BodyTooLong) {
                response.headers_mut().insert("x-not-replayed", "too long".parse().unwrap());
            }
            response
        }
        Err(error) if AuthError::find(&*error).is_some() => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

#[tokio::test]
async fn uploads_that_meet_an_expired_token_are_replayed_whole() {
    let subject = vervoe().await;
    let app = App::over(&subject).await;
    for round in 1..=2 {
        subject.controls.reset_counts();
        let uploads = (0..20).map(|number| app.post(format!(r#"{{"number":{number}}}"#)));
        for (number, answered) in join_all(uploads).await.into_iter().enumerate() {
            assert_eq!(answered.status(), StatusCode::OK);
            let echo = format!(r#""body":"{{\"number\":{number}}}""#);
            assert!(std::str::from_utf8(&answered.body).unwrap().contains(&echo), "{answered:?}");
        }
        let counts = subject.counts();
        assert_eq!((counts.token_calls(), counts.api_accepted), (1, 20));
        assert_eq!(counts.api_calls, 20 + counts.api_unauthorised);
        assert_eq!(counts.api_unauthorised > 0, round == 2);
        for request in requests_to(Endpoint::Api, subject.controls.requests()) {
            assert!(request.body().starts_with(b"{\"number\":") && request.body().ends_with(b"}"));
        }
        subject.controls.revoke(Revoked::Expired);
    }
}

#[tokio::test]
async fn an_upload_that_is_too_long_to_be_recorded_is_sent_once_and_the_next_one_has_a_new_token() {
    let subject = vervoe().await;
    let app = App::over(&subject).await;
    let long = || format!(r#"{{"name":"{}"}}"#, "E".repeat(2 * LIMIT));
    assert_eq!(app.post(long()).await.status(), StatusCode::OK);
    subject.controls.revoke(Revoked::Expired);
    subject.controls.reset_counts();
    let answered = app.post(long()).await;
    assert_eq!(
        (answered.status(), &answered.head.headers["x-not-replayed"]),
        (StatusCode::UNAUTHORIZED, &"too long".parse().unwrap())
    );
    assert_eq!(subject.counts().api_calls, 1);
    until(|| subject.counts().token_calls() == 1).await;
    assert_eq!(app.post(long()).await.status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 2));
}

#[tokio::test]
async fn without_a_token_the_handler_can_say_so_and_nothing_is_sent() {
    let subject = vervoe().await;
    let app = App::over(&subject).await;
    subject.controls.fail(On::Tokens, Times::Next(1), Fault::status(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(app.post("{}".into()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 0));
}
