//! [`TenantsBuilder`]: what can be set for all tenants.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    building::Building,
    gates::Gates,
    id::TenantId,
    many::{Listener, Make, Many, OnDeadGrant},
    map::Map,
    tenant::Tenant,
    ward::{Reach, Yard},
};
use crate::{
    auth::Origin,
    error::{AcquireError, AuthError, BoxError},
    observe::{Observer, Passages},
    token::{AccessToken, Acquire, Credential, RefreshPolicy, TokenCache},
};

/// How many are built at a time, and how many ask one token endpoint.
const AT_ONCE: usize = 64;

/// Builds [`Tenants`](crate::Tenants).
///
/// | what | default | set by |
/// |---|---|---|
/// | what all tenants in memory may take | 256 MiB | [`bytes`](Self::bytes) |
/// | building one | 10 s, 64 at a time | [`build_timeout`](Self::build_timeout) |
/// | those that ask one token endpoint at a time | 64 | [`at_one_endpoint`](Self::at_one_endpoint) |
/// | where requests and token requests may go | to public addresses | [`allow_private_addresses`](Self::allow_private_addresses) |
/// | when tokens are renewed, and what happens when that fails | the policy's | [`policy`](Self::policy) |
#[must_use]
pub struct TenantsBuilder<Id: TenantId> {
    make: Make<Id>,
    bytes: u64,
    build_timeout: Duration,
    at_one_endpoint: usize,
    reach: Reach,
    origin: Option<Origin>,
    policy: RefreshPolicy,
    name: String,
    on_dead_grant: Option<OnDeadGrant<Id>>,
}

impl<Id: TenantId> TenantsBuilder<Id> {
    pub(super) fn new<M, F>(make: M) -> Self
    where
        M: Fn(Id) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Tenant, BoxError>> + Send + 'static,
    {
        Self {
            make: Box::new(move |id| Box::pin(make(id))),
            bytes: 256 << 20,
            build_timeout: Duration::from_secs(10),
            at_one_endpoint: AT_ONCE,
            reach: Reach::Outwards,
            origin: None,
            policy: RefreshPolicy::default(),
            name: "tenants".to_owned(),
            on_dead_grant: None,
        }
    }

    /// Sets what all tenants in memory may take, in bytes: 256 MiB by default, which is some 80,000 with a token of 1 KiB, or
    /// 120,000 whose credentials are made of one pattern
    /// ([`EndpointCredential::with_input`](crate::EndpointCredential::with_input)).
    /// Those that aren't used give their places up, unless a grant would be lost with them.
    ///
    /// Beside that each thread, up to 32 of them, keeps what it has written for the tenants that it has sent for lately: at most
    /// 1/512 of this, which is 512 KiB by default.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how long building one tenant may take, with the wait for a place among the 64 that are built at a time. 10 s by
    /// default.
    pub fn build_timeout(mut self, timeout: Duration) -> Self {
        self.build_timeout = timeout;
        self
    }

    /// Sets how many tenants ask one token endpoint at a time: 64 by default, and at least 1. The others wait, first come
    /// first served, within their [flight's deadline](RefreshPolicy::flight_deadline).
    pub fn at_one_endpoint(mut self, tenants: usize) -> Self {
        self.at_one_endpoint = tenants.max(1);
        self
    }

    /// Sets where the requests of all tenants go that have no [origin](Tenant::origin) of their own.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Sets when tokens are renewed, and what happens when that fails. What it says of a grant that a server calls dead
    /// doesn't hold for tenants: that isn't sent again, as the server's answer would be the same for years.
    pub fn policy(mut self, policy: RefreshPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets by which name logs and metrics tell of all tenants, `tenants` by default. No tenant is named there.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Lets tenants have origins and token endpoints on this machine and in private networks. By default these are refused,
    /// also where a name leads there, since whoever may choose one could have requests sent to what is reached from inside
    /// alone. Names are looked at by this crate's [client](crate::client) alone: with another one beneath the layer, that has
    /// to do so.
    ///
    /// Metadata services are never asked.
    pub fn allow_private_addresses(mut self) -> Self {
        self.reach = Reach::Anywhere;
        self
    }

    /// Has `hear` be told, once, that a tenant's grant is dead (`invalid_grant`, RFC 6749 §5.2): somebody has to log in
    /// again. It isn't sent again before the credential [has a new secret](Credential::has_new_secret), or the tenant was
    /// [invalidated](TokenCache::invalidate) or [removed](crate::Tenants::remove). `hear` must not block.
    pub fn on_dead_grant(mut self, hear: impl Fn(&Id, &AuthError) + Send + Sync + 'static) -> Self {
        self.on_dead_grant = Some(Box::new(hear));
        self
    }

    /// What all handles of the tenants share.
    pub(super) fn many(self) -> Arc<Many<Id>> {
        Arc::new_cyclic(|many| Many {
            make: self.make,
            map: Map::new(self.bytes),
            building: Building::new(AT_ONCE, self.build_timeout),
            yard: Arc::new(Yard {
                gates: Gates::new(self.at_one_endpoint),
                reach: self.reach,
                listener: Box::new(Listener(many.clone())),
            }),
            origin: self.origin.map(Arc::new),
            policy: Arc::new(self.policy.without_dead_grants()),
            observer: Observer::new(&self.name),
            passages: Passages::new(&self.name),
            on_dead_grant: self.on_dead_grant,
            placement: OnceLock::new(),
            nobodys: (TokenCache::new(Nobody), Origin::parse("https://nobody.invalid").expect("an origin")),
        })
    }
}

/// The credential of requests that are no tenant's.
struct Nobody;

impl Credential for Nobody {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Err(AcquireError::rejected("the request is no tenant's"))
    }
}

impl<Id: TenantId> fmt::Debug for TenantsBuilder<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantsBuilder")
            .field("name", &self.name)
            .field("bytes", &self.bytes)
            .field("build_timeout", &self.build_timeout)
            .field("at_one_endpoint", &self.at_one_endpoint)
            .field("reach", &self.reach)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
