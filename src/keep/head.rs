//! A copy of a request's head: method, URI, version, headers with their order and sensitivity, extensions.

use http::request::Parts;

/// Everything of a request but its body.
pub(crate) struct KeptHead {
    parts: Box<Parts>,
}

impl KeptHead {
    pub(crate) fn of(parts: &Parts) -> Self {
        Self { parts: Box::new(parts.clone()) }
    }

    pub(crate) fn restore(self) -> Parts {
        *self.parts
    }
}
