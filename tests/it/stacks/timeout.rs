//! Timeouts, above the layer and beneath it.

use std::time::Duration;

use http::StatusCode;
use tower::{Layer, ServiceBuilder, timeout::error::Elapsed};
use tower_reauth::testing::{Fault, On, Times};

use super::retry::Retry;
use crate::support::{Gate, api_video, client, gated, send, send_all, soon, until};

#[tokio::test]
async fn a_timeout_above_the_layer_covers_the_wait_for_the_token() {
    let (subject, answer) = (api_video().await, Gate::new());
    let layer = subject.layer_over(gated(&answer));
    let service = ServiceBuilder::new()
        .timeout(Duration::from_millis(50))
        .retry(Retry::times(2))
        .layer(layer.clone())
        .service(client());
    answer.hold(1);
    for answer in send_all(&service, 10, || subject.request()).await {
        assert!(answer.unwrap_err().is::<Elapsed>());
    }
    // What was begun goes on, for those who come later.
    answer.release(1);
    until(|| layer.tokens().try_get().is_some()).await;
    assert_eq!(send(&layer.layer(client()), subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 1));
}

#[tokio::test]
async fn a_timeout_beneath_the_layer_bounds_each_send_and_not_the_wait_for_the_token() {
    let (subject, answer) = (api_video().await, Gate::new());
    let limit = Duration::from_secs(1);
    let layer = subject.layer_over(gated(&answer));
    let service = ServiceBuilder::new().layer(layer).timeout(limit).service(client());
    answer.hold(1);
    let waiting = tokio::spawn(send(&service, subject.request()));
    answer.held(1).await;
    tokio::time::sleep(limit + Duration::from_millis(100)).await;
    answer.release(1);
    assert_eq!(soon(waiting).await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 1));

    // A send that hangs is the client's failure, and says nothing of the token.
    subject.controls.fail(On::Api, Times::Next(1), Fault::Hang);
    assert!(send(&service, subject.request()).await.unwrap_err().is::<Elapsed>());
    // So is a replay that hangs; the new token stays.
    subject.controls.fail(On::Api, Times::Next(1), subject.expired.clone());
    subject.controls.fail(On::Api, Times::Next(1), Fault::Hang);
    assert!(send(&service, subject.request()).await.unwrap_err().is::<Elapsed>());
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (2, 5));
}
