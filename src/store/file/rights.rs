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

/// That the directory isn't on another machine, as far as that can be known.
pub(super) fn check_file_system(path: &Path) -> Result<(), StoreError> {
    match far_away(path) {
        None => Ok(()),
        Some(name) => {
            let words = format!(
                "{} is on {name}, whose locks can't be relied upon; choose a directory on a disk of this machine",
                path.display()
            );
            Err(StoreError::new(StoreErrorKind::Config, words))
        }
    }
}

/// The file system's name, if it is one of another machine's. The numbers are those of statfs(2).
#[cfg(target_os = "linux")]
fn far_away(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    name_of(u64::from_ne_bytes((kind as i64).to_ne_bytes()) as u32)
}

#[cfg(not(target_os = "linux"))]
fn far_away(_: &Path) -> Option<&'static str> {
    None
}

pub(super) fn name_of(file_system: u32) -> Option<&'static str> {
    match file_system {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x564c => Some("NCP"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x00c3_6400 => Some("Ceph"),
        0x0102_1997 => Some("9P"),
        _ => None,
    }
}
