//! tower-http's trace, above the layer and beneath it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response};
use tower::ServiceBuilder;
use tower_http::trace::TraceLayer;
use tower_reauth::testing::Revoked;
use tracing::Span;

use crate::support::{Body, api_video, client, send};

/// What a trace has seen, line by line.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

/// A layer that writes down what passes it. The closures have types of their own, hence a macro.
macro_rules! tracing {
    ($seen:expr) => {{
        let (requests, responses) = ($seen.clone(), $seen.clone());
        TraceLayer::new_for_http()
            .on_request(move |request: &Request<Body>, _: &Span| {
                let token = request.headers().get("authorization");
                requests.write(match token {
                    Some(value) if value.is_sensitive() => "a sensitive token".to_owned(),
                    Some(_) => "a token".to_owned(),
                    None => "no token".to_owned(),
                });
            })
            .on_response(move |response: &Response<_>, _: Duration, _: &Span| {
                responses.write(response.status().as_u16().to_string());
            })
    }};
}

impl Seen {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn above_the_layer_trace_sees_what_callers_see_and_beneath_it_every_send_with_its_token_marked() {
    let (subject, above, beneath) = (api_video().await, Seen::default(), Seen::default());
    let layer = subject.layer();
    let service =
        ServiceBuilder::new().layer(tracing!(above)).layer(layer).layer(tracing!(beneath)).service(client());
    send(&service, subject.request()).await.unwrap();
    subject.controls.revoke(Revoked::Expired);
    send(&service, subject.request()).await.unwrap();
    assert_eq!(above.lines(), ["no token", "200", "no token", "200"]);
    let token = "a sensitive token";
    assert_eq!(beneath.lines(), [token, "200", token, "401", token, "200"]);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (2, 3));
}
