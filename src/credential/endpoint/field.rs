//! [`AnswerField`]: where in an answer something is.

use std::borrow::Cow;

use super::request::header_name;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    text::Pointer,
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
/// let token = AnswerField::cookie("AuthSession"); // in a cookie that the answer sets
/// let refusal = (AnswerField::status(), 422); // with `TokenEndpoint::refusal`
/// ```
#[derive(Clone, Debug)]
pub struct AnswerField(pub(super) Place);

#[derive(Clone, Debug)]
pub(super) enum Place {
    Pointer(Cow<'static, str>),
    Body,
    Header(Cow<'static, str>),
    Cookie(Cow<'static, str>),
    Status,
}

impl AnswerField {
    /// In the JSON body, at a JSON Pointer (RFC 6901), in which `*` stands for any element of an array. In a form it
    /// names a field: `/access_token`.
    pub fn pointer(pointer: impl Into<Cow<'static, str>>) -> Self {
        Self(Place::Pointer(pointer.into()))
    }

    /// The whole body: a JSON string, or plain text, without surrounding white space. A body that is other JSON
    /// or markup is nothing.
    ///
    /// As a token it is one word of visible ASCII, at most 64 KiB; the scheme that it is sent with may come before it. Anything
    /// else, such as a sentence, is no token, and an error. What a login says in text when it fails is best declared with
    /// [`TokenEndpoint::refusal`](crate::TokenEndpoint::refusal): a single word can't be told from a token.
    #[must_use]
    pub fn body() -> Self {
        Self(Place::Body)
    }

    /// In a header.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Place::Header(name.into()))
    }

    /// The value of a cookie that the answer sets (RFC 6265 §4.1), without its attributes: a session login's token. It is
    /// sent again where [`Placement`](crate::Placement) says, such as [`Placement::cookie`](crate::Placement::cookie).
    pub fn cookie(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Place::Cookie(name.into()))
    }

    /// The status, as a number: for answers that say by it alone what they mean.
    #[must_use]
    pub fn status() -> Self {
        Self(Place::Status)
    }

    /// The member `name` beside this one, if this is within something in the body. `name` has nothing that a pointer would
    /// escape.
    pub(super) fn beside(&self, name: &str) -> Option<Self> {
        let Place::Pointer(pointer) = &self.0 else { return None };
        let (parent, _) = pointer.rsplit_once('/').filter(|(parent, _)| !parent.is_empty())?;
        Some(Self::pointer(format!("{parent}/{name}")))
    }

    /// As a file would declare it.
    pub(in crate::credential) fn declared(&self) -> Cow<'static, str> {
        match &self.0 {
            Place::Pointer(pointer) => pointer.clone(),
            Place::Body => "body".into(),
            Place::Header(name) => format!("header:{name}").into(),
            Place::Cookie(name) => format!("cookie:{name}").into(),
            Place::Status => "status".into(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Place::Pointer(pointer) if Pointer::parse(pointer).is_none() => Err(ConfigError::new(
                ConfigErrorKind::Declaration,
                format!("{pointer:?} is not a json pointer; one looks like \"/data/token\" (RFC 6901)"),
            )),
            Place::Header(name) => header_name(name).map(drop),
            // Made of the same characters as a header's (RFC 6265 §4.1.1).
            Place::Cookie(name) => header_name(name).map(drop).map_err(|_| {
                ConfigError::new(ConfigErrorKind::Header, format!("{name:?} is not a cookie's name"))
            }),
            Place::Pointer(_) | Place::Body | Place::Status => Ok(()),
        }
    }
}

impl From<&'static str> for AnswerField {
    fn from(pointer: &'static str) -> Self {
        Self::pointer(pointer)
    }
}
