//! [`Entire`]: a body that ends where its sender says so, and nowhere else.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Response, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tower_reauth::BoxError;

/// A body, and what it came over.
///
/// To hyper, one that is reset with `NO_ERROR` has ended: so does a server of HTTP/2 that wants no more of a request which it has answered
/// (RFC 9113 §8.1). Of whoever sends the body it is no end, and passed on as one it would make the half look like the whole.
pub(crate) struct Entire {
    body: Incoming,
    version: Version,
}

impl Entire {
    pub(crate) fn new(body: Incoming, version: Version) -> Self {
        Self { body, version }
    }

    /// An answer, with its body as such a one.
    pub(crate) fn answer(response: Response<Incoming>) -> Response<Self> {
        let version = response.version();
        response.map(|body| Self::new(body, version))
    }

    fn is_cut_off(&self) -> bool {
        let has_all = self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
        self.version == Version::HTTP_2 && !has_all
    }
}

impl Body for Entire {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() && self.is_cut_off() {
            let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the stream was reset before its end");
            return Poll::Ready(Some(Err(error.into())));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
