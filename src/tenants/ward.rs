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

use super::{gates::Gates, id::TenantId, tenant::Tenant};
use crate::{
    error::{AcquireError, AuthError},
    token::{AccessToken, Acquire, Description, PlaceFuture, Source},
    transport::outwards,
};

/// A tenant's credential.
pub(super) struct Ward<Id> {
    id: Id,
    source: Box<dyn Source>,
    yard: Arc<Yard<Id>>,
    /// What the tenant takes before it has a token, in bytes.
    base: u32,
    is_removed: AtomicBool,
}

/// What all of them have in common.
pub(super) struct Yard<Id> {
    pub(super) gates: Arc<Gates>,
    pub(super) reach: Reach,
    pub(super) listener: Box<dyn Listen<Id>>,
}

/// Where the credential's requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    /// To no place that is reached from inside alone.
    Outwards,
}

/// Whoever wants to know how tenants' flights end.
pub(super) trait Listen<Id>: Send + Sync {
    fn hear(&self, id: &Id, landing: Result<&AccessToken, &AuthError>);
}

type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AcquireError>> + Send + 'a>>;

impl<Id> Ward<Id> {
    pub(super) fn new(id: Id, tenant: Tenant, yard: Arc<Yard<Id>>, base: usize) -> Self {
        let base = u32::try_from(base).unwrap_or(u32::MAX);
        Self { id, source: tenant.source, yard, base, is_removed: AtomicBool::new(false) }
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    pub(super) fn base(&self) -> usize {
        self.base as usize
    }

    pub(super) fn remove(&self) {
        self.is_removed.store(true, SeqCst);
    }

    pub(super) fn is_removed(&self) -> bool {
        self.is_removed.load(SeqCst)
    }

    fn reaching<'a, T: 'a>(&self, asking: SourceFuture<'a, T>) -> SourceFuture<'a, T> {
        match self.yard.reach {
            Reach::Anywhere => asking,
            Reach::Outwards => Box::pin(outwards(asking)),
        }
    }
}

impl<Id: TenantId> Source for Ward<Id> {
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
        Some(Box::pin(self.yard.gates.clone().enter(endpoint)))
    }

    fn hear(&self, landing: Result<&AccessToken, &AuthError>) {
        // By now there may be another one by its id.
        if !self.is_removed() {
            self.yard.listener.hear(&self.id, landing);
        }
    }
}
