//! Who we are to a server: the [`Credential`] trait and what implements it.

mod api_video;
mod boxed;
mod encode;
mod endpoint;
mod from_fn;
#[cfg(feature = "oauth2")]
pub mod oauth2;
mod parts;
mod redact;
mod static_token;
mod vervoe;
mod videsk;
mod vidizmo;

use std::{future::Future, sync::Arc};

pub use api_video::ApiVideo;
pub use boxed::BoxCredential;
pub use endpoint::{AnswerField, EndpointCredential, Param, TokenEndpoint, TokenRequest};
pub use from_fn::{FromFn, from_fn};
pub use parts::Parts;
pub use static_token::StaticToken;
pub use vervoe::Vervoe;
pub use videsk::Videsk;
pub use vidizmo::Vidizmo;

use crate::{
    error::AcquireError,
    token::{AccessToken, Acquire, Description, Source, SourceFuture},
};

/// Something that can obtain access tokens.
///
/// The token cache calls it; nobody else needs to. The contract:
///
/// - `acquire` is called from a task of its own, never twice at a time for one cache, and is dropped when the
///   attempt's time is up (10 s by default). It must not block the thread.
/// - One call is one attempt with one grant. Retries, back-off, and the step from a refused refresh grant to
///   another one ([`AcquireError::grant_rejected`]) are the cache's business.
/// - It may be dropped at any await point, and then should not have lost more than that attempt.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AccessToken, Acquire, AcquireError, Credential};
///
/// struct FromVault;
///
/// impl Credential for FromVault {
///     async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
///         let secret = String::from("read it here");
///         Ok(AccessToken::new(secret.replace(' ', ""))?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a credential",
    label = "expected something that can obtain tokens",
    note = "use one of the vendors, `StaticToken::new(..)` for a fixed key, `from_fn(..)` for a closure, or implement `Credential`"
)]
pub trait Credential: Send + Sync + 'static {
    /// Obtains a token.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`] whose kind says what may be tried next.
    fn acquire(&self, request: Acquire<'_>)
    -> impl Future<Output = Result<AccessToken, AcquireError>> + Send;

    /// Makes the server forget `token` (a logout, RFC 7009). By default that is unsupported.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`]; [`AcquireErrorKind::Unsupported`](crate::AcquireErrorKind::Unsupported) by default.
    fn revoke(&self, token: &AccessToken) -> impl Future<Output = Result<(), AcquireError>> + Send {
        let _ = token;
        std::future::ready(Err(AcquireError::unsupported("this credential can't revoke tokens")))
    }

    /// Says what the cache needs to know of this credential. By default: the type's name, and a renewal that
    /// leaves the previous token valid.
    fn describe(&self) -> Description {
        Description::new(std::any::type_name::<Self>())
    }
}

impl<C: Credential> Credential for Arc<C> {
    fn acquire(
        &self,
        request: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        C::acquire(self, request)
    }

    fn revoke(&self, token: &AccessToken) -> impl Future<Output = Result<(), AcquireError>> + Send {
        C::revoke(self, token)
    }

    fn describe(&self) -> Description {
        C::describe(self)
    }
}

impl<C: Credential> Source for C {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken> {
        Box::pin(Credential::acquire(self, request))
    }

    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()> {
        Box::pin(Credential::revoke(self, token))
    }

    fn describe(&self) -> Description {
        Credential::describe(self)
    }
}
