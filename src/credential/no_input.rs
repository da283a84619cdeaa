//! What is said where an input is filled that there isn't.

use std::sync::Arc;

use crate::error::{ConfigError, ConfigErrorKind};

/// The credential `name` has no `input`, but `others`.
pub(super) fn no_input(name: &str, input: &str, others: &[Arc<str>]) -> ConfigError {
    let others = match others {
        [] => "it has none".to_owned(),
        others => format!("its inputs are {}", others.join(", ")),
    };
    ConfigError::new(ConfigErrorKind::Input, format!("{name} has no input {input:?}; {others}"))
}
