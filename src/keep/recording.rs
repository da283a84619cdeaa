//! What is recorded of a body, while it is sent: the recorder that sees its frames, and the place where both the body and
//! whoever may want it again find the recording.

use std::{
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::{
    not_replayed::NotReplayed,
    tape::{Piece, Tape},
};

/// How a recording stands.
pub(super) enum Recording<B> {
    /// The body is being sent.
    Running(Tape),
    /// The recording, and what comes after it: together the whole body.
    Whole(Tape, Rest<B>),
    /// There is none any more.
    Lost(NotReplayed),
}

/// The place where a recording is, for the body that makes it and for the one who may want it.
///
/// Its lock is held for moves in memory only; neither bodies nor recordings are dropped under it.
pub(super) struct Slot<B> {
    recording: Arc<Mutex<Recording<B>>>,
}

impl<B> Slot<B> {
    pub(super) fn holding(recording: Recording<B>) -> Self {
        Self { recording: Arc::new(Mutex::new(recording)) }
    }

    fn with<T>(&self, then: impl FnOnce(&mut Recording<B>) -> T) -> T {
        then(&mut self.recording.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, recording: Recording<B>) -> Recording<B> {
        self.with(|current| mem::replace(current, recording))
    }
}

impl<B> Clone for Slot<B> {
    fn clone(&self) -> Self {
        Self { recording: Arc::clone(&self.recording) }
    }
}

/// Records the frames of a body as they go by.
pub(super) struct Recorder<B> {
    slot: Slot<B>,
    limit: usize,
}

impl<B> Recorder<B> {
    pub(super) fn new(slot: Slot<B>, limit: usize) -> Self {
        Self { slot, limit }
    }

    /// Takes down what `body` has just given: a frame, its failure, or its end. Returns whether there may be more.
    pub(super) fn record(&self, polled: Option<Result<&Frame<Bytes>, ()>>, body: &B) -> bool
    where
        B: Body,
    {
        let frame = match polled {
            Some(Ok(frame)) => frame,
            Some(Err(())) => return self.lose(NotReplayed::Body),
            None => return self.complete(Rest::Unannounced),
        };
        // Whoever sends the body need not ask for more after this.
        let (ended, least) = (body.is_end_stream(), body.size_hint().lower());
        let (piece, limit) = (Piece::of(frame), self.limit);
        let fits = self.slot.with(|current| match current {
            Recording::Running(tape) => Some(tape.push(piece, limit) && tape.has_room_for(least, limit)),
            _ => None,
        });
        match fits {
            Some(true) if ended => self.complete(Rest::Ended),
            Some(fits) => fits || self.lose(NotReplayed::BodyTooLong),
            None => false,
        }
    }

    /// Nobody reads on: what is recorded and `rest` are the whole body.
    pub(super) fn complete(&self, rest: Rest<B>) -> bool {
        let mut rest = Some(rest);
        self.slot.with(|current| {
            if let Recording::Running(tape) = current
                && let Some(rest) = rest.take()
            {
                *current = Recording::Whole(mem::take(tape), rest);
            }
        });
        false
    }

    /// The body can't be had a second time.
    pub(super) fn lose(&self, why: NotReplayed) -> bool {
        let lost = self.slot.with(|current| {
            let is_running = matches!(current, Recording::Running(_));
            is_running.then(|| mem::replace(current, Recording::Lost(why)))
        });
        drop(lost);
        false
    }
}

/// What comes after a tape.
pub(super) enum Rest<B> {
    /// The live body.
    Live(Pin<Box<B>>),
    /// Nothing, but the body only says so when it is asked for more.
    Unannounced,
    /// Nothing.
    Ended,
}
