//! hyper-util's pooled client, over HTTP/1.1 and HTTP/2.

use bytes::Bytes;
use futures_util::stream;
use http::{StatusCode, Version};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper_util::{client::legacy, rt::TokioExecutor};
use tower::Layer;
use tower_reauth::{BoxError, RecordBodies, Transport, testing::Revoked};

use super::{assert_lives, call};
use crate::support::{Body, api_video, get, vervoe, vidizmo};

const BOTH: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

fn builder(version: Version) -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.http2_only(version == Version::HTTP_2);
    builder
}

#[tokio::test]
async fn the_pooled_client_serves_for_calls_and_token_requests() {
    for version in BOTH {
        for subject in [api_video().await, vidizmo().await, vervoe().await] {
            let client = builder(version).build_http::<Body>();
            let service = subject.layer_over(Transport::new(client.clone())).layer(client);
            assert_lives(&subject, service, || subject.request()).await;
        }
    }
}

#[tokio::test]
async fn calls_token_requests_and_replays_take_turns_on_one_connection() {
    for version in BOTH {
        let subject = api_video().await;
        let client = builder(version).build_http::<Body>();
        let service = subject.layer_over(Transport::new(client.clone())).layer(client);
        for _ in 0..3 {
            let answered = call(&service, subject.request()).await;
            assert_eq!((answered.status(), answered.head.version), (StatusCode::OK, version));
            subject.controls.revoke(Revoked::Expired);
        }
        assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (3, 5));
        assert_eq!(subject.served.connections(), 1, "{version:?}");
    }
}

/// The client takes any body. Which one it is follows from what the layer sends.
#[tokio::test]
async fn bodies_that_stream_are_recorded_and_replayed_by_a_client_made_for_them() {
    for version in BOTH {
        let subject = vervoe().await;
        let tokens = builder(version).build_http::<Body>();
        let layer = subject.layer_over(Transport::new(tokens)).record_bodies(RecordBodies::DEFAULT_LIMIT);
        let service = layer.layer(builder(version).build_http());
        let post = || {
            let frames =
                ["{\"name\":", "\"Esther\"}"].map(|piece| Ok::<_, BoxError>(Frame::data(Bytes::from(piece))));
            let mut request =
                get(&subject.served.url("/jobs")).map(|_| StreamBody::new(stream::iter(frames)));
            *request.method_mut() = http::Method::POST;
            request
        };
        assert_lives(&subject, service, post).await;
        for request in subject.controls.requests().iter().filter(|request| request.method() == "POST") {
            assert_eq!(request.body(), br#"{"name":"Esther"}"#.as_slice());
        }
    }
}
