//! A token that is revoked, for all processes that share it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{body::Kept, link::Link, saving::KEPT_AFTER};
use crate::{
    error::StoreError,
    store::{Body, Claim, Claimed, Draft, Moment, Nonce, Record, Revision, Save, Saved, Standing},
    time::{after, wall_clock},
    token::{AccessToken, state::Catch},
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
    let mut token = None;
    let tombstone = |_| (Body::default(), None);
    let revision = overwrite(link, known, limit, Standing::Revoked, tombstone, |record| {
        token = kept(record)?.or(token.take());
        Ok(())
    });
    let revision = revision.await?;
    Ok((token, revision))
}

/// Has the store take a token that somebody has brought, whatever it has. A flight that is under way is waited for, at most for
/// so long: what it brings later comes of what was there before, and is taken by nobody. Returns what it is there.
pub(in crate::token) async fn put(
    link: &Link,
    known: Revision,
    limit: Duration,
    catch: &Catch,
) -> Result<Revision, StoreError> {
    let body = |now: Moment| {
        let (token, asked_at) = (&catch.token, catch.token.requested_at().unwrap_or(catch.asked_at));
        let age = Instant::now().saturating_duration_since(asked_at);
        let expires_at = token.lifetime().map(|lifetime| now.after(lifetime.saturating_sub(age)));
        let keep = match (token.refresh_token(), token.lifetime()) {
            (None, Some(lifetime)) => Some(lifetime.saturating_add(KEPT_AFTER)),
            _ => None,
        };
        let (token, lifetime, mark) = (token.clone(), token.lifetime(), link.mark().to_owned());
        (Kept { token, expires_at, lifetime, mark }.to_body(), keep)
    };
    let revision = overwrite(link, known, limit, Standing::Offered, body, |_| Ok(())).await?;
    // It is none of those that were rejected one after the other. Where nobody hears that, there is a pause, and no more.
    link.tell_accepted(revision).await;
    Ok(revision)
}

/// Saves a revision that is newer than all there are, whatever they are: `body`, by the store's clock, with how long it is kept.
/// `see` is shown what there was.
async fn overwrite(
    link: &Link,
    known: Revision,
    limit: Duration,
    standing: Standing,
    body: impl Fn(Moment) -> (Body, Option<Duration>),
    mut see: impl FnMut(&Record) -> Result<(), StoreError>,
) -> Result<Revision, StoreError> {
    let (nonce, deadline) = (Nonce::random(), after(Instant::now(), limit));
    let (mut than, mut now) = (known, None);
    loop {
        let next = match link.claim(Claim::new(nonce, than).without_waiting()).await? {
            Claimed::Newer(seen) => {
                (than, now) = (seen.record.revision, Some(seen.now));
                see(&seen.record)?;
                continue;
            }
            Claimed::Yours { seen, next } => {
                now = Some(seen.now);
                see(&seen.record)?;
                next
            }
            Claimed::Held { .. } | Claimed::Wait { .. } if Instant::now() < deadline => {
                sleep(BETWEEN).await;
                continue;
            }
            Claimed::Held { .. } | Claimed::Wait { .. } => than.next(),
        };
        let now = now.unwrap_or_else(|| Moment::from_system_time(wall_clock()));
        let (body, keep) = body(now);
        let draft = Draft::new(nonce, than, next, body).standing(standing);
        let draft = keep.map_or_else(|| draft.clone(), |keep| draft.clone().keep(keep));
        let revision = draft.revision();
        match link.save(Save::Draft(draft)).await? {
            Saved::Done => return Ok(revision),
            Saved::Newer(seen) => {
                than = seen.record.revision;
                see(&seen.record)?;
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
