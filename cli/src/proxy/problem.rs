//! [`Problem`]: an answer that is the proxy's own and not the vendor's. None holds a secret.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, PROXY_AUTHENTICATE, RETRY_AFTER},
};

use super::{body::Body, headers::NAME};

/// RFC 9209: who answers, and what went wrong.
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// Why a request wasn't made, or brought no answer.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// An error type of RFC 9209 §2.3.
    error: &'static str,
    detail: String,
    retry_after: Option<Duration>,
    closes: bool,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: &'static str, detail: impl Into<String>) -> Self {
        Self { status, error, detail: detail.into(), retry_after: None, closes: false }
    }

    /// The request may not be made.
    pub(crate) fn denied(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "http_request_denied", detail)
    }

    /// Nobody knows who makes the request.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PROXY_AUTHENTICATION_REQUIRED, "http_request_denied", detail)
    }

    /// The request isn't one.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "http_request_error", detail)
    }

    /// The proxy can't do that.
    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "http_request_error", detail)
    }

    pub(crate) fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }

    /// The connection is closed with it, since nobody can be sure where the next request begins.
    pub(crate) fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer, as a problem of RFC 9457.
    pub(crate) fn answer(&self) -> Response<Body> {
        let body = serde_json::json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = Response::new(Body::from(format!("{body}\n")));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Ok(status) = HeaderValue::try_from(format!("{NAME}; error={}", self.error)) {
            headers.insert(PROXY_STATUS, status);
        }
        if self.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            // RFC 9110 §11.7.1.
            for scheme in ["Basic realm=\"reauth\"", "Bearer realm=\"reauth\""] {
                headers.append(PROXY_AUTHENTICATE, HeaderValue::from_static(scheme));
            }
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(after) = self.retry_after {
            // Rounded up, so that whoever obeys isn't early.
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs() + 1));
        }
        response
    }
}
