//! Layers that set request headers, above the layer and beneath it.

use std::time::Duration;

use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, USER_AGENT},
};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::set_header::SetRequestHeaderLayer;
use tower_reauth::{
    AuthOutcome, Passed,
    testing::{Endpoint, Recorded, Revoked},
};

use crate::support::{api_video, bearers, client, requests_to, send, soon};

const OTHER: HeaderValue = HeaderValue::from_static("Bearer of-another-layer");

#[tokio::test]
async fn authorization_that_is_set_above_the_layer_is_sent_as_it_is_and_its_answer_not_inspected() {
    let overriding = SetRequestHeaderLayer::overriding(AUTHORIZATION, OTHER);
    for set in [overriding, SetRequestHeaderLayer::if_not_present(AUTHORIZATION, OTHER)] {
        for has_token in [false, true] {
            let (subject, set) = (api_video().await, set.clone());
            let layer = subject.layer();
            if has_token {
                soon(layer.tokens().get(Duration::ZERO)).await.unwrap();
                subject.controls.reset_counts();
            }
            let service = ServiceBuilder::new().layer(set).layer(layer).service(client());
            let answered = send(&service, subject.request()).await.unwrap();
            assert_eq!(answered.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(answered.outcome().and_then(AuthOutcome::passed), Some(Passed::OwnHeader));
            assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (0, 1));
            assert_eq!(bearers(&subject.controls.requests()), ["of-another-layer"]);
        }
    }
}

#[tokio::test]
async fn authorization_that_is_set_beneath_the_layer_if_there_is_none_is_not_set() {
    let subject = api_video().await;
    let set = SetRequestHeaderLayer::if_not_present(AUTHORIZATION, OTHER);
    let service = ServiceBuilder::new().layer(subject.layer()).layer(set).service(client());
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    subject.controls.revoke(Revoked::Expired);
    assert!(send(&service, subject.request()).await.unwrap().outcome().is_some_and(AuthOutcome::replayed));
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (2, 3));
}

/// A mistake: the layer gets the blame for what another one sends.
#[tokio::test]
async fn authorization_that_is_set_beneath_the_layer_takes_the_tokens_place_and_costs_a_refresh() {
    let subject = api_video().await;
    let set = SetRequestHeaderLayer::overriding(AUTHORIZATION, OTHER);
    let service = ServiceBuilder::new().layer(subject.layer()).layer(set).service(client());
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (2, 2));
    let calls = requests_to(Endpoint::Api, subject.controls.requests());
    assert_eq!(bearers(&calls), ["of-another-layer", "of-another-layer"]);
}

#[tokio::test]
async fn any_other_header_may_be_set_on_either_side_and_is_on_both_sends() {
    for is_above in [true, false] {
        let subject = api_video().await;
        let set = SetRequestHeaderLayer::overriding(USER_AGENT, HeaderValue::from_static("stacks/1"));
        let (builder, layer) = (ServiceBuilder::new(), subject.layer());
        let service = if is_above {
            builder.layer(set).layer(layer).service(client()).boxed_clone()
        } else {
            builder.layer(layer).layer(set).service(client()).boxed_clone()
        };
        send(&service, subject.request()).await.unwrap();
        subject.controls.revoke(Revoked::Expired);
        let answered = send(&service, subject.request()).await.unwrap();
        assert!(answered.outcome().is_some_and(AuthOutcome::replayed));
        let agent = |request: &Recorded| request.headers()["user-agent"] == "stacks/1";
        let calls = requests_to(Endpoint::Api, subject.controls.requests());
        assert!(calls.len() == 3 && calls.iter().all(agent));
    }
}
