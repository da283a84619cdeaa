//! All that the check says of a crate: what breaks the rules, and the arrows, to be drawn.

use std::{collections::BTreeSet, fmt, io, path::Path};

use crate::{
    arrows::Arrows,
    circles,
    finding::{Finding, Rule},
    names::{self, Meaning},
    read::{self, Reading},
    rooms::{self, House},
    root, shape,
    source::{Mention, Source},
};

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// What breaks the rules, in their order.
    pub findings: Vec<Finding>,
    /// From each file to each other one.
    pub arrows: Vec<(String, String)>,
    /// From each room to each other one, and how many arrows between files that is.
    pub rooms: Vec<(String, String, usize)>,
    files: usize,
    room_count: usize,
}

impl Report {
    /// Checks the crate in a folder against a house.
    ///
    /// # Errors
    ///
    /// The folder can't be read. What is wrong with single files is found.
    pub fn of(root: &Path, house: &House) -> io::Result<Self> {
        let Reading { source, unread } = read::read(root);
        let meanings: Vec<_> =
            source.mentions.iter().map(|mention| names::meaning(&source, mention)).collect();
        let meanings = || source.mentions.iter().zip(&meanings);
        let arrows = Arrows::new(&source, meanings());

        let mut findings = unread;
        findings.extend(missing(&source, meanings()));
        findings.extend(circles::check(&source, &arrows));
        findings.extend(rooms::check(&source, &arrows, house));
        findings.extend(root::check(&source, meanings()));
        findings.extend(shape::check_declarations(&source));
        findings.extend(shape::check_files(root, &source)?);
        findings.sort_by(|one, other| (one.rule, &one.places).cmp(&(other.rule, &other.places)));

        let counted: Vec<_> = source.files().map(|(_, file)| file).filter(|file| !file.for_tests).collect();
        let rooms: BTreeSet<_> = counted.iter().map(|file| rooms::room(file)).collect();
        Ok(Self {
            findings,
            arrows: named(&source, &arrows),
            rooms: rooms::arrows(&source, &arrows)
                .into_iter()
                .map(|((from, to), count)| (from.to_owned(), to.to_owned(), count))
                .collect(),
            files: counted.len(),
            room_count: rooms.len(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let (files, arrows, rooms, found) =
            (self.files, self.arrows.len(), self.room_count, self.findings.len());
        write!(f, "{files} files, {arrows} arrows, {rooms} rooms: {found} found")
    }
}

/// Paths that lead nowhere. Code that compiles has none, so what isn't understood is the check's own fault.
fn missing<'a>(source: &Source, meanings: impl Iterator<Item = (&'a Mention, &'a Meaning)>) -> Vec<Finding> {
    let missing = meanings.filter(|(_, meaning)| meaning.is_missing).map(|(mention, _)| {
        let what = format!("can't resolve `{}`", mention.path.join("::"));
        Finding { rule: Rule::Understood, what, places: vec![source.file(mention.file).place(mention.line)] }
    });
    missing.collect()
}

fn named(source: &Source, arrows: &Arrows) -> Vec<(String, String)> {
    let name = |file| source.file(file).name.clone();
    let mut named: Vec<_> = arrows.iter().map(|(from, to, _)| (name(from), name(to))).collect();
    named.sort();
    named
}
