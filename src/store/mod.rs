//! What several processes share: one record for each token, kept where all of them see it.
//!
//! A [`Store`] knows no token. It keeps bytes, and beside them what has to be compared in one step: which revision the
//! bytes are, who is about to make a newer one, and which refresh token may have been sent.

mod body;
mod claim;
mod contract;
mod digest;
mod fields;
#[cfg(feature = "file-store")]
mod file;
mod framing;
mod hex;
#[cfg(feature = "store")]
mod identity;
#[cfg(feature = "store")]
mod keys;
#[cfg(feature = "store")]
mod kind;
mod moment;
mod nonce;
#[cfg(feature = "store")]
mod plain;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod release;
mod revision;
mod save;
#[cfg(feature = "store")]
mod seal;
#[cfg(feature = "store")]
mod sealed;
mod shared_slot;
mod shelf;
mod slot;
mod steps;
mod wrap;

pub use body::Body;
pub use claim::{Claim, Claimed, Rejection, Seen};
pub use contract::Store;
pub use digest::Digest;
#[cfg(feature = "file-store")]
pub use file::FileStore;
#[cfg(feature = "store")]
pub use keys::Keys;
pub use moment::Moment;
pub use nonce::Nonce;
pub use record::{Failure, Held, Note, Record, Standing};
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use release::{Fate, Release};
pub use revision::Revision;
pub use save::{Draft, Save, Saved};
#[cfg(feature = "store")]
pub use sealed::SealedStore;
pub use shared_slot::SharedSlot;
pub(crate) use shelf::Shelf;
pub use slot::Slot;
pub(crate) use steps::DOUBT;

#[cfg(test)]
mod tests;
