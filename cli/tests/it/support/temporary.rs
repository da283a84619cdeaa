//! A file that is there for as long as it is held.

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
