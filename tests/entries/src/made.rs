//! What is made of the entries, and checked in.

use std::{fs, path::Path};

use crate::{entry::Entry, list, table};

pub const JSON: &str = "src/catalogue/catalogue.json";
pub const DOCS: &str = "docs/catalogue.md";
pub const LIST: &str = "cli/src/vendors/catalogue.json";

const BEGIN: &str = "<!-- Made by tests/entries. -->\n";
const END: &str = "<!-- That was made by tests/entries. -->\n";

/// The files, with their paths.
pub fn files(root: &Path, entries: &[Entry]) -> Vec<(&'static str, String)> {
    let docs = fs::read_to_string(root.join(DOCS)).unwrap_or_default();
    vec![
        (JSON, json(entries)),
        (DOCS, with_table(&docs, &table::table(entries))),
        (LIST, list::list(entries)),
    ]
}

/// All declarations by their names, without what the entries say of themselves.
pub fn json(entries: &[Entry]) -> String {
    let all: serde_json::Map<String, serde_json::Value> = entries
        .iter()
        .map(|entry| (entry.name.clone(), value(&toml::Value::Table(entry.declared.clone()))))
        .collect();
    let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
    text.push('\n');
    text
}

fn value(declared: &toml::Value) -> serde_json::Value {
    use serde_json::Value;
    match declared {
        toml::Value::String(text) => Value::from(&**text),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Array(values) => values.iter().map(value).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, entry)| (key.clone(), value(entry))).collect(),
        // A declaration has neither.
        toml::Value::Float(_) | toml::Value::Datetime(_) => Value::Null,
    }
}

/// `docs` with `table` in the place of the one that it has.
fn with_table(docs: &str, table: &str) -> String {
    let (before, rest) = docs.split_once(BEGIN).unwrap_or((docs, ""));
    let after = rest.split_once(END).map_or("", |(_, after)| after);
    format!("{before}{BEGIN}\n{table}\n{END}{after}")
}
