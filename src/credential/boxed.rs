//! [`BoxCredential`]: a credential without its type.

use std::{fmt, sync::Arc};

use secrecy::SecretString;

use crate::{
    error::AcquireError,
    token::{AccessToken, Acquire, Credential, Description, Source},
};

/// A credential whose type is erased, where credentials of several types have to be of one: chosen at run time, kept
/// in a map, returned from a trait's method. Clones share the credential.
///
/// A layer or a cache needs none: they erase the type by themselves. To share a credential whose type is known, an
/// [`Arc`] of it will do, which is a credential too.
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

    fn current_secret(&self) -> Option<SecretString> {
        self.source.current_secret()
    }

    fn describe(&self) -> Description {
        let description = self.source.describe();
        match description.heap_bytes {
            Some(bytes) => {
                description.heap_bytes(bytes + size_of_val(&*self.source) + 2 * size_of::<usize>())
            }
            None => description,
        }
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
    use std::{
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
        time::Duration,
    };

    use super::*;
    use crate::{
        credential::StaticToken,
        observe::Reason,
        token::{Renewal, TokenCache},
    };

    #[tokio::test]
    async fn a_boxed_credential_does_what_it_holds_does() {
        let credential = BoxCredential::new(StaticToken::new("s3cret").expect("valid"));
        let token =
            Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("a token");
        assert_eq!(token.expose_secret(), "s3cret");
        assert_eq!(Credential::describe(&credential).renewal, Renewal::Unsupported);
        let error = Credential::revoke(&credential, &token).await.expect_err("fixed");
        assert_eq!(error.kind(), crate::error::AcquireErrorKind::Unsupported);
        assert_eq!(format!("{credential:?}"), r#"BoxCredential { name: "a fixed key", .. }"#);
    }

    /// Counts what it is asked, and says that it can do all of it.
    #[derive(Default)]
    struct Counting {
        acquired: AtomicUsize,
        revoked: AtomicUsize,
    }

    impl Credential for Counting {
        async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(AccessToken::new(format!("t{}", self.acquired.fetch_add(1, Relaxed) + 1))?)
        }

        async fn revoke(&self, _: &AccessToken) -> Result<(), AcquireError> {
            self.revoked.fetch_add(1, Relaxed);
            Ok(())
        }

        fn has_new_secret(&self) -> bool {
            true
        }

        fn current_secret(&self) -> Option<SecretString> {
            Some("s".into())
        }

        fn describe(&self) -> Description {
            Description::new("counting").renewal(Renewal::RevokesPrevious)
        }
    }

    #[tokio::test]
    async fn a_credential_may_be_shared_by_several_caches_with_and_without_its_type() {
        let credential = Arc::new(Counting::default());
        assert!(Credential::has_new_secret(&credential) && Credential::current_secret(&credential).is_some());
        assert_eq!(Credential::describe(&credential).renewal, Renewal::RevokesPrevious);
        let boxed = BoxCredential::new(credential.clone());
        assert!(Credential::has_new_secret(&boxed) && Credential::current_secret(&boxed).is_some());
        assert_eq!(Credential::describe(&boxed).renewal, Renewal::RevokesPrevious);
        let caches =
            [TokenCache::new(credential.clone()), TokenCache::new(boxed.clone()), TokenCache::new(boxed)];
        for (cache, token) in caches.iter().zip(["t1", "t2", "t3"]) {
            let lease = cache.get(Duration::ZERO).await.expect("a token");
            assert_eq!(lease.token().expose_secret(), token);
            cache.revoke().await.expect("revoked");
        }
        assert_eq!((credential.acquired.load(Relaxed), credential.revoked.load(Relaxed)), (3, 3));
    }
}
