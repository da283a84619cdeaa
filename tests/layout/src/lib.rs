//! Checks the structure of a crate: reads its sources and says, with file and line, what breaks one of these rules.
//!
//! 1. **No circles.** An arrow leads from file to file if code of the one, tests aside, names something that is defined
//!    in the other. No arrows lead back to where they began. An import through a re-export leads to the definition.
//! 2. **Rooms import downwards.** The folders of `src/` have one order, that of `house.txt`, or for the program that of
//!    `program.txt`.
//! 3. **Nothing is imported through the crate's root**, not in tests either: `crate::Origin` says less than
//!    `crate::auth::Origin`.
//! 4. **A `mod.rs` declares and re-exports only**, and so does `lib.rs`, which has documentation too.
//! 5. **`src/` holds `lib.rs` and folders only.** In a program's a file is a room of its own.
//!
//! Code counts whatever features and platforms it is for. Names are looked up as the compiler does it, also in what
//! macros are given and made of. A path into the crate that leads nowhere is reported, so that nothing goes by unseen.
//!
//! What it can't see: from which file a method or a field is, as that takes types; names that a macro makes up; whether a
//! name is public; and what a glob brings from another crate. It takes a variable for what a glob brings under its name.

mod arrows;
mod attributes;
mod circles;
mod finding;
mod items;
mod names;
mod read;
mod report;
mod rooms;
mod root;
mod shape;
mod source;
mod tokens;
mod visit;

pub use finding::{Finding, Place, Rule};
pub use report::Report;
pub use rooms::House;
