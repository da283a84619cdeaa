//! Retries, above the layer and beneath it.

use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response, StatusCode};
use tower::{
    ServiceBuilder,
    retry::{Policy, RetryLayer},
};
use tower_reauth::{
    AuthErrorKind, AuthOutcome,
    testing::{Fault, On, Revoked, Times},
};

use crate::support::{Body, api_video, auth_error, client, send, send_all, vervoe, vidizmo};

/// Repeats what was answered with a 5xx, so many times at most.
#[derive(Clone)]
pub(super) struct Retry {
    left: usize,
    /// What happens before a repetition.
    meanwhile: Arc<dyn Fn() + Send + Sync>,
}

impl Retry {
    pub(super) fn times(times: usize) -> Self {
        Self { left: times, meanwhile: Arc::new(|| ()) }
    }

    fn meanwhile(self, meanwhile: impl Fn() + Send + Sync + 'static) -> Self {
        Self { meanwhile: Arc::new(meanwhile), ..self }
    }
}

impl<R, E> Policy<Request<Body>, Response<R>, E> for Retry {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<Body>, result: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
        let failed = result.as_ref().is_ok_and(|response| response.status().is_server_error());
        self.left = self.left.checked_sub(usize::from(failed))?;
        failed.then(|| {
            (self.meanwhile)();
            ready(())
        })
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn a_timeout_and_retries_above_the_layer_work() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let service = ServiceBuilder::new()
            .timeout(Duration::from_secs(5))
            .retry(Retry::times(2))
            .layer(subject.layer())
            .service(client());
        subject.controls.fail(On::Api, Times::Next(2), Fault::status(StatusCode::BAD_GATEWAY));
        assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
        assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 3));

        // Each of the layer's two sends may fail; the replay is not counted as a retry, nor the other way round.
        subject.controls.revoke(Revoked::Expired);
        subject.controls.reset_counts();
        let answers = send_all(&service, 20, || subject.request()).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
        assert_eq!((subject.renewals(), subject.counts().token_calls()), (1, 1));
        let counts = subject.counts();
        assert_eq!((counts.api_accepted, counts.api_calls), (20, 20 + counts.api_unauthorised));
    }
}

#[tokio::test]
async fn a_failing_token_endpoint_is_not_hammered_by_retries_above() {
    let subject = vervoe().await;
    let service = ServiceBuilder::new().retry(Retry::times(2)).layer(subject.layer()).service(client());
    subject.controls.fail(On::Tokens, Times::UntilCleared, Fault::status(StatusCode::UNAUTHORIZED));
    for _ in 0..20 {
        let error = send(&service, subject.request()).await.unwrap_err();
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::CredentialsRejected);
    }
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 0));
}

/// A token that dies between two tries: above the layer the second try has a new one, beneath it the dead one again.
#[tokio::test]
async fn above_the_layer_each_try_gets_the_token_of_its_time_and_beneath_it_that_of_the_first() {
    for (is_above, sends) in [(true, 2), (false, 3)] {
        let subject = api_video().await;
        let layer = subject.layer();
        let (controls, tokens) = (subject.controls.clone(), layer.tokens());
        let retry = RetryLayer::new(Retry::times(1).meanwhile(move || {
            controls.revoke(Revoked::Expired);
            tokens.invalidate();
        }));
        subject.controls.fail(On::Api, Times::Next(1), Fault::status(StatusCode::BAD_GATEWAY));
        let answered = if is_above {
            send(&ServiceBuilder::new().layer(retry).layer(layer).service(client()), subject.request()).await
        } else {
            send(&ServiceBuilder::new().layer(layer).layer(retry).service(client()), subject.request()).await
        };
        let answered = answered.unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
        // A rejection that the retry beneath had asked for costs a replay.
        assert_eq!(answered.outcome().is_some_and(AuthOutcome::replayed), !is_above);
        assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (2, sends));
    }
}

/// The two multiply: a replay is a send with retries of its own.
#[tokio::test]
async fn beneath_the_layer_the_replay_may_be_retried_as_often_as_the_first_send() {
    let subject = vervoe().await;
    let layer = subject.layer();
    let service = ServiceBuilder::new().layer(layer).retry(Retry::times(2)).service(client());
    send(&service, subject.request()).await.unwrap();
    for fault in [Fault::status(StatusCode::BAD_GATEWAY), subject.expired.clone().into()] {
        subject.controls.fail(On::Api, Times::Next(1), fault);
    }
    subject.controls.fail(On::Api, Times::Next(2), Fault::status(StatusCode::BAD_GATEWAY));
    subject.controls.reset_counts();
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 5));
}
