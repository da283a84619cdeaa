//! [`Assertion`]: where the assertions of a client or a grant come from.

use std::{fmt, future::Future, sync::Arc};

use secrecy::SecretString;

use crate::{
    error::BoxError,
    secret::{SecretSource, Supplied, Supply},
};

/// Where assertions come from (RFC 7521): a signer, or somebody who made them elsewhere. Each attempt asks for one.
///
/// With the feature `jwt` a `JwtAssertion` becomes one by itself.
///
/// # Examples
///
/// ```
/// use tower_reauth::{SecretSource, oauth2::Assertion};
///
/// // A token that the platform keeps fresh in a file.
/// let projected = Assertion::from(SecretSource::file("/var/run/secrets/tokens/idp"));
/// // A signer that is elsewhere. It is told for whom the assertion is.
/// let remote = Assertion::from_fn(|audience| async move {
///     let jwt = format!("ask the key service to sign one for {audience}");
///     Ok(jwt.into())
/// });
/// ```
#[derive(Clone)]
pub struct Assertion(pub(super) Supply);

impl Assertion {
    /// A closure that is told the audience: the server's issuer if that is known, else its token endpoint
    /// (RFC 7523 §3). Its error's text must not hold a secret; its failure is transient.
    pub fn from_fn<F, Fut>(make: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString, BoxError>> + Send + 'static,
    {
        Self(Supply::Ask(Arc::new(move |audience: &str| -> Supplied { Box::pin(make(audience.to_owned())) })))
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<SecretSource> for Assertion {
    fn from(source: SecretSource) -> Self {
        Self(source.0)
    }
}
