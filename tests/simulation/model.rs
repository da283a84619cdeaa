//! What an observer who sees everything from outside knows of the cache: which token is the newest, whether it is
//! known to be rejected, what is under way, and until when nobody may ask again.
//!
//! All of it follows from calls of the credential, from answers that the layer has looked at, and from what the
//! callers do. Many things happen at the same instant, in an order that can't always be seen from outside, so every
//! view of the current instant is kept: an act is right if one of them justifies it.

use std::{mem, sync::Arc, time::Duration};

use tokio::{task::Id, time::Instant};
use tower_reauth::{AuthErrorKind, Reason};

use crate::{
    plan::{Kind, Numbers},
    view::{Cause, Ended, Failure, Flight, Grant, Newest, Next, View},
};

/// How long an early renewal that kills the token is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) kind: Kind,
    pub(crate) numbers: Numbers,
    pub(crate) view: View,
    /// The views before, at the current instant.
    earlier: Vec<View>,
    now: Instant,
    generations: u64,
    accepted: u64,
    /// Rejections in a row.
    rejections: u32,
    /// When rejections caused an acquisition, and whether that is sure.
    driven: Vec<(Instant, bool)>,
    pub(crate) grant: Option<Grant>,
    flights: u64,
    pub(crate) ended: Vec<Ended>,
    pub(crate) superseded: Vec<Instant>,
    /// Those of them that had made a call, by their tasks.
    pub(crate) superseded_tasks: Vec<(Option<Id>, Instant)>,
    /// What was the newest token once, and until when.
    pub(crate) retired: Vec<(Newest, Instant)>,
    /// What callers wait for who asked for a time to live, and when they were gone.
    pub(crate) wishes: Vec<(usize, Duration, Option<Instant>)>,
}

impl Model {
    pub(crate) fn new(kind: Kind, numbers: Numbers, now: Instant) -> Self {
        Self {
            kind,
            numbers,
            view: View::default(),
            earlier: Vec::new(),
            now,
            generations: 0,
            accepted: 0,
            rejections: 0,
            driven: Vec::new(),
            grant: None,
            flights: 0,
            ended: Vec::new(),
            superseded: Vec::new(),
            superseded_tasks: Vec::new(),
            retired: Vec::new(),
            wishes: Vec::new(),
        }
    }

    /// Moves on to `now`. A flight without a call under way ends unseen when its time is up.
    pub(crate) fn tick(&mut self, now: Instant) {
        let overdue = |flight: &mut Flight| flight.next != Next::Answer && flight.deadline < now;
        if let Some(flight) = self.view.flight.take_if(overdue) {
            self.now = flight.deadline;
            self.fail(&flight, AuthErrorKind::TimedOut, None, false);
        }
        if self.now != now {
            self.now = now;
            self.earlier.clear();
            self.wishes.retain(|(_, _, gone)| gone.is_none());
        }
    }

    /// Ends a flight whose time is up at this very instant, as somebody has just been told that it has.
    pub(crate) fn settle(&mut self) {
        let (now, before) = (self.now, self.view.clone());
        let due = |flight: &mut Flight| flight.next != Next::Answer && flight.deadline <= now;
        if let Some(flight) = self.view.flight.take_if(due) {
            self.earlier.push(before);
            self.fail(&flight, AuthErrorKind::TimedOut, None, false);
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Whether `test` holds now, or held before at this instant.
    pub(crate) fn at_some_moment(&self, test: impl Fn(&View) -> bool) -> bool {
        test(&self.view) || self.earlier.iter().any(test)
    }

    pub(crate) fn at_every_moment(&self, test: impl Fn(&View) -> bool) -> bool {
        !self.at_some_moment(|view| !test(view))
    }

    fn turn(&mut self) {
        self.earlier.push(self.view.clone());
    }

    /// A server's word that `generation` is good has reached the layer.
    pub(crate) fn accept(&mut self, generation: u64) {
        if generation > self.accepted {
            self.accepted = generation;
            let newest = self.view.newest.as_mut().filter(|newest| newest.generation == generation);
            if let Some(newest) = newest {
                newest.accepted = true;
                self.rejections = 0;
            }
        }
    }

    /// A server's word that `generation` is bad has reached the layer. Returns whether that is news.
    pub(crate) fn reject(&mut self, generation: u64) -> bool {
        self.turn();
        let newest = self.view.newest.as_mut().filter(|newest| newest.generation == generation);
        let Some(newest) = newest.filter(|_| self.kind != Kind::StaticKey) else { return false };
        let is_news = !newest.is_rejected();
        if newest.ends(self.now) {
            self.rejections = 0;
            (newest.ended, newest.paused_until) = (true, Some(newest.acquired_at));
        } else if is_news {
            self.rejections += 1;
            newest.paused_until = Some(newest.acquired_at + pause_after(&self.numbers, self.rejections));
        }
        if is_news {
            self.undo();
        }
        is_news
    }

    /// Those who have just been handed a token can't use it any more.
    fn undo(&mut self) {
        let now = self.now;
        self.ended
            .iter_mut()
            .rev()
            .take_while(|ended| ended.at == now)
            .for_each(|ended| ended.in_vain = true);
    }

    /// A flight made its first call. `driven` says whether a rejection caused it, and whether that is sure.
    pub(crate) fn begin(&mut self, task: Option<Id>, reason: Reason, driven: Option<bool>) -> u64 {
        self.turn();
        self.flights += 1;
        let (id, now) = (self.flights, self.now);
        let (deadline, patience_until) = (now + self.numbers.flight, now + PATIENCE);
        let next = Next::Answer;
        self.view.flight = Some(Flight { id, task, deadline, patience_until, reason, tries: 1, next });
        self.driven.extend(driven.map(|sure| (now, sure)));
        id
    }

    /// A flight brought a token. Returns whether it is another one than before.
    pub(crate) fn land(
        &mut self,
        flight: u64,
        text: &Arc<str>,
        refresh: Option<Arc<str>>,
        expires_at: Option<Instant>,
    ) -> bool {
        self.turn();
        let now = self.now;
        self.view.failure = None;
        if let Some(flight) = self.view.flight.take() {
            self.ended.push(Ended { at: now, reason: flight.reason, in_vain: false });
        }
        self.grant = Some(Grant { refresh, flight });
        if let Some(newest) = &mut self.view.newest
            && newest.is_rejected()
            && newest.text == *text
        {
            // That is no progress, whatever was accepted meanwhile.
            self.rejections = (self.rejections + 1).max(2);
            newest.paused_until = Some(now + pause_after(&self.numbers, self.rejections));
            (newest.handed_at, newest.accepted, newest.ended) = (now, false, false);
            return false;
        }
        self.generations += 1;
        let window = |left: Duration| left.mul_f64(self.numbers.early.0).min(self.numbers.early.1);
        let stale_from = expires_at.map(|at| at - window(at.saturating_duration_since(now)));
        let newest = self.view.newest.replace(Newest {
            text: text.clone(),
            generation: self.generations,
            acquired_at: now,
            handed_at: now,
            expires_at,
            stale_from,
            accepted: false,
            paused_until: None,
            ended: false,
        });
        self.retired.extend(newest.map(|newest| (newest, now)));
        true
    }

    /// A superseded flight brought a refresh token all the same. Returns whether it counts.
    pub(crate) fn save_grant(&mut self, flight: u64, refresh: Option<Arc<str>>) -> bool {
        let newer = self.grant.as_ref().is_some_and(|grant| grant.flight > flight);
        let saved = refresh.is_some() && !newer;
        if saved {
            self.grant = Some(Grant { refresh, flight });
        }
        saved
    }

    /// A flight failed for good.
    pub(crate) fn fail(
        &mut self,
        flight: &Flight,
        kind: AuthErrorKind,
        retry_after: Option<Duration>,
        throttled: bool,
    ) {
        let (now, numbers) = (self.now, &self.numbers);
        let in_a_row = self.view.failure.as_ref().map_or(1, |last| last.in_a_row + 1);
        let early = flight.reason == Reason::Expiring;
        let (no_flight_before, over_at) = match (kind, retry_after) {
            (AuthErrorKind::CredentialsRejected, _) => {
                let over_at = now + numbers.fail_fast.nth(in_a_row).max(Duration::from_secs(1));
                (over_at, over_at)
            }
            (_, Some(wish)) => {
                let obeyed = wish.min(numbers.retry_after_cap);
                (now + obeyed, now + obeyed + spread(obeyed))
            }
            _ if early || throttled => (now, now + numbers.back_off.nth(in_a_row)),
            _ if in_a_row == 1 => (now, now),
            _ => (now, now + numbers.back_off.nth(in_a_row - 1)),
        };
        self.ended.push(Ended { at: now, reason: flight.reason, in_vain: false });
        self.view.failure = Some(Failure { kind, in_a_row, at: now, no_flight_before, over_at });
    }

    /// What is to follow in the flight under way has changed.
    pub(crate) fn proceed(&mut self, tries: u32, next: Next) {
        self.turn();
        if let Some(flight) = &mut self.view.flight {
            (flight.tries, flight.next) = (tries, next);
        }
    }

    /// The flight under way failed for good.
    pub(crate) fn fail_flight(
        &mut self,
        kind: AuthErrorKind,
        retry_after: Option<Duration>,
        throttled: bool,
    ) {
        self.turn();
        if let Some(flight) = self.view.flight.take() {
            self.fail(&flight, kind, retry_after, throttled);
        }
    }

    /// Somebody invalidates the cache, or logs out. `acquiring` is what the cache itself says.
    pub(crate) fn forget(&mut self, acquiring: bool, logout: bool) {
        self.turn();
        if acquiring {
            self.superseded.push(self.now);
            // A flight that was superseded before it made a call makes none.
            if let Some(flight) = &self.view.flight {
                self.superseded_tasks.push((flight.task, self.now));
            }
        }
        // If its time is up as well, some may have been told so, and what was superseded was the next one.
        self.settle();
        self.turn();
        self.undo();
        let view = mem::take(&mut self.view);
        self.retired.extend(view.newest.map(|newest| (newest, self.now)));
        self.rejections = 0;
        if logout {
            self.grant = None;
        }
    }

    /// Why a flight might begin where the cache is like this.
    pub(crate) fn cause(&self, view: &View) -> Cause {
        let now = self.now;
        match &view.newest {
            None => Cause::Want,
            Some(_) if self.kind == Kind::StaticKey => Cause::Nothing,
            Some(newest) if newest.ended => Cause::Want,
            Some(newest) => match newest.paused_until {
                Some(until) if until > now => Cause::Pause,
                Some(_) => Cause::Rejection,
                None if newest.is_expired(now) || newest.may_be_stale(now) => Cause::Want,
                None if self.is_wished_away(newest) => Cause::Want,
                None => Cause::Nothing,
            },
        }
    }

    /// Whether rejections may cause another acquisition now. What is not sure to have been taken from the bucket
    /// counts or not, as `counting_unsure` says.
    pub(crate) fn budget_allows(&self, counting_unsure: bool) -> bool {
        let Some((burst, refill)) = self.numbers.budget else { return true };
        let taken = self.driven.iter().filter(|(_, sure)| *sure || counting_unsure);
        let taken: Vec<Instant> = taken.map(|(at, _)| *at).collect();
        // However long one looks back, there were no more than a burst and what came back meanwhile.
        let within = |(index, at): (usize, &Instant)| {
            let refilled = (self.now - *at).as_nanos() / refill.as_nanos();
            (taken.len() - index + 1) as u128 <= u128::from(burst) + refilled
        };
        taken.iter().enumerate().all(within)
    }

    /// Whether rejections may for now cause no acquisition, as far as can be told.
    pub(crate) fn may_be_paused(&self, view: &View) -> bool {
        let until =
            view.newest.as_ref().filter(|newest| !newest.ended).and_then(|newest| newest.paused_until);
        until.is_some_and(|until| until > self.now || !self.budget_allows(true))
    }

    /// Whether somebody who waits, or waited at this instant, wants a token that lives longer than this one.
    fn is_wished_away(&self, newest: &Newest) -> bool {
        self.wishes.iter().any(|(_, min_ttl, _)| !newest.surely_lives_for(*min_ttl, self.now))
    }

    /// How many flights were superseded since `since`.
    pub(crate) fn superseded_since(&self, since: Instant) -> u32 {
        self.superseded.iter().rev().take_while(|at| **at >= since).count() as u32
    }
}

/// How much later than it was told to somebody may come back.
pub(crate) fn spread(obeyed: Duration) -> Duration {
    (obeyed / 10).clamp(Duration::from_millis(100), Duration::from_secs(10))
}

/// None after the first rejection in a row.
fn pause_after(numbers: &Numbers, rejections: u32) -> Duration {
    if rejections <= 1 { Duration::ZERO } else { numbers.pause.nth(rejections - 1) }
}
