//! How credentials send their own requests.

#[cfg_attr(not(feature = "client"), path = "no_cause.rs")]
mod cause;
#[cfg(feature = "client")]
pub mod client;
mod content_length;
mod erased;
mod io_cause;

pub(crate) use erased::TokenRequest;
pub use erased::Transport;
