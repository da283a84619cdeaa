//! How records are written, for ever.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::error::StoreErrorKind;

/// A record with everything in it.
fn full() -> Record {
    Record {
        revision: revision(1_700_000_000_123),
        author: Some(nonce(1)),
        saved_at: at(1_700_000_000_200),
        standing: Standing::Rejected,
        accepted: true,
        body: Body::from(&b"\0end\n\xff"[..]),
        claim: Some(Held { by: nonce(2), until: at(1_700_000_005_000), owner: Bytes::from_static(b"12 34") }),
        note: Some(Note { refused: true, flights: 3, ..Note::new(revision(7), nonce(3), at(8)) }),
        rejections: 4,
        full_at: at(9),
        failure: Some(Failure {
            until: at(11),
            whom: Some(Digest::new([0xab; 32])),
            in_a_row: 5,
            text: "näh\n".to_owned(),
            ..Failure::new(nonce(4), at(10))
        }),
        goes_at: at(12),
        unknown: vec![("later".to_owned(), Bytes::from_static(b"1"))],
    }
}

#[test]
fn the_format_is_this_for_ever() {
    let ab = "ab".repeat(32);
    let written = format!(
        "tower-reauth record\nformat 1\n1\nrevision 13\n1700000000123\nauthor 32\n{}\nsaved_at 13\n1700000000200\n\
         standing 8\nrejected\naccepted 1\n1\nclaim.by 32\n{}\nclaim.until 13\n1700000005000\nclaim.owner 5\n12 34\n\
         note.revision 1\n7\nnote.by 32\n{}\nnote.at 1\n8\nnote.flights 1\n3\nnote.refused 1\n1\nrejections 1\n4\n\
         full_at 1\n9\nfailure.by 32\n{}\nfailure.at 2\n10\nfailure.until 2\n11\nfailure.whom 64\n{ab}\n\
         failure.in_a_row 1\n5\nfailure.text 5\nnäh\n\ngoes_at 2\n12\nlater 1\n1\nbody 6\n\0end\n",
        "01".repeat(16),
        "02".repeat(16),
        "03".repeat(16),
        "04".repeat(16),
    );
    let mut written = written.into_bytes();
    written.extend_from_slice(b"\xff\nend\n");
    assert_eq!(String::from_utf8_lossy(&full().to_bytes()), String::from_utf8_lossy(&written));
    assert_eq!(Record::from_bytes(&written).expect("it can be read"), full());
    let empty = Record::default();
    assert_eq!(empty.to_bytes(), b"tower-reauth record\nformat 1\n1\nend\n");
    assert_eq!(Record::from_bytes(&empty.to_bytes()).expect("it can be read"), empty);
}

#[test]
fn what_is_cut_off_anywhere_is_unreadable_and_not_empty() {
    let bytes = full().to_bytes();
    for length in 0..bytes.len() {
        let error = Record::from_bytes(&bytes[..length]).expect_err("cut off");
        assert_eq!(error.kind(), StoreErrorKind::Unreadable, "at {length}");
    }
}

#[test]
fn a_later_format_and_fields_that_make_no_sense_are_told_apart() {
    let read = |fields: &[(&str, &str)]| {
        let fields =
            fields.iter().map(|&(name, value)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        Record::from_fields(fields.collect::<Vec<_>>()).map_err(|error| (error.kind(), error.to_string()))
    };
    let (kind, words) = read(&[("format", "2"), ("revision", "?")]).expect_err("a later one");
    assert_eq!(kind, StoreErrorKind::NewerFormat);
    assert_eq!(words, "the record is in format 2, of a later release; update this program");
    for (name, value) in [
        ("revision", "-1"),
        ("author", "myself"),
        ("standing", "offered"),
        ("claim.by", "AB"),
        ("failure.whom", ""),
        ("accepted", "yes"),
    ] {
        let (kind, words) = read(&[("format", "1"), (name, value)]).expect_err(name);
        assert_eq!(kind, StoreErrorKind::Unreadable);
        assert!(words.starts_with(&format!("the record's field `{name}` makes no sense; ")), "{words}");
        assert!(value.is_empty() || !words.contains(value), "what was found may be anything: {words}");
    }
    let (kind, _) = read(&[("revision", "1")]).expect_err("no format");
    assert_eq!(kind, StoreErrorKind::Unreadable);
    assert_eq!(read(&[]), Ok(Record::default()));
}

#[test]
fn what_a_later_release_has_added_is_left_as_it_is() {
    let mut record = full();
    record.save(at(11), &Save::Accepted(revision(1)));
    record.release(at(11), &Release::new(nonce(2), Fate::Unspent));
    let read = Record::from_bytes(&record.to_bytes()).expect("it can be read");
    assert_eq!(read.unknown, full().unknown);
}

#[test]
fn no_body_is_shown() {
    let mut record = full();
    record.body = Body::from(&b"s3cret"[..]);
    let draft = Draft::new(nonce(1), Revision::NONE, Revision::NONE, &b"s3cret"[..]);
    let shown = format!("{record:?} {draft:?} {:?}", record.look(at(1)));
    assert!(!shown.contains("s3cret") && !shown.contains("115, 51"), "{shown}");
    assert!(shown.contains("[6 bytes]"));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..400_usize, byte: u8) {
        assert!(Record::from_bytes(&bytes).is_err());
        let mut damaged = full().to_bytes();
        let at = at % damaged.len();
        damaged[at] = byte;
        // Whatever comes of it, it is written as it is read.
        if let Ok(record) = Record::from_bytes(&damaged) {
            prop_assert_eq!(Record::from_bytes(&record.to_bytes()).expect("it can be read"), record);
        }
    }
}
