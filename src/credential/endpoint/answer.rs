//! Reads a token endpoint's answers: where in them things are, and what a status means.

use std::{borrow::Cow, time::Duration};

use http::{HeaderMap, HeaderName, Response, StatusCode, header::CONTENT_ENCODING};
use secrecy::SecretString;
use serde_json::Value;

use super::{
    lifetime::lifetime,
    request::{TokenRequest, header_name},
    retry_after::retry_after,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, ErrorCode},
    secret::Redactor,
};

/// Where in an answer something is.
///
/// A string literal becomes a JSON Pointer by itself.
///
/// # Examples
///
/// ```
/// use tower_reauth::AnswerField;
///
/// let token: AnswerField = "/data/token".into(); // {"data":{"token":"…"}}
/// let token = AnswerField::body(); // "…", or the same without quotes
/// let token = AnswerField::header("X-Subject-Token"); // in a header
/// ```
#[derive(Clone, Debug)]
pub struct AnswerField(Place);

#[derive(Clone, Debug)]
enum Place {
    Pointer(Cow<'static, str>),
    Body,
    Header(Cow<'static, str>),
}

impl AnswerField {
    /// In the JSON body, at a JSON Pointer (RFC 6901).
    pub fn pointer(pointer: impl Into<Cow<'static, str>>) -> Self {
        Self(Place::Pointer(pointer.into()))
    }

    /// The whole body: a JSON string, or plain text, without surrounding white space. A body that is other JSON
    /// or markup is nothing.
    #[must_use]
    pub fn body() -> Self {
        Self(Place::Body)
    }

    /// In a header.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Place::Header(name.into()))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Place::Pointer(pointer) if !is_pointer(pointer) => Err(ConfigError::new(
                ConfigErrorKind::Declaration,
                format!("{pointer:?} is not a json pointer; one looks like \"/data/token\" (RFC 6901)"),
            )),
            Place::Header(name) => header_name(name).map(drop),
            Place::Pointer(_) | Place::Body => Ok(()),
        }
    }
}

impl From<&'static str> for AnswerField {
    fn from(pointer: &'static str) -> Self {
        Self::pointer(pointer)
    }
}

/// Where an endpoint's answers have what.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) token: AnswerField,
    pub(super) refresh_token: AnswerField,
    pub(super) lifetime: Lifetime,
    /// What a success has to say, if it says anything there.
    pub(super) success: Vec<(AnswerField, String)>,
    /// What says that the credentials are refused, whatever the status.
    pub(super) refusals: Vec<(AnswerField, String)>,
    /// Where the server's own words are; by default where RFC 6749 §5.2 has them.
    pub(super) messages: Vec<AnswerField>,
    pub(super) retry_after: Vec<Cow<'static, str>>,
    /// Whether failures and token types are judged as RFC 6749 §5 has them.
    pub(super) strict: bool,
}

/// How long tokens live.
#[derive(Clone, Debug)]
pub(super) enum Lifetime {
    Stated(AnswerField),
    Fixed(Duration),
    Unknown,
}

impl Shape {
    /// RFC 6749 §5.
    pub(super) fn oauth2() -> Self {
        Self {
            token: "/access_token".into(),
            refresh_token: "/refresh_token".into(),
            lifetime: Lifetime::Stated("/expires_in".into()),
            success: Vec::new(),
            refusals: Vec::new(),
            messages: Vec::new(),
            retry_after: Vec::new(),
            strict: false,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let conditions = self.success.iter().chain(&self.refusals).map(|(field, _)| field);
        let lifetime = match &self.lifetime {
            Lifetime::Stated(field) => Some(field),
            Lifetime::Fixed(_) | Lifetime::Unknown => None,
        };
        [&self.token, &self.refresh_token]
            .into_iter()
            .chain(lifetime)
            .chain(conditions)
            .chain(&self.messages)
            .try_for_each(AnswerField::check)?;
        self.retry_after.iter().try_for_each(|name| header_name(name).map(drop))
    }
}

/// Why an answer brings no token.
#[derive(Clone, Copy)]
pub(super) enum Problem {
    Refused,
    Unavailable,
    /// The token is to be used in a way that isn't a bearer token's.
    TokenType,
    Nonsense(&'static str),
}

impl Problem {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Refused => "refused the request",
            Self::Unavailable => "did not answer with a success",
            Self::TokenType => "sent a token that is not a bearer token, and can't be used as one",
            Self::Nonsense(words) => words,
        }
    }
}

/// An answer, parsed as far as it can be.
pub(super) struct Answer<'a> {
    shape: &'a Shape,
    status: StatusCode,
    headers: &'a HeaderMap,
    /// `None` if the answer is encoded, and nothing here decodes.
    body: Option<&'a [u8]>,
    json: Option<Value>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(shape: &'a Shape, response: &'a Response<impl AsRef<[u8]>>) -> Self {
        let encoded = response
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"));
        let bytes = response.body().as_ref();
        let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        let body = (!encoded).then_some(body);
        let json = body.and_then(|body| serde_json::from_slice(body).ok());
        Self { shape, status: response.status(), headers: response.headers(), body, json }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What keeps the answer to `request` from being a success, apart from what a token needs.
    pub(super) fn problem(&self, request: &TokenRequest) -> Result<(), Problem> {
        let is_success = request.is_success(self.status);
        if self.has_any(&self.shape.refusals) || !is_success && self.is_refusal() {
            Err(Problem::Refused)
        } else if !is_success {
            Err(Problem::Unavailable)
        } else if self
            .shape
            .success
            .iter()
            .any(|(field, wanted)| self.text(field).is_some_and(|found| found != *wanted))
        {
            Err(Problem::Nonsense("says that it failed"))
        } else {
            Ok(())
        }
    }

    pub(super) fn token(&self) -> Result<String, Problem> {
        match self.text(&self.shape.token) {
            Some(_) if self.token_type().is_some() => Err(Problem::TokenType),
            Some(token) => Ok(token),
            // Some servers put the errors of RFC 6749 §5.2 into a success.
            None if self.shape.strict && self.text(&"/error".into()).is_some() => {
                let transient = self.code().is_some_and(ErrorCode::is_transient);
                Err(if transient { Problem::Unavailable } else { Problem::Refused })
            }
            None => Err(Problem::Nonsense(match self.body {
                None => {
                    "sent an encoded answer, which can't be read; let the client decode, or not ask for \
                     encoding"
                }
                Some(b"") => "sent an empty answer",
                Some(_) => "sent an answer without a token",
            })),
        }
    }

    /// The token's type, if it is one that can't be used (RFC 6749 §7.1). An absent one is `Bearer`.
    pub(super) fn token_type(&self) -> Option<String> {
        let token_type = self.text(&"/token_type".into()).filter(|_| self.shape.strict)?;
        (!token_type.eq_ignore_ascii_case("Bearer")).then_some(token_type)
    }

    /// What the server's `error` says (RFC 6749 §5.2).
    pub(super) fn code(&self) -> Option<ErrorCode> {
        ErrorCode::parse(&self.text(&"/error".into())?)
    }

    /// Whether it is the client that is refused (RFC 6749 §5.2), so that no other grant fares better.
    pub(super) fn refuses_the_client(&self) -> bool {
        self.shape.strict && self.code() == Some(ErrorCode::InvalidClient)
    }

    pub(super) fn refresh_token(&self) -> Option<SecretString> {
        self.text(&self.shape.refresh_token).map(SecretString::from)
    }

    /// The tokens in the answer, for redaction.
    pub(super) fn secrets(&self) -> impl Iterator<Item = String> {
        [&self.shape.token, &self.shape.refresh_token].into_iter().filter_map(|field| self.text(field))
    }

    pub(super) fn lifetime(&self) -> Option<Duration> {
        match &self.shape.lifetime {
            Lifetime::Stated(AnswerField(Place::Pointer(pointer))) => {
                self.json.as_ref()?.pointer(pointer).and_then(lifetime)
            }
            Lifetime::Stated(field) => lifetime(&Value::from(self.text(field)?)),
            Lifetime::Fixed(lifetime) => Some(*lifetime),
            Lifetime::Unknown => None,
        }
    }

    /// The server's own words, fit to be shown.
    pub(super) fn message(&self, redactor: &Redactor) -> Option<String> {
        let default = ["/error".into(), "/error_description".into(), "/error_uri".into()];
        let default = if self.shape.strict { &default[..] } else { &default[..2] };
        let fields = if self.shape.messages.is_empty() { default } else { &self.shape.messages };
        let mut parts: Vec<String> = fields.iter().filter_map(|field| self.text(field)).collect();
        parts.dedup();
        let message = redactor.clean(&parts.join(": "));
        (!message.is_empty()).then_some(message)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        let names: Vec<HeaderName> =
            self.shape.retry_after.iter().filter_map(|name| header_name(name).ok()).collect();
        retry_after(self.headers, &names)
    }

    /// Whether what was sent is refused for good, by the status and, if the endpoint keeps to it, RFC 6749 §5.2.
    fn is_refusal(&self) -> bool {
        is_refusal(self.status) && !(self.shape.strict && self.code().is_some_and(ErrorCode::is_transient))
    }

    fn has_any(&self, conditions: &[(AnswerField, String)]) -> bool {
        conditions.iter().any(|(field, value)| self.text(field).is_some_and(|found| found == *value))
    }

    /// The text at `field`, trimmed; `None` if it is empty or no text.
    fn text(&self, field: &AnswerField) -> Option<String> {
        let text = match &field.0 {
            Place::Pointer(pointer) => scalar(self.json.as_ref()?.pointer(pointer)?)?,
            Place::Body => match &self.json {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(_)) | None => plain(self.body?)?.to_owned(),
                Some(_) => return None,
            },
            Place::Header(name) => self.headers.get(&**name)?.to_str().ok()?.to_owned(),
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// Whether the status refuses what was sent, for good.
pub(in crate::credential) fn is_refusal(status: StatusCode) -> bool {
    (status.is_redirection() || status.is_client_error())
        && !matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A body that is plain text, and not broken JSON or markup.
fn plain(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    (!text.starts_with(['{', '[', '"', '<'])).then_some(text)
}

/// RFC 6901 §3.
fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/'))
        && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}
