//! A gRPC server whose tokens expire, with messages of one string (`google.protobuf.StringValue`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body as AxumBody,
    extract::{self, State},
    routing::post,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, uri::PathAndQuery};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};
use tonic::{Request, Response, Status, Streaming, body::Body, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;
use tower_reauth::{AccessToken, BoxError, Credential, from_fn};

pub(super) const GREET: PathAndQuery = PathAndQuery::from_static("/test.Greeter/Greet");
/// Takes messages, and answers with all of them.
pub(super) const COLLECT: PathAndQuery = PathAndQuery::from_static("/test.Greeter/Collect");
/// As `Collect`, but it reads on when it has rejected a call.
pub(super) const DRAIN: PathAndQuery = PathAndQuery::from_static("/test.Greeter/Drain");
/// Counts for as long as the token is good.
pub(super) const COUNT: PathAndQuery = PathAndQuery::from_static("/test.Greeter/Count");
/// As `Greet`, but the status is always in the trailers.
pub(super) const LATE: PathAndQuery = PathAndQuery::from_static("/test.Greeter/Late");

pub(super) type Codec = ProstCodec<String, String>;
type Answer = http::Response<Body>;

pub(super) struct Server {
    pub(super) url: String,
    tokens: Tokens,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tokens = Tokens::default();
        let methods = Router::new()
            .route(GREET.as_str(), post(greet))
            .route(COLLECT.as_str(), post(collect))
            .route(DRAIN.as_str(), post(drain))
            .route(COUNT.as_str(), post(count))
            .route(LATE.as_str(), post(late))
            .with_state(tokens.clone());
        let task = tokio::spawn(async move { axum::serve(listener, methods).await.unwrap() });
        Self { url, tokens, task }
    }

    pub(super) fn credential(&self) -> impl Credential + use<> {
        let tokens = self.tokens.clone();
        from_fn(move |_, _| {
            let token = format!("t{}", tokens.last.fetch_add(1, SeqCst) + 1);
            tokens.issued.fetch_add(1, SeqCst);
            // As a token endpoint does, it takes its time.
            async move {
                sleep(Duration::from_millis(20)).await;
                Ok(AccessToken::new(token)?)
            }
        })
    }

    /// Ends all tokens that have been issued.
    pub(super) fn expire(&self) {
        self.tokens.expired.store(self.tokens.last.load(SeqCst), SeqCst);
    }

    /// Tokens issued since the last reset.
    pub(super) fn issued(&self) -> usize {
        self.tokens.issued.load(SeqCst)
    }

    /// Calls that arrived since the last reset, rejected or not.
    pub(super) fn calls(&self) -> usize {
        self.tokens.calls.load(SeqCst)
    }

    pub(super) fn reset(&self) {
        self.tokens.issued.store(0, SeqCst);
        self.tokens.calls.store(0, SeqCst);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Default)]
struct Tokens {
    last: Arc<AtomicUsize>,
    /// Tokens up to this number are no good.
    expired: Arc<AtomicUsize>,
    issued: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

impl Tokens {
    fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let value = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let number = value.and_then(|value| value.strip_prefix("Bearer t")?.parse().ok());
        match number {
            Some(number) if self.expired.load(SeqCst) < number => Ok(()),
            _ => Err(Status::unauthenticated("the token has expired")),
        }
    }

    fn count(&self) -> Self {
        self.calls.fetch_add(1, SeqCst);
        self.clone()
    }
}

async fn greet(State(tokens): State<Tokens>, request: extract::Request) -> Answer {
    let method = service_fn(|request: Request<String>| {
        let tokens = tokens.count();
        async move {
            tokens.check(&request)?;
            match request.get_ref().as_str() {
                "Permission Denied" => Err(Status::permission_denied("not you")),
                "Unauthenticated" => Err(Status::unauthenticated("whoever you are")),
                name => Ok(Response::new(format!("Hello, {name}"))),
            }
        }
    });
    Grpc::new(Codec::default()).unary(method, request).await
}

async fn collect(State(tokens): State<Tokens>, request: extract::Request) -> Answer {
    let method = service_fn(|request: Request<Streaming<String>>| {
        let tokens = tokens.count();
        async move {
            tokens.check(&request)?;
            let messages: Vec<_> = request.into_inner().try_collect().await?;
            Ok(Response::new(messages.join(" ")))
        }
    });
    Grpc::new(Codec::default()).client_streaming(method, request).await
}

async fn drain(State(tokens): State<Tokens>, request: extract::Request) -> Answer {
    let method = service_fn(|request: Request<Streaming<String>>| {
        let checked = tokens.count().check(&request);
        let messages = tokio::spawn(request.into_inner().try_collect::<Vec<_>>());
        async move {
            checked?;
            let messages = messages.await.map_err(|error| Status::internal(error.to_string()))??;
            Ok(Response::new(messages.join(" ")))
        }
    });
    Grpc::new(Codec::default()).client_streaming(method, request).await
}

async fn count(State(tokens): State<Tokens>, request: extract::Request) -> Answer {
    let method = service_fn(|request: Request<String>| {
        let tokens = tokens.count();
        async move {
            tokens.check(&request)?;
            let numbers = stream::iter(1_usize..).then(move |number| {
                let checked = tokens.check(&request);
                async move {
                    sleep(Duration::from_millis(10)).await;
                    checked.map(|()| number.to_string())
                }
            });
            Ok(Response::new(numbers))
        }
    });
    Grpc::new(Codec::default()).server_streaming(method, request).await
}

/// tonic's own servers put the status of an answer without a message into the headers; others don't.
async fn late(state: State<Tokens>, request: extract::Request) -> http::Response<AxumBody> {
    let (mut head, body) = greet(state, request).await.into_parts();
    let mut trailers = HeaderMap::new();
    for name in ["grpc-status", "grpc-message"] {
        if let Some(value) = head.headers.remove(name) {
            trailers.insert(name, value);
        }
    }
    let body = match trailers.is_empty() {
        true => AxumBody::new(body),
        false => {
            let end = [Ok::<_, BoxError>(Frame::trailers(trailers))];
            AxumBody::new(StreamBody::new(stream::iter(end)))
        }
    };
    http::Response::from_parts(head, body)
}
