//! The whole stack that the README recommends, at once.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header::USER_AGENT};
use tower::ServiceBuilder;
use tower_http::{
    decompression::DecompressionLayer, follow_redirect::FollowRedirectLayer,
    set_header::SetRequestHeaderLayer, trace::TraceLayer,
};
use tower_reauth::{
    AuthOutcome,
    testing::{Fault, On, Revoked, Times},
};

use super::retry::Retry;
use crate::support::{api_video, client, send, send_all, vervoe, vidizmo};

#[tokio::test]
async fn the_recommended_stack_works_as_one() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let service = ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .load_shed()
            .buffer(64)
            .timeout(Duration::from_secs(20))
            .retry(Retry::times(2))
            .layer(FollowRedirectLayer::new())
            .layer(subject.layer())
            .layer(SetRequestHeaderLayer::if_not_present(USER_AGENT, HeaderValue::from_static("stacks/1")))
            .concurrency_limit(4)
            .timeout(Duration::from_secs(10))
            .layer(DecompressionLayer::new())
            .service(client());
        for round in 1..=3 {
            subject.controls.fail(On::Api, Times::Next(2), Fault::status(StatusCode::BAD_GATEWAY));
            subject.controls.reset_counts();
            let answers = send_all(&service, 20, || subject.request()).await;
            assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
            let counts = subject.counts();
            assert_eq!((counts.token_calls(), counts.api_accepted, counts.api_planned), (1, 20, 2));
            assert_eq!(counts.api_calls, 22 + counts.api_unauthorised);
            assert!(counts.most_api_calls_at_once <= 4);
            assert_eq!(counts.api_unauthorised > 0, round > 1);
            subject.controls.revoke(Revoked::Expired);
        }
        let answered = send(&service, subject.request()).await.unwrap();
        assert!(answered.outcome().is_some_and(AuthOutcome::replayed));
    }
}
