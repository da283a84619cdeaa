//! Checks the catalogue's entries, and that what is made of them is up to date: `src/catalogue/catalogue.json`, the table in
//! `docs/catalogue.md`, and the list of the program. With `--write` it makes all of them again. `catalogue/HOSTS` it never writes: a host that gets a secret
//! or a token is somebody's decision.

use std::{env, fs, path::Path, process::ExitCode};

use entries::{hosts, made, read};

fn main() -> ExitCode {
    let writes = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [option] if option == "--write" => true,
        _ => {
            eprintln!("usage: entries [--write]");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (entries, mut problems) = read::all(&root);
    if problems.is_empty() {
        for (path, text) in made::files(&root, &entries) {
            if fs::read_to_string(root.join(path)).is_ok_and(|old| old == text) {
                continue;
            }
            if writes {
                match fs::write(root.join(path), text) {
                    Ok(()) => println!("{path} is written"),
                    Err(error) => problems.push(format!("{path}: {error}")),
                }
            } else {
                problems.push(format!("{path}: it isn't what the entries make; run this with --write"));
            }
        }
        problems.extend(hosts::differences(&root, &entries));
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if problems.is_empty() {
        println!("{} entries", entries.len());
    }
    ExitCode::from(u8::from(!problems.is_empty()))
}
