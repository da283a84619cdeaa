//! Metrics hear of each use of a token, with the exact time, also where the coarse clock would do.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::runtime::Builder;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_reauth::{AccessToken, AuthLayer, Origin, from_fn};

const REQUESTS: usize = 10;

#[test]
fn each_use_of_a_token_is_measured() {
    let credential =
        from_fn(|_, _| async { Ok(AccessToken::new("abc")?.with_lifetime(Duration::from_secs(3600))) });
    let auth = AuthLayer::new(Origin::parse("https://api.test").expect("an origin"), credential);
    let client = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let mut service = auth.layer(client);
    let recorder = DebuggingRecorder::new();
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(auth.tokens().get(Duration::ZERO)).expect("a token");
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            for _ in 0..REQUESTS {
                let request = Request::get("https://api.test/").body(Full::default()).expect("valid");
                service.ready().await.expect("ready").call(request).await.expect("an answer");
            }
        });
    });
    let uses = recorder.snapshotter().snapshot().into_vec().into_iter().find_map(|(key, _, _, value)| {
        let is_it = key.key().name() == "tower_reauth_remaining_lifetime_seconds";
        match value {
            DebugValue::Histogram(values) if is_it => Some(values.len()),
            _ => None,
        }
    });
    assert_eq!(uses, Some(REQUESTS));
}
