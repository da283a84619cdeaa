//! What isn't used, and what is left as it is.

use std::os::unix::fs::{chown, symlink};

use rustix::process::geteuid;

use super::*;
use crate::error::StoreErrorKind::{self, *};

fn opened(path: &Path) -> StoreErrorKind {
    FileStore::open(path).map(|_| ()).expect_err("refused").kind()
}

/// What a step says, and that it leaves the record's file alone.
async fn step(place: &Place) -> StoreErrorKind {
    let before = fs::read(place.file("record")).ok();
    let store = place.open();
    let error = store.look(&slot()).await.expect_err("refused");
    let saved = store.save(&slot(), save(0, 9, b"new")).await.expect_err("refused");
    assert_eq!(saved.kind(), error.kind());
    assert_eq!(fs::read(place.file("record")).ok(), before);
    error.kind()
}

#[test]
fn a_directory_that_others_may_enter_or_have_is_refused() {
    for open in [0o755, 0o710, 0o701, 0o770] {
        let place = Place::made();
        fs::set_permissions(&place.0, fs::Permissions::from_mode(open)).expect("rights");
        assert_eq!(opened(&place.0), Denied, "{open:o}");
        assert_eq!(mode(&place.0), open, "it is left as it is, since somebody may have used it");
    }
    let place = Place::made();
    if geteuid().is_root() {
        chown(&place.0, Some(65_534), None).expect("another owner");
        assert_eq!(opened(&place.0), Denied);
    } else {
        assert_eq!(opened(Path::new("/")), Denied);
    }
}

#[test]
fn a_link_to_a_directory_is_none_and_neither_is_a_file() {
    let place = Place::made();
    let link = place.0.join("link");
    fs::create_dir(place.0.join("real")).expect("a directory");
    symlink(place.0.join("real"), &link).expect("a link");
    assert_eq!(opened(&link), Config);
    let file = place.0.join("file");
    fs::write(&file, "").expect("a file");
    assert_eq!(opened(&file), Config);
    assert_eq!(opened(&file.join("below")), Config);
    assert_eq!(opened(Path::new("tokens")), Config, "nobody knows where that is tomorrow");
}

#[tokio::test]
async fn a_directory_is_looked_at_with_each_step() {
    let place = Place::made();
    let store = place.open();
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).expect("rights");
    assert_eq!(store.look(&slot()).await.expect_err("refused").kind(), Denied);
    fs::remove_dir(&place.0).expect("removed");
    assert_eq!(store.look(&slot()).await.expect_err("refused").kind(), Unavailable);
}

#[tokio::test]
async fn what_is_no_file_of_ours_is_neither_read_nor_waited_for() {
    for kind in ["record", "lock"] {
        let elsewhere = Place::made();
        let target = elsewhere.0.join("target");
        fs::write(&target, "").expect("a file");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("rights");
        let place = Place::made();
        symlink(&target, place.file(kind)).expect("a link");
        assert_eq!(step(&place).await, Denied, "a link as {kind}");
        assert_eq!(fs::read(&target).expect("it is there"), b"");

        let place = Place::made();
        fs::hard_link(&target, place.file(kind)).expect("a second name");
        assert_eq!(step(&place).await, Denied, "a second name as {kind}");

        let place = Place::made();
        fs::write(place.file(kind), "").expect("a file");
        fs::set_permissions(place.file(kind), fs::Permissions::from_mode(0o640)).expect("rights");
        assert_eq!(step(&place).await, Denied, "open to others, as {kind}");

        let place = Place::made();
        let made = std::process::Command::new("mkfifo").arg("-m600").arg(place.file(kind)).status();
        assert!(made.expect("mkfifo").success());
        let store = place.open();
        assert_eq!(store.look(&slot()).await.expect_err("refused").kind(), Denied, "a pipe as {kind}");
    }
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_an_error_and_stays() {
    let place = Place::made();
    place.open().save(&slot(), save(0, 7, b"body")).await.expect("saved");
    let whole = fs::read(place.file("record")).expect("a record");
    for (bytes, kind) in [
        (whole[..whole.len() / 2].to_vec(), Unreadable),
        (Vec::new(), Unreadable),
        (b"something else".to_vec(), Unreadable),
        (String::from_utf8_lossy(&whole).replacen("format 1\n1", "format 1\n2", 1).into_bytes(), NewerFormat),
        (vec![b'x'; (4 << 20) + 1], Unreadable),
    ] {
        fs::write(place.file("record"), &bytes).expect("written");
        assert_eq!(step(&place).await, kind, "{} bytes", bytes.len());
    }
    let words = place.open().look(&slot()).await.expect_err("too long").to_string();
    assert!(words.contains(&place.file("record").display().to_string()), "{words}");
}

#[tokio::test]
async fn nothing_is_done_without_the_lock() {
    let place = Place::made();
    let store = place.open();
    store.save(&slot(), save(0, 7, b"body")).await.expect("saved");
    let lock = fs::File::open(place.file("lock")).expect("a lock");
    fs4::FileExt::lock(&lock).expect("locked");
    assert_eq!(step(&place).await, TimedOut);
    fs4::FileExt::unlock(&lock).expect("unlocked");
    store.save(&slot(), save(7, 8, b"new")).await.expect("saved");
}
