//! Each way to break the other rules.

use crate::krate::Krate;

/// A crate with `room::B` re-exported at its root, and `code` in another file.
fn beside_a_reexport(code: &str) -> Krate {
    Krate::new(&[
        ("lib.rs", "mod high;\nmod room;\npub use room::B;\nextern crate alloc;"),
        ("high/mod.rs", "mod c;"),
        ("high/c.rs", code),
        ("room/mod.rs", "mod b;\npub use b::B;"),
        ("room/b.rs", "pub struct B;"),
    ])
}

#[track_caller]
fn assert_through_the_root(code: &str, line: usize, of_line: &str) {
    let expected = format!(
        "through the root: `B`, which is in src/room/b.rs
  src/high/c.rs:{line}: {of_line}"
    );
    assert_eq!(beside_a_reexport(code).found(), [expected]);
}

#[test]
fn an_import_through_the_root() {
    assert_through_the_root("//! Says something.\nuse crate::B;", 2, "use crate::B;");
}

#[test]
fn an_import_through_the_root_in_a_group() {
    assert_through_the_root("use crate::{\n    room,\n    B,\n};", 3, "B,");
}

#[test]
fn an_import_through_the_root_with_super() {
    assert_through_the_root("use super::super::B as Other;", 1, "use super::super::B as Other;");
    let krate = beside_a_reexport("");
    krate.append("high/mod.rs", "\nuse super::B;");
    let expected = "through the root: `B`, which is in src/room/b.rs\n  src/high/mod.rs:2: use super::B;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn a_path_through_the_root_in_a_body() {
    assert_through_the_root("fn f() {\n    crate::B::new();\n}", 2, "crate::B::new();");
}

#[test]
fn a_path_through_the_root_under_another_name() {
    assert_through_the_root("use crate as root;\nfn f(_: root::B) {}", 2, "fn f(_: root::B) {}");
}

#[test]
fn a_path_through_the_root_in_a_macro() {
    let code = "macro_rules! make {\n    () => {\n        $crate::B\n    };\n}";
    assert_through_the_root(code, 3, "$crate::B");
}

#[test]
fn an_import_through_the_root_in_a_test() {
    let code = "#[cfg(test)]\nmod tests {\n    use crate::B;\n}";
    assert_through_the_root(code, 3, "use crate::B;");
}

#[test]
fn a_glob_of_the_root() {
    let expected = "through the root: `*`\n  src/high/c.rs:1: use crate::*;";
    assert_eq!(beside_a_reexport("use crate::*;").found(), [expected]);
}

#[test]
fn a_module_that_the_root_reexports() {
    let krate = beside_a_reexport("use crate::b::B;");
    krate.append("lib.rs", "\npub use room::b;");
    let expected = "through the root: `b`, which is in src/room/b.rs\n  src/high/c.rs:1: use crate::b::B;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn an_import_upwards() {
    let krate = Krate::new(&[
        ("lib.rs", "mod low;\nmod room;\nmod high;"),
        ("low/mod.rs", "mod a;"),
        ("low/a.rs", "use std::fmt;\nuse crate::room::B;"),
        ("room/mod.rs", "mod b;\npub(crate) use b::B;"),
        ("room/b.rs", "pub(crate) struct B;"),
        ("high/mod.rs", "mod c;"),
        ("high/c.rs", "use crate::room::B;"),
    ]);
    let expected = "upwards: `low` imports from `room`, which is above it
  src/low/a.rs:2: -> src/room/b.rs: use crate::room::B;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn an_unknown_room() {
    let krate = Krate::new(&[
        ("lib.rs", "//! A crate.\n\nmod cellar;\nmod room;"),
        ("cellar/mod.rs", "mod a;"),
        ("cellar/a.rs", "use crate::room;"),
        ("room/mod.rs", ""),
    ]);
    let expected = "upwards: room `cellar` is not in the list\n  src/lib.rs:3: mod cellar;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn an_item_in_a_mod_rs() {
    let code =
        "//! A room.\n\nmod b;\n\n/// Of one.\n#[derive(Debug)]\npub struct One;\n\nimpl Clone for One {}
\nmacro_rules! one {\n    () => {};\n}\npub const ONE: u8 = 1;\nmod inner {\n    fn f() {}\n}\n";
    let krate = Krate::new(&[("lib.rs", "mod room;"), ("room/mod.rs", code), ("room/b.rs", "")]);
    let expected = [
        "more than declared: a struct in src/room/mod.rs\n  src/room/mod.rs:7: pub struct One;",
        "more than declared: an impl in src/room/mod.rs\n  src/room/mod.rs:9: impl Clone for One {}",
        "more than declared: a macro in src/room/mod.rs\n  src/room/mod.rs:11: macro_rules! one {",
        "more than declared: a constant in src/room/mod.rs\n  src/room/mod.rs:14: pub const ONE: u8 = 1;",
        "more than declared: a module with code in src/room/mod.rs\n  src/room/mod.rs:15: mod inner {",
    ];
    assert_eq!(krate.found(), expected);
}

#[test]
fn an_item_in_lib_rs() {
    let krate = Krate::new(&[("lib.rs", "/// Does something.\npub fn something() {}")]);
    let expected = "more than declared: a function in src/lib.rs\n  src/lib.rs:2: pub fn something() {}";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn a_file_beside_lib_rs() {
    let krate = Krate::new(&[("lib.rs", "mod room;"), ("room.rs", "")]);
    assert_eq!(krate.found(), ["beside lib.rs: a file that is in no folder\n  src/room.rs"]);
}

#[test]
fn a_file_that_no_module_declares() {
    let krate = Krate::new(&[("lib.rs", "mod room;"), ("room/mod.rs", ""), ("room/lost.rs", "")]);
    assert_eq!(krate.found(), ["not understood: a file that no module declares\n  src/room/lost.rs"]);
}

#[test]
fn a_module_without_a_file() {
    let krate = Krate::new(&[("lib.rs", "mod room;"), ("room/mod.rs", "mod a;\nmod b;"), ("room/a.rs", "")]);
    assert_eq!(krate.found(), ["not understood: can't find the file of `b`\n  src/room/mod.rs:2: mod b;"]);
}

#[test]
fn a_file_that_is_no_rust() {
    let krate = Krate::new(&[("lib.rs", "mod room;"), ("room/mod.rs", "\n\nmod mod;")]);
    let found = krate.found();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("\n  src/room/mod.rs:3: mod mod;"), "{found:?}");
}

#[test]
fn paths_that_lead_nowhere() {
    let code = "use crate::room::Nowhere;\nuse super::b::{B, Lost};\nfn f() {\n    super::b::lost();
    assert!(self::lost::found());\n}";
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;\nmod b;"),
        ("room/a.rs", code),
        ("room/b.rs", "pub(crate) struct B;"),
    ]);
    let expected = [
        "not understood: can't resolve `crate::room::Nowhere`\n  src/room/a.rs:1: use crate::room::Nowhere;",
        "not understood: can't resolve `super::b::Lost`\n  src/room/a.rs:2: use super::b::{B, Lost};",
        "not understood: can't resolve `super::b::lost`\n  src/room/a.rs:4: super::b::lost();",
        "not understood: can't resolve `self::lost::found`\n  src/room/a.rs:5: assert!(self::lost::found());",
    ];
    assert_eq!(krate.found(), expected);
}
