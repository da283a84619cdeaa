//! [`Shape`]: where an endpoint's answers have what, and what they mean.

use std::{borrow::Cow, time::Duration};

use super::{field::AnswerField, request::header_name};
use crate::error::{ConfigError, ConfigErrorKind};

/// Types of tokens that are bound to a key: whoever sends one as a bearer token gives it away for nothing (RFC 9449,
/// RFC 6749 §7.1).
const BOUND: [&str; 3] = ["DPoP", "mac", "pop"];

/// Where an endpoint's answers have what.
#[derive(Clone, Debug)]
pub(in crate::credential) struct Shape {
    pub(in crate::credential) token: AnswerField,
    pub(in crate::credential) refresh_token: AnswerField,
    pub(in crate::credential) lifetime: Lifetime,
    /// Whether answers are forms, whatever their media type.
    pub(in crate::credential) is_form: bool,
    /// What a success has to say.
    pub(in crate::credential) success: Vec<(AnswerField, String, Presence)>,
    /// What says that the credentials are refused, whatever the status.
    pub(in crate::credential) refusals: Vec<(AnswerField, String)>,
    /// What says that it may work later, whatever the status.
    pub(in crate::credential) later: Vec<(AnswerField, String)>,
    /// Where the server's own words are; by default where RFC 6749 §5.2 has them.
    pub(in crate::credential) messages: Vec<AnswerField>,
    pub(in crate::credential) retry_after: Vec<Cow<'static, str>>,
    /// The vendor's names for bearer tokens, beside `Bearer`.
    pub(in crate::credential) token_types: Vec<Cow<'static, str>>,
    /// What else is kept of an answer, by name.
    pub(in crate::credential) members: Vec<(Cow<'static, str>, AnswerField)>,
    /// The scheme that the token is sent with, which some servers put into it already.
    pub(in crate::credential) scheme: Option<Box<str>>,
    /// Whether failures and token types are judged as RFC 6749 §5 has them.
    pub(in crate::credential) strict: bool,
}

/// Whether what a success has to say may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::credential) enum Presence {
    Optional,
    /// Not in an answer that brings a token.
    Required,
}

/// How long tokens live.
#[derive(Clone, Debug)]
pub(in crate::credential) enum Lifetime {
    Stated(AnswerField),
    Fixed(Duration),
    /// The token is a JWT, and says so itself.
    Jwt,
    Unknown,
}

impl Shape {
    /// RFC 6749 §5.
    pub(in crate::credential) fn oauth2() -> Self {
        Self {
            token: "/access_token".into(),
            refresh_token: "/refresh_token".into(),
            lifetime: Lifetime::Stated("/expires_in".into()),
            is_form: false,
            success: Vec::new(),
            refusals: Vec::new(),
            later: Vec::new(),
            messages: Vec::new(),
            retry_after: Vec::new(),
            token_types: Vec::new(),
            members: Vec::new(),
            scheme: None,
            strict: false,
        }
    }

    pub(in crate::credential) fn check(&self) -> Result<(), ConfigError> {
        let conditions = [&self.refusals, &self.later].into_iter().flatten().map(|(field, _)| field);
        let lifetime = match &self.lifetime {
            Lifetime::Stated(field) => Some(field),
            Lifetime::Fixed(_) | Lifetime::Jwt | Lifetime::Unknown => None,
        };
        [&self.token, &self.refresh_token]
            .into_iter()
            .chain(lifetime)
            .chain(self.success.iter().map(|(field, ..)| field))
            .chain(conditions)
            .chain(&self.messages)
            .chain(self.members.iter().map(|(_, field)| field))
            .try_for_each(AnswerField::check)?;
        self.retry_after.iter().try_for_each(|name| header_name(name).map(drop))?;
        self.token_types.iter().try_for_each(|name| check_token_type(name))
    }

    /// Whether tokens of this type may be sent as bearer tokens.
    pub(super) fn admits(&self, token_type: &str) -> bool {
        let is_known = || self.names().any(|name| name.eq_ignore_ascii_case(token_type));
        !is_bound(token_type) && (!self.strict || is_known())
    }

    /// What bearer tokens are called.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.token_types.iter().map(|name| &**name).chain(["Bearer"])
    }
}

/// Whether a type may be named as one of bearer tokens.
pub(crate) fn check_token_type(name: &str) -> Result<(), ConfigError> {
    if !is_bound(name) {
        return Ok(());
    }
    let words =
        format!("tokens of the type {name:?} are bound to a key, and are never sent as bearer tokens");
    Err(ConfigError::new(ConfigErrorKind::Declaration, words))
}

pub(super) fn is_bound(token_type: &str) -> bool {
    BOUND.iter().any(|name| name.eq_ignore_ascii_case(token_type.trim()))
}
