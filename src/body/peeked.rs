//! [`Peeked`]: what was read of a body, and what is to come.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;

use super::{
    frames::Frames,
    watch::{Seen, Watch},
};
use crate::error::BoxError;

pin_project! {
    /// What was read of a body, and what is to come.
    pub(super) struct Peeked<R> {
        pub(super) frames: Frames,
        #[pin]
        pub(super) end: End<R>,
        // Sees the frames pass, until it has seen enough.
        watch: Option<Box<dyn Watch>>,
    }
}

pin_project! {
    /// What follows the frames that were read.
    #[project = EndProjection]
    pub(super) enum End<R> {
        // Nothing: that was all, and the inner body is gone.
        Reached,
        // The error with which the body broke off, until it is handed out.
        Broken { error: Option<BoxError> },
        // The rest, unread.
        Rest { #[pin] body: R },
    }
}

impl<R> Peeked<R> {
    /// A body of which nothing has been read.
    pub(super) fn unread(body: R) -> Self {
        Self { frames: Frames::default(), end: End::Rest { body }, watch: None }
    }

    pub(super) fn set_watch(self: Pin<&mut Self>, watch: impl Watch + 'static) {
        *self.project().watch = Some(Box::new(watch));
    }
}

impl<R> Peeked<R>
where
    R: Body,
    R::Error: Into<BoxError>,
{
    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let given = match this.frames.pop() {
            Some(frame) => Some(Ok(frame)),
            None => match this.end.as_mut().project() {
                EndProjection::Rest { body } => ready!(poll_bytes(body, cx)),
                EndProjection::Reached => None,
                EndProjection::Broken { error } => {
                    let error = error.take();
                    this.end.set(End::Reached);
                    error.map(Err)
                }
            },
        };
        if this.watch.as_ref().is_some_and(|watch| watch.see(given.as_ref()) == Seen::Enough) {
            *this.watch = None;
        }
        Poll::Ready(given)
    }
}

/// The next frame, with its data as [`Bytes`] (free of charge where it is `Bytes` already).
pub(super) fn poll_bytes<R>(
    body: Pin<&mut R>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
where
    R: Body,
    R::Error: Into<BoxError>,
{
    Poll::Ready(ready!(body.poll_frame(cx)).map(|frame| match frame {
        Ok(frame) => Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))),
        Err(error) => Err(error.into()),
    }))
}
