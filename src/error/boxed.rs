//! [`BoxError`]: any error.

use std::error::Error;

/// A boxed error, as in Tower's own layers.
pub type BoxError = Box<dyn Error + Send + Sync>;
