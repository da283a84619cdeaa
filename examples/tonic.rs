//! tonic's `Channel` beneath the layer, and a gRPC server whose tokens expire.
//!
//! ```text
//! cargo run --example tonic
//! ```
//!
//! A generated client takes the place of `Grpc`: `GreeterClient::new(api)`. Nothing else differs.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, extract, routing::post};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::uri::PathAndQuery;
use tokio::{net::TcpListener, time::sleep};
use tonic::{Code, Request, Response, Status, client, server, transport::Channel};
use tonic_prost::ProstCodec;
use tower::{ServiceBuilder, service_fn};
use tower_reauth::{
    AccessToken, AuthLayer, AuthOutcome, BoxError, NotReplayed, Origin, RecordBodies, Signatures,
    TrailersOutcome, from_fn,
};

// `google.protobuf.StringValue`: real messages, without generated code.
type Codec = ProstCodec<String, String>;

const GREET: PathAndQuery = PathAndQuery::from_static("/example.Greeter/Greet");
const COUNT: PathAndQuery = PathAndQuery::from_static("/example.Greeter/Count");

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let tokens = Tokens::default();
    let url = serve(tokens.clone()).await?;

    let issuer = tokens.clone();
    let credential = from_fn(move |_reason, _previous| {
        let token = AccessToken::new(issuer.issue());
        async move { Ok(token?) }
    });
    // The URIs of tonic's calls have no host: the channel knows it. `implied` says that all of them go there.
    let auth = AuthLayer::new(Origin::parse(&url)?.implied(), credential)
        .signatures(Signatures::grpc())
        .record_bodies(RecordBodies::DEFAULT_LIMIT);
    let api = ServiceBuilder::new()
        .layer(auth)
        // The channel takes no other body than tonic's.
        .map_request(|request: http::Request<_>| request.map(tonic::body::Body::new))
        .service(Channel::from_shared(url)?.connect_lazy());
    let mut greeter = client::Grpc::new(api);

    // Status 16 in the headers: the call is replayed, and nobody notices.
    for expired in [false, true] {
        if expired {
            tokens.expire();
        }
        greeter.ready().await?;
        let answer = greeter.unary(Request::new("Esther".to_owned()), GREET, Codec::default()).await?;
        let replayed = answer.extensions().get().is_some_and(AuthOutcome::replayed);
        println!("{:?}, by a replay: {replayed}", answer.get_ref());
        assert_eq!((answer.get_ref().as_str(), replayed), ("Hello, Esther", expired));
    }

    // Status 16 in the trailers, after messages that the caller has: too late for a replay.
    greeter.ready().await?;
    let answer = greeter.server_streaming(Request::new(String::new()), COUNT, Codec::default()).await?;
    let late = answer.extensions().get::<TrailersOutcome>().cloned();
    let mut messages = answer.into_inner();
    assert_eq!(messages.try_next().await?.as_deref(), Some("1"));
    tokens.expire();
    let end = loop {
        if let Err(status) = messages.try_next().await {
            break status;
        }
    };
    assert_eq!(end.code(), Code::Unauthenticated);
    let outcome = late.as_ref().and_then(TrailersOutcome::outcome);
    println!("the stream ends with {:?}, by {outcome:?}", end.message());
    assert_eq!(outcome.and_then(AuthOutcome::not_replayed), Some(NotReplayed::Trailers));

    // But the next call has a new token at once.
    greeter.ready().await?;
    let answer = greeter.unary(Request::new("again".to_owned()), GREET, Codec::default()).await?;
    assert!(answer.extensions().get::<AuthOutcome>().is_none());
    println!("{} calls arrived, {} tokens were issued", tokens.calls(), tokens.issued());
    assert_eq!((tokens.calls(), tokens.issued()), (5, 3));
    Ok(())
}

/// The server's side: numbered tokens, and how many calls there were.
#[derive(Clone, Default)]
struct Tokens {
    issued: Arc<AtomicUsize>,
    /// Tokens up to this number have expired.
    expired: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

impl Tokens {
    fn issue(&self) -> String {
        format!("token-{}", self.issued.fetch_add(1, Relaxed) + 1)
    }

    fn expire(&self) {
        self.expired.store(self.issued(), Relaxed);
    }

    fn issued(&self) -> usize {
        self.issued.load(Relaxed)
    }

    fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }

    fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let value = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let number = value.and_then(|value| value.strip_prefix("Bearer token-")?.parse().ok());
        match number {
            Some(number) if self.expired.load(Relaxed) < number => Ok(()),
            _ => Err(Status::unauthenticated("the token has expired")),
        }
    }
}

/// Starts the server, and returns its URL.
async fn serve(tokens: Tokens) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let methods = Router::new()
        .route(GREET.as_str(), post(greet))
        .route(COUNT.as_str(), post(count))
        .with_state(tokens);
    tokio::spawn(async move { axum::serve(listener, methods).await });
    Ok(url)
}

type Answer = http::Response<tonic::body::Body>;

async fn greet(extract::State(tokens): extract::State<Tokens>, request: extract::Request) -> Answer {
    let method = service_fn(|request: Request<String>| {
        tokens.calls.fetch_add(1, Relaxed);
        let checked = tokens.check(&request);
        async move { checked.map(|()| Response::new(format!("Hello, {}", request.into_inner()))) }
    });
    server::Grpc::new(Codec::default()).unary(method, request).await
}

/// Counts for as long as the token is good.
async fn count(extract::State(tokens): extract::State<Tokens>, request: extract::Request) -> Answer {
    let method = service_fn(|request: Request<String>| {
        tokens.calls.fetch_add(1, Relaxed);
        let (tokens, checked) = (tokens.clone(), tokens.check(&request));
        let numbers = stream::iter(1..).then(move |number: usize| {
            let checked = tokens.check(&request);
            async move {
                sleep(Duration::from_millis(10)).await;
                checked.map(|()| number.to_string())
            }
        });
        async move { checked.map(|()| Response::new(numbers)) }
    });
    server::Grpc::new(Codec::default()).server_streaming(method, request).await
}
