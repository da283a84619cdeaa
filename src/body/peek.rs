//! Reading the beginning of a body, up to a number of bytes and for a limited time. Nothing that was read is lost.

use std::{
    borrow::Cow,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use super::{
    peek_body::PeekBody,
    peeked::{End, EndProjection, Peeked, poll_bytes},
    unread::Unread,
};
use crate::{
    error::BoxError,
    time::{after, sleep_until},
};

/// The most frames that a body may have to be read whole: those without data count no bytes, but take room.
const MAX_FRAMES: usize = 1024;

/// How much of a body may be read, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeekLimits {
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl Default for PeekLimits {
    fn default() -> Self {
        Self { bytes: 16 * 1024, time: Duration::from_secs(2) }
    }
}

/// A look at a body that is under way.
pub(crate) struct Peek<R> {
    /// In the place where it stays when it is handed out.
    peeked: Pin<Box<Peeked<R>>>,
    bytes: usize,
    limits: PeekLimits,
    /// Made when the body first keeps us waiting: until then it takes no time, and most bodies are there at once.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<R> Peek<R>
where
    R: Body,
    R::Error: Into<BoxError>,
{
    pub(crate) fn new(body: R, limits: PeekLimits) -> Self {
        Self { peeked: Box::pin(Peeked::unread(body)), bytes: 0, limits, timer: None }
    }

    /// Reads on until the end is reached or a limit is; then says why the end wasn't reached, if it wasn't.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Unread>> {
        loop {
            let mut peeked = self.peeked.as_mut().project();
            let EndProjection::Rest { body } = peeked.end.as_mut().project() else {
                return Poll::Ready(None);
            };
            let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
            if self.bytes.saturating_add(expected) > self.limits.bytes || peeked.frames.len() > MAX_FRAMES {
                return Poll::Ready(Some(Unread::TooLong));
            }
            match poll_bytes(body, cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.bytes += frame.data_ref().map_or(0, Bytes::len);
                    peeked.frames.push(frame);
                }
                Poll::Ready(Some(Err(error))) => {
                    peeked.end.set(End::Broken { error: Some(error) });
                    return Poll::Ready(Some(Unread::BrokenOff));
                }
                Poll::Ready(None) => peeked.end.set(End::Reached),
                Poll::Pending if self.time_is_up(cx) => return Poll::Ready(Some(Unread::TooSlow)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The data that was read, in one piece; copied only if it came in several.
    pub(crate) fn data(&self) -> Cow<'_, [u8]> {
        let mut pieces = self.peeked.frames.iter().filter_map(Frame::data_ref).map(|data| data.as_ref());
        let first = pieces.next().unwrap_or_default();
        match pieces.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                Cow::Owned([first, second].into_iter().chain(pieces).collect::<Vec<_>>().concat())
            }
        }
    }

    /// The trailers, if they have come.
    pub(crate) fn trailers(&self) -> Option<&HeaderMap> {
        self.peeked.frames.iter().find_map(Frame::trailers_ref)
    }

    /// Whether something of the body is unread, so that its connection is still in use.
    pub(crate) fn has_rest(&self) -> bool {
        matches!(self.peeked.end, End::Rest { .. })
    }

    /// Everything that was read, then the rest.
    pub(crate) fn into_body(self) -> PeekBody<R> {
        PeekBody::peeked(self.peeked)
    }

    /// Without a clock there is no waiting.
    fn time_is_up(&mut self, cx: &mut Context<'_>) -> bool {
        if self.timer.is_none() {
            self.timer = sleep_until(after(Instant::now(), self.limits.time)).map(Box::pin);
        }
        self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready())
    }
}

impl<R> fmt::Debug for Peek<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
