//! [`Directory`]: where the files are, and one step on one of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{cause::because, disk, failpoint, file_system, lock, owner, rights};
use crate::{
    error::{StoreError, StoreErrorKind},
    store::{Moment, Record, Slot},
    time::wall_clock,
};

/// A directory with files that nobody else may read.
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes it, if it isn't there.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        if !path.is_absolute() {
            let words = format!(
                "{} is not an absolute path; give one, since programs change directories",
                path.display()
            );
            return Err(StoreError::new(StoreErrorKind::Config, words));
        }
        rights::make_directory(&path).map_err(|error| because("make the directory", &path, error))?;
        let directory = Self { path };
        directory.check()?;
        if let Some(name) = file_system::of_another_machine(&directory.path) {
            let words = format!(
                "{} is on {name}, whose locks can't be relied upon; choose a directory on a disk of this machine",
                directory.path.display()
            );
            return Err(StoreError::new(StoreErrorKind::Config, words));
        }
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One step, while nobody else takes one on the same slot. What it has changed is on the disk when it returns.
    pub(super) fn step<T>(
        &self,
        slot: &Slot,
        step: impl FnOnce(&mut Record, Moment) -> T,
    ) -> Result<T, StoreError> {
        self.check()?;
        let file = |kind: &str| self.path.join(format!("slot-{slot}.{kind}"));
        let _locked = lock::of(&file("lock"))?;
        failpoint::reached("locked");
        let path = file("record");
        let before = disk::read(&path)?;
        let mut record = match &before {
            Some(bytes) => Record::from_bytes(bytes)
                .map_err(|error| StoreError::new(error.kind(), format!("{error} ({})", path.display())))?,
            None => Record::default(),
        };
        record.claim.take_if(|held| owner::is_dead(&held.owner));
        let answer = step(&mut record, Moment::from_system_time(wall_clock()));
        let after = record.to_bytes();
        let is_changed = match before {
            Some(before) => before != after,
            None => record != Record::default(),
        };
        if is_changed {
            disk::replace(&path, &file("new"), &after)?;
        }
        failpoint::reached("answered");
        Ok(answer)
    }

    /// Whether it still is a directory that nobody else may enter.
    fn check(&self) -> Result<(), StoreError> {
        let found =
            fs::symlink_metadata(&self.path).map_err(|error| because("look at", &self.path, error))?;
        if !found.is_dir() {
            let words = format!(
                "{} is not a directory, or is a link to one; name the directory itself",
                self.path.display()
            );
            return Err(StoreError::new(StoreErrorKind::Config, words));
        }
        rights::check_directory(&self.path, &found)
    }
}
