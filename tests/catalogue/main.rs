//! Each entry of the catalogue, over a socket, against a fake that plays what the vendor's documentation prints or what
//! others have seen: `recordings/` has it, and is written from there, never from the entry. The live services are asked by
//! nobody here.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod cases;
mod entry;
mod fake;
mod recording;
mod request;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use entry::{About, About as Entry, Provenance};
use recording::Recording;

/// All entries together: a bound for what hangs, not a measurement.
const GENEROUS: Duration = Duration::from_secs(60);

fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    named.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn entries_recordings_and_what_is_compiled_in_have_the_same_names() {
    let entries = names("catalogue");
    assert_eq!(entries, names("tests/catalogue/recordings"));
    assert_eq!(entries, tower_reauth::catalogue::names().map(str::to_owned).collect());
}

#[test]
fn what_is_compiled_in_is_what_the_entries_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiled = fs::read_to_string(root.join("src/catalogue/catalogue.json")).unwrap();
    let compiled: BTreeMap<String, serde_json::Value> = serde_json::from_str(&compiled).unwrap();
    for name in names("catalogue") {
        let entry = fs::read_to_string(root.join(format!("catalogue/{name}.toml"))).unwrap();
        let mut entry: BTreeMap<String, serde_json::Value> = toml::from_str(&entry).unwrap();
        // What it says of itself.
        entry.remove("about");
        assert_eq!(
            compiled[&name],
            serde_json::to_value(entry).unwrap(),
            "{name}: make the JSON again, by tests/entries with --write"
        );
    }
}

#[test]
fn what_an_entry_calls_documented_or_seen_is_recorded_and_nothing_else_is() {
    for name in names("catalogue") {
        let (about, recording) = (Entry::read(&name), Recording::read(&name));
        for (case, provenance, is_recorded) in [
            ("success", &about.success, recording.token.is_some() || recording.is_static()),
            ("refresh", &about.refresh, recording.refresh.is_some()),
            ("expiry", &about.expiry, !recording.expired.is_empty()),
            ("refusal", &about.refusal, recording.refused.is_some()),
            ("throttling", &about.throttling, recording.throttled.is_some()),
        ] {
            assert_eq!(provenance.is_known(), is_recorded, "{name}: {case} is {provenance:?}");
        }
        let revokes = recording.token.iter().chain(&recording.refresh).any(|exchange| exchange.revokes);
        assert_eq!(about.revokes, revokes, "{name}: whether a renewal kills the token before it");
        assert!(!about.pages.is_empty(), "{name} says where it is documented");
    }
}

#[test]
fn at_least_twenty_entries_know_how_expiry_and_refusal_look() {
    let known = |about: &About| about.expiry.is_known() && about.refusal.is_known();
    let count = names("catalogue").iter().filter(|name| known(&Entry::read(name))).count();
    assert!(count >= 20, "{count}");
    let absent =
        names("catalogue").iter().filter(|name| Entry::read(name).expiry == Provenance::Absent).count();
    assert!(absent < count, "{absent} entries don't know how expiry looks");
}

#[test]
fn entries_are_short() {
    let lines = |name: &String| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("catalogue/{name}.toml"));
        fs::read_to_string(path).unwrap().lines().filter(|line| !line.is_empty()).count()
    };
    let mut lines: Vec<usize> = names("catalogue").iter().map(lines).collect();
    lines.sort_unstable();
    assert!(lines[lines.len() / 2] <= 25, "the median is {} lines", lines[lines.len() / 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_entry_does_what_its_recordings_say() {
    let mut running = tokio::task::JoinSet::new();
    let mut ran = 0;
    for name in names("catalogue") {
        for case in cases::of(&Recording::read(&name)) {
            ran += 1;
            let name = name.clone();
            running.spawn(async move {
                let what = format!("{name}: {case:?}");
                let task = tokio::spawn(async move { case.run(&Recording::read(&name)).await });
                task.await.map_err(|panic| (what, panic))
            });
        }
    }
    let all = async {
        let mut failed = Vec::new();
        while let Some(done) = running.join_next().await {
            if let Err((what, panic)) = done.unwrap() {
                let words = panic.into_panic();
                let words = words
                    .downcast_ref::<String>()
                    .map(|words| &**words)
                    .or_else(|| words.downcast_ref::<&str>().copied());
                failed.push(format!("{what}: {}", words.unwrap_or("panicked")));
            }
        }
        failed
    };
    let mut failed = tokio::time::timeout(GENEROUS, all).await.expect("all of them in a minute");
    failed.sort();
    assert!(ran >= 100, "only {ran} cases");
    assert!(failed.is_empty(), "{} of {ran} cases failed:\n{}", failed.len(), failed.join("\n"));
}
