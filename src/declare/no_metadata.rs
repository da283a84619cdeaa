//! Without the feature `client`.

use super::value::Value;
use crate::{credential::StaticToken, error::ConfigError};

/// There is none.
#[derive(Clone, Debug)]
pub(super) enum Metadata {}

pub(super) fn metadata(value: Value) -> Result<Metadata, ConfigError> {
    Err(value.refuse(
        "nothing here can ask a metadata service: this program was built without the feature client of tower-reauth",
    ))
}

impl Metadata {
    #[cfg_attr(test, allow(dead_code, reason = "what is tested beside the other one is the refusal"))]
    pub(super) fn build(self, _: String) -> Result<StaticToken, ConfigError> {
        match self {}
    }
}
