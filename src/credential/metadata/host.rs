//! Where a metadata service is, as the program says it.

use std::env;

use http::uri::Authority;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    transport::is_out_of_reach,
};

/// The host and the port, if there is one, that `text` names. `what` is where it comes from.
pub(super) fn authority(what: &str, text: &str) -> Result<Authority, ConfigError> {
    let refuse = |why: &str| ConfigError::new(ConfigErrorKind::Url, format!("{what} {why}"));
    let authority: Authority = text.parse().map_err(|error| {
        refuse("names no host; give it host and port alone, as in \"metadata.google.internal:80\"")
            .with_source(error)
    })?;
    let has_port = authority.as_str().len() > authority.host().len();
    if authority.host().is_empty()
        || authority.as_str().contains('@')
        || has_port && authority.port().is_none()
    {
        return Err(refuse("needs a host, no userinfo and a valid port"));
    }
    if is_out_of_reach(authority.host()) {
        return Err(refuse(
            "is neither this machine nor on a link of it, and what is sent there in plain text could be read by others; \
             give it a loopback or link-local address, or a name that leads to one",
        ));
    }
    Ok(authority)
}

/// What the variable `name` has, if it is set to something.
pub(super) fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    value.into_string().map(Some).map_err(|_| {
        ConfigError::new(ConfigErrorKind::Url, format!("the variable {name} has something that is no text"))
    })
}
