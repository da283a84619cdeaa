//! What a flight does where other processes share the token: it asks them first, and tells them afterwards.

mod body;
mod claim;
mod failure;
mod forget;
mod found;
mod link;
mod saving;
mod stored;
mod together;

pub(super) use claim::{Barred, Claimant};
pub(super) use forget::{forget, put};
pub(super) use link::{Alone, Link};
pub use stored::Stored;
pub(super) use together::fly;

#[cfg(test)]
mod tests;
