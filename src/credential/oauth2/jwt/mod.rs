//! JWTs that we sign (RFC 7523), in JWS compact serialization (RFC 7515 §7.1). Nothing here verifies one.

mod algorithm;
mod assertion;
mod key;
mod outline;
mod thumbprint;

pub use algorithm::JwtAlgorithm;
pub use assertion::JwtAssertion;
pub use key::JwtKey;
#[cfg(feature = "serde")]
pub(crate) use outline::{LIFETIME, Outline, Refusal};
