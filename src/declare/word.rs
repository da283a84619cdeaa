//! Text that says what it is: a secret by reference, words, or the token's own.

use std::path::PathBuf;

use super::{
    node::Node,
    value::{Value, within},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
};

/// A secret, which has to be a reference.
pub(super) fn secret(value: &Value) -> Result<SecretSource, ConfigError> {
    match word(value)? {
        Word::Secret(source) => Ok(source),
        Word::Text(_) | Word::AccessToken | Word::RefreshToken => Err(literal(value)),
    }
}

/// A part of what HTTP Basic sends, which may be no secret: some vendors want a key as the user-id, and a constant
/// for a password.
pub(super) fn source(value: &Value) -> Result<SecretSource, ConfigError> {
    match word(value)? {
        Word::Secret(source) => Ok(source),
        Word::Text(text) => Ok(SecretSource::fixed(text)),
        Word::AccessToken | Word::RefreshToken => {
            Err(value.refuse("a token has no place here; write env:NAME, file:PATH or text:WORDS"))
        }
    }
}

pub(super) enum Word {
    Secret(SecretSource),
    Text(String),
    AccessToken,
    RefreshToken,
}

/// Text that says what it is.
pub(super) fn word(value: &Value) -> Result<Word, ConfigError> {
    if let Node::Secret(source) = value.node() {
        return Ok(Word::Secret(source.clone()));
    }
    let (kind, rest) = value.text()?.split_once(':').ok_or_else(|| literal(value))?;
    match (kind, rest) {
        ("env", name) if name.is_empty() || name.contains(['=', '\0']) => {
            Err(value.refuse("env: needs the name of a variable after it"))
        }
        ("file", "") => Err(value.refuse("file: needs a path after it")),
        ("env", name) => Ok(Word::Secret(SecretSource::env(name.to_owned()))),
        ("file", path) => Ok(Word::Secret(SecretSource::file(PathBuf::from(path)))),
        ("text", text) => Ok(Word::Text(text.to_owned())),
        ("token", "access") => Ok(Word::AccessToken),
        ("token", "refresh") => Ok(Word::RefreshToken),
        ("token", _) => Err(value.refuse("there are token:access and token:refresh")),
        _ => Err(literal(value)),
    }
}

/// What is written there may be a secret, so it isn't shown.
fn literal(value: &Value) -> ConfigError {
    let words = "secrets don't belong into this file; write env:NAME for a variable or file:PATH for a file that has \
                 the secret, and text:WORDS for what is none";
    within(value.path(), &ConfigError::new(ConfigErrorKind::Secret, words))
}
