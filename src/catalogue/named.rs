//! Entries by their names.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::nearest::nearest;
use crate::{
    declare::{Declaration, Trial},
    error::{ConfigError, ConfigErrorKind},
};

/// Made from `catalogue/` at the root of the sources, without what the entries say of themselves.
const ENTRIES: &str = include_str!("catalogue.json");

impl Declaration {
    /// The vendor `name` of the [catalogue](crate::catalogue), whose inputs are to be [filled](Self::input).
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{AuthLayer, ConfigError, Declaration, SecretSource, Transport};
    ///
    /// fn zoom(transport: Transport) -> Result<AuthLayer, ConfigError> {
    ///     Declaration::named("zoom")?
    ///         .input("account_id", "AbCdEfGhIjKlMnOpQrStUv")
    ///         .input("client_id", SecretSource::env("ZOOM_CLIENT_ID"))
    ///         .input("client_secret", SecretSource::file("/run/secrets/zoom"))
    ///         .layer(transport)
    /// }
    /// # let _ = zoom;
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Declaration`] if there is no such entry. The text has the nearest name.
    pub fn named(name: &str) -> Result<Self, ConfigError> {
        read(name)
    }
}

impl Trial {
    /// The vendor `name` of the [catalogue](crate::catalogue), to be tried out.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Declaration`] if there is no such entry. The text has the nearest name.
    pub fn named(name: &str) -> Result<Self, ConfigError> {
        read(name)
    }
}

/// The names of all entries, in their order.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Declaration, catalogue};
///
/// for name in catalogue::names() {
///     let vendor = Declaration::named(name)?;
///     println!("{name}: {}, with {}", vendor.name(), vendor.inputs().collect::<Vec<_>>().join(", "));
/// }
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
pub fn names() -> impl Iterator<Item = &'static str> {
    entries().into_keys()
}

/// The entry `name`, as whatever reads it.
fn read<T: for<'de> Deserialize<'de>>(name: &str) -> Result<T, ConfigError> {
    let error = |words| ConfigError::new(ConfigErrorKind::Declaration, words);
    let mut entries = entries();
    let Some(entry) = entries.remove(name) else {
        let known = entries.keys().copied();
        let hint = match nearest(name, known) {
            Some(nearest) => format!("; do you mean {nearest:?}?"),
            None => String::from("; its documentation lists all of them"),
        };
        return Err(error(format!("the catalogue has no vendor {name:?}{hint}")));
    };
    // Each entry is read by a test.
    T::deserialize(entry).map_err(|why| error(format!("the catalogue's {name}: {why}")))
}

fn entries() -> BTreeMap<&'static str, Value> {
    // A test reads them as well.
    serde_json::from_str(ENTRIES).unwrap_or_default()
}
