//! A file for a test's secret, gone after the test.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) struct TempFile(PathBuf);

impl TempFile {
    /// A file whose `name` no other test has.
    pub(crate) fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("tower-reauth-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the text as a whole.
    pub(crate) fn write(&self, text: impl AsRef<[u8]>) {
        fs::write(&self.0, text).unwrap();
    }

    pub(crate) fn remove(&self) {
        fs::remove_file(&self.0).unwrap();
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
