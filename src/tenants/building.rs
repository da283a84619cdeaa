//! [`Building`]: has each tenant built once, for all who wait for it, under no lock, in a task that belongs to none of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::Shared};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout_at},
};

use super::{held::Held, id::TenantId};
use crate::{
    error::{AcquireError, AcquireErrorKind, AuthError, AuthErrorKind},
    sync::{Mutex, MutexGuard, PoisonError},
    time::after,
};

/// What building has come to.
pub(super) type Built<Id> = Result<Arc<Held<Id>>, AuthError>;

/// The tenants that are being built, of which there are only so many.
pub(super) struct Building<Id> {
    sites: Arc<Semaphore>,
    limit: Duration,
    running: Mutex<HashMap<Id, Running<Id>>>,
}

struct Running<Id> {
    site: Arc<()>,
    /// How many say that nobody is to build it. Then nobody does.
    bars: usize,
    built: Shared<oneshot::Receiver<Built<Id>>>,
}

/// A tenant that is being built, in the hands of the task that does it.
pub(super) struct Site<Id: TenantId> {
    building: Arc<Building<Id>>,
    id: Id,
    mark: Arc<()>,
    done: Option<oneshot::Sender<Built<Id>>>,
    pub(super) deadline: Instant,
    _permit: OwnedSemaphorePermit,
}

/// A tenant that isn't built, until this is dropped.
pub(super) struct Barred<Id: TenantId> {
    building: Arc<Building<Id>>,
    id: Id,
    mark: Arc<()>,
}

impl<Id: TenantId> Building<Id> {
    pub(super) fn new(at_once: usize, limit: Duration) -> Arc<Self> {
        let sites = Arc::new(Semaphore::new(at_once));
        Arc::new(Self { sites, limit, running: Mutex::new(HashMap::new()) })
    }

    /// The tenant, if `find` has it by now. Otherwise waits for whoever builds it, which `begin` does if nobody does yet.
    pub(super) async fn join(
        self: Arc<Self>,
        id: Id,
        find: impl Fn(&Id) -> Option<Arc<Held<Id>>>,
        begin: impl FnOnce(Site<Id>) -> Result<(), AuthError>,
    ) -> Built<Id> {
        let deadline = after(Instant::now(), self.limit);
        let running = self.lock().get(&id).map(|running| running.built.clone());
        let built = match running {
            Some(built) => built,
            None => {
                let permit = timeout_at(deadline, self.sites.clone().acquire_owned()).await;
                let Ok(Ok(permit)) = permit else { return Err(late("too many tenants are being built")) };
                let (site, built) = {
                    let mut running = self.lock();
                    // While a place was waited for, somebody else may have built it, or begun to.
                    if let Some(held) = find(&id) {
                        return Ok(held);
                    }
                    match running.get(&id) {
                        Some(running) => (None, running.built.clone()),
                        None => {
                            let (site, added) = self.site(&id, deadline, permit);
                            let built = added.built.clone();
                            running.insert(id, added);
                            (Some(site), built)
                        }
                    }
                };
                if let Some(site) = site {
                    begin(site)?;
                }
                built
            }
        };
        // Whoever builds it is gone only with its runtime.
        built.await.unwrap_or_else(|_| Err(AuthError::new(AuthErrorKind::Lost)))
    }

    /// Has a tenant not be built until what this returns is dropped, and nobody wait for one that is being built: else it
    /// would begin with a grant that the one before it is about to use up.
    pub(super) fn bar(self: &Arc<Self>, id: &Id) -> Barred<Id> {
        let mut running = self.lock();
        let barred = |mark| Barred { building: self.clone(), id: id.clone(), mark };
        if let Some(other) = running.get_mut(id).filter(|running| running.bars > 0) {
            other.bars += 1;
            return barred(other.site.clone());
        }
        let (done, built) = oneshot::channel();
        // Whoever asks meanwhile is told at once.
        let _ = done.send(Err(AuthError::new(AuthErrorKind::TenantRemoved)));
        let mark = Arc::new(());
        let bar = Running { site: mark.clone(), bars: 1, built: built.shared() };
        drop(running.insert(id.clone(), bar));
        barred(mark)
    }

    /// Whether this is what is known of `id`.
    fn is_running(running: &HashMap<Id, Running<Id>>, id: &Id, mark: &Arc<()>) -> bool {
        running.get(id).is_some_and(|running| Arc::ptr_eq(&running.site, mark))
    }

    fn site(
        self: &Arc<Self>,
        id: &Id,
        deadline: Instant,
        permit: OwnedSemaphorePermit,
    ) -> (Site<Id>, Running<Id>) {
        let (done, built) = oneshot::channel();
        let mark = Arc::new(());
        let running = Running { site: mark.clone(), bars: 0, built: built.shared() };
        let (building, id) = (self.clone(), id.clone());
        (Site { building, id, mark, done: Some(done), deadline, _permit: permit }, running)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Running<Id>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Id: TenantId> Site<Id> {
    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// Ends with what has come of it. `take_in` is called only if it wasn't given up meanwhile, in one step with that.
    pub(super) fn end(mut self, result: Built<Id>, take_in: impl FnOnce(Arc<Held<Id>>) -> Built<Id>) {
        let built = {
            let mut running = self.building.lock();
            if Building::is_running(&running, &self.id, &self.mark) {
                let built = result.and_then(take_in);
                running.remove(&self.id);
                built
            } else {
                Err(AuthError::new(AuthErrorKind::TenantRemoved))
            }
        };
        if let Some(done) = self.done.take() {
            // Nobody may be waiting any more.
            let _ = done.send(built);
        }
    }
}

/// With its runtime a task may be dropped before it ends.
impl<Id: TenantId> Drop for Site<Id> {
    fn drop(&mut self) {
        if self.done.is_some() {
            let mut running = self.building.lock();
            if Building::is_running(&running, &self.id, &self.mark) {
                running.remove(&self.id);
            }
        }
    }
}

impl<Id: TenantId> Drop for Barred<Id> {
    fn drop(&mut self) {
        let mut running = self.building.lock();
        if let Some(there) = running.get_mut(&self.id).filter(|there| Arc::ptr_eq(&there.site, &self.mark)) {
            there.bars -= 1;
            if there.bars == 0 {
                running.remove(&self.id);
            }
        }
    }
}

/// Building has taken too long, or can't begin in time.
pub(super) fn late(words: &'static str) -> AuthError {
    let error = AcquireError::new(AcquireErrorKind::TimedOut, words);
    AuthError::new(AuthErrorKind::TenantUnavailable).with_acquire_error(error)
}
