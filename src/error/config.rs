//! [`ConfigError`]: what a user configured wrongly.

use std::{error::Error as StdError, fmt};

use super::boxed::BoxError;

/// A configuration that can't work, reported when it is built and not at the first call.
///
/// # Examples
///
/// ```
/// use tower_reauth::{ConfigErrorKind, Origin};
///
/// let error = Origin::parse("http://api.example.com").unwrap_err();
/// assert_eq!(error.kind(), ConfigErrorKind::InsecureUrl);
/// ```
#[derive(Debug)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    message: String,
    source: Option<BoxError>,
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A URL or an origin that can't be parsed, or lacks a part.
    Url,
    /// `http` to a host that is not loopback. The text names the setting that allows it.
    InsecureUrl,
    /// A URL or an origin at a metadata service, which hands out a machine's own credentials, whichever way its address is
    /// written. No setting allows it.
    MetadataHost,
    /// A secret that is empty or can't be sent.
    Secret,
    /// A user-id that HTTP Basic can't carry, because it holds a colon (RFC 7617 §2).
    UserId,
    /// A header name or value that HTTP can't carry.
    Header,
    /// A token endpoint's declaration that is incomplete or contradicts itself.
    Declaration,
    /// An input of a declaration that isn't filled, isn't there, or can't be where it is.
    Input,
    /// Trust anchors or TLS settings that can't be used.
    Tls,
    /// A store, a slot's name, or a key to seal with that can't be used.
    Store,
}

impl ConfigError {
    pub(crate) fn new(kind: ConfigErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
