//! Why a fake refused a request: the contract doesn't allow it.

use std::fmt;

use http::{HeaderValue, Method, StatusCode, header::ALLOW};

use super::answer::Answer;

/// A request that broke the vendor's contract. A missing, expired or invalid token doesn't: the vendor answers that.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use http_body_util::Full;
/// use tower::ServiceExt;
/// use tower_reauth::testing::{FakeVervoe, Violation};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let vervoe = FakeVervoe::new("key", "secret");
/// let request = Request::post("/api/public/ats-api/token").body(Full::<Bytes>::default())?;
/// assert_eq!(vervoe.clone().oneshot(request).await?.status(), 405);
/// assert_eq!(vervoe.refusals()[0].violation(), &Violation::Method(http::Method::GET));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    violation: Violation,
    method: Method,
    path: String,
}

impl Refusal {
    /// What the contract doesn't allow.
    #[must_use]
    pub fn violation(&self) -> &Violation {
        &self.violation
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path of the request, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn new(violation: Violation, method: &Method, path: &str) -> Self {
        Self { violation, method: method.clone(), path: path.to_owned() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.method, self.path, self.violation)
    }
}

/// What a request did that the vendor's contract doesn't allow.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::Violation;
///
/// assert_eq!(Violation::MissingField("apiKey").to_string(), "the body lacks apiKey");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// The endpoint has another method, this one.
    Method(Method),
    /// There is no such endpoint among those for tokens.
    Path,
    /// A token request has a query.
    Query,
    /// A token request doesn't say `Accept: application/json`.
    Accept,
    /// A body that must be JSON has another `Content-Type`, or none.
    MediaType,
    /// A body where there must be none.
    Body,
    /// A body longer than the limit, 16 MiB by default.
    BodyTooLong,
    /// A body that isn't a JSON object.
    MalformedJson,
    /// The JSON body lacks this field, or it isn't a string.
    MissingField(&'static str),
    /// The JSON body has a field that the contract doesn't know.
    UnexpectedField(String),
    /// A password and a client secret in one request.
    BothSecrets,
    /// `Authorization` on a request that must not have it.
    Authorization,
    /// More than one header with credentials.
    TwoCredentials,
    /// Credentials in another header than the endpoint's own.
    WrongHeader,
    /// Another `Authorization` scheme than the token endpoint's own, or credentials that can't be read.
    WrongScheme,
}

impl Violation {
    pub(super) fn answer(&self) -> Answer {
        let status = match self {
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Accept => StatusCode::NOT_ACCEPTABLE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        let answer = Answer::json(status, serde_json::json!({ "refused": self.to_string() }).to_string());
        match self {
            Self::Method(allowed) => match HeaderValue::from_str(allowed.as_str()) {
                Ok(allowed) => answer.header(ALLOW, allowed),
                Err(_) => answer,
            },
            _ => answer,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method(method) => return write!(f, "the method must be {method}"),
            Self::Path => "there is no such endpoint",
            Self::Query => "a token request must not have a query",
            Self::Accept => "a token request must say Accept: application/json",
            Self::MediaType => "the body must be application/json",
            Self::Body => "there must be no body",
            Self::BodyTooLong => "the body is too long",
            Self::MalformedJson => "the body must be a JSON object",
            Self::MissingField(field) => return write!(f, "the body lacks {field}"),
            Self::UnexpectedField(field) => return write!(f, "the body must not have {field:?}"),
            Self::BothSecrets => "a password and a client secret exclude each other",
            Self::Authorization => "there must be no Authorization header",
            Self::TwoCredentials => "there must be one header with credentials",
            Self::WrongHeader => "the credentials belong in another header",
            Self::WrongScheme => "the credentials need another scheme, or can't be read",
        })
    }
}
