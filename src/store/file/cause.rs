//! What an error of the system means.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use crate::error::{StoreError, StoreErrorKind};

/// That it wasn't possible to do `what` to `path`.
pub(super) fn because(what: &str, path: &Path, error: io::Error) -> StoreError {
    let (kind, hint) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            (StoreErrorKind::Full, "make room on the disk")
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            (StoreErrorKind::ReadOnly, "let this user write to the directory, or choose another one")
        }
        ErrorKind::NotFound => (StoreErrorKind::Unavailable, "see who has removed it"),
        _ if is_a_link(path) => (StoreErrorKind::Denied, "it is a link, which is never followed; remove it"),
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => {
            (StoreErrorKind::Config, "remove what is there, or choose another directory")
        }
        _ => (StoreErrorKind::Unavailable, "look at the disk"),
    };
    StoreError::new(kind, format!("can't {what} {}; {hint}", path.display())).with_source(error)
}

fn is_a_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_symlink())
}
