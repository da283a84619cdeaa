//! That a refresh token may have been sent, and so isn't sent again.

use tokio::time::sleep;

use super::super::check::{Check, OVER, SHORT, Wrong, draft, flights, same, with_record};
use crate::store::{Claim, Fate, Release, Store};

pub(super) async fn what_is_saved_in_doubt_has_a_note<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    let next = known.next();
    at.saved(draft(flight, known, next).in_doubt()).await?;
    let (seen, _) = at.granted(Claim::new(other, next).sending(next, None)).await?;
    let note = seen.record.note.ok_or("there is no note")?;
    same("the note", (note.revision, note.by, note.refused), (next, flight, false))
}

pub(super) async fn the_note_outlives_the_claim<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn the_note_is_not_written_over<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn the_note_is_taken_back_by_its_own_flight_alone<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
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

pub(super) async fn a_refused_token_is_never_noted_again<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, other] = flights();
    at.granted(Claim::new(flight, known).sending(known, None)).await?;
    at.release(Release::new(flight, Fate::Refused)).await?;
    let (seen, _) = at.granted(Claim::new(other, known).sending(known, Some(flight))).await?;
    let note = seen.record.note.map(|note| (note.by, note.refused));
    same("the note", note, Some((flight, true)))
}
