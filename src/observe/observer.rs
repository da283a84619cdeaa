//! [`Observer`]: tells both listeners what happens to one credential.

use std::sync::Arc;

use super::{event::Event, logs, metrics};
use crate::error::{AuthError, AuthErrorKind};

/// Whether somebody wants to hear of [`Event::Used`].
pub(crate) const EACH_USE: bool = metrics::EACH_USE;

/// Who the events are about. There may be a million caches of which the same is told.
#[derive(Clone, Debug)]
pub(crate) struct Observer(Arc<About>);

#[derive(Debug)]
struct About {
    credential: Arc<str>,
    meters: metrics::Meters,
}

impl Observer {
    pub(crate) fn new(credential: &str) -> Self {
        let credential = Arc::from(credential);
        Self(Arc::new(About { meters: metrics::Meters::new(&credential), credential }))
    }

    /// The credential's name.
    pub(crate) fn credential(&self) -> &Arc<str> {
        &self.0.credential
    }

    #[inline]
    pub(crate) fn tell(&self, event: Event<'_>) {
        let About { credential, meters } = &*self.0;
        logs::record(credential, event);
        meters.record(credential, event);
    }

    /// Tells why a caller gets no token without anybody being asked for it.
    pub(crate) fn tell_refusal(&self, error: &AuthError) {
        self.tell(match error.kind() {
            AuthErrorKind::Paused => Event::Paused { until: error.retry_at() },
            _ => Event::FailedFast { error },
        });
    }
}
