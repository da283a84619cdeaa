//! The catalogue's entries, read, checked, and made into what is shipped of them.

pub mod entry;
pub mod hosts;
// As the program finds it.
#[path = "../../../cli/src/check/line.rs"]
mod line;
pub mod list;
pub mod made;
pub mod read;
pub mod table;
