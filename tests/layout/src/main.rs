//! `layout [--arrows | --rooms] [CRATE]`: what it is asked, what it prints, and how it ends. Status 1 says that
//! something was found, 2 that nothing was checked.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use layout::{House, Report};

const USAGE: &str = "usage: layout [--arrows | --rooms] [CRATE]";

/// What is printed.
enum Wanted {
    Findings,
    Arrows,
    Rooms,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("layout: {error}");
        ExitCode::from(2)
    })
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut wanted = Wanted::Findings;
    let mut root = None;
    for argument in env::args().skip(1) {
        match &*argument {
            "--arrows" => wanted = Wanted::Arrows,
            "--rooms" => wanted = Wanted::Rooms,
            other if other.starts_with('-') || root.is_some() => return Err(USAGE.into()),
            other => root = Some(PathBuf::from(other)),
        }
    }
    let root = root.or_else(around_this_package).ok_or(USAGE)?;
    let report = Report::of(&root, &House::of(&root))?;
    let mut out = io::stdout().lock();
    match wanted {
        Wanted::Findings => writeln!(out, "{report}")?,
        Wanted::Arrows => {
            for (from, to) in &report.arrows {
                writeln!(out, "{from} -> {to}")?;
            }
        }
        Wanted::Rooms => {
            for (from, to, count) in &report.rooms {
                writeln!(out, "{from} -> {to} ({count})")?;
            }
        }
    }
    let found_some = matches!(wanted, Wanted::Findings) && !report.findings.is_empty();
    Ok(ExitCode::from(u8::from(found_some)))
}

/// The crate that this package is in, which Cargo tells of.
fn around_this_package() -> Option<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR")?;
    Path::new(&package).ancestors().nth(2).map(Path::to_path_buf)
}
