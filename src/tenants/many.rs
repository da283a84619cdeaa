//! [`Many`]: what all handles of the tenants share, and how one of them is found or built.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, OnceLock, Weak, atomic::Ordering::SeqCst},
};

use futures_util::FutureExt;
use http::Uri;
use tokio::{runtime::Handle, time::timeout_at};

use super::{
    building::{Building, Built, Site, late},
    held::Held,
    id::{MOST, TenantId},
    map::Map,
    tenant::Tenant,
    ward::{Listen, Reach, Ward, Yard},
};
use crate::{
    auth::{Origin, Placement},
    error::{AcquireError, AcquireErrorKind, AuthError, AuthErrorKind, BoxError},
    observe::{Observer, Passages},
    token::{AccessToken, RefreshPolicy, TokenCache},
    transport::outwards,
};

/// The program's code that makes a tenant of its id.
pub(super) type Make<Id> =
    Box<dyn Fn(Id) -> Pin<Box<dyn Future<Output = Result<Tenant, BoxError>> + Send>> + Send + Sync>;

/// The program's code that hears of dead grants.
pub(super) type OnDeadGrant<Id> = Box<dyn Fn(&Id, &AuthError) + Send + Sync>;

/// What all handles share.
pub(super) struct Many<Id: TenantId> {
    pub(super) make: Make<Id>,
    pub(super) map: Map<Id>,
    pub(super) building: Arc<Building<Id>>,
    pub(super) yard: Arc<Yard<Id>>,
    pub(super) origin: Option<Arc<Origin>>,
    pub(super) policy: Arc<RefreshPolicy>,
    pub(super) observer: Observer,
    pub(super) passages: Passages,
    pub(super) on_dead_grant: Option<OnDeadGrant<Id>>,
    /// Where tokens go, for which what is written for a tenant is kept.
    pub(super) placement: OnceLock<Placement>,
    /// What a request has that isn't chosen for.
    pub(super) nobodys: (TokenCache, Origin),
}

impl<Id: TenantId> Many<Id> {
    /// The tenant, built if need be, for a request to `uri` if there is one.
    pub(super) async fn tenant(self: Arc<Self>, id: Id, uri: Option<Uri>) -> Built<Id> {
        let held = match self.map.get(&id) {
            Some(held) => held,
            None => self.build(id).await?,
        };
        match uri {
            Some(uri) if !held.origin.covers(&uri) => Err(AuthError::new(AuthErrorKind::OtherTenant)),
            _ => Ok(held),
        }
    }

    async fn build(self: Arc<Self>, id: Id) -> Built<Id> {
        if id.heap_bytes() > MOST {
            return Err(refused(AcquireError::rejected("the tenant's id is longer than 1,024 bytes")));
        }
        let handle = Handle::try_current().map_err(|_| AuthError::new(AuthErrorKind::NoRuntime))?;
        let (finder, builder) = (self.clone(), self.clone());
        let begin = |site| {
            handle.spawn(builder.run(site));
            Ok(())
        };
        self.building.clone().join(id, |id| finder.map.get(id), begin).await
    }

    /// Builds a tenant. It may hang or panic: that is this tenant's failure, and nobody else's.
    async fn run(self: Arc<Self>, site: Site<Id>) {
        let id = site.id().clone();
        // The program's code is called inside, so that it may panic there.
        let making = AssertUnwindSafe(async { (self.make)(id.clone()).await }).catch_unwind();
        let made = match self.yard.reach {
            Reach::Anywhere => timeout_at(site.deadline, making).await,
            Reach::Outwards => outwards(timeout_at(site.deadline, making)).await,
        };
        let built = match made {
            Ok(Ok(Ok(tenant))) => self.hold(id, tenant),
            Ok(Ok(Err(error))) => {
                Err(refused(AcquireError::rejected("the program refused the tenant").with_source(error)))
            }
            Ok(Err(_)) => {
                let words = "the program's code that builds tenants panicked";
                let error = AcquireError::new(AcquireErrorKind::Panicked, words);
                Err(AuthError::new(AuthErrorKind::TenantUnavailable).with_acquire_error(error))
            }
            Err(_) => Err(late("building the tenant took too long")),
        };
        site.end(built, |held| {
            if self.map.insert(&held) { Ok(held) } else { Err(AuthError::new(AuthErrorKind::TenantsFull)) }
        });
    }

    fn hold(self: &Arc<Self>, id: Id, mut tenant: Tenant) -> Built<Id> {
        let origin = tenant.origin.take().or_else(|| self.origin.clone());
        let Some(origin) = origin else {
            return Err(refused(AcquireError::rejected(
                "the tenant has no origin, and there is none for all",
            )));
        };
        if self.yard.reach == Reach::Outwards && origin.leads_inwards() {
            let words = "the tenant's origin is this machine or in a private network; allow private addresses, or \
                         refuse the tenant";
            return Err(refused(AcquireError::rejected(words)));
        }
        let (slot, credential) = (tenant.slot.take(), tenant.credential_bytes());
        let base = Held::base(&id, credential);
        let ward = Arc::new(Ward::new(id, tenant, self.yard.clone(), base));
        let tokens = TokenCache::of_many(ward.clone(), self.policy.clone(), self.observer.clone());
        if let Some(slot) = slot {
            tokens.share(slot).map_err(|error| {
                refused(AcquireError::rejected("the tenant's token can't be shared").with_source(error))
            })?;
        }
        Ok(Arc::new(Held::new(tokens, origin, ward)))
    }
}

fn refused(error: AcquireError) -> AuthError {
    AuthError::new(AuthErrorKind::TenantRefused).with_acquire_error(error)
}

/// Hears how tenants' flights end: then a tenant weighs something else, or its grant is dead.
pub(super) struct Listener<Id: TenantId>(pub(super) Weak<Many<Id>>);

impl<Id: TenantId> Listen<Id> for Listener<Id> {
    fn hear(&self, id: &Id, landing: Result<&AccessToken, &AuthError>) {
        let Some(many) = self.0.upgrade() else { return };
        let Some(held) = many.map.get(id) else { return };
        match landing {
            Ok(_) => {
                held.was_told.store(false, SeqCst);
                held.forget_stamp();
                many.map.lately.let_go(&held);
                many.map.weigh(&held);
            }
            Err(error) if error.is_dead_grant() && !held.was_told.swap(true, SeqCst) => {
                if let Some(on_dead_grant) = &many.on_dead_grant {
                    on_dead_grant(id, error);
                }
            }
            Err(_) => {}
        }
    }
}
