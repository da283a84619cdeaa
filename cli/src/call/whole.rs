//! [`Whole`]: pieces of a body whose length was told before they came.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;

/// As many bytes as were told, or an error.
///
/// With HTTP/1.1 what is too much would be cut off unseen, and the vendor would have what looks like the whole. So the piece that
/// completes the body is kept until it is known to be the last one.
pub(super) struct Whole<S> {
    pieces: S,
    told: u64,
    left: u64,
    last: Option<Bytes>,
}

impl<S> Whole<S> {
    pub(super) fn new(pieces: S, told: u64) -> Self {
        Self { pieces, told, left: told, last: None }
    }

    fn broken(&self, how: &str) -> io::Error {
        io::Error::other(format!("it was said to have {} bytes, and has {how}", self.told))
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Whole<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let Some(piece) = ready!(Pin::new(&mut self.pieces).poll_next(cx)?) else {
                let missing = std::mem::take(&mut self.left);
                let fewer = || Err(self.broken(&format!("{missing} fewer")));
                return Poll::Ready(if missing > 0 { Some(fewer()) } else { self.last.take().map(Ok) });
            };
            let Some(left) = self.left.checked_sub(piece.len() as u64) else {
                return Poll::Ready(Some(Err(self.broken("more"))));
            };
            self.left = left;
            match (left, piece.is_empty()) {
                (_, true) => {}
                (0, _) => self.last = Some(piece),
                _ => return Poll::Ready(Some(Ok(piece))),
            }
        }
    }
}
