//! Where in a request the token goes: which header, after which scheme.

use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    token::AccessToken,
};

/// Where in a request the token goes. By default `Authorization: Bearer <token>` (RFC 6750 §2.1).
///
/// # Examples
///
/// ```
/// use tower_reauth::Placement;
///
/// let exports = Placement::with_scheme("X-API-Token", "Bearer")?; // X-API-Token: Bearer <token>
/// let key = Placement::bare("X-Api-Key")?; // X-Api-Key: <token>
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    header: HeaderName,
    scheme: Option<Box<str>>,
}

impl Placement {
    /// `Authorization: Bearer <token>`, the default.
    #[must_use]
    pub fn bearer() -> Self {
        Self { header: AUTHORIZATION, scheme: Some("Bearer".into()) }
    }

    /// `<header>: <scheme> <token>`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Header`] if `header` is no header name or `scheme` is no token (RFC 9110 §5.6.2).
    pub fn with_scheme(header: &str, scheme: &str) -> Result<Self, ConfigError> {
        // Header names are tokens as well, so the parser of one serves for both.
        if HeaderName::from_bytes(scheme.as_bytes()).is_err() {
            return Err(ConfigError::new(ConfigErrorKind::Header, "the placement's scheme is not a token"));
        }
        Ok(Self { scheme: Some(scheme.into()), ..Self::bare(header)? })
    }

    /// `<header>: <token>`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Header`] if `header` is no header name.
    pub fn bare(header: &str) -> Result<Self, ConfigError> {
        let header = HeaderName::from_bytes(header.as_bytes()).map_err(|error| {
            ConfigError::new(ConfigErrorKind::Header, "the placement's header name is not valid")
                .with_source(error)
        })?;
        Ok(Self { header, scheme: None })
    }

    /// The header that carries the token.
    #[must_use]
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The scheme before the token (RFC 9110 §11.1), if there is one.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_deref()
    }

    /// The header's value for `token`, marked sensitive.
    pub(crate) fn value(&self, token: &AccessToken) -> HeaderValue {
        let secret = token.expose_secret();
        let value = match &self.scheme {
            Some(scheme) => HeaderValue::try_from(format!("{scheme} {secret}")),
            None => HeaderValue::from_str(secret),
        };
        let mut value = value.expect("schemes are tokens and access tokens visible ascii");
        value.set_sensitive(true);
        value
    }
}

impl Default for Placement {
    fn default() -> Self {
        Self::bearer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_sensitive_and_in_its_header() {
        let token = AccessToken::new("abc").expect("valid");
        let exports = Placement::with_scheme("X-API-Token", "Bearer").expect("valid");
        assert_eq!(exports.header().as_str(), "x-api-token");
        assert_eq!(exports.value(&token), "Bearer abc");
        assert!(exports.value(&token).is_sensitive());
        assert_eq!(Placement::bare("x-key").expect("valid").value(&token), "abc");
    }

    #[test]
    fn names_that_http_cannot_carry_are_refused() {
        for (header, scheme) in
            [("", "Bearer"), ("a b", "Bearer"), ("a:", "Bearer"), ("x", ""), ("x", "Be arer")]
        {
            let error = Placement::with_scheme(header, scheme).expect_err("not valid");
            assert_eq!(error.kind(), ConfigErrorKind::Header);
        }
    }
}
