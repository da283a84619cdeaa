//! Without the feature `jwt`.

use super::value::Value;
use crate::{error::ConfigError, secret::SecretSource};

pub(super) fn jwt(value: Value) -> Result<SecretSource, ConfigError> {
    let value = value.table(&["jwt"])?.need("jwt")?;
    Err(value
        .refuse("nothing here can sign it: this program was built without the feature jwt of tower-reauth"))
}
