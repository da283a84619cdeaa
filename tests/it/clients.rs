//! The layer over the HTTP clients that people use, with counts of what reached the server.

mod axum;
mod hyper_util;
mod reqwest;
mod tonic;

use futures_util::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{Service, ServiceExt};
use tower_reauth::{
    AuthErrorKind, AuthOutcome, BoxError,
    testing::{Endpoint, Fault, On, Revoked, Times},
};

use crate::support::{Answered, Subject, requests_to, soon};

/// What every client must make possible, cold start to failed refresh.
async fn assert_lives<S, B, R>(subject: &Subject, service: S, request: impl Fn() -> Request<B>)
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let (controls, call) = (&subject.controls, || call(&service, request()));
    let fine = |answered: &Answered| answered.status() == StatusCode::OK;
    let replayed = |answered: &Answered| answered.outcome().is_some_and(AuthOutcome::replayed);

    // Cold: everybody waits for the same token.
    let answers = join_all((0..20).map(|_| call())).await;
    assert!(answers.iter().all(|answered| fine(answered) && answered.outcome().is_none()));
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 20));

    // One call with an expired token: two sends, one renewal.
    controls.revoke(Revoked::Expired);
    controls.reset_counts();
    let answered = call().await;
    assert!(fine(&answered) && replayed(&answered));
    assert_eq!((subject.counts().token_calls(), subject.renewals()), (1, 1));
    assert_eq!(subject.counts().api_calls, 2);

    // Many: one renewal, and as many replays as there were rejections.
    controls.revoke(Revoked::Expired);
    controls.reset_counts();
    let answers = join_all((0..20).map(|_| call())).await;
    assert!(answers.iter().all(fine));
    let (counts, replays) = (subject.counts(), answers.iter().filter(|answered| replayed(answered)).count());
    assert_eq!((counts.token_calls(), subject.renewals()), (1, 1));
    assert_eq!((counts.api_calls, counts.api_unauthorised), (20 + replays, replays));
    assert!(replays > 0);

    // No new token: the rejection itself, and one send.
    controls.fail(On::Tokens, Times::UntilCleared, Fault::status(StatusCode::SERVICE_UNAVAILABLE));
    controls.revoke(Revoked::Expired);
    controls.reset_counts();
    let answered = call().await;
    answered.assert_is_answer_to(&requests_to(Endpoint::Api, controls.requests())[0]);
    assert_eq!(answered.status(), subject.expired.status());
    let error = answered.outcome().and_then(AuthOutcome::error);
    assert_eq!(error.map(|error| error.kind()), Some(AuthErrorKind::Unavailable));
    assert_eq!(subject.counts().api_calls, 1);
    controls.clear();
}

/// Sends one request, and reads the whole answer.
#[track_caller]
fn call<S, B, R>(service: &S, request: Request<B>) -> impl Future<Output = Answered>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let service = service.clone();
    soon(async move {
        let (head, body) = service.oneshot(request).await.map_err(Into::into).unwrap().into_parts();
        let body = body.collect().await.map_err(Into::into).unwrap().to_bytes();
        Answered { head, body }
    })
}
