//! [`Tenants`]: the handle that programs have.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{builder::TenantsBuilder, census::Census, id::TenantId, many::Many, tenant::Tenant};
use crate::{
    auth::Placement,
    error::{AuthError, AuthErrorKind, BoxError},
    token::{AccessToken, TokenCache, TokenState},
};

/// Many credentials behind one layer: one for each customer in whose name a service acts.
///
/// A request says whose it is by an extension of the type `Id`, and carries that tenant's token, to that tenant's origin. One
/// without it isn't sent, nor one to another origin: there is no default tenant. Tenants have nothing in common but the layer,
/// its client, and what can be [set](TenantsBuilder) for all: token, failures, pauses and budget are each one's own.
///
/// A tenant is built when it is first asked for, by the program's code, once for all requests that wait for it, and at most 64
/// are built at a time. What the code refuses isn't remembered. Tenants that aren't used are forgotten when there are more
/// [bytes](TenantsBuilder::bytes) than allowed, but for those with which a grant would be lost: with a refresh token that is
/// good once and is in no [store](crate::store). If all are such, new ones are refused
/// ([`TenantsFull`](AuthErrorKind::TenantsFull)).
///
/// Clones are handles to the same tenants.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_reauth::BoxError> {
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_reauth::{AuthLayer, BoxError, Origin, StaticToken, Tenant, Tenants};
///
/// let tenants = Tenants::builder(|id: String| async move {
///     // Here a program looks up what it knows of the customer.
///     let key = if id == "acme" { "key of acme" } else { return Err("no such customer".into()) };
///     let origin = Origin::parse(&format!("https://{id}.example.com"))?;
///     Ok(Tenant::new(StaticToken::new(key.replace(' ', "-"))?).origin(origin))
/// })
/// .bytes(64 << 20)
/// .build();
///
/// let client = service_fn(async |request: Request<Full<Bytes>>| {
///     assert_eq!(request.headers()["authorization"], "Bearer key-of-acme");
///     Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
/// });
/// let service = ServiceBuilder::new().layer(AuthLayer::tenants(tenants)).service(client);
/// let request = Request::get("https://acme.example.com/things").extension("acme".to_owned());
/// service.oneshot(request.body(Full::default())?).await?;
/// # Ok(())
/// # }
/// ```
pub struct Tenants<Id: TenantId> {
    pub(super) many: Arc<Many<Id>>,
    /// Whether the layer that has this handle puts tokens where the first one does that had one to put.
    writes_as_first: OnceLock<bool>,
}

impl<Id: TenantId> Tenants<Id> {
    /// Tenants that `make` makes of their ids, with the defaults. It may take its time, fail, hang or panic: that is the
    /// tenant's failure alone.
    pub fn new<M, F>(make: M) -> Self
    where
        M: Fn(Id) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Tenant, BoxError>> + Send + 'static,
    {
        Self::builder(make).build()
    }

    /// A builder for tenants that `make` makes of their ids.
    pub fn builder<M, F>(make: M) -> TenantsBuilder<Id>
    where
        M: Fn(Id) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Tenant, BoxError>> + Send + 'static,
    {
        TenantsBuilder::new(make)
    }

    /// A tenant's token cache, for its state, and to invalidate and revoke. It is built if need be. As long as the program
    /// holds on to the cache, the tenant isn't forgotten.
    ///
    /// # Errors
    ///
    /// An [`AuthError`] if there is no such tenant, or no room for it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends only this wait; the tenant is built all the same.
    pub async fn get(&self, id: &Id) -> Result<TokenCache, AuthError> {
        self.many.clone().tenant(id.clone(), None).await.map(|held| held.tokens.clone())
    }

    /// A tenant's token cache, if it is in memory. No waiting.
    #[must_use]
    pub fn find(&self, id: &Id) -> Option<TokenCache> {
        self.many.map.get(id).map(|held| held.tokens.clone())
    }

    /// Forgets a tenant, of whom there will be no more requests: those that wait for its token end with
    /// [`TenantRemoved`](AuthErrorKind::TenantRemoved). A flight that is under way ends by itself, so that a refresh token
    /// which a server rotates meanwhile isn't lost: it is saved in the tenant's slot if it has one, and else handed over here,
    /// with the access token that came with it. Requests meanwhile are refused as well. A later one asks the program's code for the
    /// tenant again.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the tenant is removed. If the future is dropped, what would have been handed over is lost.
    pub async fn remove(&self, id: &Id) -> Option<AccessToken> {
        let _barred = self.many.building.bar(id);
        let held = self.many.map.get(id)?;
        held.ward.remove();
        self.many.map.remove(&held);
        held.tokens.settled().await;
        let is_lost = held.tokens.has_only_grant();
        held.tokens.leave().filter(|_| is_lost)
    }

    /// How many tenants are in memory, and how they are. It looks at each, which takes a tenth of a second for a million.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut census = Census { bytes: self.many.map.weight(), ..Census::default() };
        for held in self.many.map.all() {
            let state = held.tokens.state();
            let is_usable = matches!(state.token(), TokenState::Fresh | TokenState::Stale);
            let is_refused =
                state.error().is_some_and(|error| error.kind() == AuthErrorKind::CredentialsRejected);
            let is_waiting =
                state.acquiring() || state.error().is_some() || state.token() == TokenState::Rejected;
            let of = match () {
                () if is_usable || !is_waiting => &mut census.healthy,
                () if is_refused => &mut census.dead,
                () => &mut census.waiting,
            };
            *of += 1;
        }
        census
    }
}

impl<Id: TenantId> Tenants<Id> {
    fn of(many: Arc<Many<Id>>) -> Self {
        Self { many, writes_as_first: OnceLock::new() }
    }

    /// Whether what was written for a tenant is for this placement. There is one for each, and layers may differ.
    #[inline]
    pub(super) fn writes_as_first(&self, placement: &Placement) -> bool {
        *self
            .writes_as_first
            .get_or_init(|| self.many.placement.get_or_init(|| placement.clone()) == placement)
    }
}

impl<Id: TenantId> TenantsBuilder<Id> {
    /// The tenants, of whom there is none yet.
    #[must_use]
    pub fn build(self) -> Tenants<Id> {
        Tenants::of(self.many())
    }
}

impl<Id: TenantId> Clone for Tenants<Id> {
    fn clone(&self) -> Self {
        Self::of(self.many.clone())
    }
}

impl<Id: TenantId> fmt::Debug for Tenants<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("map", &self.many.map)
            .field("gates", &self.many.yard.gates)
            .finish_non_exhaustive()
    }
}
