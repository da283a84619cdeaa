//! [`Ending`]: that the proxy is to end, told to everything that listens or is connected.

use std::time::Duration;

use tokio::sync::watch;

/// How long a connection is kept open at the end for a request that is on its way already.
const LINGER: Duration = Duration::from_secs(1);

/// Tells of the end, and waits for everybody who was told.
pub(crate) struct Ending {
    begun: watch::Sender<bool>,
    linger: Duration,
}

/// Is told of the end. Whoever holds it is waited for.
#[derive(Clone)]
pub(crate) struct Ended {
    begun: watch::Receiver<bool>,
    linger: Duration,
}

impl Ending {
    /// `grace` is how long it may take.
    pub(crate) fn new(grace: Duration) -> Self {
        Self { begun: watch::Sender::new(false), linger: LINGER.min(grace / 2) }
    }

    pub(crate) fn listener(&self) -> Ended {
        Ended { begun: self.begun.subscribe(), linger: self.linger }
    }

    /// Tells everybody.
    pub(crate) fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Waits until nobody is left.
    pub(crate) async fn over(&self) {
        self.begun.closed().await;
    }
}

impl Ended {
    /// Whether the end has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// How long a request may be on its way that nobody has told its client not to send.
    pub(crate) fn linger(&self) -> Duration {
        self.linger
    }

    /// Waits for it to begin.
    pub(crate) async fn begins(&mut self) {
        // Whoever has gone without a word has ended, too.
        let _ = self.begun.wait_for(|begun| *begun).await;
    }
}
