//! [`Gates`]: how many tenants ask one token endpoint at a time, first come first served.

use std::{collections::HashMap, fmt, mem, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    sync::{Mutex, MutexGuard, PoisonError},
    token::Place,
};

/// A gate for each endpoint that is asked at this time. An endpoint that nobody asks has none.
pub(super) struct Gates {
    width: usize,
    gates: Mutex<HashMap<Box<str>, Gate>>,
}

struct Gate {
    places: Arc<Semaphore>,
    /// Who is within, or waits.
    visitors: usize,
}

/// Somebody who is within, or waits.
struct Visitor {
    gates: Arc<Gates>,
    endpoint: Box<str>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Gates {
    pub(super) fn new(width: usize) -> Arc<Self> {
        Arc::new(Self { width, gates: Mutex::new(HashMap::new()) })
    }

    /// Waits for a place at `endpoint`. It is given back when what this returns is dropped.
    pub(super) async fn enter(self: Arc<Self>, endpoint: Box<str>) -> Place {
        let places = {
            let mut gates = self.lock();
            let gate = gates
                .entry(endpoint.clone())
                .or_insert_with(|| Gate { places: Arc::new(Semaphore::new(self.width)), visitors: 0 });
            gate.visitors += 1;
            gate.places.clone()
        };
        // Made before the wait, which may be given up.
        let mut visitor = Visitor { gates: self, endpoint, permit: None };
        visitor.permit = places.acquire_owned().await.ok();
        Box::new(visitor)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut gates = self.gates.lock();
        if let Some(gate) = gates.get_mut(&self.endpoint) {
            gate.visitors -= 1;
            if gate.visitors == 0 {
                gates.remove(&self.endpoint);
                if gates.is_empty() {
                    // A crowd has gone; its room isn't kept.
                    drop(mem::take(&mut *gates));
                }
            }
        }
    }
}

impl fmt::Debug for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gates").field("endpoints", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn places_are_given_in_turn_and_each_endpoint_has_its_own() {
        let gates = Gates::new(2);
        let enter = |endpoint: &str| Box::pin(gates.clone().enter(endpoint.into()));
        let one = enter("a").await;
        let _two = enter("a").await;
        let (mut three, mut four) = (enter("a"), enter("a"));
        assert!(three.as_mut().now_or_never().is_none() && four.as_mut().now_or_never().is_none());
        assert!(enter("b").now_or_never().is_some(), "whoever hangs at one is in nobody's way at another");
        drop(one);
        assert!(four.as_mut().now_or_never().is_none(), "it came later");
        assert!(three.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_an_endpoint_that_nobody_asks() {
        let gates = Gates::new(1);
        let within = gates.clone().enter("a".into()).await;
        let mut waiting = Box::pin(gates.clone().enter("a".into()));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        assert_eq!(gates.lock()["a"].visitors, 1);
        drop(within);
        assert!(gates.lock().is_empty());
    }
}
