//! A file and a directory that are there for as long as they are held.

use std::path::{Path, PathBuf};

pub(crate) struct Temporary(PathBuf);

impl Temporary {
    /// `name` must be used once only in all tests.
    pub(crate) fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tower-reauth-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("temporary files can be written");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// As the programs take a secret.
    pub(crate) fn reference(&self) -> String {
        format!("file:{}", self.0.display())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A directory that isn't there yet.
pub(crate) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// `name` must be used once only in all tests.
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("tower-reauth-{}-{name}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// As the programs take a store.
    pub(crate) fn reference(&self) -> String {
        format!("file:{}", self.0.display())
    }

    /// The only file whose name ends like this.
    pub(crate) fn file(&self, end: &str) -> PathBuf {
        let files = std::fs::read_dir(&self.0).expect("it is there");
        let mut files = files.map(|file| file.expect("it can be read").path());
        let mut found: Vec<_> = files.by_ref().filter(|file| file.to_string_lossy().ends_with(end)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
