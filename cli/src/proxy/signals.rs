//! [`Signals`]: what asks the program to end, or to read its configuration again.

use std::io;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Signal {
    End,
    Reload,
}

/// SIGTERM, Ctrl-C and SIGHUP, from the moment when this is made.
#[cfg(unix)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one. Several of a kind that come at once are one.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the system ends the program itself.
            std::future::pending::<()>().await;
        }
        Signal::End
    }
}

impl Signals {
    /// Waits for the next one that asks to end.
    pub(crate) async fn end(&mut self) {
        while self.next().await != Signal::End {}
    }
}
