//! What is left of a task that was spawned: how it ended.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::FutureExt;

use crate::sync::oneshot;

/// Waits for a task. Dropping this leaves the task alone.
#[derive(Debug)]
pub struct JoinHandle<T>(pub(crate) oneshot::Receiver<Result<T, JoinError>>);

/// Runs `work` here: no scenario has any that takes long.
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T) -> JoinHandle<T> {
    let (sender, receiver) = oneshot::channel();
    // The receiver is there.
    let _ = sender.send(Ok(work()));
    JoinHandle(receiver)
}

/// How a task ended that brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinError {
    Cancelled,
    Panicked,
}

impl JoinError {
    pub fn is_panic(&self) -> bool {
        *self == Self::Panicked
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task has {self:?}")
    }
}

impl Error for JoinError {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(cx).map(|end| end.unwrap_or(Err(JoinError::Cancelled)))
    }
}
