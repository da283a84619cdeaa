//! Redirects that are followed above the layer and beneath it. `origins.rs` has where tokens may go, and where not.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::{body::Body as AxumBody, response::Response};
use http::{HeaderValue, StatusCode, header::LOCATION, request::Parts};
use tower::ServiceBuilder;
use tower_http::follow_redirect::FollowRedirectLayer;
use tower_reauth::{
    AccessToken, AuthLayer, AuthOutcome, Origin, Placement, Rule, Signatures, StaticToken, from_fn,
};

use crate::support::{Site, client, get, send};

/// Redirects `/from` to what the query says, and rejects `t1` everywhere else.
async fn site() -> Site {
    Site::start(|head: &Parts| {
        let mut response = Response::new(AxumBody::empty());
        match (head.uri.path(), head.uri.query()) {
            ("/from", Some(there)) => {
                *response.status_mut() = StatusCode::FOUND;
                response.headers_mut().insert(LOCATION, HeaderValue::try_from(there).unwrap());
            }
            _ if head.headers.get("authorization").is_some_and(|value| value == "Bearer t1") => {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            _ => {}
        }
        response
    })
    .await
}

#[tokio::test]
async fn above_the_layer_the_request_that_was_rejected_is_replayed_and_beneath_it_the_whole_way() {
    let above = [("/from", "t1"), ("/to", "t1"), ("/to", "t2")];
    let beneath = [("/from", "t1"), ("/to", "t1"), ("/from", "t2"), ("/to", "t2")];
    for (is_above, expected) in [(true, &above[..]), (false, &beneath)] {
        let site = site().await;
        let issued = AtomicUsize::new(0);
        let credential = from_fn(move |_, _| {
            let token = AccessToken::new(format!("t{}", issued.fetch_add(1, SeqCst) + 1));
            async move { Ok(token?) }
        });
        let layer = AuthLayer::new(Origin::parse(&site.url("")).unwrap(), credential)
            .signatures(Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED)));
        let (follow, request) = (FollowRedirectLayer::new(), get(&site.url("/from?/to")));
        let answered = if is_above {
            send(&ServiceBuilder::new().layer(follow).layer(layer).service(client()), request).await
        } else {
            send(&ServiceBuilder::new().layer(layer).layer(follow).service(client()), request).await
        };
        let answered = answered.unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
        assert!(answered.outcome().is_some_and(AuthOutcome::replayed));
        let bearer =
            |value: Option<String>| value.and_then(|value| Some(value.strip_prefix("Bearer ")?.to_owned()));
        let seen: Vec<_> =
            site.seen("authorization").into_iter().map(|(path, value)| (path, bearer(value))).collect();
        let owned = |(path, token): &(&str, &str)| (path.to_string(), Some(token.to_string()));
        assert_eq!(seen, expected.iter().map(owned).collect::<Vec<_>>());
    }
}

/// tower-http takes `Authorization` off, and can't know a vendor's own header.
#[tokio::test]
async fn beneath_the_layer_a_redirect_to_elsewhere_takes_a_vendors_own_header_along() {
    for (placement, leaks) in [(Placement::bearer(), false), (Placement::bare("X-Key").unwrap(), true)] {
        let (site, other) = (site().await, Site::that_agrees().await);
        let origin = Origin::parse(&site.url("")).unwrap();
        let layer = AuthLayer::new(origin, StaticToken::new("k3y").unwrap()).placement(placement.clone());
        let request = || get(&site.url(&format!("/from?{}", other.url("/there"))));
        let follow = FollowRedirectLayer::new();
        let beneath = ServiceBuilder::new().layer(layer.clone()).layer(follow.clone()).service(client());
        send(&beneath, request()).await.unwrap();
        let above = ServiceBuilder::new().layer(follow).layer(layer).service(client());
        send(&above, request()).await.unwrap();
        let seen = other.seen(placement.header().unwrap().as_str());
        assert_eq!(seen.iter().map(|(_, value)| value.is_some()).collect::<Vec<_>>(), [leaks, false]);
    }
}
