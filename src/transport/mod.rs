//! How credentials send their own requests.

#[cfg(feature = "client")]
pub mod client;
mod erased;

pub(crate) use erased::TokenRequest;
pub use erased::Transport;
