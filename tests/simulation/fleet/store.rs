//! The store of a fleet, and each process's door to it. What was sent to it arrives, whatever becomes of who has sent it.

use std::{collections::BTreeMap, time::Duration};

use tokio::{sync::oneshot, time::Instant};
use tower_reauth::{
    StoreError, StoreErrorKind,
    store::{
        Claim, Claimed, Moment, Nonce, Record, Release, Revision, Save, Saved, Seen, Slot, Standing, Store,
    },
};

use super::{
    authority::{SECRET, Stored},
    event::Event,
    plan::StoreFault,
    world::{Fleet, Inner, Point},
};
use crate::{
    credential::pause,
    plan::{draw, millis},
};

/// What the store's clock shows when a run begins: years away from what the machine's shows.
const BEGIN: Moment = Moment::from_millis(1_700_000_000_000);

/// The records, and the clock.
#[derive(Debug)]
pub(crate) struct Records {
    records: BTreeMap<String, Record>,
    /// What the last write has replaced.
    replaced: Option<(String, Option<Record>)>,
    clock: (Moment, Instant),
    /// All that were ever seen.
    flights: Vec<Nonce>,
    /// How many servers have taken over, one after the other, and under which of them a record was last written by a granted
    /// claim or a save.
    primary: u32,
    written_by: BTreeMap<String, u32>,
    /// When it last lost something that it had acknowledged.
    pub(crate) lost_at: Option<Instant>,
    pub(crate) clock_set_at: Option<Instant>,
}

impl Records {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            records: BTreeMap::new(),
            replaced: None,
            clock: (BEGIN, now),
            flights: Vec::new(),
            primary: 0,
            written_by: BTreeMap::new(),
            lost_at: None,
            clock_set_at: None,
        }
    }

    fn now(&self) -> Moment {
        self.clock.0.after(self.clock.1.elapsed())
    }

    /// Whether this is what a slot has.
    pub(crate) fn has(&self, slot: &str, revision: Revision) -> bool {
        self.records.get(slot).is_some_and(|record| record.revision == revision)
    }
}

impl Inner {
    pub(crate) fn flush(&mut self) {
        self.say("the store loses everything");
        self.saw(Event::Flushed);
        self.store.records.clear();
        self.store.written_by.clear();
        self.store.replaced = None;
        self.store.lost_at = Some(Instant::now());
    }

    /// The store goes on as a replica that has not got the last write. It can tell that it does.
    pub(crate) fn fail_over(&mut self) {
        let Some((slot, record)) = self.store.replaced.take() else { return };
        self.store.primary += 1;
        self.say(format_args!("the store loses its last write, which was to {slot:.16}"));
        self.saw(Event::FailedOver);
        match record {
            Some(record) => drop(self.store.records.insert(slot, record)),
            None => {
                self.store.records.remove(&slot);
                self.store.written_by.remove(&slot);
            }
        }
        self.store.lost_at = Some(Instant::now());
    }

    pub(crate) fn set_clock(&mut self) {
        let (hours, is_ahead) = (millis(&mut self.rng, 1000, 10_000_000), self.rng.bool());
        let now = self.store.now().millis();
        let shown = if is_ahead { now + hours.as_millis() as u64 } else { now - hours.as_millis() as u64 };
        self.saw(if is_ahead { Event::ClockAhead } else { Event::ClockBehind });
        self.say(format_args!("the store's clock is set by {hours:?}, ahead: {is_ahead}"));
        self.store.clock = (Moment::from_millis(shown), Instant::now());
        self.store.clock_set_at = Some(Instant::now());
    }

    fn draw_fault(&mut self, process: usize) -> Option<StoreFault> {
        if self.healthy {
            return None;
        }
        let fault = draw(&mut self.rng, &self.plan.store)?;
        self.saw(match fault {
            StoreFault::Fails => Event::StoreFailed,
            StoreFault::AnswerLost => Event::StoreAnswerLost,
            StoreFault::Hangs => Event::StoreHung,
            StoreFault::HangsAfterwards => Event::StoreHungAfterwards,
            StoreFault::Twice => Event::StoreDidItTwice,
            StoreFault::Late => Event::StoreDidItLate,
        });
        if fault != StoreFault::Twice {
            self.in_trouble(process);
        }
        Some(fault)
    }

    fn in_trouble(&mut self, process: usize) {
        let there = &mut self.processes[process];
        there.trouble_at = there.trouble_at.max(Some(Instant::now() + Duration::from_millis(500)));
    }

    /// The store does what `process` has asked of it.
    fn step<T>(
        &mut self,
        process: usize,
        slot: &Slot,
        what: What,
        step: &impl Fn(&mut Record, Moment, Option<Moment>) -> (T, Written),
    ) -> Result<T, StoreError> {
        if self.plan.store_down.covers(self.elapsed()) && !self.healthy {
            self.saw(Event::StoreWasDown);
            self.in_trouble(process);
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the store is down"));
        }
        let (now, slot) = (self.store.now(), slot.to_string());
        let before = self.store.records.get(&slot).cloned();
        let mut record = before.clone().unwrap_or_default();
        let primary = self.store.primary;
        let is_others = self.store.written_by.get(&slot).is_some_and(|written_by| *written_by != primary);
        let (answer, written) = step(&mut record, now, is_others.then_some(now));
        if written == Written::Anew {
            if is_others {
                self.saw(Event::Doubted);
            }
            self.store.written_by.insert(slot.clone(), primary);
        }
        let (old, new) = (before.as_ref().map_or(Revision::NONE, |record| record.revision), record.revision);
        let told = self.told(&record);
        self.say(format_args!("process {process}: {what:?} of {old:?}, then {told}"));
        self.check_record(&record);
        if new != old {
            self.is_saved(process, &slot, &record);
        }
        if what != What::Look {
            self.store.records.insert(slot.clone(), record);
            self.store.replaced = Some((slot, before));
        }
        Ok(answer)
    }

    /// A record in words. Flights have numbers, as what they are known by is never the same.
    fn told(&mut self, record: &Record) -> String {
        let mut number = |flight: Nonce| {
            let flights = &mut self.store.flights;
            flights.iter().position(|known| *known == flight).unwrap_or_else(|| {
                flights.push(flight);
                flights.len() - 1
            })
        };
        let claim = record.claim.as_ref().map(|held| number(held.by));
        let note = record.note.as_ref().map(|note| (note.revision, number(note.by), note.refused));
        let (revision, standing) = (record.revision, record.standing);
        format!("{revision:?} {standing:?}, claim {claim:?}, note {note:?}")
    }

    /// No secret is where everybody can read it.
    fn check_record(&mut self, record: &Record) {
        let bytes = if self.plan.sealed { record.to_bytes() } else { without_body(record).to_bytes() };
        let shows = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        self.check(!shows, "secret: a record shows a token");
    }

    /// `process` has heard that what it has brought isn't the newest.
    fn is_overtaken(&mut self, process: usize) {
        self.saw(Event::Overtaken);
        let heard = |call: usize| self.calls[call].process == process && self.calls[call].heard;
        self.authority.access.iter_mut().filter(|access| heard(access.call)).for_each(|access| {
            access.overtaken = true;
        });
    }

    /// Takes down which access token a revision is. What is left of one that was revoked is none; sealed, it has a body as well.
    fn is_saved(&mut self, process: usize, slot: &str, record: &Record) {
        if record.body.as_bytes().is_empty() || record.standing == Standing::Revoked {
            return;
        }
        let saved = if self.plan.sealed {
            let heard = |call: &usize| self.calls[*call].process == process && self.calls[*call].heard;
            self.authority.access.iter().rposition(|access| heard(&access.call))
        } else {
            let body = String::from_utf8_lossy(record.body.as_bytes()).into_owned();
            self.authority.access.iter().rposition(|access| body.contains(&*access.text))
        };
        let Some(saved) = saved else { return };
        let access = &mut self.authority.access[saved];
        access.saved = Some(Stored { slot: slot.to_owned(), revision: record.revision, at: Instant::now() });
        let call = access.call;
        if self.calls[call].process != process {
            self.saw(Event::SavedByAnother);
        }
    }
}

fn without_body(record: &Record) -> Record {
    let mut record = record.clone();
    record.body = Vec::new().into();
    record
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Look,
    Claim,
    Save,
    Release,
}

/// Whether a record is the present primary's after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Anew,
    AsItWas,
}

impl Written {
    fn anew(is_so: bool) -> Self {
        if is_so { Self::Anew } else { Self::AsItWas }
    }
}

/// A process's way to the store.
#[derive(Clone)]
pub(crate) struct Door {
    fleet: Fleet,
    process: usize,
}

impl Door {
    pub(crate) fn new(fleet: Fleet, process: usize) -> Self {
        Self { fleet, process }
    }

    async fn call<T: Send + 'static>(
        &self,
        slot: &Slot,
        what: What,
        step: impl Fn(&mut Record, Moment, Option<Moment>) -> (T, Written) + Send + 'static,
    ) -> Result<T, StoreError> {
        let Self { fleet, process } = self.clone();
        fleet.passes(process, Point::BeforeStore).await;
        let (fault, there, back, again) = fleet.with(|fleet| {
            let fault = fleet.draw_fault(process);
            let latency = fleet.store_latency();
            let there = match fault {
                Some(StoreFault::Late) => millis(&mut fleet.rng, 300, 3000),
                _ => millis(&mut fleet.rng, 0, latency),
            };
            (fault, there, millis(&mut fleet.rng, 0, latency), millis(&mut fleet.rng, 0, 100))
        });
        match fault {
            Some(StoreFault::Fails) => {
                pause(there).await;
                return Err(StoreError::new(StoreErrorKind::Unavailable, "the store fails"));
            }
            Some(StoreFault::Hangs) => std::future::pending().await,
            _ => {}
        }
        let (answer, answered) = oneshot::channel();
        let arrives = {
            let (fleet, slot) = (fleet.clone(), slot.clone());
            async move {
                pause(there).await;
                let mut result = fleet.with(|fleet| fleet.step(process, &slot, what, &step));
                if fault == Some(StoreFault::Twice) {
                    pause(again).await;
                    result = fleet.with(|fleet| fleet.step(process, &slot, what, &step));
                }
                // Whoever has asked may be gone.
                let _ = answer.send(result);
            }
        };
        if there.is_zero() && fault.is_none() {
            arrives.await
        } else {
            drop(tokio::spawn(arrives))
        }
        let result = answered.await.unwrap_or_else(|_| unreachable!("what is sent arrives"));
        match fault {
            Some(StoreFault::AnswerLost) => {
                return Err(StoreError::new(StoreErrorKind::TimedOut, "the store's answer is lost"));
            }
            Some(StoreFault::HangsAfterwards) => std::future::pending().await,
            _ => {}
        }
        pause(back).await;
        fleet.passes(process, Point::AfterStore).await;
        result
    }
}

impl Store for Door {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.call(slot, What::Look, |record, now, _| (record.look(now), Written::AsItWas)).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        let step = move |record: &mut Record, now, lost_at: Option<_>| {
            let claim = claim.clone();
            let claim = lost_at.map_or(claim.clone(), |lost_at| claim.after_a_loss(lost_at));
            let claimed = record.claim(now, &claim);
            let written = Written::anew(matches!(claimed, Claimed::Yours { .. }));
            (claimed, written)
        };
        let claimed = self.call(slot, What::Claim, step).await?;
        self.fleet.with(|fleet| match claimed {
            Claimed::Held { .. } => fleet.saw(Event::Held),
            Claimed::Wait { .. } => fleet.saw(Event::ToldToWait),
            _ => {}
        });
        Ok(claimed)
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        let step = move |record: &mut Record, now, lost_at: Option<_>| {
            let save = match save.clone() {
                Save::Draft(draft) if lost_at.is_some() => Save::Draft(draft.in_doubt()),
                save => save,
            };
            let before = record.revision;
            let saved = record.save(now, &save);
            (saved, Written::anew(record.revision != before))
        };
        let saved = self.call(slot, What::Save, step).await?;
        if matches!(saved, Saved::Newer(_)) {
            self.fleet.with(|fleet| fleet.is_overtaken(self.process));
        }
        Ok(saved)
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        let step = move |record: &mut Record, now, _| (record.release(now, &release), Written::AsItWas);
        self.call(slot, What::Release, step).await
    }
}
