//! [`Line`]: what is said of a request in the log.

use std::fmt::{self, Write};

use http::{Method, Uri, request::Parts};
use tokio::time::Instant;

/// What is said of a request in the log, and when it came. Its text is made only where it is said.
#[derive(Clone)]
pub(super) struct Line {
    method: Method,
    uri: Uri,
    pub(super) began: Instant,
}

impl Line {
    /// Takes the URI, in whose place the vendor's comes.
    pub(super) fn of(head: &mut Parts, began: Instant) -> Self {
        Self { method: head.method.clone(), uri: std::mem::take(&mut head.uri), began }
    }
}

/// Without the query, where some put secrets, and without what a terminal could take for an order.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.method)?;
        self.uri.path().chars().try_for_each(|char| match char.is_ascii_graphic() {
            true => f.write_char(char),
            false => write!(f, "{}", char.escape_unicode()),
        })
    }
}
