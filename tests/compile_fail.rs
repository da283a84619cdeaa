//! What the compiler says of wrong use. Each file of `tests/ui` makes one mistake, and names with `//~` what the message
//! must contain.
//!
//! That is no more than what is ours: the words of `#[diagnostic::on_unimplemented]`, or else the types and traits by
//! which the mistake is found. The rest of a message is rustc's, and differs with every release; a comparison of whole
//! messages, as trybuild makes it, would hold for one release alone.
//!
//! The files are the programs of a package that is written into the target directory, with the versions of our
//! `Cargo.lock`, so nothing is downloaded that isn't there.

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use serde_json::Value;

const DEPENDENCIES: &str = r#"
bytes = "1"
http = "1"
http-body-util = "0.1"
tower = { version = "0.5", features = ["util"] }
"#;

#[test]
fn wrong_use_is_explained() {
    let programs = programs();
    let messages = check(&programs);
    let mut wrong = Vec::new();
    for (name, source) in &programs {
        let said = messages.get(name).map(String::as_str).unwrap_or_default();
        let mut expected = source.lines().filter_map(|line| line.strip_prefix("//~ ")).peekable();
        if expected.peek().is_none() && !said.is_empty() {
            wrong.push(format!("{name} should compile:\n{said}"));
        }
        for words in expected.filter(|words| !said.contains(words)) {
            wrong.push(format!("{name}: the compiler doesn't say {words:?}, but:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mistakes = programs.values().filter(|source| source.contains("\n//~ ")).count();
    assert_eq!(mistakes, programs.len() - 1, "all but one make a mistake");
}

/// Each program's name and source.
fn programs() -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let files = fs::read_dir(directory).expect("the directory is in the package");
    files
        .map(|file| {
            let path = file.expect("it can be read").path();
            let name = path.file_stem().expect("a program has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("it is text"))
        })
        .collect()
}

/// Has cargo check all of them, and returns the errors of each.
fn check(programs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    fs::create_dir_all(&package).expect("the target directory can be written");
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("there is a lock file");
    let bins = programs.keys().map(|name| {
        let path = root.join("tests/ui").join(format!("{name}.rs"));
        format!("[[bin]]\nname = {name:?}\npath = {path:?}\n")
    });
    let manifest = format!(
        "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]{DEPENDENCIES}tower-reauth = {{ path = {root:?}, default-features = false }}\n{}",
        bins.collect::<String>()
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("the target directory can be written");

    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--keep-going", "--bins", "--message-format", "json"])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(package.join("target"))
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let mut errors = BTreeMap::<String, String>::new();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let messages = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for message in messages.filter(|message| message["message"]["level"] == "error") {
        let (target, text) = (&message["target"]["name"], &message["message"]["rendered"]);
        let (Some(target), Some(text)) = (target.as_str(), text.as_str()) else { continue };
        errors.entry(target.to_owned()).or_default().push_str(text);
    }
    // Whatever isn't a program's error is the harness's.
    assert!(!errors.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    errors
}
