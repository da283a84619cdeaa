//! What is no finding.

use crate::krate::Krate;

const LIB: &str = r#"//! A crate.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod high;
#[cfg(feature = "room")]
pub mod room;
#[doc = include_str!("room/about.md")]
pub mod about {}
mod low;

pub use room::{B, Kind};
#[cfg(test)]
extern crate alloc;

/// The README's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
"#;

/// Says much that is no code, and what only looks like a path.
const A: &str = r#"//! See [`C`](crate::high::C), and `super::b::B`.

use std::fmt;

use http::header::{self, HeaderMap};

/// ```
/// use crate::B;
/// ```
pub(crate) struct A<T> {
    pub(in crate::room) header: header::HeaderName,
    map: Option<HeaderMap<T>>,
}

impl<T: fmt::Debug> A<T> {
    #[cfg(test)]
    fn in_tests() -> crate::high::C {
        let text = "crate::high::C";
        crate::high::C::new(self, text)
    }

    fn f(self) -> Result<Self, T::Error> {
        let b = self.b::<T>().c;
        tracing::debug!(b, ?self.map, "super::lost::Lost");
        std::assert!(::std::mem::size_of::<T>() == 0, 'a, b.c, Self::f, <T as fmt::Debug>::g);
        Ok(self)
    }
}

macro_rules! make {
    ($kind:ident, $path:path) => {
        $kind::new($path)
    };
}

/// Tests may do everything but import through the root.
#[cfg(all(test, feature = "room"))]
mod tests {
    use super::*;
    use crate::{high::*, room::b::B};

    #[test]
    fn it_works() {
        assert_eq!(crate::high::C, super::super::b::B);
    }
}
"#;

const B: &str = "use super::a::A;
pub struct B(A<Kind>);
pub enum Kind { One }
use self::Kind::*;
fn f() {
    fn g() {}
    use tokio::time::*;
    g();
    paused();
    Kind::One.h();
    One.h();
}
";

#[test]
fn a_clean_crate() {
    let krate = Krate::new(&[
        ("lib.rs", LIB),
        ("high/mod.rs", "mod c;\npub(crate) use c::C;"),
        ("high/c.rs", "use crate::{low::{self, L}, room::{B, Kind}};\npub(crate) struct C(B, L, low::L);"),
        (
            "room/mod.rs",
            "mod a;\nmod b;\n#[cfg(test)]\nmod fake;\npub use b::{B, Kind};\n#[cfg(test)]\nmod tests;",
        ),
        ("room/about.md", "About it."),
        ("room/a.rs", A),
        ("room/b.rs", B),
        ("room/fake.rs", "use super::tests::inner::T;\npub(super) struct Fake(crate::high::C);"),
        ("room/tests.rs", "use super::*;\nmod inner;"),
        (
            "room/tests/inner.rs",
            "use super::{super::fake::Fake, *};\npub(super) struct T(B, crate::high::C);",
        ),
        ("low/mod.rs", "#[path = \"on_unix.rs\"]\nmod l;\npub(crate) use l::L;"),
        ("low/on_unix.rs", "mod sub;\npub(crate) struct L;\nuse sub::Map;\ncrate::exported!();"),
        (
            "low/sub.rs",
            "use std::collections::*;\npub(super) type Map = self::HashMap<(), ()>;
#[macro_export]
macro_rules! exported { () => {}; }",
        ),
    ]);
    assert_eq!(krate.found(), [""; 0]);
}

#[test]
fn a_reexport_is_no_circle_with_what_imports_through_it() {
    let krate = Krate::new(&[
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod a;\nmod b;\npub(crate) use {a::A, b::B};"),
        ("room/a.rs", "use super::B;\npub(crate) struct A(B);"),
        (
            "room/b.rs",
            "use crate::room;\npub(crate) struct B;\nmacro_rules! own { () => {}; }\npub(crate) use own;",
        ),
    ]);
    assert_eq!(krate.found(), [""; 0]);
}
