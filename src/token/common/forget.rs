//! A token that is revoked, for all processes that share it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{body::Kept, link::Link};
use crate::{
    error::StoreError,
    store::{Claim, Claimed, Draft, Nonce, Record, Revision, Save, Saved, Standing},
    time::after,
    token::AccessToken,
};

/// Between two looks at a claim that a flight has.
const BETWEEN: Duration = Duration::from_millis(100);

/// Has the store forget the token, so that nobody takes it any more, nor what a flight brings that has begun with it. A
/// flight that is under way is waited for, at most for so long. Returns the token that was there, and what has taken its
/// place.
pub(in crate::token) async fn forget(
    link: &Link,
    known: Revision,
    limit: Duration,
) -> Result<(Option<AccessToken>, Revision), StoreError> {
    let (nonce, deadline) = (Nonce::random(), after(Instant::now(), limit));
    let (mut than, mut token) = (known, None);
    loop {
        let next = match link.claim(Claim::new(nonce, than).without_waiting()).await? {
            Claimed::Newer(seen) => {
                than = seen.record.revision;
                token = kept(&seen.record)?;
                continue;
            }
            Claimed::Yours { seen, next } => {
                token = kept(&seen.record)?.or(token);
                next
            }
            Claimed::Held { .. } | Claimed::Wait { .. } if Instant::now() < deadline => {
                sleep(BETWEEN).await;
                continue;
            }
            Claimed::Held { .. } | Claimed::Wait { .. } => than.next(),
        };
        let tombstone = Draft::new(nonce, than, next, Vec::new()).standing(Standing::Revoked);
        let revision = tombstone.revision();
        match link.save(Save::Draft(tombstone)).await? {
            Saved::Done => return Ok((token, revision)),
            Saved::Newer(seen) => {
                than = seen.record.revision;
                token = kept(&seen.record)?;
            }
        }
    }
}

fn kept(record: &Record) -> Result<Option<AccessToken>, StoreError> {
    if record.body.as_bytes().is_empty() || record.standing == Standing::Revoked {
        return Ok(None);
    }
    Kept::from_body(&record.body).map(|kept| Some(kept.token))
}
