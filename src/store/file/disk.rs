//! Files as they are read and replaced: whole, or not at all.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    path::Path,
    thread::sleep,
    time::Duration,
};

use super::{cause::because, failpoint, rights};
use crate::error::{StoreError, StoreErrorKind};

/// The longest file that is read, in bytes: far more than a token with all that comes with it.
const MAX_LEN: u64 = 4 << 20;

/// What the file holds; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match rights::reading().open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(because("read", path, error)),
    };
    rights::check_file(path, &file)?;
    let mut bytes = Vec::new();
    file.take(MAX_LEN + 1).read_to_end(&mut bytes).map_err(|error| because("read", path, error))?;
    if bytes.len() as u64 > MAX_LEN {
        let words = format!("{} is longer than any record; something else has written it", path.display());
        return Err(StoreError::new(StoreErrorKind::Unreadable, words));
    }
    Ok(Some(bytes))
}

/// Replaces the file by one that has been written to `new` before. Only to be called while the slot is locked, so that
/// nobody else writes to `new`; whatever is left there is of a process that has died.
pub(super) fn replace(path: &Path, new: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = write(new, bytes);
    if written.is_err() {
        // What was written of it may be what fills the disk.
        let _ = fs::remove_file(new);
    }
    written.map_err(|error| because("write", new, error))?;
    rename(new, path).map_err(|error| because("replace", path, error))?;
    failpoint::reached("renamed");
    if let Some(directory) = path.parent() {
        rights::sync_directory(directory).map_err(|error| because("write to", directory, error))?;
    }
    Ok(())
}

fn write(new: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = rights::making().create_new(true).open(new)?;
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(half)?;
    failpoint::reached("half_written");
    file.write_all(rest)?;
    failpoint::reached("written");
    file.sync_all()?;
    failpoint::reached("synced");
    Ok(())
}

/// On Windows a file can't be replaced while somebody has it open, such as a virus scanner; never for long.
fn rename(new: &Path, path: &Path) -> std::io::Result<()> {
    for _ in 0..20 {
        match fs::rename(new, path) {
            Err(error) if cfg!(windows) && error.kind() == ErrorKind::PermissionDenied => {
                sleep(Duration::from_millis(10));
            }
            // A sharing violation, which has no kind of its own.
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(32) => {
                sleep(Duration::from_millis(10))
            }
            done => return done,
        }
    }
    fs::rename(new, path)
}
