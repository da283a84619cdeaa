//! [`Held`]: an answer's body, with the request that it answers.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{
    pulse::Busy,
    streams::{Gave, note},
};

/// A body, with the request whose answer it is.
pub(super) struct Held<B> {
    body: B,
    /// How much is given at once.
    most: usize,
    /// What has come of the body, and was too long to be given at once.
    rest: Bytes,
    _busy: Busy,
}

impl<B> Held<B> {
    /// Given as it comes.
    pub(super) fn whole(body: B, busy: Busy) -> Self {
        Self::in_pieces(body, busy, usize::MAX)
    }

    /// Given in pieces of `most` bytes, so that whoever has taken in one of them is seen to take something in.
    pub(super) fn in_pieces(body: B, busy: Busy, most: usize) -> Self {
        Self { body, most, rest: Bytes::new(), _busy: busy }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Held<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut frame = match self.rest.is_empty() {
            true => Pin::new(&mut self.body).poll_frame(cx),
            false => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest))))),
        };
        if let Poll::Ready(Some(Ok(frame))) = &mut frame
            && let Some(data) = frame.data_mut()
            && data.len() > self.most
        {
            self.rest = data.split_off(self.most);
        }
        note(if frame.is_ready() { Gave::Something } else { Gave::Nothing });
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper.saturating_add(rest));
        }
        whole
    }
}
