//! [`Moving`]: a stream that fails where something is to be written, and nothing moves.

use std::{
    error::Error,
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::Instant;

use super::{timer::Timer, uploads::note_connection};
use crate::time::after;

/// A stream, and how long nothing may move on it while the server doesn't take in what is written.
///
/// hyper writes what it has begun to write before it closes a connection, whoever has given up waiting for the answer: without a bound, a
/// server that reads nothing more of an upload would keep the connection for as long as it likes.
pub(super) struct Moving<T> {
    inner: T,
    limit: Option<Duration>,
    /// Since when a write waits, or when something came last meanwhile.
    stuck_since: Option<Instant>,
    timer: Timer,
}

/// Nothing moved for so long, and something was to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stuck(Duration);

impl<T> Moving<T> {
    pub(super) fn new(inner: T, limit: Option<Duration>) -> Self {
        Self { inner, limit, stuck_since: None, timer: Timer::default() }
    }

    fn note(&self) {
        if self.limit.is_some() {
            note_connection();
        }
    }

    /// What comes of a write, for which nobody may have to wait for ever.
    fn written<N>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<N>>) -> Poll<io::Result<N>> {
        self.note();
        let Some(limit) = self.limit.filter(|_| written.is_pending()) else {
            self.stuck_since = None;
            return written;
        };
        let end = after(*self.stuck_since.get_or_insert_with(Instant::now), limit);
        ready!(self.timer.poll_until(end, cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, Stuck(limit))))
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server took in nothing for {:?}", self.0)
    }
}

impl Error for Stuck {}

impl<T: Connection> Connection for Moving<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

impl<T: Read + Unpin> Read for Moving<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.note();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if read.is_ready()
            && let Some(since) = &mut self.stuck_since
        {
            *since = Instant::now();
        }
        read
    }
}

impl<T: Write + Unpin> Write for Moving<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.written(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.written(cx, shut)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.written(cx, written)
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::sleep,
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_in_is_waited_for_as_long_as_allowed_and_not_while_something_moves() {
        let (near, mut far) = duplex(4);
        let mut near = TokioIo::new(Moving::new(TokioIo::new(near), Some(LIMIT)));
        near.write_all(b"full").await.unwrap();
        let began = Instant::now();
        let peer = async {
            for _ in 0..3 {
                sleep(LIMIT / 2).await;
                far.read_u8().await.unwrap();
            }
            // It takes in nothing more, but says something.
            sleep(LIMIT / 2).await;
            far.write_all(b"said").await.unwrap();
        };
        let (mut reading, mut writing) = tokio::io::split(&mut near);
        let (written, said, ()) = tokio::join!(
            writing.write_all(b"more than fits"),
            async {
                let mut said = [0; 4];
                reading.read_exact(&mut said).await.map(|_| said)
            },
            peer
        );
        assert_eq!(&said.unwrap(), b"said");
        let error = written.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "the server took in nothing for 60s");
        assert_eq!(began.elapsed().as_secs(), 180);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_there_is_none() {
        let (near, mut far) = duplex(4);
        let mut near = TokioIo::new(Moving::new(TokioIo::new(near), None));
        let peer = async {
            sleep(LIMIT * 1000).await;
            far.read_exact(&mut [0; 8]).await.unwrap();
        };
        let (written, ()) = tokio::join!(near.write_all(b"too long"), peer);
        written.unwrap();
    }
}
