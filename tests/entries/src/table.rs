//! The table of all entries, for people.

use toml::Value;

use crate::entry::{CASES, Entry, Provenance};

/// In Markdown.
pub fn table(entries: &[Entry]) -> String {
    let mut text = String::from(
        "| name | vendor | grant | inputs | a token lives | a refresh | expiry looks like | documented at | seen elsewhere | \
         absent |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for entry in entries {
        let name = entry.declared.get("name").and_then(Value::as_str).unwrap_or_default();
        let pages = entry.about.pages.iter().map(|(url, day)| format!("[{day}]({url})"));
        let cells = [
            format!("`{}`", entry.name),
            name.to_owned(),
            entry.about.grant.clone(),
            inputs(entry),
            lifetime(entry),
            refresh(entry),
            expiry(entry),
            pages.collect::<Vec<_>>().join(", "),
            seen(entry),
            absent(entry),
        ];
        text += &format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text
}

fn inputs(entry: &Entry) -> String {
    input_names(entry).iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The input that is the whole of a text, or of the URL behind a method.
pub(crate) fn whole_input(text: &str) -> Option<&str> {
    text.strip_prefix("input:").or_else(|| Some(text.split_once(" input:")?.1))
}

/// In the order in which the entry has them.
pub(crate) fn input_names(entry: &Entry) -> Vec<String> {
    fn collect(value: &Value, names: &mut Vec<String>) {
        let mut note = |name: &str| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        match value {
            Value::String(text) => match whole_input(text) {
                Some(name) => note(name),
                None if text.contains("://{")
                    || text.contains(".{")
                    || text.contains("-{")
                    || text.contains("/{") =>
                {
                    for piece in text.split('{').skip(1) {
                        note(piece.split('}').next().unwrap_or_default());
                    }
                }
                None => {}
            },
            Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
            Value::Table(table) => table.iter().for_each(|(_, value)| collect(value, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    for key in ["base_url", "other_origins", "acquire", "refresh", "key", "basic"] {
        entry.declared.get(key).into_iter().for_each(|value| collect(value, &mut names));
    }
    names
}

pub(crate) fn lifetime(entry: &Entry) -> String {
    let (seconds, written) = &entry.lifetime;
    let Some(seconds) = seconds else { return "until it is refused".into() };
    let text = match seconds {
        seconds if seconds % 86_400 == 0 => format!("{} d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    };
    match &**written {
        "nowhere" => format!("{text}, as documented"),
        "jwt" => format!("{text}, says the token"),
        _ => format!("{text}, says the answer"),
    }
}

pub(crate) fn refresh(entry: &Entry) -> String {
    let kills = entry.declared.get("renewal").and_then(Value::as_str) == Some("revokes-previous");
    let mut words = Vec::new();
    if !entry.declared.contains_key("refresh") {
        words.push("none: acquired anew");
    }
    if kills {
        words.push("kills the token before it");
    }
    if entry.is_single_use {
        words.push("its refresh token is good once");
    }
    if words.is_empty() {
        words.push("keeps the token before it, for all that is known");
    }
    words.join("; ")
}

/// The rules that say so, in few words.
fn expiry(entry: &Entry) -> String {
    let rules = entry.declared.get("rules").and_then(Value::as_array).into_iter().flatten();
    let is_about_expiry =
        |rule: &&Value| matches!(rule.get("verdict").and_then(Value::as_str), Some("expired" | "invalid"));
    let rules: Vec<String> = rules
        .filter(is_about_expiry)
        .map(|rule| {
            let status = rule.get("status").map(literal);
            let when = rule.get("when").map(condition);
            status.into_iter().chain(when).collect::<Vec<_>>().join(", ")
        })
        .collect();
    match rules.is_empty() {
        true => "as RFC 6750 says, if at all".into(),
        false => rules.join("; "),
    }
}

fn condition(when: &Value) -> String {
    let all = |values: &Value, word: &str| {
        values.as_array().into_iter().flatten().map(condition).collect::<Vec<_>>().join(word)
    };
    let text = |key: &str| when.get(key).and_then(Value::as_str);
    if when.is_array() {
        return all(when, " and ");
    }
    if let Some(list) = when.get("all") {
        return all(list, " and ");
    }
    if let Some(list) = when.get("any") {
        return all(list, " or ");
    }
    if let Some(not) = when.get("not") {
        return format!("not {}", condition(not));
    }
    if let Some(media) = text("media_type") {
        return media.to_owned();
    }
    let place = match (text("json"), text("header"), text("challenge")) {
        (Some(pointer), ..) => format!("`{pointer}`"),
        (_, Some(name), _) => format!("the header `{name}`"),
        (.., Some(scheme)) => format!("the challenge `{scheme}`"),
        _ => "the body".into(),
    };
    for (key, words) in [
        ("is", "is"),
        ("one_of", "is one of"),
        ("starts_with", "starts with"),
        ("contains", "contains"),
        ("exists", "exists:"),
    ] {
        if let Some(value) = when.get(key) {
            return format!("{place} {words} {}", literal(value));
        }
    }
    match when.get("has") {
        Some(inner) => format!("{place} has {}", condition(inner)),
        None => place,
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(values) => values.iter().map(literal).collect::<Vec<_>>().join(", "),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        _ => String::new(),
    }
}

fn seen(entry: &Entry) -> String {
    let cases = CASES.iter().zip(&entry.about.cases);
    let seen = cases.filter_map(|(case, provenance)| match provenance {
        Provenance::Seen(place) => Some(format!("[{case}]({place})")),
        _ => None,
    });
    seen.collect::<Vec<_>>().join(", ")
}

fn absent(entry: &Entry) -> String {
    let cases = CASES.iter().zip(&entry.about.cases);
    let absent = cases.filter(|(_, provenance)| **provenance == Provenance::Absent).map(|(case, _)| *case);
    absent.collect::<Vec<_>>().join(", ")
}
