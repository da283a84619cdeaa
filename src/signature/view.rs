//! [`View`]: the response as conditions see it, whose body is decoded and parsed only when asked for, and once.

use super::Head;

/// The response as conditions see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) head: Head<'a>,
    body: Option<&'a [u8]>,
}

impl<'a> View<'a> {
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        self.body
    }
}
