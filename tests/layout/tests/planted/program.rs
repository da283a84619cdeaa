//! The program: what it prints, and how it ends.

use std::process::{Command, Output};

use crate::krate::Krate;

fn layout(arguments: &[&str], krate: &Krate) -> Output {
    let mut layout = Command::new(env!("CARGO_BIN_EXE_layout"));
    layout.args(arguments).arg(krate.root()).output().expect("it runs")
}

fn krate(lease: &str) -> Krate {
    Krate::new(&[
        ("lib.rs", "mod token;\nmod error;"),
        ("token/mod.rs", "mod lease;"),
        ("token/lease.rs", lease),
        ("error/mod.rs", "mod kind;\npub(crate) use kind::Kind;"),
        ("error/kind.rs", "pub(crate) struct Kind;"),
    ])
}

#[track_caller]
fn assert_output(output: &Output, status: i32, stdout: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(status));
}

#[test]
fn a_clean_crate_is_summed_up() {
    let krate = krate("use crate::error::Kind;");
    assert_output(&layout(&[], &krate), 0, "5 files, 2 arrows, 3 rooms: 0 found\n");
}

#[test]
fn what_is_found_makes_it_fail() {
    let output = layout(&[], &krate("use crate::lost;"));
    let stdout = "not understood: can't resolve `crate::lost`
  src/token/lease.rs:1: use crate::lost;
5 files, 1 arrows, 3 rooms: 1 found\n";
    assert_output(&output, 1, stdout);
}

#[test]
fn arrows_can_be_drawn() {
    let krate = krate("use crate::error::Kind;");
    let arrows = "src/error/mod.rs -> src/error/kind.rs\nsrc/token/lease.rs -> src/error/kind.rs\n";
    assert_output(&layout(&["--arrows"], &krate), 0, arrows);
    assert_output(&layout(&["--rooms"], &krate), 0, "token -> error (1)\n");
}

#[test]
fn a_crate_that_is_not_there_is_no_success() {
    assert_output(&layout(&[], &Krate::new(&[])), 2, "");
    assert_output(&layout(&["--help"], &krate("")), 2, "");
}
