//! Who waits for what another flight has come to.

use std::time::Duration;

use tokio::time::sleep;

use super::super::check::{Check, LONG, NONE, OVER, SHORT, Wrong, flights, same};
use crate::store::{Claim, Claimed, Digest, Fate, Nonce, Release, Store};

pub(super) async fn a_failure_keeps_others_waiting<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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

pub(super) async fn another_secret_need_not_wait<S: Store>(check: &Check<'_, S>) -> Result<(), Wrong> {
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
