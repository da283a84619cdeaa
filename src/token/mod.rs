//! Tokens, and the cache that gets them once for everybody. Knows no HTTP service.

mod access_token;
mod source;

pub use access_token::{AccessToken, InvalidToken};
pub use source::{Acquire, Description, Reason, Renewal};
pub(crate) use source::{Source, SourceFuture};
