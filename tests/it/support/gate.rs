//! A service that holds answers back until a test lets them go, so that what overlaps is the test's choice.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use tokio::sync::{Semaphore, watch};
use tower::Service;

use super::soon;

/// Holds answers that the server has already given. Clones are the same gate.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Shared>);

struct Shared {
    to_hold: AtomicUsize,
    held: watch::Sender<usize>,
    released: Semaphore,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let (held, _) = watch::channel(0);
        Self(Arc::new(Shared { to_hold: AtomicUsize::new(0), held, released: Semaphore::new(0) }))
    }

    /// Holds the answers to the next `count` calls; those after them pass.
    pub(crate) fn hold(&self, count: usize) {
        self.0.to_hold.fetch_add(count, SeqCst);
    }

    /// Waits until `count` answers have been held back, those released since included.
    #[track_caller]
    pub(crate) fn held(&self, count: usize) -> impl Future<Output = ()> + use<> {
        let mut held = self.0.held.subscribe();
        soon(async move { drop(held.wait_for(|held| *held >= count).await.unwrap()) })
    }

    /// Lets `count` of the answers go, the first ones first.
    pub(crate) fn release(&self, count: usize) {
        self.0.released.add_permits(count);
    }

    pub(crate) fn guard<S>(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S, Q> Service<Q> for Gated<S>
where
    S: Service<Q>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Q) -> Self::Future {
        let shared = self.gate.0.clone();
        let holds = shared.to_hold.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = call.await;
            if holds {
                shared.held.send_modify(|held| *held += 1);
                shared.released.acquire().await.unwrap().forget();
            }
            answer
        })
    }
}
