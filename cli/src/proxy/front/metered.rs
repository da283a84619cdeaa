//! [`Metered`]: a link that tells the pulse of its connection what moves.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{link::Link, pulse::Pulse};

/// How much of what nobody wants is read at once, in bytes.
const UNWANTED: usize = 8 * 1024;

/// A link, and the pulse of what goes over it.
pub(super) struct Metered {
    link: Link,
    pulse: Arc<Pulse>,
    /// Whether to read what nobody wants before it is closed, once that is known.
    drains: Option<bool>,
}

impl Metered {
    pub(super) fn new(link: Link, pulse: Arc<Pulse>) -> Self {
        Self { link, pulse, drains: None }
    }

    fn written<T>(&self, written: Poll<T>) -> Poll<T> {
        match written {
            Poll::Ready(written) => {
                self.pulse.takes();
                Poll::Ready(written)
            }
            Poll::Pending => {
                self.pulse.stalls();
                Poll::Pending
            }
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.link).poll_read(cx, buf))?;
        self.pulse.sends(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.link).poll_write(cx, buf);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.link).poll_write_vectored(cx, bufs);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.link.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_flush(cx)
    }

    /// Then reads on for as long as the pulse allows, where the client sends on.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let drains = match me.drains {
            Some(drains) => drains,
            None => {
                ready!(Pin::new(&mut me.link).poll_shutdown(cx))?;
                *me.drains.insert(me.pulse.is_sent_to())
            }
        };
        if !drains {
            return Poll::Ready(Ok(()));
        }
        let mut unwanted = [0; UNWANTED];
        loop {
            let mut piece = ReadBuf::new(&mut unwanted);
            ready!(Pin::new(&mut me.link).poll_read(cx, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
