//! Who may acquire a token, until when, and as which revision.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::super::check::{Check, NONE, OVER, SHORT, Wrong, draft, flights, same, with_record};
use crate::store::{Claim, Claimed, Fate, Release, Revision, Store};

pub(super) async fn one_of_many_claims_is_granted<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn a_claim_is_renewed_by_its_own_flight<S: Store>(
    check: &Check<'_, S>,
) -> Result<(), Wrong> {
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

pub(super) async fn a_claim_ends_by_itself<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn the_next_revision_is_newer_than_all_that_is_known<S: Store>(
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

pub(super) async fn what_is_newer_is_told_first<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn only_the_own_claim_is_released<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    at.granted(Claim::new(flight, NONE)).await?;
    at.release(Release::new(other, Fate::Unspent).failed("late", 1).wait(SHORT)).await?;
    let record = at.record().await?;
    same("whose the claim is", record.claim.map(|held| held.by), Some(flight))?;
    same("the failure", record.failure, None)?;
    at.release(Release::new(flight, Fate::Unspent)).await?;
    same("the claim", at.record().await?.claim, None)
}

pub(super) async fn the_budget_is_kept<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
    let (at, [flight, other]) = (check.slot(), flights());
    let seen = at.look().await?;
    let (full_at, later) = (seen.now.after(Duration::from_secs(7)), seen.now.after(Duration::from_secs(70)));
    at.granted(Claim::new(flight, NONE).full_at(full_at)).await?;
    at.claim(Claim::new(other, NONE).full_at(later)).await?;
    at.release(Release::new(flight, Fate::Unspent)).await?;
    same("when the budget is full", at.record().await?.full_at, full_at)
}
