//! What servers have said of a token.

use super::super::check::{Check, NONE, Wrong, draft, flights, same, with_record};
use crate::store::{Body, Claim, Draft, Nonce, Rejection, Save, Saved, Standing, Store};

pub(super) async fn a_rejection_counts_once<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn an_acceptance_ends_the_row<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn a_token_that_comes_again_is_no_progress<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight] = flights();
    let (_, next) = at.granted(Claim::new(flight, known).rejected(Rejection::Natural)).await?;
    at.saved(draft(flight, known, next).standing(Standing::Rejected)).await?;
    let record = at.record().await?;
    same("standing and row", (record.standing, record.rejections), (Standing::Rejected, 2))
}

pub(super) async fn a_revoked_token_stays_revoked<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, _, known) = with_record(check).await?;
    let [flight, revoker] = flights();
    // The row of rejections ends with it.
    let (_, late) = at.granted(Claim::new(flight, known).rejected(Rejection::Early)).await?;
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
