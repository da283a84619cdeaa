//! Nothing is imported through the crate's root: what `lib.rs` re-exports is for other crates, and within this one the
//! path to a thing says in which room it is. That holds for tests too.

use std::collections::BTreeSet;

use crate::{
    finding::{Finding, Rule},
    names::Meaning,
    source::{Mention, Source},
};

/// Each line that does, and the name.
pub(crate) fn check<'a>(
    source: &Source,
    meanings: impl Iterator<Item = (&'a Mention, &'a Meaning)>,
) -> Vec<Finding> {
    let mut findings = BTreeSet::new();
    for (mention, meaning) in meanings {
        if let Some(name) = &meaning.through_root {
            let mut what = format!("`{name}`");
            let defined: Vec<_> = meaning.files.iter().map(|file| source.file(*file).name.as_str()).collect();
            if name != "*" && !defined.is_empty() {
                what = format!("{what}, which is in {}", defined.join(", "));
            }
            let places = vec![source.file(mention.file).place(mention.line)];
            findings.insert(Finding { rule: Rule::NotThroughTheRoot, what, places });
        }
    }
    findings.into_iter().collect()
}
