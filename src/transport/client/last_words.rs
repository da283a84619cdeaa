//! [`LastWords`]: what a server has said before it hung up, though nothing can be written to it any more.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// How often whoever writes is asked to wait while nobody reads. Nobody does who has all of an answer.
const PATIENCE: u8 = 8;

/// A stream whose loss is told to whoever reads it first, and then to whoever writes.
///
/// A server that wants no more of an upload answers (401, 413), closes, and resets what still comes. The reset meets the
/// writer, and hyper would make that the error, though the answer has been received. Here the writer waits, and the
/// reader gets what there is: the answer, or the end. Of an answer that the system has thrown away nothing can be got.
pub(super) struct LastWords<T> {
    inner: T,
    lost: Option<Lost>,
}

/// What became of a stream that can't be written to.
struct Lost {
    kind: io::ErrorKind,
    reader: Reader,
}

enum Reader {
    /// It hasn't looked, while this many writes were tried.
    Away(u8),
    /// It waits for what comes, if that is the end alone.
    Waits,
}

impl<T> LastWords<T> {
    pub(super) fn of(inner: T) -> Self {
        Self { inner, lost: None }
    }

    /// What comes of writing, by way of `write`.
    fn write<N>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<N>>,
    ) -> Poll<io::Result<N>>
    where
        T: Unpin,
    {
        let lost = match &mut self.lost {
            Some(lost) => lost,
            None => match write(Pin::new(&mut self.inner), cx) {
                Poll::Ready(Err(error)) if is_loss(error.kind()) => {
                    self.lost.insert(Lost { kind: error.kind(), reader: Reader::Away(0) })
                }
                written => return written,
            },
        };
        match &mut lost.reader {
            Reader::Waits => Poll::Pending,
            Reader::Away(PATIENCE..) => Poll::Ready(Err(lost.kind.into())),
            Reader::Away(tried) => {
                *tried += 1;
                // It may have looked before that came.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

fn is_loss(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset)
}

impl<T: Connection> Connection for LastWords<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

impl<T: Read + Unpin> Read for LastWords<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Some(lost) = &mut self.lost {
            lost.reader = if read.is_pending() { Reader::Waits } else { Reader::Away(0) };
        }
        read
    }
}

impl<T: Write + Unpin> Write for LastWords<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, |inner, cx| inner.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(cx, |inner, cx| inner.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |inner, cx| inner.poll_write_vectored(cx, pieces))
    }
}
