//! Each way in which one file can name what is defined in another, as one half of a circle.

use crate::krate::Krate;

/// Two files, of which the second one imports from the first: `a`, a circle by its line with `code`.
#[track_caller]
fn assert_circle(a: &str, line: usize, code: &str) {
    assert_circle_in("mod a;\nmod b;", a, line, code);
}

#[track_caller]
fn assert_circle_in(module: &str, a: &str, line: usize, code: &str) {
    let b = "use super::a::A;\npub(crate) struct B(A);\npub(crate) fn b() {}\n";
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", module),
        ("room/a.rs", &format!("{a}\npub(crate) struct A;\n")),
        ("room/b.rs", b),
    ]);
    let expected = format!(
        "circle: 2 files: src/room/a.rs, src/room/b.rs
  src/room/a.rs:{line}: -> src/room/b.rs: {code}
  src/room/b.rs:1: -> src/room/a.rs: use super::a::A;"
    );
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn by_an_import() {
    assert_circle("// Comment.\nuse super::b::B;", 2, "use super::b::B;");
}

#[test]
fn by_an_import_in_a_group() {
    assert_circle("use crate::room::{\n    a,\n    b::{self, B},\n};", 3, "b::{self, B},");
}

#[test]
fn by_an_import_with_another_name() {
    assert_circle("use super::b::B as Other;", 1, "use super::b::B as Other;");
}

#[test]
fn by_a_module_with_another_name() {
    let a = "use super::b as other;\nfn f() {\n    other::b();\n}";
    assert_circle(a, 3, "other::b();");
}

#[test]
fn by_a_glob() {
    assert_circle("use super::b::*;", 1, "use super::b::*;");
}

#[test]
fn by_a_name_that_a_glob_brings() {
    let module = "mod a;\nmod b;\npub(crate) use b::B;";
    assert_circle_in(module, "use super::*;\ntype Other = B;", 2, "type Other = B;");
}

#[test]
fn by_a_trait_that_a_glob_brings_through_a_reexport() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;\nmod b;\npub(crate) use b::Bold;"),
        ("room/a.rs", "use super::*;\npub(crate) struct A;"),
        ("room/b.rs", "pub(crate) trait Bold {}\nimpl Bold for super::a::A {}"),
    ]);
    let expected = "circle: 2 files: src/room/a.rs, src/room/b.rs
  src/room/a.rs:1: -> src/room/b.rs: use super::*;
  src/room/b.rs:2: -> src/room/a.rs: impl Bold for super::a::A {}";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn by_a_reexport() {
    assert_circle_in("mod a;\nmod b;\npub(crate) use b::B;", "use super::B;", 1, "use super::B;");
}

#[test]
fn by_reexports_one_after_another() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;\nmod inner;\npub(crate) use inner::Renamed;"),
        ("room/inner/mod.rs", "mod b;\npub(crate) use self::b::B as Renamed;"),
        ("room/a.rs", "fn f(_: crate::room::Renamed) {}\npub(crate) struct A;"),
        ("room/inner/b.rs", "pub(crate) struct B;\nuse super::super::a::A;"),
    ]);
    let expected = "circle: 2 files: src/room/a.rs, src/room/inner/b.rs
  src/room/a.rs:1: -> src/room/inner/b.rs: fn f(_: crate::room::Renamed) {}
  src/room/inner/b.rs:2: -> src/room/a.rs: use super::super::a::A;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn by_a_path_in_a_body() {
    assert_circle("fn f() {\n    crate::room::b::b();\n}", 2, "crate::room::b::b();");
}

#[test]
fn by_an_import_in_a_body() {
    assert_circle("fn f() {\n    use super::b::b;\n    b();\n}", 2, "use super::b::b;");
}

#[test]
fn by_a_path_in_a_type() {
    assert_circle("struct Other {\n    b: Option<super::b::B>,\n}", 2, "b: Option<super::b::B>,");
}

#[test]
fn by_a_path_in_a_pattern() {
    assert_circle("fn f(b: T) {\n    let super::b::B(_) = b;\n}", 2, "let super::b::B(_) = b;");
}

#[test]
fn by_a_path_in_an_attribute() {
    assert_circle("#[serde(with = \"super::b::B\")]\nstruct Other;", 1, "#[serde(with = \"super::b::B\")]");
}

#[test]
fn by_a_path_that_a_macro_is_given() {
    let a = "fn f() {\n    assert!(\n        matches!(g(), [super::b::B(..), ..])\n    );\n}";
    assert_circle(a, 3, "matches!(g(), [super::b::B(..), ..])");
}

#[test]
fn by_a_child_of_the_module_that_a_macro_is_given() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;"),
        ("room/a.rs", "mod b;\npub(crate) struct A;\nfn f() {\n    assert!(b::b());\n}"),
        ("room/a/b.rs", "use super::A;\npub(super) fn b() {}"),
    ]);
    let expected = "circle: 2 files: src/room/a.rs, src/room/a/b.rs
  src/room/a.rs:4: -> src/room/a/b.rs: assert!(b::b());
  src/room/a/b.rs:1: -> src/room/a.rs: use super::A;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn by_what_a_macro_is_made_of() {
    let a =
        "macro_rules! make {\n    ($name:ident) => {\n        $crate::room::b::b($name::new())\n    };\n}";
    assert_circle(a, 3, "$crate::room::b::b($name::new())");
}

#[test]
fn by_an_import_that_a_macro_makes() {
    let a = "macro_rules! make {\n    () => {\n        use $crate::room::{a, b::{B, *}};\n    };\n}";
    assert_circle(a, 3, "use $crate::room::{a, b::{B, *}};");
}

#[test]
fn by_a_macro() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "#[macro_use]\nmod b;\nmod a;"),
        ("room/a.rs", "pub(crate) struct A;\nmake!();"),
        ("room/b.rs", "macro_rules! make {\n    () => { $crate::room::a::A };\n}"),
    ]);
    let expected = "circle: 2 files: src/room/a.rs, src/room/b.rs
  src/room/a.rs:2: -> src/room/b.rs: make!();
  src/room/b.rs:2: -> src/room/a.rs: () => { $crate::room::a::A };";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn by_items_that_a_macro_hands_on() {
    let a = "pin_project! {\n    struct Other {\n        #[pin]\n        b: super::b::B,\n    }\n}";
    assert_circle(a, 4, "b: super::b::B,");
}

#[test]
fn with_the_file_for_another_platform() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;\n#[cfg_attr(not(unix), path = \"other.rs\")]\nmod b;"),
        ("room/a.rs", "pub(crate) struct A;\npub(crate) use super::b::b;"),
        ("room/b.rs", "pub(crate) fn b() {}"),
        ("room/other.rs", "pub(crate) fn b() {}\nuse super::a::A;"),
    ]);
    let expected = "circle: 2 files: src/room/a.rs, src/room/other.rs
  src/room/a.rs:2: -> src/room/other.rs: pub(crate) use super::b::b;
  src/room/other.rs:2: -> src/room/a.rs: use super::a::A;";
    assert_eq!(krate.found(), [expected]);
}

#[test]
fn of_many_files_is_told_once() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;\nmod b;\nmod c;\nmod d;"),
        ("room/a.rs", "pub(crate) struct A(super::b::B);"),
        ("room/b.rs", "pub(crate) struct B(super::c::C);"),
        ("room/c.rs", "pub(crate) struct C(super::a::A);\nstruct Twice(super::a::A);"),
        ("room/d.rs", "struct D(super::a::A);"),
    ]);
    let expected = "circle: 3 files: src/room/a.rs, src/room/b.rs, src/room/c.rs
  src/room/a.rs:1: -> src/room/b.rs: pub(crate) struct A(super::b::B);
  src/room/b.rs:1: -> src/room/c.rs: pub(crate) struct B(super::c::C);
  src/room/c.rs:1: -> src/room/a.rs: pub(crate) struct C(super::a::A);";
    assert_eq!(krate.found(), [expected]);
}
