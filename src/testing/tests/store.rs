//! The store in memory, and its faults.

use std::time::Duration;

use crate::{
    error::StoreErrorKind,
    store::{Claim, Claimed, Digest, Draft, Moment, Nonce, Revision, Save, Saved, Slot, Store},
    testing::{MemoryStore, StoreCall, StoreFault},
};

fn slot() -> Slot {
    Slot::new("billing", Digest::new([0; 32])).expect("a slot")
}

fn save(than: u64, revision: u64) -> Save {
    Save::Draft(Draft::new(Nonce::random(), Revision::new(than), Revision::new(revision), &b"body"[..]))
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_that_of_a_step_that_was_taken() {
    let (store, slot) = (MemoryStore::new(), slot());
    store.fault(StoreCall::Save, StoreFault::AnswerLost, 1);
    store.look(&slot).await.expect("only saving has the fault");
    let save = save(0, 7);
    assert_eq!(store.save(&slot, save.clone()).await.expect_err("lost").kind(), StoreErrorKind::TimedOut);
    assert_eq!(store.record(&slot).expect("a record").revision, Revision::new(7));
    assert_eq!(store.save(&slot, save).await.expect("repeated"), Saved::Done);
    assert_eq!((store.calls(StoreCall::Save), store.calls(None)), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_refused_step_and_one_that_hangs_are_not_taken() {
    let (store, slot) = (MemoryStore::new(), slot());
    store.fault(None, StoreFault::Refused(StoreErrorKind::Full), 1);
    store.fault(None, StoreFault::Hangs, 1);
    assert_eq!(store.save(&slot, save(0, 7)).await.expect_err("refused").kind(), StoreErrorKind::Full);
    let limit = Duration::from_secs(3600);
    assert!(tokio::time::timeout(limit, store.save(&slot, save(0, 7))).await.is_err());
    assert_eq!(store.record(&slot), None);
    store.fault(None, StoreFault::HangsAfterwards, 1);
    assert!(tokio::time::timeout(limit, store.save(&slot, save(0, 7))).await.is_err());
    assert_eq!(store.record(&slot).expect("a record").revision, Revision::new(7));
    store.fault(None, StoreFault::Hangs, 1);
    store.mend();
    store.look(&slot).await.expect("it was mended");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_before_the_step() {
    let (store, slot) = (MemoryStore::new(), slot());
    store.fault(StoreCall::Look, StoreFault::Delayed(Duration::from_secs(2)), 1);
    let before = store.now();
    let seen = store.look(&slot).await.expect("late");
    assert_eq!(seen.now, before.after(Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_replica_lacks_the_last_write_and_a_flush_leaves_nothing() {
    let (store, slot) = (MemoryStore::new(), slot());
    store.save(&slot, save(0, 7)).await.expect("saved");
    store.save(&slot, save(7, 8)).await.expect("saved");
    store.fail_over();
    assert_eq!(store.record(&slot).expect("a record").revision, Revision::new(7));
    store.fail_over();
    assert_eq!(store.record(&slot).expect("a record").revision, Revision::new(7), "once is once");
    store.flush();
    assert_eq!((store.record(&slot), store.slots().len()), (None, 0));
    store.save(&slot, save(0, 9)).await.expect("saved");
    store.fail_over();
    assert_eq!(store.record(&slot), None);
}

#[tokio::test(start_paused = true)]
async fn its_clock_can_be_set_and_goes_on() {
    let (store, slot) = (MemoryStore::new(), slot());
    let before = store.now();
    store.set_clock(Moment::from_millis(5));
    tokio::time::advance(Duration::from_millis(10)).await;
    assert_eq!(store.now(), Moment::from_millis(15));
    store.set_clock(before);
    let claimed = store.clone().claim(&slot, Claim::new(Nonce::random(), Revision::NONE)).await;
    let Ok(Claimed::Yours { next, .. }) = claimed else { panic!("{claimed:?}") };
    assert_eq!(next, Revision::new(before.millis()), "clones are the same store");
}
