//! What a fake answers: status, headers and body, ready to be sent as it is.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName},
};
use http_body_util::Full;

/// An answer of a fake vendor, to be planned with [`Controls::fail`](super::Controls::fail) or looked up with
/// [`Recorded::answer`](super::Recorded::answer).
///
/// The vendors' printed errors are available by name and convert into it, so that a header can be added to one or
/// replaced: [`ApiVideoError`](super::ApiVideoError), [`VideskError`](super::VideskError),
/// [`VidizmoError`](super::VidizmoError), [`VervoeError`](super::VervoeError).
///
/// # Examples
///
/// ```
/// use http::{StatusCode, header::RETRY_AFTER};
/// use tower_reauth::testing::{Answer, ApiVideoError};
///
/// let busy = Answer::new(StatusCode::SERVICE_UNAVAILABLE).header(RETRY_AFTER, 5);
/// assert_eq!(busy.headers()["retry-after"], "5");
///
/// let suspended = Answer::from(ApiVideoError::SuspendedAccount);
/// assert_eq!(suspended.status(), StatusCode::FORBIDDEN);
/// ```
#[derive(Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Fixed(Bytes),
    /// Made anew for each answer, since the vendor prints an id in it.
    Fresh(fn() -> Bytes),
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::Fixed(Bytes::new()) }
    }

    /// An answer with `body` as `application/json`, sent byte for byte, well-formed or not.
    #[must_use]
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status).header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body)
    }

    /// Sets a header, in place of the one of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Fixed(body.into());
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers, without those that an HTTP server adds.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, byte for byte. Of an answer with an id in it, which hasn't been sent, it is an example.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        match &self.body {
            Body::Fixed(body) => body.clone(),
            Body::Fresh(make) => make(),
        }
    }

    pub(super) fn fresh(status: StatusCode, make: fn() -> Bytes) -> Self {
        Self { body: Body::Fresh(make), ..Self::json(status, Bytes::new()) }
    }

    /// Settles the body, so that what is recorded is what is sent.
    pub(super) fn settle(self) -> Self {
        Self { body: Body::Fixed(self.bytes()), ..self }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.bytes()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Without the body, which may be a token.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}
