//! The real sources, with something planted: what the check says then and didn't say before.

use std::{collections::BTreeSet, path::Path, sync::LazyLock};

use layout::{Finding, House, Report, Rule};

use crate::krate::Krate;

static BEFORE: LazyLock<Report> = LazyLock::new(|| report(Krate::real().root()));

fn report(root: &Path) -> Report {
    Report::of(root, &House::of(root)).expect("it can be read")
}

/// What is found now.
fn news(krate: &Krate) -> Vec<Finding> {
    let mut findings = report(krate.root()).findings;
    findings.retain(|finding| !BEFORE.findings.contains(finding));
    findings
}

/// That one thing is found now, at that line.
#[track_caller]
fn assert_found(krate: &Krate, rule: Rule, file: &str, line: usize) {
    let news = news(krate);
    let [finding] = &news[..] else {
        panic!("{news:#?}");
    };
    let file = format!("src/{file}");
    assert_eq!(finding.rule, rule, "{finding}");
    assert!(finding.places.iter().any(|place| place.file == file && place.line == Some(line)), "{finding}");
}

/// An arrow with which an arrow back would close a circle, as names in `src/`, both with code and in the same room.
fn arrow() -> (String, String) {
    let has_code = |file: &str| !file.ends_with("mod.rs") && !file.ends_with("lib.rs");
    let on_circles: BTreeSet<_> = BEFORE
        .findings
        .iter()
        .filter(|finding| finding.rule == Rule::NoCircles)
        .flat_map(|finding| finding.places.iter().map(|place| &place.file))
        .collect();
    let in_token = |file: &str| file.strip_prefix("src/token/").is_some_and(|rest| !rest.contains('/'));
    let mut arrows = BEFORE.arrows.iter().filter(|(from, to)| {
        [from, to].iter().all(|file| in_token(file) && has_code(file) && !on_circles.contains(file))
    });
    let (from, to) = arrows.next().expect("the files of a room know each other");
    (from["src/".len()..].to_owned(), to["src/".len()..].to_owned())
}

/// Plants a function in one file and code that names it in another, to which an arrow leads.
#[track_caller]
fn assert_circle(code: &str) {
    let krate = Krate::real();
    let (from, to) = arrow();
    krate.append(&from, "pub(crate) fn planted() {}\npub(crate) struct Planted;");
    let module = from.trim_start_matches("token/").trim_end_matches(".rs");
    let line = krate.append(&to, &code.replace("MODULE", module));
    assert_found(&krate, Rule::NoCircles, &to, line);
}

#[test]
fn all_of_it_is_understood() {
    let not_understood = BEFORE.findings.iter().filter(|finding| finding.rule == Rule::Understood);
    assert_eq!(not_understood.count(), 0);
}

#[test]
fn circles() {
    assert_circle("use super::MODULE::planted;");
    assert_circle("use crate::token::{MODULE::Planted as Other};");
    assert_circle("use super::MODULE::*;");
    assert_circle("fn f() { crate::token::MODULE::planted(); }");
    assert_circle("fn f(_: Option<super::MODULE::Planted>) {}");
    assert_circle("fn f() { assert_eq!((), super::MODULE::planted()); }");
    assert_circle("macro_rules! planted { () => { $crate::token::MODULE::planted() } }");
}

#[test]
fn a_circle_by_a_reexport() {
    let krate = Krate::real();
    let (from, to) = arrow();
    krate.append(&from, "pub(crate) struct Planted;");
    let module = from.trim_start_matches("token/").trim_end_matches(".rs");
    krate.append("token/mod.rs", &format!("pub(crate) use {module}::Planted;"));
    let line = krate.append(&to, "use super::Planted;");
    assert_found(&krate, Rule::NoCircles, &to, line);
}

#[test]
fn imports_through_the_root() {
    let (_, file) = arrow();
    let plants = [
        ("testing/mod.rs", "use crate::TokenCache as Planted;"),
        ("testing/mod.rs", "use crate::{TokenCache as Planted};"),
        ("testing/mod.rs", "use super::TokenCache as Planted;"),
        ("testing/mod.rs", "#[cfg(test)] use super::{TokenCache as Planted};"),
        (&file, "#[cfg(test)] mod planted { use crate::TokenCache; }"),
        (&file, "#[cfg(test)] macro_rules! planted { () => { $crate::TokenCache } }"),
    ];
    for (file, code) in plants {
        let krate = Krate::real();
        let line = krate.append(file, code);
        assert_found(&krate, Rule::NotThroughTheRoot, file, line);
    }
}

#[test]
fn an_import_upwards() {
    let krate = Krate::real();
    let line = krate.append("token/mod.rs", "use crate::testing::Controls as Planted;");
    assert_found(&krate, Rule::Downwards, "token/mod.rs", line);
}

#[test]
fn an_unknown_room() {
    let krate = Krate::real();
    krate.write("planted/mod.rs", "");
    let line = krate.append("lib.rs", "mod planted;");
    assert_found(&krate, Rule::Downwards, "lib.rs", line);
}

#[test]
fn an_item_in_a_mod_rs() {
    let krate = Krate::real();
    let line = krate.append("token/mod.rs", "const PLANTED: u8 = 0;");
    assert_found(&krate, Rule::DeclaresOnly, "token/mod.rs", line);
}

#[test]
fn a_file_beside_lib_rs() {
    let krate = Krate::real();
    krate.write("planted.md", "");
    let found: Vec<_> = news(&krate).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["beside lib.rs: a file that is in no folder\n  src/planted.md"]);
}

#[test]
fn a_path_that_leads_nowhere() {
    let krate = Krate::real();
    let line = krate.append("testing/mod.rs", "use crate::token::Nowhere;");
    assert_found(&krate, Rule::Understood, "testing/mod.rs", line);
}

#[test]
fn the_same_in_the_program() {
    let before = report(Krate::program().root());
    let assert_found = |krate: &Krate, rule, file: &str, line| {
        let mut news = report(krate.root()).findings;
        news.retain(|finding| !before.findings.contains(finding));
        let [finding] = &news[..] else { panic!("{news:#?}") };
        assert_eq!(finding.rule, rule, "{finding}");
        assert!(finding.places.iter().any(|place| place.file == file && place.line == line), "{finding}");
    };
    let krate = Krate::program();
    let line = krate.append("number.rs", "use crate::message::tell as planted;");
    assert_found(&krate, Rule::Downwards, "src/number.rs", Some(line));
    let krate = Krate::program();
    krate.append("number.rs", "pub(crate) fn planted() { crate::idle::planted() }");
    krate.append("idle.rs", "pub(crate) fn planted() { crate::number::planted() }");
    let findings = report(krate.root()).findings;
    assert!(findings.iter().any(|finding| finding.rule == Rule::NoCircles), "{findings:#?}");
    let krate = Krate::program();
    krate.write("planted.rs", "");
    let line = krate.append("main.rs", "mod planted;");
    assert_found(&krate, Rule::Downwards, "src/main.rs", Some(line));
    let krate = Krate::program();
    krate.write("planted.md", "");
    assert_found(&krate, Rule::FoldersOnly, "src/planted.md", None);
    assert!(before.findings.is_empty(), "{:#?}", before.findings);
}

#[test]
fn tests_may_import_from_everywhere() {
    let krate = Krate::real();
    let (from, to) = arrow();
    krate.append(&from, "pub(crate) struct Planted;");
    let module = from.trim_start_matches("token/").trim_end_matches(".rs");
    let code = format!(
        "#[cfg(test)]\nmod planted {{\n    use crate::{{testing::Controls, token::{module}::*}};\n}}"
    );
    krate.append(&to, &code);
    assert_eq!(news(&krate), []);
}
