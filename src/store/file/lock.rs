//! The lock of a slot: a file that is never deleted, since whoever waits for a deleted one waits for nobody.

use std::{fs::File, path::Path, thread::sleep, time::Duration};

use fs4::{FileExt, TryLockError};

use super::{cause::because, rights};
use crate::error::{StoreError, StoreErrorKind};

/// How often it is tried, with pauses between: about 400 ms in all.
const TRIES: u32 = 80;

/// The lock of the slot, which ends when it is dropped, or with the process.
pub(super) fn of(path: &Path) -> Result<File, StoreError> {
    let file = rights::making().create(true).open(path).map_err(|error| because("open", path, error))?;
    rights::check_file(path, &file)?;
    for _ in 0..TRIES {
        // Not the method of std, which has it since 1.89.
        match FileExt::try_lock(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(fastrand::u64(1..10))),
            Err(TryLockError::Error(error)) => return Err(because("lock", path, error)),
        }
    }
    let words = format!(
        "{} is locked by another process for longer than any step takes; see what that does",
        path.display()
    );
    Err(StoreError::new(StoreErrorKind::TimedOut, words))
}
