//! Places, given in turn. Taking one, waiting for one, and giving it back are steps.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

use shuttle::sync::{Mutex, MutexGuard};

pub struct Semaphore(Mutex<Inside>);

pub struct OwnedSemaphorePermit(Arc<Semaphore>);

/// It was closed, which none is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquireError(());

struct Inside {
    free: usize,
    next: u64,
    /// Those who wait, and those of them who have a place by now.
    waiting: VecDeque<(u64, Option<Waker>)>,
    given: Vec<u64>,
}

impl Semaphore {
    pub fn new(permits: usize) -> Self {
        Self(Mutex::new(Inside { free: permits, next: 0, waiting: VecDeque::new(), given: Vec::new() }))
    }

    pub fn acquire_owned(
        self: Arc<Self>,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send {
        Acquire { semaphore: self, number: None }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let mut inside = self.lock();
        let waker = match inside.waiting.pop_front() {
            Some((number, waker)) => {
                inside.given.push(number);
                waker
            }
            None => {
                inside.free += 1;
                None
            }
        };
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Acquire {
    semaphore: Arc<Semaphore>,
    number: Option<u64>,
}

impl Future for Acquire {
    type Output = Result<OwnedSemaphorePermit, AcquireError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let semaphore = self.semaphore.clone();
        let mut inside = semaphore.lock();
        let has_place = match self.number {
            None if inside.free > 0 => {
                inside.free -= 1;
                true
            }
            None => {
                let number = inside.next;
                inside.next += 1;
                inside.waiting.push_back((number, Some(cx.waker().clone())));
                self.number = Some(number);
                false
            }
            Some(number) => {
                let given = inside.given.iter().position(|&given| given == number);
                if let Some(place) = given {
                    inside.given.swap_remove(place);
                    self.number = None;
                } else if let Some((_, waker)) = inside.waiting.iter_mut().find(|(other, _)| *other == number)
                {
                    *waker = Some(cx.waker().clone());
                }
                given.is_some()
            }
        };
        drop(inside);
        if has_place { Poll::Ready(Ok(OwnedSemaphorePermit(semaphore))) } else { Poll::Pending }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(number) = self.number.filter(|_| !std::thread::panicking()) else { return };
        let mut inside = self.semaphore.lock();
        inside.waiting.retain(|(other, _)| *other != number);
        let was_given = inside.given.contains(&number);
        inside.given.retain(|&given| given != number);
        drop(inside);
        if was_given {
            self.semaphore.release();
        }
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.release();
        }
    }
}

impl fmt::Debug for OwnedSemaphorePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSemaphorePermit").finish_non_exhaustive()
    }
}
