//! How credentials send their own requests.

#[cfg_attr(not(feature = "client"), path = "no_cause.rs")]
mod cause;
#[cfg(feature = "client")]
pub mod client;
mod content_length;
mod erased;
mod io_cause;
mod outward;

#[cfg(feature = "client")]
pub(crate) use client::{is_out_of_reach, near};
#[cfg(feature = "client")]
pub(crate) use erased::Read;
pub(crate) use erased::TokenRequest;
pub use erased::Transport;
#[allow(unused_imports, reason = "where there is one credential, the program has chosen")]
pub(crate) use outward::{Outward, outwards};
