//! What is kept, and what of it is compared before it is.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::super::check::{Check, NONE, Wrong, draft, flights, same, with_record};
use crate::store::{
    Body, Claim, Claimed, Draft, Fate, Moment, Nonce, Record, Release, Revision, Save, Saved, Store,
};

pub(super) async fn a_slot_without_a_record_has_the_default_one<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let at = check.slot();
    let seen = at.look().await?;
    same("the record", seen.record, Record::default())?;
    if seen.now == Moment::default() { Err("the store's clock is missing".to_owned()) } else { Ok(()) }
}

pub(super) async fn slots_have_nothing_in_common<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn one_of_many_saves_is_done<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let saves = flights::<16>().map(|flight| at.save(Save::Draft(draft(flight, known, known.next()))));
    let mut done = 0;
    for saved in join_all(saves).await {
        done += u32::from(matches!(saved?, Saved::Done));
    }
    same("the number of saves that are done at once", done, 1)
}

pub(super) async fn any_bytes_can_be_saved<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn a_save_is_compared_with_what_the_saver_knew<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, author, known) = with_record(check).await?;
    let [late] = flights();
    let far = Revision::new(known.number() + 1_000_000_000);
    let seen = at.overtaken(draft(late, NONE, far)).await?;
    same("what is told to be newer", (seen.record.revision, seen.record.author), (known, Some(author)))?;
    same("the revision", at.record().await?.revision, known)
}

pub(super) async fn a_repeated_save_is_done_and_changes_nothing<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, flight, known) = with_record(check).await?;
    let before = at.record().await?;
    sleep(Duration::from_millis(20)).await;
    at.saved(draft(flight, NONE, known)).await?;
    same("the record", at.record().await?, before)
}

pub(super) async fn equal_revisions_of_two_flights_are_not_the_same<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, flight, known) = with_record(check).await?;
    let [other] = flights();
    at.overtaken(draft(other, NONE, known)).await?;
    same("the author", at.record().await?.author, Some(flight))
}

pub(super) async fn what_was_lost_can_be_saved_again<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight] = flights();
    let (lost, again) = (known.next(), known.next().next());
    at.saved(draft(flight, lost, again)).await?;
    same("the revision", at.record().await?.revision, again)
}

pub(super) async fn a_save_ends_its_own_claim_and_no_other<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    let (_, next) = at.granted(Claim::new(flight, known)).await?;
    at.saved(draft(other, known, next)).await?;
    same("the claim of another flight", at.record().await?.claim.map(|held| held.by), Some(flight))?;
    at.saved(draft(flight, next, next.next())).await?;
    same("the claim of who has saved", at.record().await?.claim, None)
}

pub(super) async fn a_save_ends_notes_and_failures<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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
