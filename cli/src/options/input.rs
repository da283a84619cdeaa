//! [`Input`]: what a declaration leaves open, and the option `--set` fills in.

use clap::builder::TypedValueParser;
use tower_reauth::SecretSource;

use super::{quiet::Quiet, secret::Secret};
use crate::mistake::Mistake;

/// What is shown of the option's value. Where it says what to write, it is the same.
pub(crate) const HOW: &str =
    "NAME=env:VARIABLE, NAME=file:PATH or NAME=- for a secret, and NAME=text:VALUE for anything else";

/// An input's name, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) name: String,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Secret(Secret),
    /// On the command line itself, as it is no secret.
    Text(String),
}

impl Input {
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        Quiet(|text| Self::parse(text).ok_or_else(|| format!("write {HOW}")))
    }

    pub(crate) fn secret(name: &str, secret: Secret) -> Self {
        Self { name: name.to_owned(), value: Value::Secret(secret) }
    }

    pub(crate) fn text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), value: Value::Text(text.to_owned()) }
    }

    /// The secret that it is, if it is one.
    pub(crate) fn as_secret(&self) -> Option<&Secret> {
        match &self.value {
            Value::Secret(secret) => Some(secret),
            Value::Text(_) => None,
        }
    }

    pub(crate) fn source(&self) -> Result<SecretSource, Mistake> {
        match &self.value {
            Value::Secret(secret) => secret.source(&format!("--set {}", self.name)),
            Value::Text(text) => Ok(text.clone().into()),
        }
    }

    pub(crate) fn reads_stdin(&self) -> bool {
        self.value == Value::Secret(Secret::Stdin)
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty())?;
        let value = match value.strip_prefix("text:") {
            Some("") => return None,
            Some(text) => Value::Text(text.to_owned()),
            None => Value::Secret(Secret::parse(value)?),
        };
        Some(Self { name: name.to_owned(), value })
    }
}
