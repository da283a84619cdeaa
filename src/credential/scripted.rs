//! A server for unit tests: gives one answer to everything, and remembers what it was sent.

use std::{
    error::Error as StdError,
    future::ready,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;

use crate::{error::BoxError, transport::Transport};

#[derive(Clone)]
pub(crate) struct Scripted {
    sent: Arc<Mutex<Vec<Request<()>>>>,
    bodies: Arc<Mutex<Vec<Bytes>>>,
    answer: Arc<dyn Fn() -> Result<Response<Full<Bytes>>, BoxError> + Send + Sync>,
}

impl Scripted {
    pub(crate) fn answers(status: u16, headers: &[(&'static str, &str)], body: &str) -> Self {
        let (headers, body) = (header_map(headers), body.to_owned());
        Self::with(move || {
            let mut response = Response::new(Full::from(body.clone()));
            *response.status_mut() = status.try_into().expect("a status");
            *response.headers_mut() = headers.clone();
            Ok(response)
        })
    }

    /// Answers with bytes that need not be text.
    pub(crate) fn responds(response: Response<Bytes>) -> Self {
        Self::with(move || Ok(response.clone().map(Full::from)))
    }

    pub(crate) fn fails(error: &'static str) -> Self {
        Self::with(move || Err(error.into()))
    }

    pub(crate) fn transport(&self) -> Transport {
        let server = self.clone();
        Transport::new(tower::service_fn(move |request: Request<Full<Bytes>>| {
            let (head, body) = request.into_parts();
            let body = futures_util::FutureExt::now_or_never(http_body_util::BodyExt::collect(body));
            let body = body.expect("whole").expect("infallible").to_bytes();
            server.bodies.lock().unwrap().push(body);
            server.sent.lock().unwrap().push(Request::from_parts(head, ()));
            ready((server.answer)())
        }))
    }

    /// The only request, as lines: the request line, the headers by name, an empty line, the body. Headers that
    /// have to be sensitive are marked with `*`.
    pub(crate) fn wire(&self) -> String {
        let (sent, bodies) = (self.sent.lock().unwrap(), self.bodies.lock().unwrap());
        let [request] = &sent[..] else { panic!("{} requests", sent.len()) };
        let mut headers: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, value)| {
                let mark = if value.is_sensitive() { "*" } else { "" };
                format!("{name}{mark}: {}", value.to_str().unwrap())
            })
            .collect();
        headers.sort();
        let body = String::from_utf8(bodies[0].to_vec()).unwrap();
        format!("{} {}\n{}\n\n{body}", request.method(), request.uri(), headers.join("\n"))
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.sent.lock().unwrap().clear();
        self.bodies.lock().unwrap().clear();
    }

    pub(crate) fn count(&self, method: Method) -> usize {
        self.sent.lock().unwrap().iter().filter(|request| request.method() == method).count()
    }

    fn with(answer: impl Fn() -> Result<Response<Full<Bytes>>, BoxError> + Send + Sync + 'static) -> Self {
        Self { sent: Arc::default(), bodies: Arc::default(), answer: Arc::new(answer) }
    }
}

/// All that can be printed of an error and its sources.
pub(crate) fn printed(error: &(dyn StdError + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.map(|error| format!("{error}\n{error:?}\n{error:#?}\n")).collect()
}

fn header_map(headers: &[(&'static str, &str)]) -> HeaderMap {
    headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}
