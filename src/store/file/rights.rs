//! Who may read and write what, on Unix.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{fs::OFlags, process::geteuid};

use super::cause::because;
use crate::error::{StoreError, StoreErrorKind};

/// What group and others may do.
const OTHERS: u32 = 0o077;

/// Makes a directory that nobody else may enter, with those that it is in.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// That it is ours, and nobody else may enter it.
pub(super) fn check_directory(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    if found.uid() != geteuid().as_raw() {
        let words = format!("{} belongs to another user; choose a directory of this one", path.display());
        return Err(StoreError::new(StoreErrorKind::Denied, words));
    }
    if found.mode() & OTHERS != 0 {
        let words = format!(
            "{} is open to other users; see what they did there, and then `chmod 700` it",
            path.display()
        );
        return Err(StoreError::new(StoreErrorKind::Denied, words));
    }
    Ok(())
}

/// That it is a file of ours, which nobody else may use, under no other name.
pub(super) fn check_file(path: &Path, file: &File) -> Result<(), StoreError> {
    let found = file.metadata().map_err(|error| because("look at", path, error))?;
    if !found.is_file()
        || found.uid() != geteuid().as_raw()
        || found.mode() & OTHERS != 0
        || found.nlink() > 1
    {
        let words = format!(
            "{} is no file that only this user has; see who has made it, and remove it",
            path.display()
        );
        return Err(StoreError::new(StoreErrorKind::Denied, words));
    }
    Ok(())
}

/// To read a file, if it is one. What waits for somebody who writes, such as a pipe, isn't waited for.
pub(super) fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK));
    options
}

/// To make a file for nobody else.
pub(super) fn making() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK));
    options
}

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Writes the directory itself to the disk, with the names of what is in it.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
