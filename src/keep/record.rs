//! [`RecordBodies`]: the strategy that records a body while it is sent.

use std::fmt;

use http_body::Body;

use super::{
    not_replayed::NotReplayed,
    recording::{Recorder, Recording, Rest, Slot},
    replay_body::ReplayBody,
    strategy::Keep,
    tape::Tape,
};

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
        let recorder = Recorder::new(slot.clone(), self.limit);
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

#[cfg(test)]
mod tests;
