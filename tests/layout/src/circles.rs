//! No circles: from no file do arrows lead back to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    arrows::Arrows,
    finding::{Finding, Rule},
    source::{FileId, Source},
};

/// Each set of files that all lead to each other, with the arrows among them.
pub(crate) fn check(source: &Source, arrows: &Arrows) -> Vec<Finding> {
    let reached: BTreeMap<_, _> = source.files().map(|(file, _)| (file, arrows.reach(file))).collect();
    // The files that lead to one and to which it leads, itself among them if it is on a circle.
    let circles: BTreeSet<BTreeSet<_>> = reached
        .iter()
        .map(|(file, to)| to.iter().copied().filter(|other| reached[other].contains(file)).collect())
        .collect();
    let circles = circles.iter().filter(|circle| !circle.is_empty());
    circles.map(|circle| finding(source, arrows, circle)).collect()
}

fn finding(source: &Source, arrows: &Arrows, circle: &BTreeSet<FileId>) -> Finding {
    let mut names: Vec<_> = circle.iter().map(|file| source.file(*file).name.as_str()).collect();
    names.sort_unstable();
    let inside = arrows.iter().filter(|(from, to, _)| circle.contains(from) && circle.contains(to));
    let mut places: Vec<_> = inside.map(|(from, to, line)| Arrows::place(source, from, to, line)).collect();
    places.sort();
    Finding { rule: Rule::NoCircles, what: format!("{} files: {}", names.len(), names.join(", ")), places }
}
