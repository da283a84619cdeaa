//! The response side: a bounded look at a body, and the body that hands on everything that was looked at.

mod frames;
mod peek;
mod peek_body;
mod peeked;
mod unread;
mod watch;

pub(crate) use peek::{Peek, PeekLimits};
pub use peek_body::PeekBody;
pub use unread::Unread;
pub(crate) use watch::{Seen, Watch};

#[cfg(test)]
mod tests;
