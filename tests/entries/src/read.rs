//! Reads entries, and says with file, line and key what is wrong with one.

use std::{fs, path::Path};

use toml::{Table, Value};
use tower_reauth::Declaration;

use crate::{
    entry::{About, Entry},
    line,
};

/// All entries beneath `root` in the order of their names, and what is wrong with those that aren't among them.
pub fn all(root: &Path) -> (Vec<Entry>, Vec<String>) {
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    let files = fs::read_dir(root.join("catalogue")).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in paths {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let recording = root.join(format!("tests/catalogue/recordings/{name}.toml"));
        let read = fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|text| {
            let recording =
                fs::read_to_string(recording).map_err(|error| format!("its recording: {error}"))?;
            entry(&name, &text, &recording)
        });
        match read {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push(format!("catalogue/{name}.toml:{problem}")),
        }
    }
    (entries, problems)
}

/// The entry `name`. An error begins with the line, if it is known.
pub fn entry(name: &str, text: &str, recording: &str) -> Result<Entry, String> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(is_fit) {
        return Err(" an entry's name has small letters, digits and hyphens".into());
    }
    let mut declared: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| line::at(text, span.start));
        format!("{} {}", line.map(|line| format!("{line}:")).unwrap_or_default(), error.message())
    })?;
    let placed = |problem: String| match line::of_key(text, &problem) {
        Some(line) => format!("{line}: {problem}"),
        None => format!(" {problem}"),
    };
    let about = declared.remove("about").ok_or_else(|| placed("about: it is missing".into()))?;
    let about = About::read(about).map_err(placed)?;
    shippable(&Value::Table(declared.clone()), "").map_err(placed)?;
    let reread = declared.clone().try_into::<Declaration>();
    let _ = reread.map_err(|error| placed(error.message().to_owned()))?;
    let recording: Table =
        recording.parse().map_err(|error: toml::de::Error| format!(" its recording: {error}"))?;
    let lifetime = recording.get("lifetime").and_then(Value::as_table);
    let seconds = lifetime.and_then(|table| table.get("seconds")?.as_integer()?.try_into().ok());
    let written = lifetime.and_then(|table| table.get("written")?.as_str()).unwrap_or("nowhere").to_owned();
    let is_single_use = recording.get("refresh").and_then(|refresh| refresh.get("single_use")?.as_bool());
    Ok(Entry {
        name: name.to_owned(),
        declared,
        about,
        lifetime: (seconds, written),
        is_single_use: is_single_use.unwrap_or_default(),
    })
}

/// What may be in an ordinary file, but in no entry that others get.
fn shippable(value: &Value, path: &str) -> Result<(), String> {
    match value {
        Value::String(text) if text.starts_with("env:") || text.starts_with("file:") => Err(format!(
            "{path}: an entry reads no variables and no files; write input: and a name, which programs fill"
        )),
        Value::String(text) if text.contains("http://") => {
            Err(format!("{path}: secrets and tokens go over https alone"))
        }
        // Elsewhere braces are an input, or are refused.
        Value::String(text) if text.starts_with("text:") => match placeholder(text) {
            Some(name) => Err(format!(
                "{path}: {{{name}}} would be sent as it is written, since braces stand for inputs in urls alone; write \
                 input: and a name for an input, and token:access or token:refresh for what the token has"
            )),
            None => Ok(()),
        },
        Value::Array(values) => values
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| shippable(value, &format!("{path}[{index}]"))),
        Value::Table(table) => table.iter().try_for_each(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match &*path {
                "allow_plaintext_secrets" => Err(format!("{path}: secrets and tokens go over https alone")),
                _ => shippable(value, &path),
            }
        }),
        _ => Ok(()),
    }
}

/// The first name in braces.
fn placeholder(text: &str) -> Option<&str> {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let after_braces = text.split('{').skip(1);
    let mut names = after_braces.filter_map(|after| Some(after.split_once('}')?.0));
    names.find(|name| !name.is_empty() && name.bytes().all(is_fit))
}
