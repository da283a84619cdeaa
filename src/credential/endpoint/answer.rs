//! [`Answer`]: a token endpoint's answer, read as far as it can be read. What it means is told in `judgement`.

use std::{borrow::Cow, time::Duration};

use http::{
    HeaderMap, HeaderName, Response, StatusCode,
    header::{CONTENT_TYPE, SET_COOKIE},
};
use secrecy::SecretString;

use super::{
    field::{AnswerField, Place},
    lifetime,
    request::header_name,
    retry_after::{retry_after, server_time},
    shape::{Lifetime, Shape},
};
use crate::{
    error::ErrorCode,
    secret::Redactor,
    text::{Document, Pointer, Scalar, decode, fields, is_encoded, unescaped},
};

/// The longest token that is believed, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// An answer, parsed as far as it can be.
pub(super) struct Answer<'a> {
    shape: &'a Shape,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) content: Content<'a>,
}

/// What an answer holds.
pub(super) enum Content<'a> {
    /// It has a content coding, and nothing here decodes.
    Encoded,
    Json(Document<'a>),
    Form(Cow<'a, str>),
    /// Neither, or nothing at all.
    Text(Cow<'a, str>),
}

/// What may be where a value is wanted.
#[derive(Clone, Copy)]
enum Wanted {
    /// Words, or what stands for something: any value that holds no others.
    Words,
    /// A token: a string, or from vendors of their own kind a whole number, digit for digit.
    Token,
}

impl<'a> Answer<'a> {
    pub(super) fn new(shape: &'a Shape, response: &'a Response<impl AsRef<[u8]>>) -> Self {
        let (headers, bytes) = (response.headers(), response.body().as_ref());
        let content = if is_encoded(headers) {
            Content::Encoded
        } else {
            let text = decode(bytes, headers);
            // First, since many servers say of JSON that it is something else.
            match Document::parse_or_return(text) {
                Ok(document) => Content::Json(document),
                Err(text) if (shape.is_form || is_form(headers)) && may_be_form(&text) => Content::Form(text),
                Err(text) => Content::Text(text),
            }
        };
        Self { shape, status: response.status(), headers, content }
    }

    /// The token, as it is written, without the scheme that it is sent with, or that its type is.
    pub(super) fn token(&self) -> Option<String> {
        let text = self.value(&self.shape.token, Wanted::Token)?;
        let Some((before, rest)) = text.split_once(|char: char| char.is_ascii_whitespace()) else {
            return Some(text);
        };
        let is_it = |scheme: &str| scheme.eq_ignore_ascii_case(before);
        let is_scheme = self.shape.scheme.as_deref().is_some_and(is_it)
            || self.shape.names().any(is_it)
            || self.token_types().any(|name| is_it(&name) && self.shape.admits(&name));
        Some(if is_scheme { rest.trim_start().to_owned() } else { text })
    }

    /// The token's type, if it is one that can't be sent as a bearer token (RFC 6749 §7.1). An absent one is `Bearer`.
    pub(super) fn odd_token_type(&self) -> Option<String> {
        self.token_types().find(|token_type| !self.shape.admits(token_type))
    }

    /// What the answer says of the token's type: beside the token, wherever that is, and where RFC 6749 §5.1 has it.
    fn token_types(&self) -> impl Iterator<Item = String> {
        let fields = self.shape.token.beside("token_type").into_iter().chain(["/token_type".into()]);
        fields.filter_map(|field: AnswerField| self.text(&field))
    }

    /// What the server's `error` says (RFC 6749 §5.2).
    pub(super) fn code(&self) -> Option<ErrorCode> {
        ErrorCode::parse(&self.error()?)
    }

    /// What the server's `error` says, known or not.
    pub(super) fn error(&self) -> Option<String> {
        self.text(&"/error".into())
    }

    /// Whether it is the client that is refused (RFC 6749 §5.2), so that no other grant fares better.
    pub(super) fn refuses_the_client(&self) -> bool {
        self.shape.strict && self.code() == Some(ErrorCode::InvalidClient)
    }

    /// The refresh token, if it can be one: the one before it stays in force if it can't.
    pub(super) fn refresh_token(&self) -> Option<SecretString> {
        let text = self.value(&self.shape.refresh_token, Wanted::Token)?;
        let is_odd = |char: char| char.is_control() || char == char::REPLACEMENT_CHARACTER;
        (text.len() <= MAX_TOKEN && !text.contains(is_odd)).then(|| text.into())
    }

    /// What else is kept of the answer.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, String)> {
        let members = self.shape.members.iter();
        members.filter_map(|(name, field)| Some((&**name, self.text(field)?)))
    }

    /// The tokens in the answer, and what else of it is kept, for redaction.
    pub(super) fn secrets(&self) -> impl Iterator<Item = String> {
        self.kept().filter(|text| text.len() <= MAX_TOKEN)
    }

    /// Whatever is at the places of tokens and of what else is kept.
    fn kept(&self) -> impl Iterator<Item = String> {
        // Without the scheme, which is no secret.
        let token = self.token().or_else(|| self.text(&self.shape.token));
        let members = self.shape.members.iter().map(|(_, field)| field);
        let others = [&self.shape.refresh_token].into_iter().chain(members);
        token.into_iter().chain(others.filter_map(|field| self.text(field)))
    }

    /// How long `token` lives.
    pub(super) fn lifetime(&self, token: &str) -> Option<Duration> {
        match &self.shape.lifetime {
            Lifetime::Stated(field) => lifetime::stated(&self.text(field)?, server_time(self.headers)),
            Lifetime::Fixed(lifetime) => Some(*lifetime),
            Lifetime::Jwt => lifetime::of_jwt(token, server_time(self.headers)),
            Lifetime::Unknown => None,
        }
    }

    /// The server's own words, fit to be shown. None where something is kept that is longer than any token: nobody looks
    /// for that in them.
    pub(super) fn message(&self, redactor: &Redactor) -> Option<String> {
        if self.kept().any(|text| text.len() > MAX_TOKEN) {
            return None;
        }
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

    /// Whether one of `conditions` holds.
    pub(super) fn has_any(&self, conditions: &[(AnswerField, String)]) -> bool {
        conditions.iter().any(|(field, value)| self.text(field).is_some_and(|found| found == *value))
    }

    /// The text at `field`, trimmed; `None` if it is empty or no text.
    pub(super) fn text(&self, field: &AnswerField) -> Option<String> {
        self.value(field, Wanted::Words)
    }

    fn value(&self, field: &AnswerField, wanted: Wanted) -> Option<String> {
        let text: Cow<'_, str> = match (&field.0, &self.content) {
            (Place::Status, _) => self.status.as_str().into(),
            (Place::Header(name), _) => self.headers.get(&**name)?.to_str().ok()?.into(),
            (Place::Cookie(name), _) => cookie(self.headers, name)?.into(),
            (Place::Pointer(pointer), Content::Json(document)) => {
                self.scalar(Pointer::parse(pointer)?.first(document.root())?.scalar()?, wanted)?
            }
            (Place::Pointer(pointer), Content::Form(text)) => {
                let wanted = unescaped(pointer.strip_prefix('/')?);
                fields(text).filter(|(name, _)| *name == wanted).last()?.1
            }
            (Place::Body, Content::Json(document)) => match document.root().scalar()? {
                Scalar::Text(text) => text,
                Scalar::Number(digits) => digits.into(),
                Scalar::Bool(_) | Scalar::Null => return None,
            },
            (Place::Body, Content::Text(text)) => plain(text)?.into(),
            (Place::Pointer(_), Content::Text(_) | Content::Encoded)
            | (Place::Body, Content::Form(_) | Content::Encoded) => return None,
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn scalar<'d>(&self, scalar: Scalar<'d>, wanted: Wanted) -> Option<Cow<'d, str>> {
        match (scalar, wanted) {
            (Scalar::Text(text), _) => Some(text),
            (Scalar::Number(digits), Wanted::Words) => Some(digits.into()),
            (Scalar::Bool(flag), Wanted::Words) => Some(flag.to_string().into()),
            // RFC 6749 §5.1 has strings only.
            (Scalar::Number(digits), Wanted::Token) if !self.shape.strict => {
                digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.into())
            }
            (Scalar::Number(_) | Scalar::Bool(_), Wanted::Token) | (Scalar::Null, _) => None,
        }
    }
}

/// The value of the cookie `name`, of the last one that has it: it would replace those before it.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut pairs = headers.get_all(SET_COOKIE).iter().filter_map(|line| {
        let (known, value) = line.to_str().ok()?.split(';').next()?.split_once('=')?;
        (known.trim() == name).then(|| value.trim().trim_matches('"'))
    });
    pairs.next_back()
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Whether the text of an answer that should be a form is one, and not a page of something in front of the server.
fn may_be_form(text: &str) -> bool {
    !text.trim_start().starts_with('<') && text.contains('=')
}

/// A body that is plain text, and not broken JSON or markup.
fn plain(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.starts_with(['{', '[', '"', '<'])).then_some(text)
}
