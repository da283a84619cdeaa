//! [`RecordBodies`]: recording a body while it is sent. Where the recording goes is [`ReplayBody`]'s business.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::{
    Keep,
    replay_body::{ReplayBody, Rest},
    tape::{Piece, Tape},
};
use crate::outcome::NotReplayed;

/// Records bodies while they are sent; see [`AuthLayer::record_bodies`](crate::AuthLayer::record_bodies).
///
/// # Examples
///
/// ```
/// use tower_reauth::RecordBodies;
///
/// assert_eq!(RecordBodies::default().limit(), 64 * 1024);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecordBodies {
    limit: usize,
}

impl RecordBodies {
    /// How many bytes of a body are recorded at most, where nothing else is said: 64 KiB.
    pub const DEFAULT_LIMIT: usize = 64 * 1024;

    pub(crate) fn new(limit: usize) -> Self {
        Self { limit }
    }

    /// How many bytes of a body are recorded at most.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Default for RecordBodies {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT)
    }
}

impl<B: Body> Keep<B> for RecordBodies {
    type Sent = ReplayBody<B>;
    type Kept = RecordedBody<B>;

    fn keep(&self, body: B) -> (ReplayBody<B>, Result<RecordedBody<B>, NotReplayed>) {
        let hint = body.size_hint();
        if body.is_end_stream() {
            // Such as that of a GET: nothing to record, so nothing is allocated.
            let again = ReplayBody::of_tape(Tape::new(hint), Rest::Ended);
            let kept = RecordedBody { kept: Kept::Empty(hint) };
            return (again, Ok(kept));
        }
        if hint.lower() > self.limit as u64 {
            return (ReplayBody::live(body, None), Err(NotReplayed::BodyTooLong));
        }
        let slot = Slot::holding(Recording::Running(Tape::new(hint)));
        let recorder = Recorder { slot: slot.clone(), limit: self.limit };
        (ReplayBody::live(body, Some(recorder)), Ok(RecordedBody { kept: Kept::Shared(slot) }))
    }

    fn pass(&self, body: B) -> ReplayBody<B> {
        ReplayBody::live(body, None)
    }

    fn again(&self, kept: RecordedBody<B>) -> Result<ReplayBody<B>, NotReplayed> {
        match &kept.kept {
            Kept::Empty(hint) => Ok(ReplayBody::of_tape(Tape::new(*hint), Rest::Ended)),
            Kept::Shared(slot) => match slot.replace(Recording::Lost(NotReplayed::Body)) {
                Recording::Whole(tape, rest) => Ok(ReplayBody::of_tape(tape, rest)),
                Recording::Running(_) => Err(NotReplayed::BodyUnfinished),
                Recording::Lost(why) => Err(why),
            },
        }
    }
}

/// What [`RecordBodies`] keeps of a request body: what its [`ReplayBody`] has recorded, as far as that got.
///
/// Dropping it ends the recording and frees what was recorded.
pub struct RecordedBody<B> {
    kept: Kept<B>,
}

enum Kept<B> {
    /// The body was empty from the start.
    Empty(http_body::SizeHint),
    Shared(Slot<B>),
}

impl<B> Drop for RecordedBody<B> {
    fn drop(&mut self) {
        if let Kept::Shared(slot) = &self.kept {
            slot.replace(Recording::Lost(NotReplayed::Body));
        }
    }
}

impl<B> fmt::Debug for RecordedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedBody").finish_non_exhaustive()
    }
}

/// How a recording stands.
enum Recording<B> {
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
struct Slot<B> {
    recording: Arc<Mutex<Recording<B>>>,
}

impl<B> Slot<B> {
    fn holding(recording: Recording<B>) -> Self {
        Self { recording: Arc::new(Mutex::new(recording)) }
    }

    fn with<T>(&self, then: impl FnOnce(&mut Recording<B>) -> T) -> T {
        then(&mut self.recording.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, recording: Recording<B>) -> Recording<B> {
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

#[cfg(test)]
mod tests;
