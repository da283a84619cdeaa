//! [`Course`]: how a client's body comes along, for whoever has to say why there is no answer to it.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::message::chain;

/// How a body comes along. Clones share what they know.
///
/// A body that fails ends its request, but of why it did so not all clients of a vendor tell: one of HTTP/2 knows only that the stream was
/// reset.
#[derive(Clone)]
pub(crate) struct Course {
    stage: Arc<Mutex<Stage>>,
    is_owed: bool,
}

#[derive(Default)]
enum Stage {
    /// Whatever comes is taken in by the vendor, or isn't yet.
    #[default]
    Flows,
    /// It is the client's turn.
    Awaited,
    /// No more of it will come, and it isn't whole.
    Broken(String),
    /// All of it has come.
    Over,
}

impl Course {
    /// The course of a body that is owed whole, whatever the vendor says meanwhile, or isn't.
    pub(super) fn new(is_owed: bool) -> Self {
        Self { stage: Arc::default(), is_owed }
    }

    pub(super) fn flows(&self) {
        *self.stage() = Stage::Flows;
    }

    pub(super) fn is_waited_for(&self) {
        *self.stage() = Stage::Awaited;
    }

    pub(super) fn ends(&self) {
        *self.stage() = Stage::Over;
    }

    pub(super) fn breaks(&self, error: &(dyn Error + 'static)) {
        *self.stage() = Stage::Broken(chain(error));
    }

    /// Whether everybody waits for the client, which owes more of it.
    pub(super) fn is_owed(&self) -> bool {
        self.is_owed && matches!(*self.stage(), Stage::Awaited)
    }

    /// Why the rest of it will never come, if that is so.
    pub(super) fn broken(&self) -> Option<String> {
        match &*self.stage() {
            Stage::Broken(why) => Some(why.clone()),
            _ => None,
        }
    }

    /// Whether all of it has come. Where it hasn't, nobody reads the rest once the answer is given, nor what comes after it.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.stage(), Stage::Over)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
