//! [`Value`] and [`Table`]: reading a file's values one after the other, each with the path by which errors name it.

use std::fmt::Display;

use http::StatusCode;

use super::node::{Node, join};
use crate::error::{ConfigError, ConfigErrorKind};

/// A value, and where in the file it is.
pub(super) struct Value {
    path: String,
    node: Node,
}

/// A table whose keys are known. What isn't taken out of it is in the wrong place.
pub(super) struct Table {
    path: String,
    entries: Vec<(String, Node)>,
}

impl Value {
    /// The whole file.
    pub(super) fn root(node: Node) -> Self {
        Self { path: String::new(), node }
    }

    /// The value of a key of the file itself.
    pub(super) fn at(key: &str, node: Node) -> Self {
        Self { path: key.to_owned(), node }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// An error that names the value's key. `why` must not repeat what may be a secret.
    pub(super) fn refuse(&self, why: impl Display) -> ConfigError {
        refuse(&self.path, why)
    }

    pub(super) fn text(&self) -> Result<&str, ConfigError> {
        match &self.node {
            Node::Text(text) => Ok(text),
            _ => Err(self.expected("text")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        match self.node {
            Node::Flag(flag) => Ok(flag),
            _ => Err(self.expected("true or false")),
        }
    }

    pub(super) fn integer(&self) -> Result<i64, ConfigError> {
        match self.node {
            Node::Integer(number) => Ok(number),
            _ => Err(self.expected("a whole number")),
        }
    }

    pub(super) fn status(&self) -> Result<StatusCode, ConfigError> {
        let number = self.integer()?;
        let status = u16::try_from(number).ok().and_then(|number| StatusCode::from_u16(number).ok());
        status.ok_or_else(|| self.refuse(format_args!("{number} is no http status; one is 401")))
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// The elements of a list, or the value itself where it is none.
    pub(super) fn one_or_more(self) -> Result<Vec<Self>, ConfigError> {
        match self.node {
            Node::List(_) => self.list(),
            _ => Ok(vec![self]),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Self>, ConfigError> {
        match &self.node {
            Node::List(nodes) if nodes.is_empty() => {
                Err(self.refuse("the list is empty; write something into it, or leave the key out"))
            }
            _ => self.elements(),
        }
    }

    /// The elements of a list, if there are any.
    pub(super) fn elements(self) -> Result<Vec<Self>, ConfigError> {
        match self.node {
            Node::List(nodes) => {
                let element = |(index, node)| Self { path: format!("{}[{index}]", self.path), node };
                Ok(nodes.into_iter().enumerate().map(element).collect())
            }
            _ => Err(self.expected("a list")),
        }
    }

    /// The entries of a table whose keys are the vendor's.
    pub(super) fn entries(self) -> Result<Vec<(String, Self)>, ConfigError> {
        match &self.node {
            Node::Table(entries) if entries.is_empty() => {
                Err(self.refuse("the table is empty; write something into it, or leave the key out"))
            }
            _ => self.fields(),
        }
    }

    /// The same, if there are any.
    pub(super) fn fields(self) -> Result<Vec<(String, Self)>, ConfigError> {
        match self.node {
            Node::Table(entries) => {
                let value = |(key, node): (String, Node)| {
                    let path = join(&self.path, &key);
                    (key, Self { path, node })
                };
                Ok(entries.into_iter().map(value).collect())
            }
            _ => Err(self.expected("a table")),
        }
    }

    /// A table that has no other keys than `keys`.
    pub(super) fn table(self, keys: &[&str]) -> Result<Table, ConfigError> {
        let Node::Table(entries) = self.node else { return Err(self.expected("a table")) };
        match entries.iter().find(|(key, _)| !keys.contains(&&**key)) {
            Some((key, _)) => {
                let words = format!("there is no such key here; there are {}", keys.join(", "));
                Err(refuse(&join(&self.path, key), words))
            }
            None => Ok(Table { path: self.path, entries }),
        }
    }

    fn expected(&self, what: &str) -> ConfigError {
        self.refuse(format_args!("expected {what}, found {}", self.node.kind()))
    }
}

impl Table {
    /// An error about the table as a whole.
    pub(super) fn refuse(&self, why: impl Display) -> ConfigError {
        refuse(&self.path, why)
    }

    /// An error about one of its keys.
    pub(super) fn refuse_key(&self, key: &str, why: impl Display) -> ConfigError {
        refuse(&join(&self.path, key), why)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        let index = self.entries.iter().position(|(known, _)| known == key)?;
        let (_, node) = self.entries.remove(index);
        Some(Value { path: join(&self.path, key), node })
    }

    pub(super) fn need(&mut self, key: &str) -> Result<Value, ConfigError> {
        self.take(key).ok_or_else(|| self.refuse_key(key, "it is missing"))
    }

    /// The only one of `keys` that is there, if any is.
    pub(super) fn take_one_of(&mut self, keys: &[&str]) -> Result<Option<(String, Value)>, ConfigError> {
        let mut there = keys.iter().filter(|key| self.has(key));
        let Some(key) = there.next() else { return Ok(None) };
        if let Some(other) = there.next() {
            return Err(self.refuse_key(other, format_args!("it can't be beside {key}")));
        }
        Ok(self.take(key).map(|value| ((*key).to_owned(), value)))
    }

    /// Refuses what nobody has taken: it says something that doesn't go with the rest.
    pub(super) fn end(self, rest: &str) -> Result<(), ConfigError> {
        match self.entries.first() {
            Some((key, _)) => Err(self.refuse_key(key, format_args!("it doesn't go with {rest}"))),
            None => Ok(()),
        }
    }
}

/// An error of what the value at `path` says. The path is empty for the whole file.
pub(super) fn refuse(path: &str, why: impl Display) -> ConfigError {
    let words = if path.is_empty() { why.to_string() } else { format!("{path}: {why}") };
    ConfigError::new(ConfigErrorKind::Declaration, words)
}

/// An error of the library's, about what the value at `path` says.
pub(super) fn within(path: &str, error: &ConfigError) -> ConfigError {
    ConfigError::new(error.kind(), format!("{path}: {error}"))
}
