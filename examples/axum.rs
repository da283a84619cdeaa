//! An axum handler that passes what it gets on to an API, streaming both ways.
//!
//! ```text
//! cargo run --example axum
//! ```
//!
//! Bodies that stream can't be cloned. So the layer records them while they are sent, up to a limit; what is longer is
//! sent all the same, but not replayed.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::{StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_reauth::{
    Auth, AuthError, AuthOutcome, BoxError, Client, RecordBodies, ReplayBody, Vervoe,
    client::Roots,
    testing::{FakeVervoe, Revoked},
};

/// The API's client. It is cheap to clone, and all clones share one token and one pool of connections.
type Api = Auth<Client<ReplayBody<Body>>, RecordBodies>;

#[derive(Clone)]
struct Upstream {
    api: Api,
    candidates: Uri,
}

async fn upload(State(upstream): State<Upstream>, request: Request) -> Response {
    match forward(upstream, request).await {
        Ok(response) => response,
        // Without a token nothing was sent; `retry_at` says when there may be one.
        Err(error) if AuthError::find(&*error).is_some() => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn forward(mut upstream: Upstream, request: Request) -> Result<Response, BoxError> {
    // A request of our own, with the caller's body: its headers are meant for us, and its credentials too.
    let request = Request::post(upstream.candidates)
        .header(CONTENT_TYPE, "application/json")
        .body(request.into_body())?;
    let response = upstream.api.ready().await?.call(request).await?;
    let outcome = response.extensions().get::<AuthOutcome>();
    println!(
        "upstream says {}, by a replay: {}",
        response.status(),
        outcome.is_some_and(AuthOutcome::replayed)
    );
    Ok(response.map(Body::new))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // In place of the vendor: a program calls `Vervoe::new(key, secret)` without a base URL, and `Client::new()`.
    let vendor = FakeVervoe::new("a-key", "a-secret");
    let served = vendor.serve().await?;
    let plain = || Client::builder().roots(Roots::Bundled);

    let auth = Vervoe::new("a-key", "a-secret").base_url(served.origin()).layer(plain().build()?)?;
    let api = ServiceBuilder::new()
        .layer(auth.record_bodies(RecordBodies::DEFAULT_LIMIT))
        .service(plain().build_for()?);
    let upstream = Upstream { api, candidates: served.url("/candidates").parse()? };
    let app = Router::new().route("/upload", post(upload)).with_state(upstream);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    for expired in [false, true] {
        if expired {
            vendor.controls().revoke(Revoked::Expired);
        }
        let answer = send_in_pieces(&format!("http://{address}/upload")).await?;
        println!("the caller gets {answer}");
        assert!(answer.contains(r#""body":"{\"name\":\"Esther\"}""#), "{answer}");
    }

    let counts = vendor.counts();
    assert_eq!((counts.api_calls, counts.api_unauthorised, counts.acquires), (3, 1, 2));
    vendor.assert_no_refusals();
    Ok(())
}

/// What somebody else's program does: it sends a body as it comes to its mind.
async fn send_in_pieces(url: &str) -> Result<String, BoxError> {
    let pieces = [r#"{"name":"#, r#""Esther"}"#].map(|piece| Ok::<_, BoxError>(Bytes::from(piece)));
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let client = Client::builder().roots(Roots::Bundled).build_for()?;
    let response = client.oneshot(Request::post(url).body(body)?).await?;
    let answer = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(answer.to_vec())?)
}
