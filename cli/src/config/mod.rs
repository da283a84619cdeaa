//! The program's configuration file: credentials by name, and a section for each subcommand that needs more than them.
//!
//! [`File`] finds and reads it, [`Item`] and [`Section`] walk through it and say where something is wrong, [`Whom`] is what
//! the command line and the file come to together.

mod credential;
mod file;
mod item;
mod nearest;
mod path;
mod secret;
mod whom;
mod words;

pub(crate) use self::{
    file::File,
    item::{Item, Section},
    secret::secret as secret_of,
    whom::Whom,
};
