//! [`Prior`]: whether a server that is taken to speak HTTP/2 does.

use std::{
    error::Error as StdError,
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// A stream whose server has to begin with a frame of SETTINGS (RFC 9113 §3.4), if that is known before.
///
/// hyper would only say of another beginning that it is a frame of a wrong size.
pub(super) struct Prior<T> {
    inner: T,
    state: State,
}

enum State {
    /// What has come so far is too little to tell.
    Beginning { bytes: [u8; TELLING], length: usize },
    /// It is HTTP/2, and the bytes from `next` on haven't been read yet.
    Told { bytes: [u8; TELLING], next: usize },
    /// All is well, or nothing is checked.
    Passing,
}

/// The type of a frame is its fourth byte (§4.1), and so the first that tells: of an answer in HTTP/1.1 it is a letter.
const TELLING: usize = 4;
/// RFC 9113 §6.5.
const SETTINGS: u8 = 4;

impl<T> Prior<T> {
    /// Checks nothing.
    pub(super) fn none(inner: T) -> Self {
        Self { inner, state: State::Passing }
    }

    /// Checks how the server begins.
    pub(super) fn knowledge(inner: T) -> Self {
        Self { inner, state: State::Beginning { bytes: [0; TELLING], length: 0 } }
    }
}

/// A server that doesn't speak HTTP/2, though that was said before.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotHttp2;

impl fmt::Display for NotHttp2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server does not speak http/2; without http2_prior_knowledge http/1.1 is tried")
    }
}

impl StdError for NotHttp2 {}

impl<T: Connection> Connection for Prior<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

impl<T: Read + Unpin> Read for Prior<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Beginning { bytes, length } => {
                    let mut rest = ReadBuf::new(&mut bytes[*length..]);
                    ready!(Pin::new(&mut this.inner).poll_read(cx, rest.unfilled()))?;
                    let read = rest.filled().len();
                    *length += read;
                    let is_whole = *length == TELLING;
                    if read == 0 || is_whole && bytes[TELLING - 1] != SETTINGS {
                        return Poll::Ready(Err(io::Error::other(NotHttp2)));
                    }
                    if is_whole {
                        this.state = State::Told { bytes: *bytes, next: 0 };
                    }
                }
                State::Told { bytes, next } => {
                    let part = &bytes[*next..TELLING.min(*next + buffer.remaining())];
                    buffer.put_slice(part);
                    *next += part.len();
                    if *next == TELLING {
                        this.state = State::Passing;
                    }
                    return Poll::Ready(Ok(()));
                }
                State::Passing => return Pin::new(&mut this.inner).poll_read(cx, buffer),
            }
        }
    }
}

impl<T: Write + Unpin> Write for Prior<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
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
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }
}
