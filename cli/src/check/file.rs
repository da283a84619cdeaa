//! A declaration's file, and what is wrong with one.

use tower_reauth::Trial;

use super::{args::Source, line};
use crate::mistake::Mistake;

/// The declaration in a file.
pub(crate) fn read(source: &Source) -> Result<Trial, Mistake> {
    let text = source.text()?;
    if source.is_json() {
        return serde_json::from_str(&text).map_err(|error| Mistake::new(format!("{source}: {error}")));
    }
    let declared = toml::from_str(&text).and_then(|mut file: toml::Table| {
        // What an entry of the catalogue says of itself is none of the declaration.
        file.remove("about");
        file.try_into()
    });
    declared.map_err(|error| {
        // Without the line itself, in which somebody may have put a secret.
        let known =
            line::of_key(&text, error.message()).or_else(|| Some(line::at(&text, error.span()?.start)));
        let place = known.map(|line| format!(", line {line}")).unwrap_or_default();
        Mistake::new(format!("{source}{place}: {}", error.message()))
    })
}
