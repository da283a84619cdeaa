//! Secrets: where they come from, how they are written on the wire, and how they are taken out of what others wrote.

pub(crate) mod encode;
mod redactor;
mod source;

pub(crate) use redactor::{Redactor, without_token};
pub use source::SecretSource;
#[cfg(feature = "oauth2")]
pub(crate) use source::Supply;
