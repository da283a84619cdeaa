//! JWTs that we sign (RFC 7523), in JWS compact serialization (RFC 7515 §7.1). Nobody else's are verified here.

mod algorithm;
mod assertion;
mod key;
mod outline;
mod signed;
mod thumbprint;

pub use algorithm::JwtAlgorithm;
pub use assertion::JwtAssertion;
#[cfg(feature = "serde")]
pub(crate) use assertion::is_of_another_key;
pub use key::JwtKey;
#[cfg(feature = "serde")]
pub(crate) use outline::{LIFETIME, Outline, Refusal};
