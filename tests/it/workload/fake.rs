//! A service that answers each whole request as a test says, and remembers it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Router, body::Body, extract::Request};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;

use crate::support::Serving;

/// A request with its body.
pub(super) type Asked = http::Request<Bytes>;

pub(super) struct Fake {
    serving: Serving,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers with what `answer` makes of each request and of how many there were before it.
    pub(super) async fn start(
        answer: impl Fn(&Asked, usize) -> http::Response<String> + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let recorded = asked.clone();
        let router = Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let request = Asked::from_parts(head, body.collect().await.unwrap().to_bytes());
            let mut asked = recorded.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = answer(&request, asked.len());
            asked.push(request);
            answer.map(Body::from)
        });
        Self { serving: Serving::of(router).await, asked }
    }

    /// Host and port.
    pub(super) fn host(&self) -> String {
        self.serving.origin.replace("http://", "")
    }

    pub(super) fn url(&self, target: &str) -> String {
        format!("{}{target}", self.serving.origin)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn count(&self) -> usize {
        self.asked().len()
    }
}

pub(super) fn json(status: u16, body: impl Into<String>) -> http::Response<String> {
    let response = http::Response::builder().status(StatusCode::from_u16(status).unwrap());
    response.header("content-type", "application/json").body(body.into()).unwrap()
}

/// The value of a header, or nothing.
pub(super) fn header<'r>(request: &'r Asked, name: &str) -> &'r str {
    request.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// What the query or the form has by this name.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value.replace('+', " ")).next()?;
    Some(percent_encoding::percent_decode_str(&found).decode_utf8().unwrap().into_owned())
}

pub(super) fn query(request: &Asked, name: &str) -> Option<String> {
    field(request.uri().query().unwrap_or_default(), name)
}

pub(super) fn form(request: &Asked, name: &str) -> Option<String> {
    field(std::str::from_utf8(request.body()).unwrap(), name)
}

/// A JWT that has so many seconds to live, and is nobody's.
pub(super) fn jwt(name: &str, seconds: u64) -> String {
    let exp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + seconds;
    let claims = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{name}","exp":{exp}}}"#));
    format!("e30.{claims}.c2ln")
}
