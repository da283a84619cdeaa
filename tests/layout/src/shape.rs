//! Where code may be: a `mod.rs` and `lib.rs` declare and re-export only, `src/` of a library holds `lib.rs` and folders
//! only, and each file belongs to a module.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use syn::{Item, ItemMod};

use crate::{
    attributes,
    finding::{Finding, Place, Rule},
    items,
    source::Source,
};

/// What a `mod.rs` or `lib.rs` holds beside declarations and re-exports.
pub(crate) fn check_declarations(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, file) in source.files() {
        let may_hold: fn(&Item) -> bool = match file.name.rsplit('/').next() {
            Some("mod.rs") => declares,
            Some("lib.rs") => declares_or_documents,
            _ => continue,
        };
        for item in file.items.iter().filter(|item| !may_hold(item)) {
            let what = format!("{} in {}", items::kind(item), file.name);
            let places = vec![file.place(items::line(item))];
            findings.push(Finding { rule: Rule::DeclaresOnly, what, places });
        }
    }
    findings
}

/// What is beside `lib.rs`, and files that no module declares.
pub(crate) fn check_files(root: &Path, source: &Source) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut found = |rule, what: &str, file: String| {
        let places = vec![Place { file, line: None, text: String::new() }];
        findings.push(Finding { rule, what: what.to_owned(), places });
    };
    let read: BTreeSet<&str> = source.files().map(|(_, file)| file.name.as_str()).collect();
    let is_program = read.contains("src/main.rs");
    for file in files(&root.join("src"))? {
        let relative = file.strip_prefix(root).unwrap_or(&file);
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.join("/");
        if parts.len() == 2 && name != "src/lib.rs" && !(is_program && name.ends_with(".rs")) {
            found(Rule::FoldersOnly, "a file that is in no folder", name.clone());
        }
        if name.ends_with(".rs") && !read.contains(name.as_str()) {
            found(Rule::Understood, "a file that no module declares", name);
        }
    }
    Ok(findings)
}

/// All files beneath a folder, in order.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn declares(item: &Item) -> bool {
    matches!(item, Item::Mod(ItemMod { content: None, .. }) | Item::Use(_) | Item::ExternCrate(_))
}

/// `lib.rs` has modules that hold nothing but documentation, and what is there for its examples.
fn declares_or_documents(item: &Item) -> bool {
    declares(item)
        || matches!(item, Item::Mod(ItemMod { content: Some((_, items)), .. }) if items.is_empty())
        || attributes::are_for_doctests(items::attributes(item))
}
