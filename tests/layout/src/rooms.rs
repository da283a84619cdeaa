//! Rooms import downwards: the folders of `src/` have one order, which `house.txt` has from top to bottom, and for the program
//! `program.txt`, where a room may be a single file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use syn::Item;

use crate::{
    arrows::Arrows,
    finding::{Finding, Place, Rule},
    items,
    source::{File, Source},
};

/// The rooms, from top to bottom.
#[derive(Clone, Debug)]
pub struct House {
    rooms: Vec<String>,
}

impl House {
    /// That of the library.
    pub fn ours() -> Self {
        Self::parse(include_str!("../house.txt"))
    }

    /// That of the program.
    pub fn programs() -> Self {
        Self::parse(include_str!("../program.txt"))
    }

    /// That of the crate in a folder: a program has no `lib.rs`.
    pub fn of(root: &Path) -> Self {
        if root.join("src/main.rs").exists() { Self::programs() } else { Self::ours() }
    }

    /// Reads a list with one room a line. What follows a `#` is for readers.
    pub fn parse(list: &str) -> Self {
        let lines = list.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        Self { rooms: lines.filter(|room| !room.is_empty()).map(str::to_owned).collect() }
    }

    fn floor(&self, room: &str) -> Option<usize> {
        self.rooms.iter().position(|name| name == room)
    }
}

/// Each arrow that leads up, and each room that isn't in the list.
pub(crate) fn check(source: &Source, arrows: &Arrows, house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut unknown = BTreeSet::new();
    for (_, file) in source.files().filter(|(_, file)| !file.for_tests) {
        let room = room(file);
        if house.floor(room).is_none() && unknown.insert(room) {
            let what = format!("room `{room}` is not in the list");
            findings.push(Finding {
                rule: Rule::Downwards,
                what,
                places: vec![declaration(source, room, file)],
            });
        }
    }
    for (from, to, line) in arrows.iter() {
        let (lower, upper) = (room(source.file(from)), room(source.file(to)));
        if let (Some(below), Some(above)) = (house.floor(lower), house.floor(upper))
            && above < below
        {
            let what = format!("`{lower}` imports from `{upper}`, which is above it");
            let places = vec![Arrows::place(source, from, to, line)];
            findings.push(Finding { rule: Rule::Downwards, what, places });
        }
    }
    findings
}

/// Where the root declares a room, or else the beginning of a file in it.
fn declaration(source: &Source, room: &str, file: &File) -> Place {
    let mut declared = source.files().filter(|(_, file)| is_root(file)).flat_map(|(_, root)| {
        let items =
            root.items.iter().filter(|item| matches!(item, Item::Mod(module) if module.ident == room));
        items.map(|item| root.place(items::line(item)))
    });
    declared.next().unwrap_or_else(|| file.place(1))
}

/// How many arrows lead from one room to another.
pub(crate) fn arrows<'a>(source: &'a Source, arrows: &Arrows) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut counts = BTreeMap::new();
    for (from, to, _) in arrows.iter() {
        let (from, to) = (room(source.file(from)), room(source.file(to)));
        if from != to {
            *counts.entry((from, to)).or_default() += 1;
        }
    }
    counts
}

/// The room that a file is in: its folder in `src/`, or what such a folder would be called.
pub(crate) fn room(file: &File) -> &str {
    let within = file.name.strip_prefix("src/").unwrap_or(&file.name);
    match within.split_once('/') {
        Some((room, _)) => room,
        None if is_root(file) => within,
        None => within.strip_suffix(".rs").unwrap_or(within),
    }
}

fn is_root(file: &File) -> bool {
    matches!(&*file.name, "src/lib.rs" | "src/main.rs")
}
