//! Decompression, above the layer and beneath it, of a server that compresses its rejections.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use axum::{Router, extract::Request, response::IntoResponse};
use http::{
    StatusCode,
    header::{AUTHORIZATION, CONTENT_ENCODING},
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_http::{compression::CompressionLayer, decompression::DecompressionLayer};
use tower_reauth::{
    AccessToken, AuthLayer, AuthOutcome, Origin, Rule, Signatures, TokenCache, Unread, Verdict, from_fn,
    signature::json,
};

use crate::support::{client, get, send, until};

/// Rejects `t1` in JSON, and accepts `t2`. Both answers are compressed for whoever takes gzip.
async fn server() -> String {
    let padding = "Please get another one. ".repeat(20);
    let rejection = format!(r#"{{"message":"jwt expired","hint":"{padding}"}}"#);
    let app = Router::new().fallback(async move |request: Request| {
        match request.headers().get(AUTHORIZATION).map(|value| value.as_bytes()) {
            Some(b"Bearer t2") => (StatusCode::OK, "fine ".repeat(100)),
            _ => (StatusCode::UNAUTHORIZED, rejection.clone()),
        }
        .into_response()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app.layer(CompressionLayer::new())).await.unwrap() });
    origin
}

fn layer(origin: &str, rule: Rule) -> AuthLayer {
    let issued = AtomicUsize::new(0);
    let credential = from_fn(move |_, _| {
        let token = AccessToken::new(format!("t{}", issued.fetch_add(1, SeqCst) + 1));
        async move { Ok(token?) }
    });
    AuthLayer::new(Origin::parse(origin).unwrap(), credential).signatures(Signatures::new().rule(rule))
}

fn by_body() -> Rule {
    Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"))
}

fn generation(tokens: &TokenCache) -> u64 {
    tokens.try_get().unwrap().generation()
}

#[tokio::test]
async fn beneath_the_layer_rules_read_what_was_decompressed() {
    let origin = server().await;
    let layer = layer(&origin, by_body());
    let service = ServiceBuilder::new().layer(layer).layer(DecompressionLayer::new()).service(client());
    let answered = send(&service, get(&origin)).await.unwrap();
    assert_eq!((answered.status(), answered.body.len()), (StatusCode::OK, 500));
    assert!(answered.outcome().is_some_and(AuthOutcome::replayed));
}

#[tokio::test]
async fn above_the_layer_a_rule_about_the_body_sees_none_and_the_outcome_says_so() {
    let origin = server().await;
    let layer = layer(&origin, by_body());
    let tokens = layer.tokens();
    let service = ServiceBuilder::new().layer(DecompressionLayer::new()).layer(layer).service(client());
    let answered = send(&service, get(&origin)).await.unwrap();
    assert_eq!(answered.status(), StatusCode::UNAUTHORIZED);
    let outcome = answered.outcome().unwrap();
    assert_eq!((outcome.verdict(), outcome.unread()), (Verdict::Accepted, Some(Unread::Encoded)));
    // The caller can read it all the same.
    assert!(
        answered.body.starts_with(br#"{"message":"jwt expired""#)
            && !answered.head.headers.contains_key(CONTENT_ENCODING)
    );
    assert_eq!(generation(&tokens), 1);
}

#[tokio::test]
async fn above_the_layer_a_rule_about_the_status_alone_replays_and_sets_encoded_bodies_aside() {
    let origin = server().await;
    let layer = layer(&origin, Rule::expired().status(StatusCode::UNAUTHORIZED));
    let tokens = layer.tokens();
    let service = ServiceBuilder::new()
        .layer(DecompressionLayer::new())
        .layer(layer.peek(16 * 1024, Duration::from_secs(10)))
        .service(client());
    let answered = send(&service, get(&origin)).await.unwrap();
    assert_eq!((answered.status(), answered.body.len()), (StatusCode::OK, 500));
    assert!(answered.outcome().is_some_and(AuthOutcome::replayed));
    until(|| generation(&tokens) == 2).await;
}
