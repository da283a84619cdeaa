//! The work: requests as programs make them, and how they are sent.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use tower::Service;

const URI: &str = "https://api.example.com/v1/things?page=1";
const FRESH: &str = "0123456789abcdef";

/// What a request is made of, found at compile time: making one is to cost little beside what is measured.
const STATIC: [(HeaderName, HeaderValue); 3] = [
    (header::ACCEPT, HeaderValue::from_static("application/json")),
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    (header::USER_AGENT, HeaderValue::from_static("bench/1.0")),
];
const SHARED: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("x-tenant")];
const MADE: [HeaderName; 3] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-sent-at"),
];

/// A POST with 8 headers and a body of 200 bytes: 3 headers are static, 2 share their memory with every other request,
/// and 3 are made anew.
pub(crate) struct Work {
    uri: Uri,
    shared: [HeaderValue; 2],
    body: Bytes,
}

impl Work {
    pub(crate) fn new() -> Self {
        Self::to(Uri::from_static(URI))
    }

    pub(crate) fn to(uri: Uri) -> Self {
        let shared =
            |text: &str| HeaderValue::from_maybe_shared(Bytes::from(text.to_owned())).expect("valid");
        Self {
            uri,
            shared: [shared("a-trace-id-that-is-shared"), shared("another-shared-value")],
            body: vec![b'x'; 200].into(),
        }
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = post(self.uri.clone(), self.body.clone());
        let headers = request.headers_mut();
        // Room for one more: no layer makes the map grow.
        headers.reserve(12);
        for (name, value) in STATIC {
            headers.insert(name, value);
        }
        for (name, value) in SHARED.into_iter().zip(&self.shared) {
            headers.insert(name, value.clone());
        }
        for name in MADE {
            headers.insert(name, HeaderValue::from_str(FRESH).expect("valid"));
        }
        request
    }
}

/// The same with any number of headers, all of them static or all of them made anew.
pub(crate) struct Sweep {
    uri: Uri,
    names: Vec<HeaderName>,
    fresh: bool,
    body: Bytes,
}

impl Sweep {
    pub(crate) fn new(headers: usize, fresh: bool) -> Self {
        let name = |i| HeaderName::try_from(format!("x-header-{i:02}")).expect("valid");
        Self {
            uri: Uri::from_static(URI),
            names: (0..headers).map(name).collect(),
            fresh,
            body: vec![b'x'; 200].into(),
        }
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = post(self.uri.clone(), self.body.clone());
        let headers = request.headers_mut();
        headers.reserve(self.names.len() + 1);
        for name in &self.names {
            let value = match self.fresh {
                true => HeaderValue::from_str(FRESH).expect("valid"),
                false => HeaderValue::from_static(FRESH),
            };
            headers.insert(name.clone(), value);
        }
        request
    }
}

fn post(uri: Uri, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    request
}

/// Calls a service whose future is ready at once.
pub(crate) fn call<S, B>(service: &mut S, request: Request<B>) -> S::Response
where
    S: Service<Request<B>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    match pin!(service.call(black_box(request))).poll(&mut cx) {
        Poll::Ready(Ok(response)) => black_box(response),
        _ => panic!("the trivial client answers at once"),
    }
}
