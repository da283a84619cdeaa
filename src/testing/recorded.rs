//! What a fake received, and how it reads it.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, Method, Uri, Version,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName},
    request::Parts,
};
use serde_json::{Map, Value};

use super::{answer::Answer, plan::Endpoint, refusal::Violation};

/// A request as a fake received it, and what it answered.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use http_body_util::Full;
/// use tower::ServiceExt;
/// use tower_reauth::testing::FakeVidizmo;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let vidizmo = FakeVidizmo::password("john.doe@gmail.com", "examplepassword");
/// let request = Request::get("/api/v1/user/a%40b.com?userPartsToFetch=BasicInfo").body(Full::<Bytes>::default())?;
/// vidizmo.clone().oneshot(request).await?;
///
/// let received = &vidizmo.requests()[0];
/// assert_eq!(received.target(), "/api/v1/user/a%40b.com?userPartsToFetch=BasicInfo");
/// assert_eq!(received.answer().map(|answer| answer.status().as_u16()), Some(400));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recorded {
    endpoint: Endpoint,
    parts: Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
    answer: Option<Answer>,
}

impl Recorded {
    /// Which kind of endpoint it was for.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The URI as it was received: over HTTP/1.1 without an authority, over HTTP/2 and in memory with one.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// Path and query, byte for byte.
    #[must_use]
    pub fn target(&self) -> &str {
        self.parts.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// The HTTP version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The headers, with duplicates in the order received, credentials included. In memory, values that the caller
    /// marked sensitive still are.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The trailers, if there were any.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// What was answered; nothing if it was lost, hung, or the request itself was.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    pub(super) fn new(endpoint: Endpoint, parts: Parts, body: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self { endpoint, parts, body, trailers, answer: None }
    }

    pub(super) fn answered(self, answer: Option<Answer>) -> Self {
        Self { answer, ..self }
    }

    pub(super) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(super) fn expect_method(&self, method: &Method) -> Result<(), Violation> {
        if self.method() == method { Ok(()) } else { Err(Violation::Method(method.clone())) }
    }

    /// What all token endpoints ask for.
    pub(super) fn expect_token_request(&self, method: &Method) -> Result<(), Violation> {
        self.expect_method(method)?;
        if self.uri().query().is_some() {
            return Err(Violation::Query);
        }
        let accepted = self.headers().get_all(ACCEPT).iter().any(|value| {
            value
                .to_str()
                .is_ok_and(|list| list.split(',').any(|range| is_media_type(range, "application/json")))
        });
        if accepted { Ok(()) } else { Err(Violation::Accept) }
    }

    pub(super) fn expect_no_authorization(&self) -> Result<(), Violation> {
        if self.headers().contains_key(AUTHORIZATION) { Err(Violation::Authorization) } else { Ok(()) }
    }

    pub(super) fn expect_no_body(&self) -> Result<(), Violation> {
        if self.body.is_empty() { Ok(()) } else { Err(Violation::Body) }
    }

    pub(super) fn expect_json(&self) -> Result<(), Violation> {
        let said = self.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match said {
            Some(said) if is_media_type(said, "application/json") => Ok(()),
            _ => Err(Violation::MediaType),
        }
    }

    /// The body as an object with none but the `known` fields.
    pub(super) fn json_object(&self, known: &[&str]) -> Result<Map<String, Value>, Violation> {
        self.expect_json()?;
        let Ok(Value::Object(object)) = serde_json::from_slice(&self.body) else {
            return Err(Violation::MalformedJson);
        };
        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(Violation::UnexpectedField(unknown.clone())),
            None => Ok(object),
        }
    }

    /// Whether the body is JSON, to the eye: a text that a user calls JSON data, which a number alone isn't.
    pub(super) fn is_json_data(&self) -> bool {
        // Long uploads needn't be parsed to see that they aren't.
        matches!(self.body.trim_ascii_start().first(), Some(b'{' | b'['))
            && matches!(serde_json::from_slice(&self.body), Ok(Value::Object(_) | Value::Array(_)))
    }

    /// What the one `name` header presents. More than one is a [`Violation::TwoCredentials`] before it comes to this.
    pub(super) fn presented(&self, name: &HeaderName) -> Presented {
        let Some(value) = self.headers().get(name) else {
            return Presented::Nothing;
        };
        let split = value.to_str().ok().and_then(|value| value.split_once(' '));
        match split {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
                Presented::Bearer(token.to_owned())
            }
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => basic(encoded)
                .map_or(Presented::Garbage, |(user, password)| Presented::Basic { user, password }),
            _ => Presented::Garbage,
        }
    }
}

/// Without header values and body, which may be secret.
impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("method", self.method())
            .field("uri", self.uri())
            .field("headers", &self.headers().keys().collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}

/// The credentials in a header.
pub(super) enum Presented {
    Nothing,
    Bearer(String),
    Basic { user: String, password: String },
    Garbage,
}

/// A string field of a JSON body.
pub(super) fn field(object: &Map<String, Value>, name: &'static str) -> Result<String, Violation> {
    object.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(Violation::MissingField(name))
}

/// RFC 7617 §2: the user ends at the first colon.
fn basic(encoded: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn is_media_type(said: &str, wanted: &str) -> bool {
    said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(wanted))
}
