//! [`BoxCredential`]: a credential without its type.

use std::{fmt, sync::Arc};

use super::Credential;
use crate::{
    error::AcquireError,
    token::{AccessToken, Acquire, Description, Source},
};

/// A credential whose type is erased, where credentials of several types have to be of one: chosen at run time, kept
/// in a map, returned from a trait's method. Clones share the credential.
///
/// A layer or a cache needs none: they erase the type by themselves.
///
/// # Examples
///
/// ```
/// use tower_reauth::{BoxCredential, ConfigError, StaticToken, from_fn};
/// # async fn from_vault() -> Result<tower_reauth::AccessToken, tower_reauth::AcquireError> { unimplemented!() }
///
/// fn credential(key: Option<&str>) -> Result<BoxCredential, ConfigError> {
///     Ok(match key {
///         Some(key) => BoxCredential::new(StaticToken::new(key)?),
///         None => BoxCredential::new(from_fn(|_, _| from_vault())),
///     })
/// }
/// ```
#[derive(Clone)]
pub struct BoxCredential {
    source: Arc<dyn Source>,
}

impl BoxCredential {
    /// Erases the type of `credential`.
    pub fn new(credential: impl Credential) -> Self {
        Self { source: Arc::new(credential) }
    }
}

impl Credential for BoxCredential {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        self.source.acquire(request).await
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        self.source.revoke(token).await
    }

    fn has_new_secret(&self) -> bool {
        self.source.has_new_secret()
    }

    fn describe(&self) -> Description {
        self.source.describe()
    }
}

impl fmt::Debug for BoxCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.source.describe();
        f.debug_struct("BoxCredential").field("name", &name.name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reason, Renewal, StaticToken};

    #[tokio::test]
    async fn a_boxed_credential_does_what_it_holds_does() {
        let credential = BoxCredential::new(StaticToken::new("s3cret").expect("valid"));
        let token =
            Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("a token");
        assert_eq!(token.expose_secret(), "s3cret");
        assert_eq!(Credential::describe(&credential).renewal, Renewal::Unsupported);
        let error = Credential::revoke(&credential, &token).await.expect_err("fixed");
        assert_eq!(error.kind(), crate::AcquireErrorKind::Unsupported);
        assert_eq!(format!("{credential:?}"), r#"BoxCredential { name: "a fixed key", .. }"#);
    }
}
