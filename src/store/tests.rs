//! What a step does, and how records are written.

mod format;
mod repeated;
mod shelf;
mod steps;
mod wrong;

use super::*;

fn nonce(number: u8) -> Nonce {
    Nonce::new([number; 16])
}

fn revision(number: u64) -> Revision {
    Revision::new(number)
}

fn at(millis: u64) -> Moment {
    Moment::from_millis(millis)
}

/// A record in which `flight` has saved `revision`, at 1,000 ms.
fn saved(flight: u8, number: u64) -> Record {
    let mut record = Record::default();
    let draft = Draft::new(nonce(flight), Revision::NONE, revision(number), &b"body"[..]);
    assert_eq!(record.save(at(1_000), &Save::Draft(draft)), Saved::Done);
    record
}

/// The record and the next revision, if the claim was granted.
fn granted(claimed: Claimed) -> (Record, Revision) {
    match claimed {
        Claimed::Yours { seen, next } => (seen.record, next),
        other => panic!("not granted: {other:?}"),
    }
}
