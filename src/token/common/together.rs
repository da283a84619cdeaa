//! A flight among the processes that share a token: they are asked first, told what came of it, and never kept waiting.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::future::{Either, select};
use secrecy::SecretString;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    claim::{Barred, Claimant, Failed, unreachable},
    failure,
    found::{Asked, Found, found},
    link::{Alone, Link, Unsaved},
    saving::{dated, hand_over},
};
use crate::{
    error::{AcquireError, AcquireErrorKind, StoreError},
    observe::Reason,
    store::{Claimed, DOUBT, Digest, Fate, Record, Revision, Save, Saved, Seen, Standing},
    time::after,
    token::{
        access_token::AccessToken,
        attempts::{attempts, timed_out},
        description::Grants,
        landing::Report,
        policy::Allowance,
        shared::Shared,
        state::{Adopted, Catch, Errand, Landing, Miss, Order, State},
        waiting::Superseded,
    },
};

/// Between two looks at a claim that another flight has. It doubles, and a part of it is drawn.
const FIRST_LOOK: Duration = Duration::from_millis(25);
const LAST_LOOK: Duration = Duration::from_millis(500);

/// For so long what this process has saved is in force, also where the store doesn't know it any more.
const TRUSTED: Duration = Duration::from_secs(60);

/// How a flight ends.
enum End {
    Caught(Catch),
    /// Another process has a token.
    Adopted(Adopted),
    /// None has, and nobody was to be asked for one.
    Nothing,
    /// Rejections come too fast, as others have seen: so many in a row.
    Paused {
        row: u32,
        until: Instant,
    },
    Missed(Arc<AcquireError>),
    /// Another flight has failed, on which this one has waited.
    Told(AcquireError),
}

/// The flight's task, once it has departed.
pub(in crate::token) async fn fly(report: Report, mut order: Order, superseded: Superseded, link: Arc<Link>) {
    // Whoever ends after that waits until others know what has failed, too.
    let under_way = link.begin();
    let claimant = Claimant::new(link.clone(), order.known.revision);
    let (id, deadline) = (order.id, order.deadline);
    let end = {
        let trip = Trip { cache: &report.cache, link: &link, claimant: &claimant, superseded: &superseded };
        let call = pin!(timeout_at(deadline, trip.run(&mut order)));
        match select(call, superseded.until_so()).await {
            Either::Left((end, _)) => Some(end),
            // What was sent may be used up, and what comes of it is all there is.
            Either::Right(((), call)) if claimant.has_sent() => Some(call.await),
            Either::Right(_) => None,
        }
    };
    match end {
        None => {
            report.cache.change(|state| state.spare(id));
            claimant.release(None).await;
        }
        Some(Ok(End::Caught(catch))) => {
            // Saving it is the cache's business, and looking later whether it is still there nobody waits for.
            drop(under_way);
            hand_over(report, &link, &claimant, id, catch, superseded.is_so()).await;
        }
        Some(Ok(End::Adopted(adopted))) => {
            report.end_unasked(|state, now| state.adopt(id, adopted, now));
        }
        Some(Ok(End::Nothing)) => {
            report.end_unasked(|state, _| state.come_back(id));
        }
        Some(Ok(End::Paused { row, until })) => {
            claimant.release(None).await;
            report.end_unasked(|state, now| state.fall_in(id, row, until, now));
        }
        Some(Ok(End::Missed(error))) => come_without(report, &link, &claimant, id, error).await,
        Some(Ok(End::Told(error))) => {
            claimant.release(None).await;
            report.send(Err(Miss { error: Arc::new(error), grant_intact: true }));
        }
        Some(Err(_)) => {
            let error = timed_out("the flight's time was up");
            come_without(report, &link, &claimant, id, Arc::new(error)).await;
        }
    }
}

/// Ends a flight that brings nothing: first for those who wait here, then for those who wait elsewhere.
async fn come_without(report: Report, link: &Link, claimant: &Claimant, id: u64, error: Arc<AcquireError>) {
    let text = failure::to_text(&error);
    let is_refused = error.kind() == AcquireErrorKind::Rejected;
    // Which one it was is sure only if it hasn't changed meanwhile.
    let whom = claimant.whom().filter(|whom| is_refused && secret_of(&report.cache, link) == Some(*whom));
    let miss = Miss { error, grant_intact: claimant.fate() == Fate::Unspent };
    let mut in_a_row = 1;
    let landing = report.end(|state, now| {
        let landing = state.land(id, Err(miss), now);
        in_a_row = state.failures_in_a_row().max(1);
        landing
    });
    let wait = match landing {
        Some(Landing::Failed(error)) => error.retry_at(),
        _ => None,
    };
    let wait = wait.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
    claimant.release(Some(Failed { text, wait, in_a_row, whom })).await;
}

/// What stands for the secret that a server would be shown now.
fn secret_of(cache: &Shared, link: &Link) -> Option<Digest> {
    let secret = catch_unwind(AssertUnwindSafe(|| cache.source().current_secret())).ok()??;
    link.digest_of(&secret)
}

/// What a flight works with.
struct Trip<'a> {
    cache: &'a Arc<Shared>,
    link: &'a Link,
    claimant: &'a Claimant,
    superseded: &'a Superseded,
}

impl Trip<'_> {
    async fn run(&self, order: &mut Order) -> End {
        if order.errand == Errand::Look {
            return self.look(order.known.revision).await;
        }
        let whom = secret_of(self.cache, self.link);
        self.claimant.show(whom);
        let (mut waited_for, mut between) = (Vec::new(), FIRST_LOOK);
        loop {
            if let Some(unsaved) = self.link.unsaved()
                && let Err(lost) = self.save_first(order, unsaved).await
            {
                return self.go_alone(order, lost).await;
            }
            let asked = Asked::now();
            let seen = match self.claimant.claim(order).await {
                Ok(Claimed::Newer(seen)) => match self.take(&seen, asked) {
                    Ok(Found::Token(adopted)) => return End::Adopted(adopted),
                    Ok(Found::Grant(token)) => {
                        self.go_on_from(order, token, seen.record.revision);
                        continue;
                    }
                    Ok(Found::Nothing) => {
                        self.begin_anew_from(order, &seen.record);
                        continue;
                    }
                    Err(lost) => return self.go_alone(order, lost).await,
                },
                Ok(Claimed::Yours { seen, .. }) => {
                    self.hear_of_row(&seen);
                    seen
                }
                Ok(Claimed::Held { by, left, .. }) => {
                    if !waited_for.contains(&by) {
                        waited_for.push(by);
                    }
                    sleep(between.mul_f64(0.5 + fastrand::f64() / 2.0).min(left.max(FIRST_LOOK))).await;
                    between = (between * 2).min(LAST_LOOK);
                    continue;
                }
                Ok(Claimed::Wait { failure, left, .. }) => {
                    self.hear_of(failure.in_a_row.saturating_sub(1));
                    return End::Told(failure::from_text(&failure.text).with_retry_after(left));
                }
                Err(lost) => return self.go_alone(order, lost).await,
            };
            // Whoever relays it leaves it as it is, for the others.
            let failure = seen.record.failure.as_ref().filter(|failure| failure.concerns(whom));
            if let Some(failure) = failure.filter(|failure| waited_for.contains(&failure.by)) {
                self.hear_of(failure.in_a_row.saturating_sub(1));
                return End::Told(failure::from_text(&failure.text));
            }
            // Whoever has a new secret, or was asked for a new try, begins a row of its own.
            self.hear_of(failure.filter(|_| !order.insists).map_or(0, |failure| failure.in_a_row));
            if let Some(end) = self.pause(order, &seen).await {
                return end;
            }
            if let Some(end) = self.doubt(order, &seen) {
                return end;
            }
            match self.ask(order, Some(self.claimant)).await {
                Ok(catch) => return End::Caught(catch),
                Err(miss) if self.claimant.fate() == Fate::Refused => {
                    return self.look_after(order.known.revision, miss.error).await;
                }
                // Another process has taken over, or has a newer token. What was sent isn't sent again.
                Err(miss) if !self.claimant.holds() && self.claimant.has_sent() => {
                    if order.grants == Grants::SingleUse {
                        return self.look_after(order.known.revision, miss.error).await;
                    }
                    order.reason = Reason::Rejected;
                }
                Err(_) if !self.claimant.holds() => {}
                Err(miss) => return End::Missed(miss.error),
            }
        }
    }

    /// Saves what an earlier flight has brought. Else the store would get a refresh token that this one has used up.
    async fn save_first(&self, order: &mut Order, unsaved: Unsaved) -> Result<(), StoreError> {
        let Unsaved { flight, mut draft, is_dated } = unsaved;
        if !is_dated {
            draft = dated(self.link, draft).await?;
        }
        let saved = self.link.save(Save::Draft(draft.clone())).await?;
        self.link.settle(flight);
        match saved {
            Saved::Done => {
                let (revision, now) = (draft.revision(), Instant::now());
                self.link.tell_saved("late");
                self.claimant.go_on_from(revision);
                self.cache.change(|state| state.saved(flight, revision, now));
                order.known = self.cache.look(|state| state.known(now));
            }
            // It is found by what comes next.
            Saved::Newer(_) => {
                self.link.tell_saved("overtaken");
                self.cache.change(State::settle_saving);
            }
        }
        Ok(())
    }

    /// Looks whether another process has a newer token.
    async fn look(&self, than: Revision) -> End {
        let asked = Asked::now();
        let Ok(seen) = self.link.look().await else { return End::Nothing };
        if seen.record.revision <= than {
            return End::Nothing;
        }
        match self.take(&seen, asked) {
            Ok(Found::Token(adopted)) => End::Adopted(adopted),
            _ => End::Nothing,
        }
    }

    /// So many flights have failed in a row before the one that is the next to fail.
    fn hear_of(&self, failures: u32) {
        self.cache.change(|state| state.hear_of_failures(failures));
    }

    /// So many rejections in a row are counted.
    fn hear_of_row(&self, seen: &Seen) {
        self.cache.change(|state| state.hear_of_rejections(seen.record.rejections));
    }

    /// What a record has for this process.
    fn take(&self, seen: &Seen, asked: Asked) -> Result<Found, StoreError> {
        self.hear_of_row(seen);
        found(seen, asked, self.link.mark())
    }

    /// Goes on with the refresh token of a newer revision.
    fn go_on_from(&self, order: &mut Order, token: AccessToken, revision: Revision) {
        self.claimant.go_on_from(revision);
        self.cache.change(|state| state.learn(token.clone(), revision, order.id));
        (order.previous, order.reason) = (Some(token), Reason::Expired);
        (order.known.revision, order.known.saved_at, order.known.rejection) = (revision, None, None);
    }

    /// Goes on after a revision that is of no use.
    fn begin_anew_from(&self, order: &mut Order, record: &Record) {
        self.claimant.go_on_from(record.revision);
        (order.known.revision, order.known.saved_at, order.known.rejection) = (record.revision, None, None);
        if record.standing == Standing::Revoked {
            // And with it whatever has come of it.
            self.cache.change(|state| state.forget_grant(record.revision));
            (order.previous, order.reason) = (None, Reason::Cold);
        } else {
            self.cache.change(|state| state.see(record.revision));
        }
    }

    /// Whether rejections come too fast for another token, as far as all processes know. If not, it is taken from what all of
    /// them may have.
    async fn pause(&self, order: &Order, seen: &Seen) -> Option<End> {
        let record = &seen.record;
        // Whoever has rejected it, and whichever process knows of it.
        if record.standing != Standing::Rejected || record.rejections == 0 {
            return None;
        }
        let (row, age) = (record.rejections, seen.now.since(record.saved_at));
        let pause = order.policy.pause_after(row).saturating_sub(age);
        let budget = order.policy.allowance();
        let most = budget.map_or(Duration::ZERO, Allowance::most);
        let mut missing = record.full_at.since(seen.now);
        if missing > most && budget.is_some() {
            // The clock was set back since, or somebody else allows more. It fills up from now on.
            missing = most;
            self.claimant.charge(seen.now.after(missing)).await;
        }
        let left = pause.max(budget.map_or(Duration::ZERO, |budget| budget.wait(missing)));
        if !left.is_zero() {
            return Some(End::Paused { row, until: after(Instant::now(), left) });
        }
        if let Some(budget) = budget {
            self.claimant.charge(seen.now.after(missing.saturating_add(budget.refill))).await;
        }
        None
    }

    /// Whether another flight may have used the refresh token up. Then another grant is taken, if there is one.
    fn doubt(&self, order: &mut Order, seen: &Seen) -> Option<End> {
        let record = &seen.record;
        let known = order.known.revision;
        let note =
            record.note.as_ref().filter(|note| note.revision >= known && note.by != self.claimant.nonce());
        // Whoever has saved it can't know whether others have adopted it, and sent it. Where there is another grant, nothing is
        // risked.
        let is_own = order.grants == Grants::SingleUse
            && order.known.saved_at.is_some_and(|at| at.elapsed() < TRUSTED);
        let forgotten = record.revision < known && !is_own;
        if note.is_none() && !forgotten {
            return None;
        }
        match order.grants {
            Grants::Reusable => None,
            Grants::RefreshThenOther => {
                if matches!(order.reason, Reason::Expiring | Reason::Expired) {
                    order.reason = Reason::Rejected;
                }
                None
            }
            Grants::SingleUse => {
                // A newer one's may be out, so that this one was used up for it; the store has lost what came of it.
                let is_spent = note.is_some_and(|note| note.revision > known);
                if is_spent {
                    let words = "the store has lost what the refresh token was used for; somebody has to log in again";
                    return Some(missed(AcquireError::rejected(words)));
                }
                if note.is_some_and(|note| note.refused) {
                    let words =
                        "the refresh token was refused to another process; somebody has to log in again";
                    return Some(missed(AcquireError::rejected(words)));
                }
                let doubt = note.map_or(Duration::ZERO, |note| DOUBT.saturating_sub(note.age(seen.now)));
                let valid = order
                    .known
                    .valid_until
                    .map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
                let wait = doubt.max(valid);
                if !wait.is_zero() {
                    let words =
                        "another process may have sent the refresh token already, and it is the only one";
                    return Some(missed(AcquireError::unasked(words).with_retry_after(wait)));
                }
                if let Some(note) = note {
                    self.claimant.replace_note(note.by);
                }
                None
            }
        }
    }

    /// Asks the credential, and keeps the claim meanwhile.
    async fn ask(&self, order: &mut Order, claimant: Option<&Claimant>) -> Result<Catch, Miss> {
        self.cache.change(|state| state.charge(Instant::now()));
        let keep = |token: &SecretString| self.cache.change(|state| state.rotate(order.id, token.clone()));
        let source = &**self.cache.source();
        let call = pin!(attempts(source, order, self.superseded, claimant, keep));
        match select(call, pin!(self.claimant.keep_up())).await {
            Either::Left((result, _)) => result,
            // Nobody needs what it might bring.
            Either::Right(_) => Err(Miss { error: Arc::new(Barred::Lost.into_error()), grant_intact: true }),
        }
    }

    /// The store can't be asked, or what it has can't be read.
    async fn go_alone(&self, order: &mut Order, lost: StoreError) -> End {
        match order.grants {
            Grants::Reusable => {}
            Grants::RefreshThenOther => {
                if matches!(order.reason, Reason::Expiring | Reason::Expired) {
                    order.reason = Reason::Rejected;
                }
            }
            Grants::SingleUse if self.link.alone == Alone::Goes => {}
            Grants::SingleUse => return missed(unreachable(lost)),
        }
        self.ask(order, None).await.map_or_else(|miss| End::Missed(miss.error), End::Caught)
    }

    /// A refresh token was refused, or lost. If another process has a newer one, it is that one's successor.
    async fn look_after(&self, than: Revision, error: Arc<AcquireError>) -> End {
        let asked = Asked::now();
        match self.link.look().await {
            Ok(seen) if seen.record.revision > than => match self.take(&seen, asked) {
                Ok(Found::Token(adopted)) => End::Adopted(adopted),
                _ => End::Missed(error),
            },
            _ => End::Missed(error),
        }
    }
}

fn missed(error: AcquireError) -> End {
    End::Missed(Arc::new(error))
}
