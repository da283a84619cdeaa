//! Secrets: where they come from, how they are written on the wire, and how they are taken out of what others wrote.

pub(crate) mod encode;
mod form;
mod overlaps;
mod reading;
mod redactor;
mod source;
mod tidy;
mod veil;
mod without_token;

pub(crate) use redactor::Redactor;
pub use source::SecretSource;
#[cfg(any(feature = "oauth2", feature = "store"))]
pub(crate) use source::Supply;
pub(crate) use tidy::is_untidy;
pub(crate) use without_token::without_token;
