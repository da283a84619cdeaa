//! Processes that meet at a slot, are killed at any place, or stand still.
//!
//! A process is this program again, which then runs nothing but [`another_process`].

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::*;
use crate::error::StoreErrorKind;

const NAME: &str = "store::file::tests::processes::another_process";

/// A process that does what its name says, in this store.
fn command(place: &Place, what: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command
        .args([NAME, "--exact", "--ignored", "--nocapture"])
        .env("STORE_DIRECTORY", &place.0)
        .env("STORE_TASK", what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
}

/// A process that says a line when it has done something, and goes on when it is told a line.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    input: ChildStdin,
}

impl Process {
    fn start(place: &Place, what: &str) -> Self {
        let mut child = command(place, what).spawn().expect("a process");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let input = child.stdin.take().expect("its input");
        Self { child, output, input }
    }

    /// What it says next, among what a test's process says by itself.
    fn says(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("a line") > 0, "it has ended");
            if let Some((_, said)) = line.split_once("says: ") {
                return said.trim().to_owned();
            }
        }
    }

    fn go_on(&mut self) {
        self.input.write_all(b"go on\n").expect("it listens");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(what: impl std::fmt::Display) {
    // Not by `print`, which a test's process keeps to itself.
    let mut output = std::io::stdout();
    writeln!(output, "says: {what}").and_then(|()| output.flush()).expect("somebody listens");
}

fn listen() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
}

#[tokio::test]
#[ignore = "the other tests' processes run it"]
async fn another_process() {
    let store = FileStore::open(env::var_os("STORE_DIRECTORY").expect("a directory")).expect("a store");
    let flight = Nonce::new([1; 16]);
    match &*env::var("STORE_TASK").expect("a task") {
        "count" => count(&store, 25).await,
        "claim" => {
            let claim = Claim::new(flight, Revision::new(7)).sending(Revision::new(7), None);
            let claimed = store.claim(&slot(), claim).await;
            say(if matches!(claimed, Ok(Claimed::Yours { .. })) { "mine" } else { "not mine" });
            listen();
        }
        "claim shortly" => {
            let claim = Claim::new(flight, Revision::new(7)).lasting(Duration::from_millis(300));
            assert!(matches!(store.claim(&slot(), claim).await, Ok(Claimed::Yours { .. })));
            say("mine");
            listen();
            let draft = Draft::new(flight, Revision::new(7), Revision::new(100), &b"late"[..]);
            let saved = store.save(&slot(), Save::Draft(draft)).await.expect("an answer");
            say(if matches!(saved, Saved::Newer(_)) { "overtaken" } else { "saved" });
        }
        "save" => {
            let saved = store.save(&slot(), save(7, 8, &[b'n'; 10_000])).await;
            say(match saved {
                Ok(_) => "saved".to_owned(),
                Err(error) => format!("{:?}: {error}", error.kind()),
            });
        }
        other => panic!("{other}"),
    }
}

/// Counts up the number in the slot, with others.
async fn count(store: &FileStore, times: u32) {
    for _ in 0..times {
        let mut seen = store.look(&slot()).await.expect("a record");
        loop {
            let known = seen.record.revision;
            let number: u64 =
                std::str::from_utf8(seen.record.body.as_bytes()).expect("text").parse().expect("a number");
            let next = save(known.number(), known.next().number(), (number + 1).to_string().as_bytes());
            match store.save(&slot(), next).await.expect("an answer") {
                Saved::Done => break,
                Saved::Newer(newer) => seen = *newer,
            }
        }
    }
}

#[tokio::test]
async fn of_what_four_processes_write_at_once_nothing_is_lost() {
    let place = Place::made();
    let store = place.open();
    store.save(&slot(), save(0, 7, b"0")).await.expect("saved");
    let children: Vec<_> = (0..4).map(|_| command(&place, "count").spawn().expect("a process")).collect();
    count(&store, 25).await;
    for child in children {
        assert!(child.wait_with_output().expect("its end").status.success());
    }
    let seen = store.look(&slot()).await.expect("a record");
    assert_eq!((seen.record.revision, &seen.record.body.as_bytes()[..]), (Revision::new(132), &b"125"[..]));
}

#[tokio::test]
async fn whoever_is_killed_anywhere_leaves_the_old_record_or_the_new_one() {
    for (at, is_new) in [
        ("locked", false),
        ("half_written", false),
        ("written", false),
        ("synced", false),
        ("renamed", true),
        ("answered", true),
    ] {
        for what in ["save", "claim"] {
            let place = Place::made();
            let store = place.open();
            store.save(&slot(), save(0, 7, b"old")).await.expect("saved");
            let killed = command(&place, what).env("STORE_KILLED_AT", at).output().expect("its end");
            assert_eq!(killed.status.signal(), Some(9), "{what} at {at}");
            let record = store.look(&slot()).await.expect("a record").record;
            match what {
                "save" if is_new => assert_eq!(record.body.as_bytes().len(), 10_000, "{at}"),
                _ => assert_eq!(&record.body.as_bytes()[..], b"old", "{what} at {at}"),
            }
            let noted = record.is_noted_by(Nonce::new([1; 16]), Revision::new(7));
            assert_eq!(noted, is_new && what == "claim", "{what} at {at}");
            // Nobody waits for who is dead, nor stumbles over what it has left.
            let claim = Claim::new(Nonce::random(), record.revision);
            let claimed = store.claim(&slot(), claim).await.expect("an answer");
            assert!(
                matches!(&claimed, Claimed::Yours { seen, .. } if seen.record.note == record.note),
                "{at}: {claimed:?}"
            );
            store.save(&slot(), save(record.revision.number(), 99, b"next")).await.expect("saved");
        }
    }
}

#[tokio::test]
async fn the_claim_of_who_is_killed_ends_at_once_and_its_note_stays() {
    let place = Place::made();
    let store = place.open();
    store.save(&slot(), save(0, 7, b"old")).await.expect("saved");
    let mut holder = Process::start(&place, "claim");
    assert_eq!(holder.says(), "mine");
    let claim = Claim::new(Nonce::random(), Revision::new(7));
    let claimed = store.claim(&slot(), claim.clone()).await.expect("an answer");
    assert!(matches!(claimed, Claimed::Held { by, .. } if by == Nonce::new([1; 16])), "{claimed:?}");
    drop(holder);
    let claimed = store.claim(&slot(), claim).await.expect("an answer");
    let Claimed::Yours { seen, .. } = claimed else { panic!("{claimed:?}") };
    assert!(seen.record.is_noted_by(Nonce::new([1; 16]), Revision::new(7)));
}

#[tokio::test]
async fn who_stands_still_blocks_nobody_and_does_not_win_when_it_goes_on() {
    let place = Place::made();
    let store = place.open();
    store.save(&slot(), save(0, 7, b"old")).await.expect("saved");
    let mut holder = Process::start(&place, "claim shortly");
    assert_eq!(holder.says(), "mine");
    holder.signal(Signal::STOP);
    store.look(&slot()).await.expect("nobody is kept from looking");
    let claim = Claim::new(Nonce::random(), Revision::new(7));
    while let Claimed::Held { left, .. } = store.claim(&slot(), claim.clone()).await.expect("an answer") {
        assert!(left <= Duration::from_millis(300));
        tokio::time::sleep(left).await;
    }
    store.save(&slot(), save(7, 8, b"new")).await.expect("saved");
    holder.signal(Signal::CONT);
    holder.go_on();
    assert_eq!(holder.says(), "overtaken");
    assert_eq!(&store.look(&slot()).await.expect("a record").record.body.as_bytes()[..], b"new");
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_the_record_as_it_was() {
    let place = Place::made();
    let store = place.open();
    store.save(&slot(), save(0, 7, b"old")).await.expect("saved");
    // Nobody may fill the disk of who runs the tests. A limit of the process's files is met at the same calls.
    let child = command(&place, "save");
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\""])
        .arg(child.get_program())
        .args(child.get_args());
    for (name, value) in child.get_envs() {
        limited.env(name, value.expect("a value"));
    }
    let said = said(limited);
    assert!(said.starts_with("Full: can't write ") && said.ends_with("; make room on the disk"), "{said}");
    assert_eq!(&store.look(&slot()).await.expect("a record").record.body.as_bytes()[..], b"old");
    assert!(!place.file("new").exists(), "what was written of it doesn't fill the disk");
    store.save(&slot(), save(7, 8, b"new")).await.expect("saved");
}

#[tokio::test]
async fn a_directory_without_the_right_to_write_is_told() {
    let place = Place::made();
    let store = place.open();
    store.save(&slot(), save(0, 7, b"old")).await.expect("saved");
    let mut child = command(&place, "save");
    if geteuid().is_root() {
        // Rights mean nothing to root.
        for path in [&place.0, &place.file("lock"), &place.file("record")] {
            std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).expect("another owner");
        }
        child.uid(65_534).gid(65_534);
    }
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o500)).expect("rights");
    let said = said(child);
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o700)).expect("rights");
    let kind = format!("{:?}", StoreErrorKind::ReadOnly);
    assert!(said.starts_with(&kind) && said.contains("let this user write to the directory"), "{said}");
}

/// What a process says, that says one line.
fn said(mut command: Command) -> String {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("a process");
    let mut text = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut text).expect("text");
    let status = child.wait().expect("its end");
    let said = text.lines().find_map(|line| line.split_once("says: ").map(|(_, said)| said.to_owned()));
    said.unwrap_or_else(|| panic!("{status}: {text}"))
}
