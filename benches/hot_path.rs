//! What the layer costs a request whose token is cached, beside what others cost.
//!
//! The work is a POST with 8 headers (3 static, 2 shared, 3 fresh) and a body of 200 bytes to a service that answers
//! 200 at once. Only ratios within one run mean anything.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{Empty, Full};
use tower::{Layer, Service, retry};
use tower_http::auth::AddAuthorizationLayer;
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AuthLayer, Credential, Origin, Rule, Signatures, signature::json,
};

const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";

/// The trivial client.
#[derive(Clone)]
struct Inner;

impl Service<Request<Full<Bytes>>> for Inner {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        black_box(request);
        ready(Ok(Response::new(Empty::new())))
    }
}

struct Hour;

impl Credential for Hour {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Ok(AccessToken::new(TOKEN)?.with_lifetime(Duration::from_secs(3600)))
    }
}

/// tower's `Retry` as a peer: it clones every request, and never retries here.
#[derive(Clone)]
struct OnUnauthorized;

impl<B: Clone, R, E> retry::Policy<Request<B>, Response<R>, E> for OnUnauthorized {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<B>, result: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
        match result {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => Some(ready(())),
            _ => None,
        }
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

/// What differs from request to request is made anew, as programs do.
struct Template {
    shared: [HeaderValue; 2],
    body: Bytes,
}

impl Template {
    fn new() -> Self {
        let shared =
            |text: &str| HeaderValue::from_maybe_shared(Bytes::from(text.to_owned())).expect("valid");
        Self {
            shared: [shared("a-trace-id-that-is-shared"), shared("another-shared-value")],
            body: vec![b'x'; 200].into(),
        }
    }

    fn request(&self) -> Request<Full<Bytes>> {
        const STATIC: [(&str, &str); 3] = [
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("user-agent", "bench/1.0"),
        ];
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("https://api.example.com/v1/things?page=1");
        let headers = request.headers_mut();
        headers.reserve(12);
        for (name, value) in STATIC {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        for (name, value) in ["traceparent", "x-tenant"].into_iter().zip(&self.shared) {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
        for name in ["x-request-id", "x-idempotency-key", "content-length"] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str("0123456789abcdef").expect("valid"),
            );
        }
        request
    }
}

/// Calls a service whose future is ready at once.
fn call<S>(service: &mut S, request: Request<Full<Bytes>>) -> S::Response
where
    S: Service<Request<Full<Bytes>>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(Ok(response)) => response,
        _ => panic!("the trivial client answers at once"),
    }
}

fn auth() -> AuthLayer {
    let expired = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"));
    AuthLayer::new(Origin::parse("https://api.example.com").expect("an origin"), Hour)
        .signatures(Signatures::new().rule(expired))
}

fn hot_path(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let template = Template::new();
    let mut group = criterion.benchmark_group("hot path");

    let mut inner = Inner;
    group.bench_function("bare inner", |b| b.iter(|| call(&mut inner, template.request())));

    let mut floor = AddAuthorizationLayer::bearer(TOKEN).layer(Inner);
    group.bench_function("AddAuthorization (can't refresh)", |b| {
        b.iter(|| call(&mut floor, template.request()))
    });

    let mut retry = retry::Retry::new(OnUnauthorized, AddAuthorizationLayer::bearer(TOKEN).layer(Inner));
    group.bench_function("tower Retry + AddAuthorization", |b| {
        b.iter(|| call(&mut retry, template.request()))
    });

    let layer = auth();
    runtime.block_on(layer.tokens().get(Duration::ZERO)).expect("a token");
    let mut replayable = layer.layer(Inner);
    group.bench_function("Auth, replayable", |b| b.iter(|| call(&mut replayable, template.request())));
    group.bench_function("Auth, replayable, cloned per request", |b| {
        b.iter(|| call(&mut replayable.clone(), template.request()))
    });
    let mut once = layer.no_replay().layer(Inner);
    group.bench_function("Auth, replay off", |b| b.iter(|| call(&mut once, template.request())));
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
