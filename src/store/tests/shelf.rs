//! What a flight asks, in the store as it is.

use std::time::Duration;

use super::*;
use crate::{
    error::{ConfigErrorKind, StoreErrorKind},
    testing::{MemoryStore, StoreCall, StoreFault},
};

const KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";
const IDENTITY: &[(&str, &[u8])] = &[("endpoint", b"https://example.com"), ("client", b"me")];

fn sealed(store: &MemoryStore) -> SharedSlot {
    SealedStore::new(store.clone(), &Keys::new(KEY)).expect("a key").slot("billing").expect("a name")
}

#[tokio::test(start_paused = true)]
async fn what_a_flight_saves_is_sealed_in_the_store_and_opened_for_others() {
    let store = MemoryStore::new();
    for slot in [sealed(&store), SharedSlot::plain(store.clone(), "open").expect("a name")] {
        let (ours, theirs) = (slot.shelf(IDENTITY), slot.shelf(IDENTITY));
        let claimed = ours.claim(Claim::new(nonce(1), Revision::NONE)).await.expect("an answer");
        let (_, next) = granted(claimed);
        let draft = Draft::new(nonce(1), Revision::NONE, next, &b"the token"[..]);
        assert_eq!(ours.save(Save::Draft(draft)).await.expect("an answer"), Saved::Done);
        let kept = store.record(ours.slot()).expect("a record").body;
        let is_plain = kept.as_bytes().windows(9).any(|bytes| bytes == b"the token");
        assert_eq!(is_plain, slot.name() == "open");
        let claimed = theirs.claim(Claim::new(nonce(2), Revision::NONE)).await.expect("an answer");
        let Claimed::Newer(seen) = claimed else { panic!("{claimed:?}") };
        assert_eq!(&seen.record.body.as_bytes()[..], b"the token");
        let late = Draft::new(nonce(3), Revision::NONE, next.next(), &b"late"[..]);
        let saved = theirs.save(Save::Draft(late)).await.expect("an answer");
        let Saved::Newer(seen) = saved else { panic!("{saved:?}") };
        assert_eq!(&seen.record.body.as_bytes()[..], b"the token");
        assert_eq!(&theirs.look().await.expect("an answer").record.body.as_bytes()[..], b"the token");
        let (record, _) = granted(theirs.claim(Claim::new(nonce(2), next)).await.expect("an answer"));
        assert_eq!(&record.body.as_bytes()[..], b"the token");
    }
}

#[tokio::test(start_paused = true)]
async fn two_credentials_never_meet_whatever_the_slot_is_called() {
    let store = MemoryStore::new();
    let slot = sealed(&store);
    let shelves = [slot.shelf(IDENTITY), slot.shelf(&IDENTITY[..1]), slot.shelf(&[])];
    for (shelf, number) in shelves.iter().zip(1..) {
        granted(shelf.claim(Claim::new(nonce(number), Revision::NONE)).await.expect("an answer"));
    }
    assert_eq!(store.slots().len(), 3);
    let other_key = Keys::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let other_key =
        SealedStore::new(store.clone(), &other_key).expect("a key").slot("billing").expect("a name");
    assert_eq!(other_key.shelf(IDENTITY).slot(), shelves[0].slot(), "names don't depend on keys");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_moved_or_has_another_key_is_an_error_and_stays() {
    let store = MemoryStore::new();
    let (here, there) = (sealed(&store).shelf(IDENTITY), sealed(&store).shelf(&[]));
    let draft = Draft::new(nonce(1), Revision::NONE, revision(7), &b"the token"[..]);
    here.save(Save::Draft(draft)).await.expect("saved");
    let record = store.record(here.slot()).expect("a record");
    store.put(there.slot(), record.clone());
    let error = there.look().await.expect_err("it was moved");
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
    let error = there.claim(Claim::new(nonce(2), Revision::NONE)).await.expect_err("it was moved");
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
    assert_eq!(store.record(there.slot()).expect("a record").body, record.body);
    let plain = SharedSlot::plain(store, "billing").expect("a name").shelf(IDENTITY);
    assert_eq!(plain.look().await.expect_err("it is sealed").kind(), StoreErrorKind::UnknownKey);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_given_up_after_500_ms() {
    let store = MemoryStore::new();
    let shelf = sealed(&store).shelf(IDENTITY);
    store.fault(None, StoreFault::Hangs, 4);
    let began = tokio::time::Instant::now();
    let draft = Draft::new(nonce(1), Revision::NONE, revision(7), &b"the token"[..]);
    let errors = [
        shelf.look().await.expect_err("no answer"),
        shelf.claim(Claim::new(nonce(1), Revision::NONE)).await.expect_err("no answer"),
        shelf.save(Save::Draft(draft)).await.expect_err("no answer"),
        shelf.release(Release::new(nonce(1), Fate::Unspent)).await.expect_err("no answer"),
    ];
    assert!(errors.iter().all(|error| error.kind() == StoreErrorKind::TimedOut));
    assert_eq!(began.elapsed(), 4 * Duration::from_millis(500));
    store.fault(StoreCall::Look, StoreFault::Delayed(Duration::from_millis(499)), 1);
    assert_eq!(shelf.look().await.expect("in time").record, Record::default());
}

#[tokio::test(start_paused = true)]
async fn a_slot_says_how_long_tokens_are_kept_unless_the_flight_does() {
    let store = MemoryStore::new();
    let shelf = sealed(&store).keep(Duration::from_secs(10)).shelf(IDENTITY);
    let kept = |record: Record| record.goes_at.since(record.saved_at);
    let draft = Draft::new(nonce(1), Revision::NONE, revision(7), &b"the token"[..]);
    shelf.save(Save::Draft(draft)).await.expect("saved");
    assert_eq!(kept(store.record(shelf.slot()).expect("a record")), Duration::from_secs(10));
    let draft = Draft::new(nonce(1), revision(7), revision(8), &b"the token"[..]);
    shelf.save(Save::Draft(draft.keep(Duration::from_secs(99)))).await.expect("saved");
    assert_eq!(kept(store.record(shelf.slot()).expect("a record")), Duration::from_secs(99));
}

#[test]
fn names_are_those_that_every_store_can_have() {
    let store = MemoryStore::new();
    for name in ["", "Billing", "a/b", "..", "a.b", "ä", "a b", &"a".repeat(65)] {
        let error = SharedSlot::plain(store.clone(), name).expect_err("refused");
        assert_eq!(error.kind(), ConfigErrorKind::Store, "{name}");
    }
    for name in ["a", "billing-2_x", &"a".repeat(64)] {
        assert_eq!(SharedSlot::plain(store.clone(), name).expect("a name").name(), name);
    }
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let store = MemoryStore::new();
    let sealed_store = SealedStore::new(store.clone(), &Keys::new(KEY)).expect("a key");
    let shown = format!("{sealed_store:?} {:?}", sealed(&store));
    assert!(!shown.contains("q83v") && !shown.contains("171, 205"), "{shown}");
}
