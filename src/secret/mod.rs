//! Secrets: where they come from, how they are written on the wire, and how they are taken out of what others wrote.

#[cfg(any(feature = "client", feature = "jwt"))]
mod certificates;
pub(crate) mod encode;
mod file;
mod form;
mod given;
mod overlaps;
#[cfg(any(feature = "client", feature = "jwt"))]
mod pem;
#[cfg(any(feature = "client", feature = "jwt"))]
mod private_key;
mod reading;
mod redactor;
mod source;
mod supply;
mod tidy;
mod veil;
mod without_token;

#[cfg(any(feature = "client", feature = "jwt"))]
pub(crate) use certificates::certificates_pem;
#[cfg(any(feature = "client", feature = "jwt"))]
pub(crate) use private_key::private_key_pem;
pub(crate) use redactor::Redactor;
pub use source::SecretSource;
pub(crate) use supply::{Ask, Fill, Supplied, Supply, all_at_hand};
pub(crate) use tidy::is_untidy;
pub(crate) use without_token::without_token;
