//! [`BaseUrl`]: what paths of token requests are relative to, and where secrets may be sent.

use http::Uri;

use crate::{
    auth::Origin,
    error::{ConfigError, ConfigErrorKind},
};

/// What paths of token requests are relative to: an origin that was checked.
#[derive(Clone, Debug)]
pub(super) struct BaseUrl(Box<str>);

impl BaseUrl {
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        Origin::parse(url)?;
        Ok(Self(url.trim_end_matches('/').into()))
    }

    /// The absolute URL that `url` means, if secrets may be sent there.
    pub(super) fn resolve(&self, url: &str) -> Result<String, ConfigError> {
        if url.starts_with('/') {
            return Ok(format!("{}{url}", self.0));
        }
        checked_origin(url).map(|_| url.to_owned())
    }
}

/// The origin of an absolute URL, if secrets may be sent there.
pub(in crate::credential) fn checked_origin(url: &str) -> Result<Origin, ConfigError> {
    let refuse = |why| ConfigError::new(ConfigErrorKind::Url, format!("a token request's url {why}"));
    let uri: Uri = url.parse().map_err(|error| refuse("can't be parsed").with_source(error))?;
    let origin = Origin::of(&uri).ok_or_else(|| {
        refuse("needs http or https, a host, no userinfo and a valid port, or is a path that begins with /")
    })?;
    if origin.is_secure() {
        return Ok(origin);
    }
    Err(ConfigError::new(
        ConfigErrorKind::InsecureUrl,
        format!("{origin} would be sent secrets in plain text; use https, or a loopback host"),
    ))
}
