//! Files, rights, and processes that meet or die at them.

mod processes;
mod refused;

use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;
use crate::{
    store::{Claim, Claimed, Digest, Draft, Nonce, Revision, Save, Saved, Slot, Store},
    testing::store_conformance,
};

/// A directory that goes with its test.
struct Place(PathBuf);

impl Place {
    /// A directory that isn't there yet.
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tower-reauth-store-{}-{number}", std::process::id()));
        // Of an earlier process of the same number.
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn made() -> Self {
        let place = Self::new();
        fs::DirBuilder::new().mode(0o700).create(&place.0).expect("a directory");
        place
    }

    fn open(&self) -> FileStore {
        FileStore::open(&self.0).expect("a store")
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.0.join(format!("slot-{}.{kind}", slot()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn slot() -> Slot {
    Slot::new("billing", Digest::new([7; 32])).expect("a slot")
}

fn save(than: u64, revision: u64, body: &[u8]) -> Save {
    Save::Draft(Draft::new(Nonce::random(), Revision::new(than), Revision::new(revision), body))
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let place = Place::new();
    store_conformance(&place.open()).await.assert();
}

#[tokio::test]
async fn files_are_for_nobody_else_and_one_that_is_locked_is_never_deleted() {
    let place = Place::new();
    let store = FileStore::open(place.0.join("a/b")).expect("a store");
    assert_eq!(mode(&place.0.join("a")), 0o700);
    assert_eq!(mode(&place.0.join("a/b")), 0o700);
    store.save(&slot(), save(0, 7, b"body")).await.expect("saved");
    let file = |kind: &str| place.0.join("a/b").join(format!("slot-{}.{kind}", slot()));
    let lock = fs::metadata(file("lock")).expect("a lock").ino();
    store.save(&slot(), save(7, 8, b"body")).await.expect("saved");
    assert_eq!(fs::metadata(file("lock")).expect("a lock").ino(), lock);
    for kind in ["record", "lock"] {
        assert_eq!(mode(&file(kind)), 0o600, "{kind}");
    }
    assert_eq!(fs::read_dir(place.0.join("a/b")).expect("a directory").count(), 2, "nothing else is left");
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let place = Place::new();
    let store = place.open();
    store.look(&slot()).await.expect("nothing");
    assert!(!place.file("record").exists());
    store.claim(&slot(), Claim::new(Nonce::random(), Revision::NONE)).await.expect("a claim");
    let before = fs::metadata(place.file("record")).expect("a record").ino();
    for _ in 0..3 {
        let other = store.claim(&slot(), Claim::new(Nonce::random(), Revision::NONE)).await;
        assert!(matches!(other, Ok(Claimed::Held { .. })), "{other:?}");
        store.look(&slot()).await.expect("a record");
    }
    assert_eq!(fs::metadata(place.file("record")).expect("a record").ino(), before);
}

#[tokio::test]
async fn what_was_saved_is_there_for_the_next_program() {
    let place = Place::new();
    assert_eq!(place.open().save(&slot(), save(0, 7, b"body")).await.expect("saved"), Saved::Done);
    let seen = place.open().look(&slot()).await.expect("a record");
    assert_eq!((seen.record.revision, &seen.record.body.as_bytes()[..]), (Revision::new(7), &b"body"[..]));
}
