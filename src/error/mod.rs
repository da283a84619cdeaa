//! Every error of the crate: what a user configured wrongly, why a credential failed, what a caller is told.
//!
//! No error text holds a secret: messages are either ours, or a server's text that went through [`crate::secret`]'s
//! redaction first.

mod acquire;
mod auth;
mod boxed;
mod code;
mod config;
mod store;

pub use acquire::{AcquireError, AcquireErrorKind};
pub use auth::{AuthError, AuthErrorKind};
pub use boxed::BoxError;
pub use code::ErrorCode;
pub use config::{ConfigError, ConfigErrorKind};
pub use store::{StoreError, StoreErrorKind};
