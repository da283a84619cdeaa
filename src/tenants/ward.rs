//! [`Ward`]: a tenant's credential, as its cache asks it. It is asked in turn with those of the same token endpoint, and not
//! at all once the tenant was removed.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use secrecy::SecretString;

use super::{gates::Gates, tenant::Tenant};
use crate::{
    error::{AcquireError, AuthError},
    token::{AccessToken, Acquire, Description, PlaceFuture, Source},
    transport::outwards,
};

/// A tenant's credential.
pub(super) struct Ward {
    source: Box<dyn Source>,
    gates: Arc<Gates>,
    reach: Reach,
    is_removed: AtomicBool,
    listener: Box<dyn Listen>,
}

/// Where the credential's requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    /// To no place that is reached from inside alone.
    Outwards,
}

/// Whoever wants to know how a tenant's flights end.
pub(super) trait Listen: Send + Sync {
    fn hear(&self, landing: Result<&AccessToken, &AuthError>);
}

type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AcquireError>> + Send + 'a>>;

impl Ward {
    pub(super) fn new(tenant: Tenant, gates: Arc<Gates>, reach: Reach, listener: Box<dyn Listen>) -> Self {
        Self { source: tenant.source, gates, reach, is_removed: AtomicBool::new(false), listener }
    }

    pub(super) fn remove(&self) {
        self.is_removed.store(true, SeqCst);
    }

    pub(super) fn is_removed(&self) -> bool {
        self.is_removed.load(SeqCst)
    }

    fn reaching<'a, T: 'a>(&self, asking: SourceFuture<'a, T>) -> SourceFuture<'a, T> {
        match self.reach {
            Reach::Anywhere => asking,
            Reach::Outwards => Box::pin(outwards(asking)),
        }
    }
}

impl Source for Ward {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken> {
        if self.is_removed() {
            return Box::pin(async { Err(AcquireError::rejected("the tenant was removed")) });
        }
        self.reaching(self.source.acquire(request))
    }

    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()> {
        self.reaching(self.source.revoke(token))
    }

    fn has_new_secret(&self) -> bool {
        self.source.has_new_secret()
    }

    fn current_secret(&self) -> Option<SecretString> {
        self.source.current_secret()
    }

    fn describe(&self) -> Description {
        self.source.describe()
    }

    fn place(&self) -> Option<PlaceFuture<'_>> {
        let endpoint = self.source.describe().asked().into();
        Some(Box::pin(self.gates.clone().enter(endpoint)))
    }

    fn hear(&self, landing: Result<&AccessToken, &AuthError>) {
        // By now there may be another one by its id.
        if !self.is_removed() {
            self.listener.hear(landing);
        }
    }
}
