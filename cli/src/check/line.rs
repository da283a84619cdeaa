//! In which line of a TOML file a key is that an error names.

use toml::de::{DeArray, DeTable, DeValue};

/// The line of the key with which `problem` begins, such as `rules[2].when.json: …`. The nearest one around it if the key is
/// missing.
pub(crate) fn of_key(text: &str, problem: &str) -> Option<usize> {
    let (path, _) = problem.split_once(": ")?;
    let root = DeTable::parse(text).ok()?;
    let (mut found, mut table): (_, Option<&DeTable<'_>>) = (None, Some(root.get_ref()));
    let mut list: Option<&DeArray<'_>> = None;
    for step in steps(path) {
        let value = match step {
            Step::Key(key) => {
                let entry = table.and_then(|table| table.iter().find(|(known, _)| *known.get_ref() == key));
                let Some((known, value)) = entry else { break };
                found = Some(known.span().start);
                value
            }
            Step::Index(index) => {
                let Some(value) = list.and_then(|list| list.get(index)) else { break };
                found = Some(value.span().start);
                value
            }
        };
        (table, list) = match value.get_ref() {
            DeValue::Table(table) => (Some(table), None),
            DeValue::Array(values) => (None, Some(values)),
            _ => (None, None),
        };
    }
    found.map(|start| at(text, start))
}

/// The line of the byte at `start`.
pub(crate) fn at(text: &str, start: usize) -> usize {
    text.as_bytes().iter().take(start).filter(|byte| **byte == b'\n').count() + 1
}

enum Step {
    Key(String),
    Index(usize),
}

/// The steps of a path such as `rules[2].when."a.b"`.
fn steps(path: &str) -> Vec<Step> {
    let (mut steps, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        if let Some((index, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            steps.extend(index.parse().ok().map(Step::Index));
            rest = after.strip_prefix('.').unwrap_or(after);
        } else if let Some((key, after)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            steps.push(Step::Key(key.to_owned()));
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(Step::Key(rest[..end].to_owned()));
            rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = 'A'\n[answer.success]\n'/ok' = 1\n\n[[rules]]\nstatus = 1\n\n[[rules]]\nwhen = [\n  { json = '/a' },\n  { json = '/b' },\n]\n";

    #[test]
    fn a_key_is_found_by_its_path_and_a_missing_one_by_what_it_should_be_in() {
        for (problem, line) in [
            ("name: it is empty", Some(1)),
            ("answer.success.\"/ok\": expected", Some(3)),
            ("rules[0].status: no", Some(6)),
            ("rules[1].when[1].json: no", Some(11)),
            ("rules[1].verdict: it is missing", Some(8)),
            ("base_url: it is missing", None),
            ("no path", None),
        ] {
            assert_eq!(of_key(TEXT, problem), line, "{problem}");
        }
        assert_eq!(of_key("= broken", "name: it is empty"), None);
    }
}
