//! The requirements, one by one.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::check::{Check, Wrong, draft, same};
use crate::store::{
    Body, Claim, Claimed, Digest, Draft, Fate, Moment, Nonce, Record, Rejection, Release, Revision, Save,
    Saved, Standing, Store,
};

/// How long short claims and waits last.
const SHORT: Duration = Duration::from_millis(150);
/// How long to wait until one is surely over.
const OVER: Duration = Duration::from_millis(250);
/// How long waits last that are to be seen, however long a call takes.
const LONG: Duration = Duration::from_secs(60);

const NONE: Revision = Revision::NONE;

/// Each requirement's name, and what is wrong with it.
pub(super) async fn all<S: Store>(check: &Check<'_, S>) -> Vec<(&'static str, Result<(), Wrong>)> {
    let mut results = Vec::new();
    macro_rules! all {
        ($($name:ident),+ $(,)?) => { $(results.push((stringify!($name), Box::pin($name(check)).await));)+ };
    }
    all![
        a_slot_without_a_record_has_the_default_one,
        slots_have_nothing_in_common,
        one_of_many_claims_is_granted,
        one_of_many_saves_is_done,
        a_claim_is_renewed_by_its_own_flight,
        a_claim_ends_by_itself,
        the_next_revision_is_newer_than_all_that_is_known,
        any_bytes_can_be_saved,
        what_is_newer_is_told_first,
        a_save_is_compared_with_what_the_saver_knew,
        a_repeated_save_is_done_and_changes_nothing,
        equal_revisions_of_two_flights_are_not_the_same,
        what_was_lost_can_be_saved_again,
        a_save_ends_its_own_claim_and_no_other,
        a_save_ends_notes_and_failures,
        what_is_saved_in_doubt_has_a_note,
        the_note_outlives_the_claim,
        the_note_is_not_written_over,
        the_note_is_taken_back_by_its_own_flight_alone,
        a_refused_token_is_never_noted_again,
        only_the_own_claim_is_released,
        a_failure_keeps_others_waiting,
        another_secret_need_not_wait,
        a_rejection_counts_once,
        an_acceptance_ends_the_row,
        a_token_that_comes_again_is_no_progress,
        a_revoked_token_stays_revoked,
        the_budget_is_kept,
    ];
    results
}

fn flights<const N: usize>() -> [Nonce; N] {
    [(); N].map(|()| Nonce::random())
}

/// A slot in which something was saved, by this flight, as this revision.
async fn with_record<'a, S: Store>(
    check: &Check<'a, S>,
) -> Result<(super::check::At<'a, S>, Nonce, Revision), Wrong> {
    let (at, flight) = (check.slot(), Nonce::random());
    let (_, next) = at.granted(Claim::new(flight, NONE)).await?;
    at.saved(draft(flight, NONE, next)).await?;
    Ok((at, flight, next))
}

async fn a_slot_without_a_record_has_the_default_one<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let at = check.slot();
    let seen = at.look().await?;
    same("the record", seen.record, Record::default())?;
    if seen.now == Moment::default() { Err("the store's clock is missing".to_owned()) } else { Ok(()) }
}

async fn slots_have_nothing_in_common<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let slots =
        [check.named("conformance", 255), check.named("conformance", 254), check.named("conformance-2", 255)];
    for (at, name) in slots.iter().zip(["first", "second", "third"]) {
        let flight = Nonce::random();
        let (_, next) = at.granted(Claim::new(flight, NONE)).await?;
        at.saved(Draft::new(flight, NONE, next, Body::from(name.as_bytes()))).await?;
    }
    for (at, name) in slots.iter().zip(["first", "second", "third"]) {
        same("the body", at.record().await?.body, Body::from(name.as_bytes()))?;
    }
    Ok(())
}

async fn one_of_many_claims_is_granted<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let at = check.slot();
    let claims = flights::<16>().map(|flight| at.claim(Claim::new(flight, NONE)));
    let mut granted = 0;
    for claimed in join_all(claims).await {
        match claimed? {
            Claimed::Yours { .. } => granted += 1,
            Claimed::Held { .. } => {}
            other => return Err(format!("a claim is answered {other:?}")),
        }
    }
    same("the number of claims that are granted at once", granted, 1)
}

async fn one_of_many_saves_is_done<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let saves = flights::<16>().map(|flight| at.save(Save::Draft(draft(flight, known, known.next()))));
    let mut done = 0;
    for saved in join_all(saves).await {
        done += u32::from(matches!(saved?, Saved::Done));
    }
    same("the number of saves that are done at once", done, 1)
}

async fn a_claim_is_renewed_by_its_own_flight<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    at.granted(Claim::new(flight, NONE).lasting(SHORT)).await?;
    let (seen, _) = at.granted(Claim::new(flight, NONE)).await?;
    let Some(held) = &seen.record.claim else { return Err("the record is without the claim".to_owned()) };
    same("the claim's flight", held.by, flight)?;
    let left = held.left(seen.now);
    if left > Duration::from_secs(5) || left < Duration::from_secs(4) {
        return Err(format!("a claim should last for 5 s, and lasts for {left:?}"));
    }
    sleep(OVER).await;
    match at.claim(Claim::new(other, NONE)).await? {
        Claimed::Held { by, left, .. } if by == flight && left > Duration::ZERO => Ok(()),
        answer => {
            Err(format!("a claim that was renewed should be respected, and another is answered {answer:?}"))
        }
    }
}

async fn a_claim_ends_by_itself<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other, third]) = (check.slot(), flights());
    at.granted(Claim::new(flight, NONE).lasting(SHORT)).await?;
    sleep(OVER).await;
    same("a claim that has ended", at.record().await?.claim, None)?;
    at.granted(Claim::new(other, NONE)).await?;
    for late in [flight, third] {
        match at.claim(Claim::new(late, NONE)).await? {
            Claimed::Held { by, .. } if by == other => {}
            answer => return Err(format!("while another flight has the claim, one is answered {answer:?}")),
        }
    }
    Ok(())
}

async fn the_next_revision_is_newer_than_all_that_is_known<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, [flight]) = (check.slot(), flights());
    let (seen, next) = at.granted(Claim::new(flight, NONE)).await?;
    if next < Revision::new(seen.now.millis()) {
        return Err(format!(
            "at {:?} the next revision is {next:?}: after everything was lost it would be older than what is known",
            seen.now
        ));
    }
    let far = Revision::new(next.number() + 1_000_000_000);
    let (_, next) = at.granted(Claim::new(flight, far)).await?;
    same("the next revision", next, far.next())?;
    at.granted(Claim::new(flight, NONE).sending(far, None)).await?;
    let (_, next) = at.granted(Claim::new(flight, NONE)).await?;
    same("the next revision, after a note", next, far.next())?;
    at.saved(draft(flight, NONE, far.next())).await?;
    let (_, next) = at.granted(Claim::new(flight, far.next())).await?;
    same("the next revision, after one was saved", next, far.next().next())
}

async fn any_bytes_can_be_saved<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    let mut known = NONE;
    let long: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    for body in [Body::default(), Body::from(&b"\0\r\n\"\\\xff"[..]), Body::from(long)] {
        let (_, next) = at.granted(Claim::new(flight, known)).await?;
        at.saved(Draft::new(flight, known, next, body.clone())).await?;
        let record = at.record().await?;
        if record.body != body {
            return Err(format!("a body of {body:?} was saved, and {:?} are read that differ", record.body));
        }
        same("the revision", record.revision, next)?;
        same("the author", record.author, Some(flight))?;
        match at.claim(Claim::new(other, known)).await? {
            Claimed::Newer(seen) if seen.record.body == body => {}
            answer => {
                return Err(format!("a claim should be answered with what is newer, and is {answer:?}"));
            }
        }
        known = next;
    }
    Ok(())
}

async fn what_is_newer_is_told_first<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    at.granted(Claim::new(flight, known)).await?;
    for who in [other, flight] {
        match at.claim(Claim::new(who, NONE)).await? {
            Claimed::Newer(seen) => same("the newer revision", seen.record.revision, known)?,
            answer => {
                return Err(format!("a claim should be answered with what is newer, and is {answer:?}"));
            }
        }
    }
    same("the claim of who was told", at.record().await?.claim, None)
}

async fn a_save_is_compared_with_what_the_saver_knew<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, author, known) = with_record(check).await?;
    let [late] = flights();
    let far = Revision::new(known.number() + 1_000_000_000);
    let seen = at.overtaken(draft(late, NONE, far)).await?;
    same("what is told to be newer", (seen.record.revision, seen.record.author), (known, Some(author)))?;
    same("the revision", at.record().await?.revision, known)
}

async fn a_repeated_save_is_done_and_changes_nothing<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, flight, known) = with_record(check).await?;
    let before = at.record().await?;
    sleep(Duration::from_millis(20)).await;
    at.saved(draft(flight, NONE, known)).await?;
    same("the record", at.record().await?, before)
}

async fn equal_revisions_of_two_flights_are_not_the_same<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, flight, known) = with_record(check).await?;
    let [other] = flights();
    at.overtaken(draft(other, NONE, known)).await?;
    same("the author", at.record().await?.author, Some(flight))
}

async fn what_was_lost_can_be_saved_again<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight] = flights();
    let (lost, again) = (known.next(), known.next().next());
    at.saved(draft(flight, lost, again)).await?;
    same("the revision", at.record().await?.revision, again)
}

async fn a_save_ends_its_own_claim_and_no_other<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    let (_, next) = at.granted(Claim::new(flight, known)).await?;
    at.saved(draft(other, known, next)).await?;
    same("the claim of another flight", at.record().await?.claim.map(|held| held.by), Some(flight))?;
    at.saved(draft(flight, next, next.next())).await?;
    same("the claim of who has saved", at.record().await?.claim, None)
}

async fn a_save_ends_notes_and_failures<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight] = flights();
    at.granted(Claim::new(flight, known).sending(known, None)).await?;
    at.release(Release::new(flight, Fate::Unknown).failed("no answer", 1)).await?;
    let record = at.record().await?;
    same(
        "that there is a note, and a failure",
        (record.note.is_some(), record.failure.is_some()),
        (true, true),
    )?;
    at.saved(draft(flight, known, known.next())).await?;
    let record = at.record().await?;
    same("note and failure", (record.note, record.failure), (None, None))
}

async fn what_is_saved_in_doubt_has_a_note<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    let next = known.next();
    at.saved(draft(flight, known, next).in_doubt()).await?;
    let (seen, _) = at.granted(Claim::new(other, next).sending(next, None)).await?;
    let note = seen.record.note.ok_or("there is no note")?;
    same("the note", (note.revision, note.by, note.refused), (next, flight, false))
}

async fn the_note_outlives_the_claim<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    let claim = Claim::new(flight, known).lasting(SHORT).sending(known, None);
    let (seen, _) = at.granted(claim).await?;
    same("that it is noted", seen.record.is_noted_by(flight, known), true)?;
    sleep(OVER).await;
    let (seen, _) = at.granted(Claim::new(other, known)).await?;
    same("that it is noted, when the claim has ended", seen.record.is_noted_by(flight, known), true)?;
    at.release(Release::new(other, Fate::Unspent)).await?;
    let noted = at.record().await?.is_noted_by(flight, known);
    same("that it is noted, when another flight has released its claim", noted, true)
}

async fn the_note_is_not_written_over<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other, third] = flights();
    at.granted(Claim::new(flight, known).lasting(SHORT).sending(known, None)).await?;
    sleep(OVER).await;
    for over in [None, Some(third)] {
        let (seen, _) = at.granted(Claim::new(other, known).sending(known, over)).await?;
        same("whose the note is", seen.record.note.map(|note| note.by), Some(flight))?;
    }
    let claim = Claim::new(other, known).sending(known, Some(flight));
    for _ in 0..2 {
        let (seen, _) = at.granted(claim.clone()).await?;
        let note = seen.record.note.map(|note| (note.by, note.flights));
        same("the note that replaces the one that was known", note, Some((other, 2)))?;
    }
    at.release(Release::new(other, Fate::Unspent)).await?;
    let noted = at.record().await?.is_noted_by(other, known);
    same("that it is noted, since nobody knows what became of the first flight", noted, true)
}

async fn the_note_is_taken_back_by_its_own_flight_alone<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    for (fate, by_itself, stays) in
        [(Fate::Unspent, true, false), (Fate::Unknown, true, true), (Fate::Unspent, false, true)]
    {
        let (at, _, known) = with_record(check).await?;
        let [flight, other] = flights();
        at.granted(Claim::new(flight, known).sending(known, None)).await?;
        at.release(Release::new(if by_itself { flight } else { other }, fate)).await?;
        let record = at.record().await?;
        same(&format!("that there is a note, released as {fate:?}"), record.note.is_some(), stays)?;
        same("that there is a claim", record.claim.is_some(), !by_itself)?;
    }
    Ok(())
}

async fn a_refused_token_is_never_noted_again<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    at.granted(Claim::new(flight, known).sending(known, None)).await?;
    at.release(Release::new(flight, Fate::Refused)).await?;
    let (seen, _) = at.granted(Claim::new(other, known).sending(known, Some(flight))).await?;
    let note = seen.record.note.map(|note| (note.by, note.refused));
    same("the note", note, Some((flight, true)))
}

async fn only_the_own_claim_is_released<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    at.granted(Claim::new(flight, NONE)).await?;
    at.release(Release::new(other, Fate::Unspent).failed("late", 1).wait(SHORT)).await?;
    let record = at.record().await?;
    same("whose the claim is", record.claim.map(|held| held.by), Some(flight))?;
    same("the failure", record.failure, None)?;
    at.release(Release::new(flight, Fate::Unspent)).await?;
    same("the claim", at.record().await?.claim, None)
}

async fn a_failure_keeps_others_waiting<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other, third]) = (check.slot(), flights());
    at.granted(Claim::new(flight, NONE)).await?;
    let release = Release::new(flight, Fate::Unspent).failed("the server is busy: \"é\"", 3).wait(LONG);
    let mut first = None;
    for _ in 0..2 {
        at.release(release.clone()).await?;
        match at.claim(Claim::new(other, NONE)).await? {
            Claimed::Wait { failure, left, .. } => {
                same("who has failed", failure.by, flight)?;
                same("the failure", (&*failure.text, failure.in_a_row), ("the server is busy: \"é\"", 3))?;
                same("that the wait is no longer", left <= LONG && !left.is_zero(), true)?;
                same("the failure, released twice", &failure, first.get_or_insert(failure.clone()))?;
            }
            answer => return Err(format!("a claim should wait, and is answered {answer:?}")),
        }
        sleep(Duration::from_millis(20)).await;
    }
    at.granted(Claim::new(third, NONE).without_waiting()).await?;
    at.release(Release::new(third, Fate::Unspent)).await?;
    let at = check.slot();
    at.granted(Claim::new(flight, NONE)).await?;
    at.release(Release::new(flight, Fate::Unspent).failed("busy", 1).wait(SHORT)).await?;
    sleep(OVER).await;
    at.granted(Claim::new(other, NONE)).await.map(drop)
}

async fn another_secret_need_not_wait<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    let (refused, good) = (Digest::new([1; 32]), Digest::new([0xfe; 32]));
    at.granted(Claim::new(flight, NONE).with_secret(refused)).await?;
    let release = Release::new(flight, Fate::Unspent).failed("refused", 1).wait(LONG);
    at.release(release.refused_secret(refused)).await?;
    // Who doesn't say which secret it has, may have the same.
    for claim in [Claim::new(other, NONE).with_secret(refused), Claim::new(other, NONE)] {
        at.has_to_wait(claim).await?;
    }
    at.granted(Claim::new(other, NONE).with_secret(good)).await?;
    // If that is as bad, nobody is to go on and try the first again.
    let release = Release::new(other, Fate::Unspent).failed("refused", 2).wait(LONG);
    at.release(release.refused_secret(good)).await?;
    for whom in [refused, good, Digest::new([3; 32])] {
        at.has_to_wait(Claim::new(Nonce::random(), NONE).with_secret(whom)).await?;
    }
    Ok(())
}

async fn a_rejection_counts_once<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let late = Claim::new(Nonce::random(), NONE).rejected(Rejection::Early);
    at.claim(late).await?;
    same("the standing, after a late rejection", at.record().await?.standing, Standing::Offered)?;
    for flight in flights::<4>() {
        at.claim(Claim::new(flight, known).rejected(Rejection::Early)).await?;
    }
    let record = at.record().await?;
    same("standing and rejections in a row", (record.standing, record.rejections), (Standing::Rejected, 1))?;
    at.claim(Claim::new(Nonce::random(), known).rejected(Rejection::Natural)).await?;
    same("rejections in a row, after a natural end", at.record().await?.rejections, 0)
}

async fn an_acceptance_ends_the_row<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight] = flights();
    let (_, next) = at.granted(Claim::new(flight, known).rejected(Rejection::Early)).await?;
    at.saved(draft(flight, known, next)).await?;
    let record = at.record().await?;
    same("acceptance and row of a new revision", (record.accepted, record.rejections), (false, 1))?;
    match at.save(Save::Accepted(known)).await? {
        Saved::Newer(seen) => same("the newer revision", seen.record.revision, next)?,
        answer @ Saved::Done => return Err(format!("that an older one was accepted is answered {answer:?}")),
    }
    same("the row, after an older one was accepted", at.record().await?.rejections, 1)?;
    at.save(Save::Accepted(next)).await?;
    let record = at.record().await?;
    same("acceptance and row", (record.accepted, record.rejections), (true, 0))
}

async fn a_token_that_comes_again_is_no_progress<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight] = flights();
    let (_, next) = at.granted(Claim::new(flight, known).rejected(Rejection::Natural)).await?;
    at.saved(draft(flight, known, next).standing(Standing::Rejected)).await?;
    let record = at.record().await?;
    same("standing and row", (record.standing, record.rejections), (Standing::Rejected, 2))
}

async fn a_revoked_token_stays_revoked<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, revoker] = flights();
    let (_, late) = at.granted(Claim::new(flight, known)).await?;
    let tombstone = Draft::new(revoker, known, late.next(), Body::default()).standing(Standing::Revoked);
    at.saved(tombstone).await?;
    let seen = at.overtaken(draft(flight, known, late)).await?;
    same("the standing", seen.record.standing, Standing::Revoked)?;
    same("that nothing is left of the body", seen.record.body, Body::default())?;
    at.claim(Claim::new(flight, late.next()).rejected(Rejection::Early)).await?;
    at.save(Save::Accepted(late.next())).await?;
    let record = at.record().await?;
    let found = (record.standing, record.accepted, record.rejections);
    same("standing, acceptance and row", found, (Standing::Revoked, false, 0))
}

async fn the_budget_is_kept<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    let seen = at.look().await?;
    let (full_at, later) = (seen.now.after(Duration::from_secs(7)), seen.now.after(Duration::from_secs(70)));
    at.granted(Claim::new(flight, NONE).full_at(full_at)).await?;
    at.claim(Claim::new(other, NONE).full_at(later)).await?;
    at.release(Release::new(flight, Fate::Unspent)).await?;
    same("when the budget is full", at.record().await?.full_at, full_at)
}
