//! What a step does.

use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_flight_has_the_claim_and_the_others_are_told_for_how_long() {
    let mut record = Record::default();
    let (seen, next) = granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE)));
    assert_eq!(seen.claim, Some(Held::new(nonce(1), at(6_000))));
    assert_eq!(next, revision(1_000), "the clock's, since nothing is newer");
    let claimed = record.claim(at(2_000), &Claim::new(nonce(2), Revision::NONE));
    assert_eq!(claimed, Claimed::Held { by: nonce(1), left: 4 * SECOND, now: at(2_000) });
    granted(record.claim(at(6_000), &Claim::new(nonce(2), Revision::NONE)));
    let claimed = record.claim(at(6_001), &Claim::new(nonce(1), Revision::NONE));
    assert!(matches!(claimed, Claimed::Held { by, .. } if by == nonce(2)), "{claimed:?}");
}

#[test]
fn the_same_flight_renews_its_claim_also_after_its_end() {
    let mut record = Record::default();
    granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE)));
    for now in [3_000, 20_000] {
        let (seen, _) = granted(record.claim(at(now), &Claim::new(nonce(1), Revision::NONE)));
        assert_eq!(seen.claim, Some(Held::new(nonce(1), at(now + 5_000))));
    }
}

#[test]
fn no_claim_lasts_longer_than_5_seconds_whatever_the_clock_does() {
    let mut record = Record::default();
    let claim = Claim::new(nonce(1), Revision::NONE).lasting(Duration::from_secs(3600));
    let (seen, _) = granted(record.claim(at(9_000_000), &claim));
    assert_eq!(seen.claim.map(|held| held.until), Some(at(9_005_000)));
    // The clock is set back by more than an hour.
    let other = Claim::new(nonce(2), Revision::NONE);
    let claimed = record.claim(at(1_000), &other);
    assert_eq!(claimed, Claimed::Held { by: nonce(1), left: 5 * SECOND, now: at(1_000) });
    granted(record.claim(at(6_000), &other));
}

#[test]
fn what_is_newer_is_told_before_anything_else_and_ends_the_claim() {
    let mut record = saved(1, 1_000);
    granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(1_000))));
    for flight in [3, 2] {
        let claimed = record.claim(at(2_500), &Claim::new(nonce(flight), revision(999)));
        let Claimed::Newer(seen) = claimed else { panic!("{claimed:?}") };
        assert_eq!((seen.now, seen.record.revision), (at(2_500), revision(1_000)));
        assert_eq!(&seen.record.body.as_bytes()[..], b"body");
    }
    assert_eq!(record.claim, None, "that of the second flight");
}

#[test]
fn the_next_revision_is_newer_than_all_that_is_known_to_anybody() {
    let next = |record: &mut Record, now, than| {
        granted(record.claim(at(now), &Claim::new(nonce(9), revision(than)))).1
    };
    assert_eq!(next(&mut saved(1, 500), 2_000, 500), revision(2_000), "than what was lost, by the clock");
    assert_eq!(next(&mut saved(1, 5_000), 2_000, 5_000), revision(5_001), "than what is stored");
    assert_eq!(next(&mut saved(1, 500), 2_000, 7_000), revision(7_001), "than what the flight knows");
    let mut record = saved(1, 500);
    granted(record.claim(at(2_000), &Claim::new(nonce(9), revision(500)).sending(revision(8_000), None)));
    assert_eq!(next(&mut record, 2_000, 500), revision(8_001), "than what has been sent");
    assert_eq!(next(&mut Record::default(), 0, 1 << 60), Revision::LAST);
}

#[test]
fn saving_ends_the_claim_the_note_and_the_failure() {
    let mut record = saved(1, 500);
    granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(500)).sending(revision(500), None)));
    record.release(at(2_100), &Release::new(nonce(2), Fate::Unknown).failed("no answer", 1));
    assert!(record.failure.is_some() && record.note.is_some());
    granted(record.claim(at(3_000), &Claim::new(nonce(3), revision(500))));
    let draft = Draft::new(nonce(3), revision(500), revision(3_000), &b"new"[..]).keep(60 * SECOND);
    assert_eq!(record.save(at(3_500), &Save::Draft(draft)), Saved::Done);
    let expected = Record {
        revision: revision(3_000),
        author: Some(nonce(3)),
        saved_at: at(3_500),
        body: Body::from(&b"new"[..]),
        goes_at: at(63_500),
        ..Record::default()
    };
    assert_eq!(record, expected);
}

#[test]
fn after_a_loss_the_newest_refresh_token_counts_as_sent_by_nobody_knows_whom() {
    let lost = |flight, than| Claim::new(nonce(flight), revision(than)).after_a_loss(at(1_500));
    let mut record = saved(1, 500);
    let (seen, _) = granted(record.claim(at(2_000), &lost(2, 500)));
    let note = seen.note.expect("a note");
    assert_eq!((note.revision, note.at, note.refused), (revision(500), at(1_500), false));
    // Nobody takes it for its own, nor back.
    let (seen, _) = granted(record.claim(at(2_100), &lost(2, 500).sending(revision(500), None)));
    assert!(!seen.is_noted_by(nonce(2), revision(500)));
    record.release(at(2_200), &Release::new(nonce(2), Fate::Unspent));
    assert!(record.note.is_some());
    // Whoever names it may replace it, and doesn't take it back either.
    let again = Claim::new(nonce(3), revision(500)).sending(revision(500), Some(note.by));
    assert!(granted(record.claim(at(9_000), &again)).0.is_noted_by(nonce(3), revision(500)));
    record.release(at(9_100), &Release::new(nonce(3), Fate::Unspent));
    assert!(record.note.is_some());
}

#[test]
fn after_a_loss_what_a_flight_knows_and_the_store_does_not_counts_as_sent_too() {
    let mut record = saved(1, 500);
    granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(800)).after_a_loss(at(9_000))));
    let note = record.note.expect("a note");
    assert_eq!((note.revision, note.at), (revision(800), at(2_000)), "no later than now");
}

#[test]
fn after_a_loss_a_note_that_is_there_may_not_be_the_last_one() {
    let mut record = saved(1, 500);
    granted(record.claim(at(1_000), &Claim::new(nonce(2), revision(500)).sending(revision(500), None)));
    let lost = |record: &mut Record, lost_at| {
        let claim = Claim::new(nonce(2), revision(500)).after_a_loss(at(lost_at));
        let note = granted(record.claim(at(20_000), &claim)).0.note.expect("a note");
        assert_eq!(note.by, nonce(2));
        note.at
    };
    assert_eq!(lost(&mut record, 15_999), at(1_000), "nobody else has sent it within 15 seconds");
    assert_eq!(lost(&mut record, 16_000), at(16_000));
    record.release(at(20_100), &Release::new(nonce(2), Fate::Unspent));
    assert!(record.note.is_some(), "somebody else may have sent it since");
}

#[test]
fn after_a_loss_who_is_not_granted_the_claim_changes_nothing_and_who_knows_of_nothing_fears_nothing() {
    let mut record = saved(1, 500);
    granted(record.claim(at(1_000), &Claim::new(nonce(2), revision(500))));
    let before = record.clone();
    let claimed = record.claim(at(1_100), &Claim::new(nonce(3), revision(500)).after_a_loss(at(1_100)));
    assert!(matches!(claimed, Claimed::Held { .. }), "{claimed:?}");
    assert_eq!(record, before);
    let mut nothing = Record::default();
    granted(nothing.claim(at(1_000), &Claim::new(nonce(2), Revision::NONE).after_a_loss(at(900))));
    assert_eq!(nothing.note, None);
}

#[test]
fn what_was_saved_meanwhile_is_not_overwritten_however_great_the_revision() {
    let mut record = saved(1, 500);
    granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(500))));
    // The second flight stands still, the clock is set back, and another flight does its work.
    granted(record.claim(at(900), &Claim::new(nonce(2), revision(500))));
    let other = Draft::new(nonce(3), revision(500), revision(901), &b"newer"[..]);
    assert_eq!(record.save(at(901), &Save::Draft(other)), Saved::Done);
    let late = Draft::new(nonce(2), revision(500), revision(2_000), &b"late"[..]);
    let answer = record.save(at(902), &Save::Draft(late));
    assert!(matches!(&answer, Saved::Newer(seen) if seen.record.revision == revision(901)), "{answer:?}");
    assert_eq!(&record.body.as_bytes()[..], b"newer");
}

#[test]
fn what_a_store_has_lost_can_be_offered_again() {
    let mut record = saved(1, 500);
    let draft = Draft::new(nonce(2), revision(900), revision(1_000), &b"again"[..]);
    assert_eq!(record.save(at(2_000), &Save::Draft(draft)), Saved::Done);
    assert_eq!(record.revision, revision(1_000));
}

#[test]
fn equal_revisions_of_two_flights_are_not_the_same() {
    let mut record = saved(1, 1_000);
    let same = Draft::new(nonce(1), Revision::NONE, revision(1_000), &b"body"[..]);
    assert_eq!(record.save(at(2_000), &Save::Draft(same)), Saved::Done);
    let other = Draft::new(nonce(2), Revision::NONE, revision(1_000), &b"other"[..]);
    assert!(matches!(record.save(at(2_000), &Save::Draft(other)), Saved::Newer(_)));
    assert_eq!(record.saved_at, at(1_000), "it was saved once");
}

#[test]
fn a_revision_is_newer_than_what_was_known() {
    let draft = Draft::new(nonce(1), revision(1_000), revision(7), &b""[..]);
    assert_eq!(draft.revision(), revision(1_001));
}

#[test]
fn saving_leaves_the_claim_of_another_flight_alone() {
    let mut record = saved(1, 500);
    granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(500))));
    let draft = Draft::new(nonce(3), revision(500), revision(2_001), &b""[..]);
    assert_eq!(record.save(at(2_001), &Save::Draft(draft)), Saved::Done);
    assert_eq!(record.claim.as_ref().map(|held| held.by), Some(nonce(2)));
}

#[test]
fn the_note_outlives_the_claim_and_is_not_written_over() {
    let mut record = saved(1, 500);
    let (seen, _) =
        granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(500)).sending(revision(500), None)));
    assert!(seen.is_noted_by(nonce(2), revision(500)));
    // It was killed. Long after that:
    let third = Claim::new(nonce(3), revision(500));
    let (seen, _) = granted(record.claim(at(60_000), &third.clone().sending(revision(500), None)));
    assert!(!seen.is_noted_by(nonce(3), revision(500)), "it may not send");
    let note = seen.note.expect("a note");
    assert_eq!((note.by, note.age(seen.goes_at.min(at(60_000)))), (nonce(2), 58 * SECOND));
    // Nor over somebody else's than the one that it knows of.
    let (seen, _) = granted(record.claim(at(60_000), &third.clone().sending(revision(500), Some(nonce(8)))));
    assert!(!seen.is_noted_by(nonce(3), revision(500)));
    let (seen, _) = granted(record.claim(at(61_000), &third.sending(revision(500), Some(nonce(2)))));
    assert!(seen.is_noted_by(nonce(3), revision(500)));
    assert_eq!(seen.note.map(|note| (note.at, note.flights)), Some((at(61_000), 2)));
}

#[test]
fn only_a_flight_that_knows_its_token_to_be_good_takes_back_its_note() {
    let noted = || {
        let mut record = saved(1, 500);
        granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(500)).sending(revision(500), None)));
        record
    };
    let mut record = noted();
    record.release(at(2_100), &Release::new(nonce(2), Fate::Unspent));
    assert_eq!((record.claim, record.note), (None, None));
    for (flight, fate) in [(2, Fate::Unknown), (3, Fate::Unspent)] {
        let mut record = noted();
        record.release(at(2_100), &Release::new(nonce(flight), fate));
        assert_eq!(record.note, Some(Note::new(revision(500), nonce(2), at(2_000))));
    }
    // What another flight has sent before isn't known to be good by that.
    let mut record = noted();
    let claim = Claim::new(nonce(3), revision(500)).sending(revision(500), Some(nonce(2)));
    granted(record.claim(at(60_000), &claim));
    record.release(at(60_100), &Release::new(nonce(3), Fate::Unspent));
    assert!(record.is_noted_by(nonce(3), revision(500)));
}

#[test]
fn a_refused_token_is_never_noted_again() {
    let mut record = saved(1, 500);
    let claim = Claim::new(nonce(2), revision(500)).sending(revision(500), None);
    granted(record.claim(at(2_000), &claim));
    record.release(at(2_100), &Release::new(nonce(2), Fate::Refused));
    record.release(at(2_200), &Release::new(nonce(2), Fate::Unspent));
    for over in [None, Some(nonce(2))] {
        let claim = Claim::new(nonce(3), revision(500)).sending(revision(500), over);
        let (seen, _) = granted(record.claim(at(60_000), &claim));
        assert!(!seen.is_noted_by(nonce(3), revision(500)) && !seen.is_noted_by(nonce(2), revision(500)));
        assert_eq!(seen.note.map(|note| note.by), Some(nonce(2)), "it is left as it was");
    }
}

#[test]
fn a_claim_of_others_is_not_released_and_their_failure_not_replaced() {
    let mut record = Record::default();
    granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE)));
    granted(record.claim(at(7_000), &Claim::new(nonce(2), Revision::NONE)));
    let late = Release::new(nonce(1), Fate::Unknown).failed("late", 1).wait(60 * SECOND);
    record.release(at(7_100), &late);
    assert_eq!(record.claim, Some(Held::new(nonce(2), at(12_000))));
    assert_eq!(record.failure, None);
}

#[test]
fn a_failure_is_everybodys_until_its_wait_is_over_or_something_is_saved() {
    let mut record = Record::default();
    granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE)));
    record.release(at(2_000), &Release::new(nonce(1), Fate::Unspent).failed("busy", 3).wait(10 * SECOND));
    let claim = Claim::new(nonce(2), Revision::NONE);
    let claimed = record.claim(at(3_000), &claim);
    let Claimed::Wait { failure, left, now } = claimed else { panic!("{claimed:?}") };
    assert_eq!((failure.by, failure.in_a_row, &*failure.text), (nonce(1), 3, "busy"));
    assert_eq!((left, now), (9 * SECOND, at(3_000)));
    granted(record.clone().claim(at(3_000), &claim.clone().without_waiting()));
    granted(record.clone().claim(at(12_000), &claim));
    // The clock is set back: nobody waits for longer than they would have.
    let claimed = record.claim(at(10), &claim);
    assert!(matches!(claimed, Claimed::Wait { left, .. } if left == 10 * SECOND), "{claimed:?}");
    granted(record.claim(at(10_010), &claim));
}

#[test]
fn who_has_another_secret_than_the_refused_one_does_not_wait() {
    let (refused, other) = (Digest::new([1; 32]), Digest::new([2; 32]));
    let mut record = Record::default();
    granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE).with_secret(refused)));
    let release = Release::new(nonce(1), Fate::Unspent).failed("refused", 1).wait(60 * SECOND);
    record.release(at(1_500), &release.refused_secret(refused));
    let claim = Claim::new(nonce(2), Revision::NONE);
    let claimed = record.claim(at(2_000), &claim.clone().with_secret(refused));
    assert!(matches!(claimed, Claimed::Wait { .. }), "{claimed:?}");
    granted(record.claim(at(2_000), &claim.with_secret(other)));
}

#[test]
fn a_rejection_counts_once_and_against_its_own_revision_alone() {
    let mut record = saved(1, 1_000);
    let rejected = |flight, than, rejection| Claim::new(nonce(flight), revision(than)).rejected(rejection);
    let claimed = record.claim(at(2_000), &rejected(2, 999, Rejection::Early));
    assert!(matches!(claimed, Claimed::Newer(_)));
    assert_eq!((record.standing, record.rejections), (Standing::Offered, 0), "a late one");
    for flight in 2..10 {
        record.claim(at(2_000), &rejected(flight, 1_000, Rejection::Early));
    }
    assert_eq!((record.standing, record.rejections), (Standing::Rejected, 1));
    assert_eq!(record.claim.as_ref().map(|held| held.by), Some(nonce(2)));
    record.claim(at(2_000), &rejected(9, 1_000, Rejection::Natural));
    assert_eq!(record.rejections, 0);
    let mut empty = Record::default();
    granted(empty.claim(at(2_000), &Claim::new(nonce(1), Revision::NONE).rejected(Rejection::Early)));
    empty.save(at(2_000), &Save::Accepted(Revision::NONE));
    let found = (empty.standing, empty.rejections, empty.accepted);
    assert_eq!(found, (Standing::Offered, 0, false), "there is nothing to reject, nor to accept");
}

#[test]
fn a_row_of_rejections_ends_with_an_acceptance_and_grows_with_a_token_that_comes_again() {
    let mut record = saved(1, 1_000);
    for (than, rejections) in [(1_000, 1), (2_000, 2)] {
        let claim = Claim::new(nonce(2), revision(than)).rejected(Rejection::Early);
        granted(record.claim(at(than + 500), &claim));
        assert_eq!(record.rejections, rejections);
        let draft = Draft::new(nonce(2), revision(than), revision(than + 1_000), &b""[..]);
        record.save(at(than + 600), &Save::Draft(draft));
    }
    assert_eq!(record.save(at(4_000), &Save::Accepted(revision(3_000))), Saved::Done);
    assert_eq!((record.accepted, record.rejections), (true, 0));
    assert!(matches!(record.save(at(4_000), &Save::Accepted(revision(2_000))), Saved::Newer(_)));
    granted(record.claim(at(5_000), &Claim::new(nonce(3), revision(3_000)).rejected(Rejection::Early)));
    assert_eq!(record.save(at(5_000), &Save::Accepted(revision(3_000))), Saved::Done);
    assert_eq!(record.rejections, 1, "a rejected one isn't accepted any more");
    let again = Draft::new(nonce(3), revision(3_000), revision(5_000), &b""[..]).standing(Standing::Rejected);
    record.save(at(5_100), &Save::Draft(again));
    assert_eq!((record.standing, record.rejections, record.accepted), (Standing::Rejected, 2, false));
}

#[test]
fn a_revoked_token_stays_revoked() {
    let mut record = saved(1, 500);
    // The row of rejections before it ends with it.
    record.rejections = 5;
    granted(record.claim(at(1_500), &Claim::new(nonce(2), revision(500))));
    let tombstone =
        Draft::new(nonce(3), revision(500), revision(2_000), &b""[..]).standing(Standing::Revoked);
    assert_eq!(record.save(at(2_000), &Save::Draft(tombstone)), Saved::Done);
    let late = Draft::new(nonce(2), revision(500), revision(1_500), &b"late"[..]);
    let answer = record.save(at(2_100), &Save::Draft(late));
    assert!(matches!(&answer, Saved::Newer(seen) if seen.record.standing == Standing::Revoked));
    let claim = Claim::new(nonce(4), revision(2_000)).rejected(Rejection::Early);
    record.claim(at(9_000), &claim);
    record.save(at(9_000), &Save::Accepted(revision(2_000)));
    assert_eq!((record.standing, record.accepted, record.rejections), (Standing::Revoked, false, 0));
}

#[test]
fn the_budget_is_taken_from_by_who_has_the_claim() {
    let mut record = Record::default();
    granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE).full_at(at(5_000))));
    record.claim(at(1_000), &Claim::new(nonce(2), Revision::NONE).full_at(at(9_000)));
    assert_eq!(record.full_at, at(5_000));
}

#[test]
fn a_record_goes_after_its_time_and_not_before() {
    let mut record = saved(1, 500);
    let goes_at = at(1_000).after(90 * 86_400 * SECOND);
    assert_eq!(record.goes_at, goes_at);
    let before = Moment::from_millis(goes_at.millis() - 1);
    assert_eq!(record.look(before).record.revision, revision(500));
    assert_eq!(record.look(goes_at).record, Record::default());
    granted(record.claim(before, &Claim::new(nonce(2), revision(500))));
    assert_eq!(
        record.goes_at,
        before.after(3600 * SECOND),
        "an hour more for whoever still has to do with it"
    );
    let mut other = saved(1, 500);
    granted(other.claim(at(2_000), &Claim::new(nonce(2), revision(500))));
    assert_eq!(other.goes_at, goes_at, "and never less");
}

#[test]
fn looking_changes_nothing_and_shows_no_claim_that_has_ended() {
    let mut record = saved(1, 500);
    granted(record.claim(at(2_000), &Claim::new(nonce(2), revision(500))));
    let before = record.clone();
    assert_eq!(record.look(at(6_999)).record.claim.map(|held| held.left(at(6_999))), Some(SECOND / 1000));
    assert_eq!(record.look(at(7_000)).record.claim, None);
    assert_eq!(record, before);
}

#[test]
fn a_long_text_of_a_failure_is_cut_between_two_letters() {
    let mut record = Record::default();
    granted(record.claim(at(1_000), &Claim::new(nonce(1), Revision::NONE)));
    record.release(at(1_000), &Release::new(nonce(1), Fate::Unspent).failed("é".repeat(1_000) + "x", 1));
    assert_eq!(record.failure.expect("a failure").text, "é".repeat(512));
}
