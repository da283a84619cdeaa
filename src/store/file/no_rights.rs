//! Where who may read what isn't told by a mode.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::Path,
};

use crate::error::StoreError;

pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

pub(super) fn check_directory(_: &Path, _: &Metadata) -> Result<(), StoreError> {
    Ok(())
}

pub(super) fn check_file(_: &Path, _: &File) -> Result<(), StoreError> {
    Ok(())
}

pub(super) fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

pub(super) fn making() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

/// A directory can't be opened there.
pub(super) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
