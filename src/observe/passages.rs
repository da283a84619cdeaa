//! [`Passages`]: tells both listeners of the requests that pass one layer without its token.

use std::{fmt, sync::Arc};

use http::Uri;

use super::{logs, metrics, passed::Passed};

/// The layer that is passed, by its origin: no credential has anything to do with such a request.
#[derive(Clone, Debug)]
pub(crate) struct Passages {
    origin: Arc<str>,
    tally: metrics::Tally,
}

impl Passages {
    pub(crate) fn new(origin: &impl fmt::Display) -> Self {
        let origin = Arc::from(origin.to_string());
        Self { tally: metrics::Tally::new(&origin), origin }
    }

    /// Tells why a request to `uri` passes. That may be every second one, where a stack has layers for two vendors.
    #[inline]
    pub(crate) fn tell(&self, why: Passed, uri: &Uri) {
        logs::record_passage(&self.origin, why, uri);
        self.tally.count(why);
    }
}
