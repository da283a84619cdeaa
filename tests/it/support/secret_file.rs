//! A file that a secret is read from.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

/// A secret's file, gone after the test.
pub(crate) struct SecretFile(pub(crate) PathBuf);

impl SecretFile {
    /// A file with `secret` and a newline.
    pub(crate) fn new(secret: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("declared-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst));
        let file = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.write(secret);
        file
    }

    /// Puts another secret in the place of the one that is there, so that nobody reads half of it.
    pub(crate) fn write(&self, secret: &str) {
        self.write_bytes(format!("{secret}\n").as_bytes());
    }

    /// The same, byte for byte.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) {
        let next = self.0.with_extension("next");
        fs::write(&next, bytes).unwrap();
        fs::rename(&next, &self.0).unwrap();
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
