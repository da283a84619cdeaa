//! Stores that are wrong, and what finds it out.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::*;
use crate::{
    error::StoreError,
    testing::{Conformance, store_conformance},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    SavesWithoutComparing,
    ComparesRevisionsAlone,
    ReleasesAnybodysClaim,
    EndsTheNoteWithTheClaim,
    RefusesARepeatedNonce,
    RepeatedSaveIsAConflict,
    EqualRevisionIsEnough,
    RevisionFromZero,
    LooksAndThenWrites,
    NotesOverNotes,
    ForgetsEarlierSends,
    TellsOfTheClaimFirst,
    CountsEveryRejection,
    LateRejectionCounts,
    RejectsWhatIsRevoked,
    AnybodyMayFail,
    WaitsForEverySecret,
    KeepsTextAlone,
    OneSlotForAll,
    BudgetOfAnybody,
    SavingEndsEveryClaim,
    NothingIsInDoubt,
    SavingLeavesTheFailure,
    ClaimsHaveNoEnd,
}

use Mistake::*;

struct Wrong(Option<Mistake>, Mutex<HashMap<String, Record>>);

impl Wrong {
    fn load(&self, slot: &Slot) -> (Record, Moment) {
        let key = if self.0 == Some(OneSlotForAll) { slot.name().to_owned() } else { slot.to_string() };
        let records = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        (records.get(&key).cloned().unwrap_or_default(), Moment::from_system_time(SystemTime::now()))
    }

    fn write(&self, slot: &Slot, record: Record) {
        let key = if self.0 == Some(OneSlotForAll) { slot.name().to_owned() } else { slot.to_string() };
        self.1.lock().unwrap_or_else(PoisonError::into_inner).insert(key, record);
    }
}

impl Store for Wrong {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        let (mut record, now) = self.load(slot);
        if self.0 == Some(EndsTheNoteWithTheClaim)
            && record.claim.as_ref().is_none_or(|held| held.until <= now)
        {
            record.note = None;
        }
        Ok(record.look(now))
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        let (mut record, now) = self.load(slot);
        let before = record.clone();
        let live = record.claim.clone().filter(|held| held.until > now);
        let mut claim = claim;
        match self.0 {
            Some(EndsTheNoteWithTheClaim) if live.is_none() => record.note = None,
            Some(RefusesARepeatedNonce) if live.is_some() => {
                let held = live.expect("it is");
                return Ok(Claimed::Held { by: held.by, left: held.left(now), now });
            }
            Some(TellsOfTheClaimFirst) => {
                if let Some(held) = live.filter(|held| held.by != claim.nonce) {
                    return Ok(Claimed::Held { by: held.by, left: held.left(now), now });
                }
            }
            Some(NotesOverNotes) => {
                if let Some(sending) = &mut claim.sending {
                    sending.over = record.note.as_ref().map(|note| note.by);
                }
            }
            Some(CountsEveryRejection) if record.standing == Standing::Rejected => {
                record.rejections += u32::from(claim.rejection == Some(Rejection::Early));
            }
            Some(LateRejectionCounts) if claim.rejection.is_some() && claim.than < record.revision => {
                record.standing = Standing::Rejected;
            }
            Some(RejectsWhatIsRevoked) if claim.rejection.is_some() => record.standing = Standing::Rejected,
            Some(WaitsForEverySecret) => {
                if let Some(failure) = &mut record.failure {
                    failure.whom = None;
                }
            }
            Some(LooksAndThenWrites) => tokio::task::yield_now().await,
            _ => {}
        }
        let mut claimed = record.claim(now, &claim);
        match (self.0, &mut claimed) {
            (Some(RevisionFromZero), Claimed::Yours { seen, next }) => {
                *next = claim.than.max(seen.record.revision).next();
            }
            (Some(ForgetsEarlierSends), _) => {
                if let Some(note) = &mut record.note {
                    note.flights = 1;
                }
            }
            (Some(BudgetOfAnybody), _) => record.full_at = claim.full_at.unwrap_or(before.full_at),
            (Some(ClaimsHaveNoEnd), _) => {
                if let Some(held) = &mut record.claim {
                    held.until = Moment::from_millis(u64::MAX);
                }
            }
            _ => {}
        }
        self.write(slot, record);
        Ok(claimed)
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        let (mut record, now) = self.load(slot);
        let before = record.clone();
        let mut save = save;
        if let Save::Draft(draft) = &mut save {
            match self.0 {
                Some(SavesWithoutComparing) => draft.than = Revision::LAST,
                Some(ComparesRevisionsAlone) if record.revision < draft.revision => {
                    draft.than = record.revision
                }
                Some(RepeatedSaveIsAConflict) if record.revision == draft.revision => record.author = None,
                Some(EqualRevisionIsEnough) if record.revision == draft.revision => {
                    record.author = Some(draft.nonce)
                }
                Some(KeepsTextAlone) => {
                    draft.body =
                        String::from_utf8_lossy(draft.body.as_bytes()).into_owned().into_bytes().into();
                }
                Some(NothingIsInDoubt) => draft.in_doubt = false,
                Some(LooksAndThenWrites) => tokio::task::yield_now().await,
                _ => {}
            }
        }
        let saved = record.save(now, &save);
        match self.0 {
            Some(SavingEndsEveryClaim) => record.claim = None,
            Some(SavingLeavesTheFailure) => record.failure = before.failure,
            Some(RepeatedSaveIsAConflict) => record.author = record.author.or(before.author),
            _ => {}
        }
        self.write(slot, record);
        Ok(saved)
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        let (mut record, now) = self.load(slot);
        let own = record.claim.as_ref().is_some_and(|held| held.by == release.nonce);
        if self.0 == Some(ReleasesAnybodysClaim) {
            record.claim = None;
        }
        if self.0 == Some(AnybodyMayFail) && !own && release.failed.is_some() {
            let claim = record.claim.replace(Held::new(release.nonce, now));
            record.release(now, &release);
            record.claim = claim;
        }
        record.release(now, &release);
        self.write(slot, record);
        Ok(())
    }
}

async fn check(mistake: Option<Mistake>) -> Conformance {
    store_conformance(&Wrong(mistake, Mutex::default())).await
}

#[tokio::test]
async fn a_store_without_a_mistake_keeps_the_contract() {
    let found = check(None).await;
    found.assert();
    assert_eq!(found.requirements().count(), 28);
    let memory = crate::testing::MemoryStore::new();
    store_conformance(&memory).await.assert();
}

#[tokio::test]
async fn each_mistake_of_a_store_is_found_out() {
    let expected: &[(Mistake, &str)] = &[
        (SavesWithoutComparing, "a_save_is_compared_with_what_the_saver_knew"),
        (ComparesRevisionsAlone, "a_save_is_compared_with_what_the_saver_knew"),
        (ReleasesAnybodysClaim, "only_the_own_claim_is_released"),
        (EndsTheNoteWithTheClaim, "the_note_outlives_the_claim"),
        (RefusesARepeatedNonce, "a_claim_is_renewed_by_its_own_flight"),
        (RepeatedSaveIsAConflict, "a_repeated_save_is_done_and_changes_nothing"),
        (EqualRevisionIsEnough, "equal_revisions_of_two_flights_are_not_the_same"),
        (RevisionFromZero, "the_next_revision_is_newer_than_all_that_is_known"),
        (LooksAndThenWrites, "one_of_many_claims_is_granted"),
        (NotesOverNotes, "the_note_is_not_written_over"),
        (ForgetsEarlierSends, "the_note_is_not_written_over"),
        (TellsOfTheClaimFirst, "what_is_newer_is_told_first"),
        (CountsEveryRejection, "a_rejection_counts_once"),
        (LateRejectionCounts, "a_rejection_counts_once"),
        (RejectsWhatIsRevoked, "a_revoked_token_stays_revoked"),
        (AnybodyMayFail, "only_the_own_claim_is_released"),
        (WaitsForEverySecret, "another_secret_need_not_wait"),
        (KeepsTextAlone, "any_bytes_can_be_saved"),
        (OneSlotForAll, "slots_have_nothing_in_common"),
        (BudgetOfAnybody, "the_budget_is_kept"),
        (SavingEndsEveryClaim, "a_save_ends_its_own_claim_and_no_other"),
        (SavingLeavesTheFailure, "a_save_ends_notes_and_failures"),
        (NothingIsInDoubt, "what_is_saved_in_doubt_has_a_note"),
        (ClaimsHaveNoEnd, "a_claim_ends_by_itself"),
    ];
    let found = expected.iter().map(|&(mistake, requirement)| async move {
        let found = check(Some(mistake)).await;
        let failures: Vec<_> = found.failures().map(|(requirement, _)| requirement).collect();
        assert!(failures.contains(&requirement), "{mistake:?}: {found}");
        if mistake == LooksAndThenWrites {
            assert!(failures.contains(&"one_of_many_saves_is_done"), "{found}");
        }
    });
    tokio::time::timeout(Duration::from_secs(30), futures_util::future::join_all(found))
        .await
        .expect("in time");
}

#[tokio::test]
#[should_panic(expected = "- only_the_own_claim_is_released: whose the claim is should be Some(")]
async fn what_is_wrong_is_said() {
    check(Some(ReleasesAnybodysClaim)).await.assert();
}
