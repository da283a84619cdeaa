//! Where the built examples are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

/// The example `name`. `cargo test` has built it by now; `cargo test --test programs` hasn't, so it is built here.
pub(crate) fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let path = directory().join(name);
    BUILT.get_or_init(|| {
        if !["call", "proxy"].iter().all(|name| is_up_to_date(&directory().join(name))) {
            build();
        }
    });
    assert!(path.is_file(), "{} is missing: run `cargo build --examples`", path.display());
    path
}

/// `target/debug/examples`, beside the `deps` where this test is.
fn directory() -> PathBuf {
    let this = env::current_exe().expect("a test knows its own path");
    let profile = this.ancestors().nth(2).expect("target/debug/deps/programs");
    profile.join("examples")
}

/// Whether none of its sources is newer, by the list that cargo leaves beside it.
fn is_up_to_date(binary: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
    let (Ok(built), Ok(list)) = (modified(binary), fs::read_to_string(binary.with_extension("d"))) else {
        return false;
    };
    let (_, sources) = list.split_once(": ").unwrap_or_default();
    // A space within a path is written "\ ".
    sources.replace("\\ ", "\0").split_whitespace().all(|source| {
        let changed = modified(Path::new(&source.replace('\0', " "))).unwrap_or(SystemTime::UNIX_EPOCH);
        changed <= built
    })
}

/// Cargo's lock on the directory is free while tests run.
fn build() {
    let profile =
        directory().parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let profile = match profile.as_deref() {
        Some("debug") | None => "dev".to_owned(),
        Some(other) => other.to_owned(),
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        // What cargo says to this test. With it, build scripts would run again, and again without it.
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|said| name.to_string_lossy().starts_with(said)) {
            cargo.env_remove(name);
        }
    }
    let status = cargo
        .args(["build", "--locked", "--example", "call", "--example", "proxy", "--profile", &profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the examples can't be built: run `cargo build --examples`"
    );
}
