//! [`BaseUrl`]: what paths of token requests are relative to, and where secrets may be sent.

use http::Uri;
#[cfg(feature = "client")]
use http::uri::Authority;

use crate::{
    auth::{Origin, Plaintext, stays_beneath, unreadable},
    error::{ConfigError, ConfigErrorKind},
};

/// What paths of token requests are relative to: an origin that was checked, with a path if it has one.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    /// Without a slash at its end.
    url: Box<str>,
    plaintext: Plaintext,
}

impl BaseUrl {
    pub(crate) fn parse(url: &str, plaintext: Plaintext) -> Result<Self, ConfigError> {
        Origin::of_base_url(url, plaintext)?;
        Ok(Self { url: url.strip_suffix('/').unwrap_or(url).into(), plaintext })
    }

    /// Where a metadata service is, which only a credential that is made for it asks.
    #[cfg(feature = "client")]
    pub(super) fn of_metadata(authority: &Authority) -> Self {
        Self { url: format!("http://{authority}").into(), plaintext: Plaintext::Refused }
    }

    /// Another one, where secrets may travel as they may here.
    #[cfg(feature = "serde")]
    pub(super) fn replaced(&self, url: &str) -> Result<Self, ConfigError> {
        Self::parse(url, self.plaintext)
    }

    /// What its text takes, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.url.len()
    }

    /// Its text, without a slash at its end.
    pub(super) fn as_str(&self) -> &str {
        &self.url
    }

    /// The absolute URL that `url` means, if secrets may be sent there. A path comes after the base URL's own.
    pub(super) fn resolve(&self, url: &str) -> Result<String, ConfigError> {
        if !url.starts_with('/') {
            return checked_origin(url, self.plaintext).map(|_| url.to_owned());
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if self.has_path() && !stays_beneath(path) {
            return Err(ConfigError::new(
                ConfigErrorKind::Url,
                "a token request's path has dot segments, and may lead out of the base url's path; write the path that \
                 it leads to, or an absolute url",
            ));
        }
        Ok(format!("{}{url}", self.url))
    }

    fn has_path(&self) -> bool {
        self.url.split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
    }
}

/// The origin of an absolute URL, if secrets may be sent there.
pub(in crate::credential) fn checked_origin(url: &str, plaintext: Plaintext) -> Result<Origin, ConfigError> {
    let refuse = |why| ConfigError::new(ConfigErrorKind::Url, format!("a token request's url {why}"));
    let uri: Uri = url.parse().map_err(|error| refuse(unreadable(url)).with_source(error))?;
    let origin = Origin::of(&uri).ok_or_else(|| {
        refuse("needs http or https, a host, no userinfo and a valid port, or is a path that begins with /")
    })?;
    origin.off_metadata()?.fit_for_secrets(plaintext)
}
