//! What a flight has brought is saved for other processes before anybody uses it, and if need be for as long as it takes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use super::{
    body::Kept,
    claim::Claimant,
    found::{Asked, Found, found},
    link::{Link, Unsaved},
};
use crate::{
    error::StoreError,
    store::{Draft, Revision, Save, Saved, Standing},
    token::{landing::Report, shared::Shared, state::Catch},
};

/// How long a token waits to be saved before it is used.
const SAVING: Duration = Duration::from_secs(1);

/// Between two tries to save, at most. It doubles from what a token waits for at first.
const LONGEST_BETWEEN: Duration = Duration::from_secs(60);

/// When it is looked whether the store still has what it has acknowledged, after it was saved.
const LOOKS_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(25)];

/// How long what has no refresh token is kept beyond its lifetime.
pub(super) const KEPT_AFTER: Duration = Duration::from_secs(3600);

/// Saves a token, and hands it over when that is done, or after a while. Then it goes on until it is done.
pub(super) async fn hand_over(
    report: Report,
    link: &Link,
    claimant: &Claimant,
    id: u64,
    catch: Catch,
    is_late: bool,
) {
    let cache = report.cache.clone();
    // Whatever happens next, it isn't lost to this process.
    cache.change(|state| state.save_grant(catch.token.clone(), id));
    let since = Instant::now();
    let mut draft = draft(&cache, link, claimant, &catch, is_late);
    let mut is_dated = claimant.has_clock();
    let saved = timeout(SAVING, save(link, &mut draft, &mut is_dated, || true)).await;
    match saved {
        Ok(Some((Saved::Newer(seen), asked))) => {
            link.tell_saved("overtaken");
            match found(&seen, asked, link.mark()) {
                Ok(Found::Token(adopted)) => report.end_unasked(|state, now| state.adopt(id, adopted, now)),
                // Somebody has revoked what this came of, or logged out meanwhile.
                _ if seen.record.standing == Standing::Revoked => {
                    report.end_unasked(|state, _| state.lose(id, seen.record.revision))
                }
                _ => report.end(|state, now| state.land(id, Ok(catch), now)),
            };
        }
        Ok(_) => {
            link.tell_saved("saved");
            // And nothing older, whatever has become of that.
            if let Some(Unsaved { flight, .. }) = link.unsaved() {
                link.settle(flight);
            }
            report.end(|state, now| {
                let landing = state.land(id, Ok(catch), now);
                state.saved(id, draft.revision(), now);
                landing
            });
            let cache = Arc::downgrade(&{ cache });
            watch(link, &draft, || is_newest(&cache, draft.revision())).await;
        }
        Err(_) => {
            link.set_unsaved(Unsaved { flight: id, draft: draft.clone(), is_dated });
            report.end(|state, now| {
                state.unsaved(since);
                state.land(id, Ok(catch), now)
            });
            let cache = Arc::downgrade(&{ cache });
            // A flight that comes next may have seen to it, or has brought something newer.
            let is_wanted = || is_there(&cache) && link.is_unsaved(id);
            let saved = save(link, &mut draft, &mut is_dated, is_wanted).await;
            let Some(cache) = cache.upgrade().filter(|_| link.is_unsaved(id)) else { return };
            link.settle(id);
            match saved {
                Some((Saved::Newer(seen), asked)) => {
                    link.tell_saved("overtaken");
                    cache.change(|state| match found(&seen, asked, link.mark()) {
                        Ok(Found::Token(adopted)) => state.overtake(adopted, Instant::now()),
                        _ if seen.record.standing == Standing::Revoked => {
                            state.forget_grant(seen.record.revision);
                            state.settle_saving();
                        }
                        _ => state.settle_saving(),
                    });
                }
                Some((Saved::Done, _)) => {
                    link.tell_saved("late");
                    cache.change(|state| state.saved(id, draft.revision(), Instant::now()));
                    let cache = Arc::downgrade(&{ cache });
                    watch(link, &draft, || is_newest(&cache, draft.revision())).await;
                }
                _ => {}
            }
        }
    }
}

/// What is saved of a token: of one that came too late only the refresh token, beside an access token that has expired.
fn draft(cache: &Shared, link: &Link, claimant: &Claimant, catch: &Catch, is_late: bool) -> Draft {
    let (than, next) = claimant.revisions();
    let token = match cache.source().describe().refresh_tokens.and_then(|kept| kept.newest()) {
        Some(newest) => catch.token.clone().with_refresh_token(newest),
        None => catch.token.clone(),
    };
    let requested_at = token.requested_at().unwrap_or(catch.asked_at);
    let lifetime = if is_late { Some(Duration::ZERO) } else { token.lifetime() };
    let expires_at = lifetime.map(|lifetime| claimant.store_time(requested_at).after(lifetime));
    let keep = match (token.refresh_token(), lifetime) {
        (None, Some(lifetime)) => Some(lifetime.saturating_add(KEPT_AFTER)),
        _ => None,
    };
    let standing =
        if cache.look(|state| state.has_rejected(&token)) { Standing::Rejected } else { Standing::Offered };
    let kept = Kept { token, expires_at, lifetime, mark: link.mark().to_owned() };
    let draft = Draft::new(claimant.nonce(), than, next, kept.to_body()).standing(standing);
    match keep {
        Some(keep) => draft.keep(keep),
        None => draft,
    }
}

/// Tries to save until that is done, or there is something newer, or nobody wants it any more. Returns when it was asked,
/// too.
async fn save(
    link: &Link,
    draft: &mut Draft,
    is_dated: &mut bool,
    is_wanted: impl Fn() -> bool,
) -> Option<(Saved, Asked)> {
    let mut between = SAVING;
    loop {
        if !*is_dated && let Ok(now_dated) = dated(link, draft.clone()).await {
            (*draft, *is_dated) = (now_dated, true);
        }
        let asked = Asked::now();
        if *is_dated && let Ok(saved) = link.save(Save::Draft(draft.clone())).await {
            return Some((saved, asked));
        }
        if !pass(between, &is_wanted).await {
            return None;
        }
        between = (between * 2).min(LONGEST_BETWEEN);
    }
}

/// A draft of somebody who went alone, and didn't know what the store's clock shows: it has to be newer than what was there
/// before the store has lost it.
pub(super) async fn dated(link: &Link, draft: Draft) -> Result<Draft, StoreError> {
    let seen = link.look().await?;
    Ok(draft.not_before(Revision::new(seen.now.millis())))
}

/// Looks a few times whether a store still has what it has acknowledged, and saves it again if not. What else it has lost
/// nobody knows: somebody may have sent the refresh token meanwhile.
async fn watch(link: &Link, draft: &Draft, is_wanted: impl Fn() -> bool) {
    for wait in LOOKS_AFTER {
        if !pass(wait, &is_wanted).await {
            return;
        }
        match link.look().await {
            Ok(seen) if seen.record.revision > draft.revision() => return,
            Ok(seen) if seen.record.revision < draft.revision() => {
                // Whoever has saved something meanwhile has seen less.
                let _ = link.save(Save::Draft(draft.clone().in_doubt())).await;
            }
            _ => {}
        }
    }
}

/// Waits. Returns whether anybody is left who wants what was waited for.
async fn pass(mut wait: Duration, is_wanted: &impl Fn() -> bool) -> bool {
    const SLICE: Duration = Duration::from_secs(1);
    while !wait.is_zero() && is_wanted() {
        let slice = wait.min(SLICE);
        sleep(slice).await;
        wait -= slice;
    }
    is_wanted()
}

/// Whether anybody is left, and none of them has seen something newer.
fn is_newest(cache: &Weak<Shared>, revision: Revision) -> bool {
    cache.upgrade().is_some_and(|cache| cache.look(|state| state.known_revision()) <= revision)
}

fn is_there(cache: &Weak<Shared>) -> bool {
    cache.strong_count() > 0
}
