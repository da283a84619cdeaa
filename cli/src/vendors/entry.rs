//! [`Entry`]: what is known of a vendor of the catalogue, beside what its declaration does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Made by `tests/entries` of the entries and their recordings.
const ENTRIES: &str = include_str!("catalogue.json");

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) vendor: String,
    pub(crate) grant: String,
    /// How long a token does.
    pub(crate) lives: String,
    pub(crate) refresh: String,
    pub(crate) inputs: Vec<Input>,
    /// Each with what goes there.
    pub(crate) hosts: Vec<String>,
    pub(crate) pages: Vec<Page>,
    pub(crate) seen: Vec<Seen>,
    /// The cases of which nobody knows.
    pub(crate) absent: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Input {
    pub(crate) name: String,
    /// What it may be, if that is listed.
    pub(crate) one_of: Vec<String>,
    /// So that it is no secret.
    pub(crate) in_url: bool,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) day: String,
}

/// A case that isn't documented, but that somebody has met.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Seen {
    pub(crate) case: String,
    pub(crate) url: String,
}

/// All entries, by their names.
pub(crate) fn all() -> BTreeMap<String, Entry> {
    // A test reads them as well.
    serde_json::from_str(ENTRIES).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_for_each_entry_of_the_catalogue() {
        let all = all();
        assert!(all.keys().eq(tower_reauth::catalogue::names()), "{:?}", all.keys());
        for (name, entry) in &all {
            let trial = tower_reauth::Trial::named(name).unwrap_or_else(|error| panic!("{error}"));
            let inputs =
                trial.outline().find_map(|line| line.strip_prefix("inputs to fill: ")).unwrap_or_default();
            for input in &entry.inputs {
                assert!(inputs.contains(&input.name), "{name}: {inputs}");
            }
            assert_eq!(trial.name(), entry.vendor);
            assert!(!entry.hosts.is_empty() && !entry.pages.is_empty(), "{name}");
        }
    }
}
