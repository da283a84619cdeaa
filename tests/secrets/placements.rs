//! Tokens in a cookie, in the query, and in a quoted string, at a server that repeats in its refusals what it was sent.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{Router, body::Body, extract::Request as Received, response::Response};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};
use tower_reauth::{
    AccessToken, AuthLayer, AuthOutcome, Client, Origin, Placement, Rule, Signatures, StaticToken, Transport,
    from_fn,
    signature::{body, json},
};

use crate::transcript::Transcript;

/// With characters that each place writes in a way of its own.
fn token(number: usize) -> String {
    format!("n{number}T0ken/with+every=thing&that%is-encoded_{number}")
}

/// Takes every second request, and refuses the others in words that repeat its URI, cookies and `Authorization`, as they are and escaped.
async fn serve(seen: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(async move |request: Received| {
        if seen.fetch_add(1, SeqCst) % 2 == 1 {
            return Response::new(Body::empty());
        }
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
        let words = format!("{} {} {}", request.uri(), header("cookie"), header("authorization"));
        let answer = serde_json::json!({ "message": "expired", "reason": words });
        let response = Response::builder().status(401).body(Body::from(answer.to_string()));
        response.expect("valid")
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

pub(crate) async fn check(transcript: &Transcript) {
    let client = Client::new().expect("a client");
    for placement in [
        Placement::cookie("session"),
        Placement::query_visible_in_logs("access_token"),
        Placement::template("Authorization", "Token token=\"{token}\""),
    ] {
        let placement = placement.expect("valid");
        let (seen, calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let origin = serve(seen.clone()).await;
        let credential = from_fn(move |_, _| {
            let number = calls.fetch_add(1, SeqCst);
            async move { Ok(AccessToken::new(token(number))?) }
        });
        let is_expired = || json("/message").is("expired");
        let signatures = Signatures::new().rule(Rule::expired().when(is_expired()).reason("/reason"));
        let layer = AuthLayer::new(Origin::parse(&origin).expect("valid"), credential)
            .signatures(signatures)
            .placement(placement.clone());
        let service = layer.layer(client.clone());
        let once = layer.clone().no_replay().layer(client.clone());
        transcript.print(&(&layer, &service, &once, &placement));
        let get = |target: &str| {
            let request = Request::get(format!("{origin}{target}")).header("cookie", "a=b");
            request.body(Full::<Bytes>::default()).expect("valid")
        };
        let mut shown = 0;
        for target in ["/", "/?a=b", "/a?"] {
            for response in
                [service.clone().oneshot(get(target)).await, once.clone().oneshot(get(target)).await]
            {
                let response = response.expect("an answer");
                let outcome = response.extensions().get::<AuthOutcome>();
                transcript.print(&(outcome, response.status()));
                let words = outcome.and_then(AuthOutcome::reason);
                shown += usize::from(words.is_some_and(|words| words.contains("[redacted]")));
            }
        }
        assert!(seen.load(SeqCst) >= 6 && shown > 0, "{placement:?}: {seen:?} requests, {shown} refused");
        let secrets: Vec<_> = (0..10).map(token).collect();
        transcript.assert_free_of(&secrets, &format!("{placement:?}"));
        fails(transcript, &placement, &client).await;
    }
}

/// Requests that nobody answers, that are refused in whatever words, and that pass: errors and logs of other kinds.
async fn fails(transcript: &Transcript, placement: &Placement, client: &Client) {
    let token = token(0) + ";";
    let service = |origin: &str| {
        let origin = Origin::parse_allowing_plaintext_tokens(origin).expect("valid");
        let credential = StaticToken::new(token.clone()).expect("valid");
        let rule = Rule::denied().when(body().contains("nothing"));
        let layer = AuthLayer::new(origin, credential).placement(placement.clone());
        layer.signatures(Signatures::new().rule(rule)).layer(client.clone())
    };
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    for (origin, uri) in [
        (format!("http://{nobody}"), format!("http://{nobody}/a?b")),
        ("https://nobody.invalid".to_owned(), "https://nobody.invalid/a".to_owned()),
        ("http://nobody.invalid".to_owned(), "http://nobody.invalid/a".to_owned()),
        (format!("http://{nobody}"), "https://other.invalid/a".to_owned()),
    ] {
        let request = Request::get(uri).body(Full::<Bytes>::default()).expect("valid");
        let error = service(&origin).oneshot(request).await.expect_err("nobody is there");
        transcript.print_error(&*error);
        let transport = Transport::new::<_, Full<Bytes>, _>(service(&origin));
        transcript.print(&transport);
    }
    transcript.assert_free_of(&[token], &format!("{placement:?}, where it fails"));
}
