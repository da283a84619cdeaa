//! What the program `reauth vendors` says of each entry beside what its declaration does.

use serde_json::{Value, json};

use crate::{
    entry::{CASES, Entry, Provenance},
    hosts, table,
};

/// In JSON, by the entries' names.
pub fn list(entries: &[Entry]) -> String {
    let all: serde_json::Map<String, Value> =
        entries.iter().map(|entry| (entry.name.clone(), one(entry))).collect();
    let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
    text.push('\n');
    text
}

fn one(entry: &Entry) -> Value {
    let pages = entry.about.pages.iter().map(|(url, day)| json!({ "url": url, "day": day }));
    let cases = || CASES.iter().zip(&entry.about.cases);
    let seen = cases().filter_map(|(case, known)| match known {
        Provenance::Seen(place) => Some(json!({ "case": case, "url": place })),
        _ => None,
    });
    let absent = cases().filter(|(_, known)| **known == Provenance::Absent).map(|(case, _)| *case);
    // The name of the entry is known.
    let hosts = hosts::lines(entry).into_iter().filter_map(|line| Some(line.split_once(' ')?.1.to_owned()));
    json!({
        "vendor": entry.declared.get("name").and_then(toml::Value::as_str),
        "grant": entry.about.grant,
        "lives": table::lifetime(entry),
        "refresh": table::refresh(entry),
        "inputs": table::input_names(entry).iter().map(|name| input(entry, name)).collect::<Vec<_>>(),
        "hosts": hosts.collect::<Vec<_>>(),
        "pages": pages.collect::<Vec<_>>(),
        "seen": seen.collect::<Vec<_>>(),
        "absent": absent.collect::<Vec<_>>(),
    })
}

/// An input, what it may be if that is listed, and whether it is in a URL, and so no secret.
fn input(entry: &Entry, name: &str) -> Value {
    let listed = entry.declared.get("inputs").and_then(|lists| lists.get(name)?.as_array());
    let listed = listed.into_iter().flatten().filter_map(toml::Value::as_str).collect::<Vec<_>>();
    let requests = ["acquire", "refresh", "revoke"].into_iter();
    let requests = requests.filter_map(|table| entry.declared.get(table)?.get("request"));
    let others = match entry.declared.get("other_origins") {
        Some(toml::Value::Array(others)) => &others[..],
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    let urls = requests.chain(entry.declared.get("base_url")).chain(others).filter_map(toml::Value::as_str);
    let is_in_url = urls
        .into_iter()
        .any(|url| url.contains(&format!("{{{name}}}")) || table::whole_input(url) == Some(name));
    json!({ "name": name, "one_of": listed, "in_url": is_in_url })
}
