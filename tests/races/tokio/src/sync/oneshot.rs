//! A channel for one value. Sending, and dropping the sender, are steps; so is each look of the receiver.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

use shuttle::sync::{Mutex, MutexGuard};

use crate::world;

pub struct Sender<T>(Option<Arc<Channel<T>>>);

pub struct Receiver<T>(Arc<Channel<T>>);

/// The sender is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError(());

type Channel<T> = Mutex<Inside<T>>;

struct Inside<T> {
    value: Option<T>,
    sender_gone: bool,
    receiver_gone: bool,
    waker: Option<Waker>,
}

pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let inside = Inside { value: None, sender_gone: false, receiver_gone: false, waker: None };
    let channel = Arc::new(Mutex::new(inside));
    (Sender(Some(channel.clone())), Receiver(channel))
}

fn lock<T>(channel: &Channel<T>) -> MutexGuard<'_, Inside<T>> {
    channel.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sender's end: what the receiver finds, and the call of whoever waits for it.
fn end<T>(channel: &Channel<T>, value: Option<T>) -> Result<(), Option<T>> {
    let mut inside = lock(channel);
    inside.sender_gone = true;
    let result = if inside.receiver_gone {
        Err(value)
    } else {
        inside.value = value;
        Ok(())
    };
    let waker = inside.waker.take();
    drop(inside);
    if let Some(waker) = waker {
        world::meddle();
        waker.wake();
    }
    result
}

impl<T> Sender<T> {
    pub fn send(mut self, value: T) -> Result<(), T> {
        let channel = self.0.take().expect("it is there until it is used");
        end(&channel, Some(value)).map_err(|value| value.expect("it was sent"))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // After a failure nobody waits any more.
        if let Some(channel) = self.0.take().filter(|_| !std::thread::panicking()) {
            let _ = end(&channel, None);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inside = lock(&self.0);
        if let Some(value) = inside.value.take() {
            return Poll::Ready(Ok(value));
        }
        if inside.sender_gone {
            return Poll::Ready(Err(RecvError(())));
        }
        inside.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            lock(&self.0).receiver_gone = true;
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
