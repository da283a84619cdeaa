//! [`Upload`] and [`Download`]: bodies that pass, whose trailers are as the rules leave them.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tower_reauth::{BoxError, PeekBody};

use super::headers::{RequestRules, ResponseRules};
use crate::idle::Idle;

/// A client's body on its way to the vendor.
pub(crate) struct Upload {
    /// None is empty.
    pub(super) body: Option<Incoming>,
    pub(super) rules: RequestRules,
    pub(super) idle: Idle,
}

/// The vendor's body on its way to the client.
pub(crate) struct Download {
    pub(super) body: PeekBody<Incoming>,
    pub(super) rules: ResponseRules,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        self.idle.moved();
        Poll::Ready(
            frame.map(|frame| Ok(filtered(frame?, |trailers| self.rules.apply_to_trailers(trailers)))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(
            frame.map(|frame| Ok(filtered(frame?, |trailers| self.rules.apply_to_trailers(trailers)))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The frame, with its trailers as `filter` leaves them.
fn filtered(mut frame: Frame<Bytes>, filter: impl FnOnce(&mut HeaderMap)) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        filter(trailers);
    }
    frame
}
