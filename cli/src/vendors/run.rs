//! Writes the list, or what is known of one vendor.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use tower_reauth::Trial;

use super::{
    args::Args,
    entry::{self, Entry},
};
use crate::{message::tell, mistake::Mistake, options::Kind};

/// Writes what was asked for, and says how the program is to end.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Mistake> {
    let mut entries = entry::all();
    let text = match &args.name {
        Some(name) => {
            let trial = Trial::named(name).map_err(|error| {
                Mistake::new(error.to_string().replace("its documentation lists", "reauth vendors lists"))
            })?;
            entries.retain(|known, _| known == name);
            match (args.json, entries.get(name)) {
                (false, Some(entry)) => one(name, entry, &trial),
                _ => json(&entries),
            }
        }
        None if args.json => json(&entries),
        None => list(&entries),
    };
    Ok(match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("reauth vendors: {error}"));
            ExitCode::FAILURE
        }
    })
}

fn json(entries: &BTreeMap<String, Entry>) -> String {
    let text = serde_json::to_string_pretty(entries).unwrap_or_default();
    text + "\n"
}

/// A line for each, in columns.
fn list(entries: &BTreeMap<String, Entry>) -> String {
    let mut rows = vec![["NAME", "GRANT", "A TOKEN LIVES", "INPUTS"].map(ToOwned::to_owned)];
    rows.extend(entries.iter().map(|(name, entry)| {
        let inputs = entry.inputs.iter().map(|input| &*input.name).collect::<Vec<_>>().join(" ");
        [name.clone(), entry.grant.clone(), entry.lives.clone(), inputs]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [name_width, grant_width, lives_width] = [0, 1, 2].map(width);
    let row = |[name, grant, lives, inputs]: &[String; 4]| {
        format!("{name:name_width$}  {grant:grant_width$}  {lives:lives_width$}  {inputs}\n")
    };
    rows.iter().map(row).collect()
}

/// All that is known of one.
fn one(name: &str, entry: &Entry, trial: &Trial) -> String {
    let mut text = format!("{name}: {}, by {}\n", entry.vendor, entry.grant);
    let mut say = |line: &str| {
        text += line;
        text.push('\n');
    };
    for line in trial.outline() {
        say(&format!("  {line}"));
    }
    say(&format!("  a token lives: {}", entry.lives));
    say(&format!("  a refresh: {}", entry.refresh));
    say("hosts, and what goes there:");
    for host in &entry.hosts {
        say(&format!("  {host}"));
    }
    say("documented at:");
    for page in &entry.pages {
        say(&format!("  {} ({})", page.url, page.day));
    }
    if !entry.seen.is_empty() {
        say("not documented, but seen:");
    }
    for seen in &entry.seen {
        say(&format!("  {}: {}", seen.case, seen.url));
    }
    if !entry.absent.is_empty() {
        say(&format!("absent, so that nothing is said of it: {}", entry.absent.join(", ")));
    }
    say("a call:");
    say(&format!("  {} GET /PATH", call(name, entry)));
    text
}

/// A call with all that is left open.
fn call(name: &str, entry: &Entry) -> String {
    // The program's own ones have options in place of inputs.
    if let Some(options) = Kind::named(name).ok().and_then(Kind::usual_options) {
        return format!("reauth call --vendor {name} {options}");
    }
    let mut call = format!("reauth call --vendor {name}");
    for input in &entry.inputs {
        let (name, variable) = (&input.name, input.name.to_uppercase());
        let _ = match (&input.one_of[..], input.in_url) {
            ([first, ..], _) => write!(call, " --set {name}=text:{first}"),
            (_, true) if name.ends_with("_url") => write!(call, " --set {name}=text:https://YOUR.HOST"),
            (_, true) => write!(call, " --set {name}=text:{variable}"),
            _ => write!(call, " --set {name}=env:{variable}"),
        };
    }
    call
}
