//! [`from_fn`], [`from_fn_with_state`]: a closure as a credential.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    sync::{Mutex, PoisonError},
};

use crate::{
    error::AcquireError,
    observe::Reason,
    token::{AccessToken, Acquire, Credential, Description, Renewal},
};

/// Makes a credential of `acquire`, which is called with why a token is needed and with the one that it replaces.
///
/// The future that it returns owns what it needs, as it goes to a task of its own; [`from_fn_with_state`] hands it that.
/// What the credential has to keep to is described at [`Credential`].
///
/// # Examples
///
/// ```
/// use tower_reauth::{AccessToken, AcquireError, from_fn};
///
/// async fn read_key() -> Result<AccessToken, AcquireError> {
///     let key = std::env::var("VENDOR_KEY")
///         .map_err(|error| AcquireError::rejected("set VENDOR_KEY").with_source(error))?;
///     Ok(AccessToken::new(key)?)
/// }
///
/// let credential = from_fn(|_reason, _previous| read_key());
/// # fn check(_: impl tower_reauth::Credential) {}
/// # check(credential);
/// ```
pub fn from_fn<F, Fut>(acquire: F) -> FromFn<F>
where
    F: Fn(Reason, Option<AccessToken>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccessToken, AcquireError>> + Send,
{
    FromFn { acquire, name: "a closure".into(), renewal: Renewal::default() }
}

/// Makes a credential of `acquire`, which is given a clone of `state` at each call, for its future to own: a client, a
/// key, a tuple of them.
///
/// Otherwise as [`from_fn`], whose closure would have to clone all that itself. The state needn't be `Sync`.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AccessToken, from_fn_with_state};
/// # #[derive(Clone)]
/// # struct Vault;
/// # impl Vault { async fn read(&self, _: &str) -> String { String::from("key") } }
/// # let vault = Vault;
///
/// let path = String::from("video/api-key");
/// let credential = from_fn_with_state((vault, path), |(vault, path), _reason, _previous| async move {
///     Ok(AccessToken::new(vault.read(&path).await)?)
/// });
/// # fn check(_: impl tower_reauth::Credential) {}
/// # check(credential);
/// ```
pub fn from_fn_with_state<T, F, Fut>(
    state: T,
    acquire: F,
) -> FromFn<impl Fn(Reason, Option<AccessToken>) -> Fut + Send + Sync + 'static>
where
    T: Clone + Send + 'static,
    F: Fn(T, Reason, Option<AccessToken>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccessToken, AcquireError>> + Send,
{
    let state = Mutex::new(state);
    from_fn(move |reason, previous| {
        let state = state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        acquire(state, reason, previous)
    })
}

/// A closure as a credential, made by [`from_fn`] or [`from_fn_with_state`].
///
/// # Examples
///
/// ```
/// use tower_reauth::{AccessToken, AcquireError, Renewal, from_fn};
///
/// async fn read_key() -> Result<AccessToken, AcquireError> {
///     let key = std::fs::read_to_string("/run/secrets/key").map_err(|error| {
///         AcquireError::no_secret("the key can't be read").with_source(error)
///     })?;
///     Ok(AccessToken::new(key.trim())?)
/// }
///
/// let key = from_fn(|_reason, _previous| read_key()).name("mounted key").renewal(Renewal::KeepsPrevious);
/// ```
#[derive(Clone)]
#[must_use]
pub struct FromFn<F> {
    acquire: F,
    name: Cow<'static, str>,
    renewal: Renewal,
}

impl<F> FromFn<F> {
    /// Sets the name for logs. By default `a closure`.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets what renewing a token means to the one it replaces. By default that stays valid.
    pub fn renewal(mut self, renewal: Renewal) -> Self {
        self.renewal = renewal;
        self
    }
}

impl<F, Fut> Credential for FromFn<F>
where
    F: Fn(Reason, Option<AccessToken>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccessToken, AcquireError>> + Send,
{
    fn acquire(
        &self,
        acquire: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        (self.acquire)(acquire.reason(), acquire.previous().cloned())
    }

    fn describe(&self) -> Description {
        Description::new(self.name.clone()).renewal(self.renewal)
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn the_closure_is_told_why_and_what_it_replaces() {
        let credential = from_fn(|reason, previous: Option<AccessToken>| async move {
            let old = previous.map(|token| token.expose_secret().to_owned()).unwrap_or_default();
            Ok(AccessToken::new(format!("{reason:?}{old}"))?)
        })
        .name("vault")
        .renewal(Renewal::RevokesPrevious);
        let first =
            Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("a token");
        assert_eq!(first.expose_secret(), "Cold");
        let next = Credential::acquire(&credential, Acquire::new(Reason::Expired, Some(&first))).await;
        assert_eq!(next.expect("a token").expose_secret(), "ExpiredCold");
        assert_eq!(credential.describe().name(), "vault");
        assert_eq!(credential.describe().renewal, Renewal::RevokesPrevious);
    }

    #[tokio::test]
    async fn each_call_has_a_state_of_its_own_that_its_future_may_change() {
        // Not `Sync`, as many a client isn't.
        let state = RefCell::new(String::from("key"));
        let credential = from_fn_with_state(state, |key, reason, previous: Option<AccessToken>| async move {
            tokio::task::yield_now().await;
            key.borrow_mut().push_str("-used");
            let previous = previous.map(|token| token.expose_secret().to_owned()).unwrap_or_default();
            Ok(AccessToken::new(format!("{}{reason:?}{previous}", key.into_inner()))?)
        })
        .name("with state");
        let first =
            Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("a token");
        let next = Credential::acquire(&credential, Acquire::new(Reason::Expired, Some(&first))).await;
        assert_eq!(next.expect("a token").expose_secret(), "key-usedExpiredkey-usedCold");
        assert_eq!(credential.describe().name(), "with state");
    }
}
