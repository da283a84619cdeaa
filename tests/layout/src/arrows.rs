//! Which file names what is defined in which other one, tests aside.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    finding::Place,
    names::Meaning,
    source::{File, FileId, Mention, Source},
};

/// The arrows from file to file, each with the first line that makes it one.
#[derive(Default)]
pub(crate) struct Arrows {
    lines: BTreeMap<FileId, BTreeMap<FileId, usize>>,
}

impl Arrows {
    pub(crate) fn new<'a>(
        source: &Source,
        meanings: impl Iterator<Item = (&'a Mention, &'a Meaning)>,
    ) -> Self {
        let mut arrows = Self::default();
        let is_left_out = |file: FileId| source.file(file).for_tests;
        for (mention, meaning) in meanings.filter(|(mention, _)| !mention.for_tests) {
            for to in &meaning.files {
                if *to != mention.file && !is_left_out(*to) {
                    let lines = arrows.lines.entry(mention.file).or_default();
                    let line = lines.entry(*to).or_insert(mention.line);
                    *line = mention.line.min(*line);
                }
            }
        }
        arrows
    }

    /// All of them, as from, to and line.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FileId, FileId, usize)> {
        self.lines.iter().flat_map(|(from, to)| to.iter().map(|(to, line)| (*from, *to, *line)))
    }

    /// The files to which arrows lead from one, over others too.
    pub(crate) fn reach(&self, from: FileId) -> BTreeSet<FileId> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            for to in self.lines.get(&file).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(*to) {
                    next.push(*to);
                }
            }
        }
        reached
    }

    /// Where an arrow is, in words.
    pub(crate) fn place(source: &Source, from: FileId, to: FileId, line: usize) -> Place {
        let from = source.file(from);
        let File { name, .. } = source.file(to);
        Place { text: format!("-> {name}: {}", from.line(line)), ..from.place(line) }
    }
}
