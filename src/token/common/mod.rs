//! What a flight does where other processes share the token: it asks them first, and tells them afterwards.

mod body;
mod claim;
mod failure;
mod forget;
mod found;
mod link;
mod saving;
mod together;

pub(super) use claim::{Barred, Claimant};
pub(super) use forget::forget;
pub(super) use link::{Alone, Link};
pub(super) use together::fly;

#[cfg(test)]
mod tests;
