//! The catalogue's entries, read, checked, and made into what is shipped of them.

pub mod entry;
pub mod hosts;
pub mod list;
pub mod made;
pub mod read;
pub mod table;
