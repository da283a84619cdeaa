//! The attempts of a flight: one after the other, until one brings a token or there is no point in going on.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use super::{
    common::{Barred, Claimant},
    description::Grants,
    source::{Acquire, Source},
    state::{Catch, Miss, Order},
    waiting::Superseded,
};
use crate::{
    error::{AcquireError, AcquireErrorKind},
    observe::Reason,
    time::{after, wall_clock},
};

/// One attempt after the other, until one brings a token or there is no point in going on. A refresh token that comes
/// without an access token is `keep`'s, at once: whatever ends the flight, it isn't lost.
pub(super) async fn attempts(
    source: &dyn Source,
    order: &Order,
    superseded: &Superseded,
    claimant: Option<&Claimant>,
    keep: impl Fn(&SecretString),
) -> Result<Catch, Miss> {
    let policy = &*order.policy;
    let mut rng = fastrand::Rng::new();
    let mut previous = order.previous.clone();
    let (mut reason, mut tries) = (order.reason, 1);
    loop {
        let place = match source.place() {
            Some(place) => Some(place.await),
            None => None,
        };
        // It may have been superseded between two attempts. Another call then would be beside its successor's. The
        // flight itself ends where it waits for this.
        if superseded.is_so() {
            if claimant.is_some_and(Claimant::has_sent) {
                let error = AcquireError::transient("nobody waits for it any more");
                return Err(Miss { error: Arc::new(error), grant_intact: false });
            }
            future::pending::<()>().await;
        }
        // By now another process may have the claim, and a newer token.
        if claimant.is_some_and(|claimant| !claimant.holds()) {
            return Err(Miss { error: Arc::new(Barred::Lost.into_error()), grant_intact: false });
        }
        let acquire = Acquire::new(reason, previous.as_ref());
        let refreshing = acquire.may_refresh() && order.grants == Grants::RefreshThenOther;
        let sender = claimant.filter(|_| refreshing || order.grants == Grants::SingleUse);
        if let Some(claimant) = sender
            && let Err(barred) = claimant.about_to_send(order).await
        {
            // Without it, there is the other grant.
            if refreshing && !matches!(barred, Barred::Lost) {
                reason = Reason::Rejected;
                continue;
            }
            return Err(Miss { error: Arc::new(barred.into_error()), grant_intact: true });
        }
        let (asked_at, wall_asked_at) = (Instant::now(), wall_clock());
        // The call itself is made inside, so that a panic before its first await is caught as well.
        let attempt = AssertUnwindSafe(async { source.acquire(acquire).await }).catch_unwind();
        let error = match timeout(policy.attempt_limit(), attempt).await {
            Ok(Ok(Ok(token))) => return Ok(Catch { token, asked_at, wall_asked_at }),
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) => AcquireError::new(AcquireErrorKind::Panicked, "the credential's code panicked"),
            Err(_) => timed_out("the attempt's time was up"),
        };
        drop(place);
        if let Some(token) = error.refresh_token() {
            keep(token);
            previous = previous.map(|previous| previous.with_refresh_token(token.clone()));
        }
        // What a server says of another grant says nothing of that one.
        if let Some(claimant) = sender {
            claimant.hear(&error);
        }
        let max = match order.grants {
            // Others may take it for used up, and would be right.
            Grants::SingleUse if claimant.is_some() => 1,
            Grants::SingleUse => policy.max_attempts().min(2),
            Grants::RefreshThenOther | Grants::Reusable => policy.max_attempts(),
        };
        let apart = error.wait_after(tries);
        let is_in_time = |wait| after(Instant::now(), wait) < order.deadline;
        match next(&error, refreshing, tries, max) {
            Next::Anew => reason = Reason::Rejected,
            Next::Again if apart.is_none_or(is_in_time) => {
                let wait = policy.wait_after(tries, &mut rng).max(apart.unwrap_or_default());
                tokio::time::sleep(wait).await;
                tries += 1;
            }
            Next::Again | Next::Stop => {
                // A server that asks to be left alone has not looked at the grant.
                let grant_intact = refreshing && error.is_throttled();
                let error = match apart {
                    Some(wait) => error.with_retry_after(wait),
                    None => error,
                };
                return Err(Miss { error: Arc::new(error), grant_intact });
            }
        }
    }
}

pub(super) fn timed_out(message: &str) -> AcquireError {
    AcquireError::new(AcquireErrorKind::TimedOut, message)
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The refresh grant failed, or nobody knows whether it did: another grant, at once.
    Anew,
    /// The same again, after a short wait.
    Again,
    Stop,
}

fn next(error: &AcquireError, refreshing: bool, tries: u32, max: u32) -> Next {
    match error.kind() {
        _ if error.is_throttled() && (refreshing || error.wait_after(tries).is_none()) => Next::Stop,
        AcquireErrorKind::GrantRejected
        | AcquireErrorKind::Undeclared
        | AcquireErrorKind::Transient
        | AcquireErrorKind::NoSecret
        | AcquireErrorKind::TimedOut
            if refreshing =>
        {
            Next::Anew
        }
        kind if refreshing && kind.is_about_endpoint() => Next::Anew,
        // An answer that was garbled on its way. What else is wrong with an endpoint is the same at the next attempt.
        AcquireErrorKind::Unintelligible if tries < max => Next::Again,
        AcquireErrorKind::Transient | AcquireErrorKind::NoSecret | AcquireErrorKind::TimedOut
            if tries < max =>
        {
            Next::Again
        }
        _ => Next::Stop,
    }
}
