//! [`ReplayBody`]: a body that is recorded while it is sent, or played again, or just sent.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::{
    not_replayed::NotReplayed,
    recording::{Recorder, Rest},
    tape::Tape,
};

/// The request body that a layer with [`record_bodies`](crate::AuthLayer::record_bodies) sends: the caller's, frame
/// for frame.
///
/// Frames, trailers, errors, size and end are those of the caller's body, which is read when this one is. Data is
/// handed on as [`Bytes`], which is free of charge where it is `Bytes` already.
///
/// It is `Unpin` for every `B`, and `Send` where `B` is.
pub struct ReplayBody<B> {
    /// What comes first: of a replay, what the first send has read.
    tape: Tape,
    rest: Rest<B>,
    /// Where the rest is recorded, until there is no more to record.
    recorder: Option<Recorder<B>>,
}

impl<B> ReplayBody<B> {
    pub(super) fn live(body: B, recorder: Option<Recorder<B>>) -> Self {
        Self { tape: Tape::default(), rest: Rest::Live(Box::pin(body)), recorder }
    }

    pub(super) fn of_tape(tape: Tape, rest: Rest<B>) -> Self {
        Self { tape, rest, recorder: None }
    }
}

impl<B: Body> Body for ReplayBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if let Some(frame) = this.tape.play() {
            return Poll::Ready(Some(Ok(frame)));
        }
        // It is taken out while it is polled, so that a body that has panicked is never handed on as a rest.
        let mut body = match mem::replace(&mut this.rest, Rest::Ended) {
            Rest::Live(body) => body,
            Rest::Unannounced | Rest::Ended => return Poll::Ready(None),
        };
        let polled = body.as_mut().poll_frame(cx).map(|frame| {
            frame.map(|frame| Ok(frame?.map_data(|mut data| data.copy_to_bytes(data.remaining()))))
        });
        if let (Poll::Ready(frame), Some(recorder)) = (&polled, &this.recorder) {
            let frame = frame.as_ref().map(|frame| frame.as_ref().map_err(|_| ()));
            if !recorder.record(frame, &body) {
                this.recorder = None;
            }
        }
        this.rest = Rest::Live(body);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.tape.is_played()
            && match &self.rest {
                Rest::Live(body) => body.is_end_stream(),
                Rest::Unannounced => false,
                Rest::Ended => true,
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Rest::Live(body) if self.tape.is_played() => body.size_hint(),
            _ => self.tape.hint(),
        }
    }
}

/// Whoever sends the body may stop reading it: because it needs no more, or because the answer is there. The rest is
/// then left to the replay.
impl<B> Drop for ReplayBody<B> {
    fn drop(&mut self) {
        let Some(recorder) = self.recorder.take() else { return };
        match mem::replace(&mut self.rest, Rest::Ended) {
            rest @ Rest::Live(_) => recorder.complete(rest),
            _ => recorder.lose(NotReplayed::Body),
        };
    }
}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayBody").finish_non_exhaustive()
    }
}
