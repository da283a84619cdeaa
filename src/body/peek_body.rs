//! [`PeekBody`]: hands on everything that was looked at, then the rest.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{
    peeked::{End, Peeked, poll_bytes},
    watch::Watch,
};
use crate::error::BoxError;

pin_project! {
    /// The body of the layer's responses: the inner service's, frame for frame.
    ///
    /// If the layer has looked at the body's beginning, that comes first, then the live rest. Data frames, trailers
    /// and errors arrive as the inner body gave them.
    pub struct PeekBody<R> {
        #[pin]
        kind: Kind<R>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<R> {
        // Nobody looked at it, nor will: the usual case, without any allocation.
        Plain { #[pin] body: R },
        Peeked { peeked: Pin<Box<Peeked<R>>> },
    }
}

impl<R> PeekBody<R> {
    pub(crate) fn plain(body: R) -> Self {
        Self { kind: Kind::Plain { body } }
    }

    pub(super) fn peeked(peeked: Pin<Box<Peeked<R>>>) -> Self {
        Self { kind: Kind::Peeked { peeked } }
    }

    /// The same, with `watch` to see the frames pass.
    pub(crate) fn watched_by(self, watch: impl Watch + 'static) -> Self {
        let mut peeked = match self.kind {
            Kind::Plain { body } => Box::pin(Peeked::unread(body)),
            Kind::Peeked { peeked } => peeked,
        };
        peeked.as_mut().set_watch(watch);
        Self::peeked(peeked)
    }
}

impl<R> Body for PeekBody<R>
where
    R: Body,
    R::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().kind.project() {
            KindProjection::Plain { body } => poll_bytes(body, cx),
            KindProjection::Peeked { peeked } => peeked.as_mut().poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain { body } => body.is_end_stream(),
            Kind::Peeked { peeked } => {
                peeked.frames.is_empty()
                    && match &peeked.end {
                        End::Rest { body } => body.is_end_stream(),
                        End::Reached => true,
                        End::Broken { .. } => false,
                    }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let peeked = match &self.kind {
            Kind::Plain { body } => return body.size_hint(),
            Kind::Peeked { peeked } => peeked,
        };
        let read = peeked.frames.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
        let rest = match &peeked.end {
            End::Rest { body } => body.size_hint(),
            // To a server that passes the body on, a known length says that there is no need for trailers.
            End::Reached if peeked.frames.iter().any(Frame::is_trailers) => SizeHint::default(),
            End::Reached => SizeHint::with_exact(0),
            End::Broken { .. } => SizeHint::default(),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}

impl<R> fmt::Debug for PeekBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeekBody").finish_non_exhaustive()
    }
}
