//! No circles: from no file do arrows lead back to it.

use std::collections::BTreeSet;

use crate::{
    arrows::Arrows,
    finding::{Finding, Rule},
    source::{FileId, Source},
};

/// Each set of files that all lead to each other, with the arrows among them.
pub(crate) fn check(source: &Source, arrows: &Arrows) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (file, _) in source.files() {
        let circle = circle(arrows, file);
        if !circle.is_empty() && !seen.contains(&file) {
            findings.push(finding(source, arrows, &circle));
        }
        seen.extend(circle);
    }
    findings
}

/// The files that lead to one and to which it leads, itself among them; none if it isn't on a circle.
fn circle(arrows: &Arrows, file: FileId) -> BTreeSet<FileId> {
    let mut circle = arrows.reach(file);
    circle.retain(|other| arrows.reach(*other).contains(&file));
    circle
}

fn finding(source: &Source, arrows: &Arrows, circle: &BTreeSet<FileId>) -> Finding {
    let mut names: Vec<_> = circle.iter().map(|file| source.file(*file).name.as_str()).collect();
    names.sort_unstable();
    let inside = arrows.iter().filter(|(from, to, _)| circle.contains(from) && circle.contains(to));
    let mut places: Vec<_> = inside.map(|(from, to, line)| Arrows::place(source, from, to, line)).collect();
    places.sort();
    Finding { rule: Rule::NoCircles, what: format!("{} files: {}", names.len(), names.join(", ")), places }
}
