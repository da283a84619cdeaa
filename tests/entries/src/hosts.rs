//! Which hosts an entry gives a secret or a token to, as `catalogue/HOSTS` lists them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::entry::Entry;

/// What isn't as `catalogue/HOSTS` has it.
pub fn differences(root: &Path, entries: &[Entry]) -> Vec<String> {
    let listed = fs::read_to_string(root.join("catalogue/HOSTS")).unwrap_or_default();
    let listed: BTreeSet<String> = listed
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let named: BTreeSet<String> = entries.iter().flat_map(lines).collect();
    let hint = "a host that gets a secret or a token is a decision: change the list by hand, and say so in the CHANGELOG";
    let missing =
        named.difference(&listed).map(|line| format!("catalogue/HOSTS: {line:?} isn't in it; {hint}"));
    let left =
        listed.difference(&named).map(|line| format!("catalogue/HOSTS: no entry has {line:?}; {hint}"));
    missing.chain(left).collect()
}

/// The lines of one entry: its name, a host, and what goes there.
pub fn lines(entry: &Entry) -> Vec<String> {
    let mut hosts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let text = |table: &str, key: &str| {
        entry.declared.get(table).and_then(|table| table.get(key)).and_then(toml::Value::as_str)
    };
    let base = entry.declared.get("base_url").and_then(toml::Value::as_str).unwrap_or_default();
    for host in expanded(entry, host(base)) {
        hosts.entry(host).or_default().insert("token");
    }
    let others = match entry.declared.get("other_origins") {
        Some(toml::Value::Array(others)) => &others[..],
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    for other in others.iter().filter_map(toml::Value::as_str) {
        for host in expanded(entry, host(other)) {
            hosts.entry(host).or_default().insert("token");
        }
    }
    for (table, what) in [("acquire", "secret"), ("refresh", "secret"), ("revoke", "token")] {
        let Some(request) = text(table, "request") else { continue };
        let url = request.split_once(' ').map_or(request, |(_, url)| url);
        let there = if url.starts_with('/') { host(base) } else { host(url) };
        for host in expanded(entry, there) {
            hosts.entry(host).or_default().insert(what);
        }
    }
    let line = |(host, what): (String, BTreeSet<&str>)| {
        format!("{} {host} {}", entry.name, what.into_iter().collect::<Vec<_>>().join(" "))
    };
    hosts.into_iter().map(line).collect()
}

/// The host of a URL. One that is all the program's own says so.
fn host(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => "(the program's own)",
    }
}

/// The hosts that `host` may be, where an input has a list.
fn expanded(entry: &Entry, host: &str) -> Vec<String> {
    let lists = entry.declared.get("inputs").and_then(toml::Value::as_table);
    let mut hosts = vec![host.to_owned()];
    for (name, listed) in lists.into_iter().flatten() {
        let braced = format!("{{{name}}}");
        let listed: Vec<&str> =
            listed.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
        let replaced = |host: String| {
            if !host.contains(&braced) {
                return vec![host];
            }
            listed.iter().map(|value| host.replace(&braced, value)).collect()
        };
        hosts = hosts.into_iter().flat_map(replaced).collect();
    }
    hosts
}
