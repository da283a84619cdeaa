//! What a store does in one step: [`Record::look`], [`Record::claim`], [`Record::save`], [`Record::release`].
//!
//! Pure, given the time on the store's clock. Every store does the same, those in other languages too.

use std::time::Duration;

use super::{
    claim::{Claim, Claimed, Rejection, Seen, Sending, Waits},
    moment::Moment,
    nonce::Nonce,
    record::{Failure, Held, Note, Record, Standing},
    release::{Fate, Release},
    revision::Revision,
    save::{Draft, Save, Saved},
};

/// The longest claim.
const LONGEST: Duration = Duration::from_secs(5);

/// How long nobody sends a refresh token again of which nobody knows whether it was used.
pub(crate) const DOUBT: Duration = Duration::from_secs(15);

/// How long a record is kept after it was saved, if the saver doesn't say: 90 days.
pub(super) const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// How long a record is kept after a step that saves nothing, at least half of that.
const LINGERS: Duration = Duration::from_secs(3600);

impl Record {
    /// What there is, at `now` on the store's clock.
    #[must_use]
    pub fn look(&self, now: Moment) -> Seen {
        let mut record = self.clone();
        record.settle(now);
        record.claim.take_if(|held| held.until <= now);
        Seen::new(now, record)
    }

    /// One flight's claim, at `now` on the store's clock. In that order: what was rejected is marked, what is newer is
    /// told, another's claim is respected, and so is a wait; else the claim is granted.
    pub fn claim(&mut self, now: Moment, claim: &Claim) -> Claimed {
        self.settle(now);
        self.linger(now);
        let nonce = claim.nonce;
        if let Some(rejection) = claim.rejection.filter(|_| self.revision == claim.than) {
            self.mark_rejected(rejection);
        }
        if self.revision > claim.than {
            self.claim.take_if(|held| held.by == nonce);
            return Claimed::Newer(Box::new(self.look(now)));
        }
        let is_mine = |held: &Held| held.by == nonce;
        if let Some(held) = self.claim.as_ref().filter(|held| !is_mine(held) && held.until > now) {
            return Claimed::Held { by: held.by, left: held.left(now), now };
        }
        if !self.claim.as_ref().is_some_and(is_mine)
            && claim.waits == Waits::Obeyed
            && let Some(failure) = &self.failure
        {
            let left = failure.left(claim.whom, now);
            if !left.is_zero() {
                return Claimed::Wait { failure: failure.clone(), left, now };
            }
        }
        self.claim = Some(Held::new(nonce, now.after(claim.lasting.min(LONGEST))));
        if let Some(lost_at) = claim.lost_at {
            self.doubt(claim.than, lost_at.min(now));
        }
        if let Some(sending) = claim.sending {
            self.write_note(nonce, sending, now);
        }
        if let Some(full_at) = claim.full_at {
            self.full_at = full_at;
        }
        let noted = self.note.as_ref().map_or(Revision::NONE, |note| note.revision);
        let next = claim.than.max(self.revision).max(noted).next().max(Revision::new(now.millis()));
        Claimed::Yours { seen: Box::new(self.look(now)), next }
    }

    /// Saves, at `now` on the store's clock, unless there is something newer than what the saver knew.
    pub fn save(&mut self, now: Moment, save: &Save) -> Saved {
        self.settle(now);
        match save {
            Save::Draft(draft) => self.save_draft(now, draft),
            Save::Accepted(revision) if self.revision > *revision => Saved::Newer(Box::new(self.look(now))),
            Save::Accepted(revision) => {
                if self.revision == *revision
                    && *revision > Revision::NONE
                    && self.standing == Standing::Offered
                {
                    (self.accepted, self.rejections) = (true, 0);
                }
                Saved::Done
            }
        }
    }

    /// Ends one flight's claim, at `now` on the store's clock. What others have is left alone.
    pub fn release(&mut self, now: Moment, release: &Release) {
        self.settle(now);
        self.linger(now);
        let nonce = release.nonce;
        if let Some(note) = self.note.as_mut().filter(|note| note.by == nonce) {
            match release.fate {
                // Of what was sent before by another flight nothing is known by that.
                Fate::Unspent if note.flights == 1 && !note.refused => self.note = None,
                Fate::Unspent | Fate::Unknown => {}
                Fate::Refused => note.refused = true,
            }
        }
        if self.claim.take_if(|held| held.by == nonce).is_some()
            && let Some(failed) = &release.failed
        {
            // With more than one that is wrong, each would be sent once more after each other's refusal.
            let others =
                self.failure.as_ref().is_some_and(|last| last.until > now && last.whom != release.whom);
            self.failure = Some(Failure {
                until: now.after(release.wait),
                whom: release.whom.filter(|_| !others),
                in_a_row: failed.in_a_row,
                text: failed.text.clone(),
                ..Failure::new(nonce, now)
            });
        }
    }

    /// Whether the note is this flight's, and the token isn't known to be dead: then it may send the token.
    #[must_use]
    pub fn is_noted_by(&self, nonce: Nonce, revision: Revision) -> bool {
        self.note.as_ref().is_some_and(|note| note.by == nonce && note.revision == revision && !note.refused)
    }

    /// Takes back what the clock says has been, and isn't yet: it has been set back since, or another machine's is behind.
    /// Nothing lasts longer for that than it would have.
    fn settle(&mut self, now: Moment) {
        if self.goes_at <= now {
            *self = Self::default();
        }
        self.saved_at = self.saved_at.min(now);
        if let Some(held) = &mut self.claim {
            held.until = held.until.min(now.after(LONGEST));
        }
        if let Some(note) = &mut self.note {
            note.at = note.at.min(now);
        }
        if let Some(failure) = self.failure.as_mut().filter(|failure| failure.at > now) {
            failure.until = now.after(failure.until.since(failure.at));
            failure.at = now;
        }
    }

    /// Not each time, so that a step which changes nothing else leaves the record as it is.
    fn linger(&mut self, now: Moment) {
        if self.goes_at < now.after(LINGERS / 2) {
            self.goes_at = now.after(LINGERS);
        }
    }

    /// However many say so, an early rejection counts once.
    fn mark_rejected(&mut self, rejection: Rejection) {
        if self.revision == Revision::NONE || self.standing == Standing::Revoked {
            return;
        }
        match rejection {
            Rejection::Natural => self.rejections = 0,
            Rejection::Early if self.standing == Standing::Rejected => {}
            Rejection::Early => self.rejections = self.rejections.saturating_add(1),
        }
        self.standing = Standing::Rejected;
    }

    /// Whoever has sent the newest refresh token that is known may have written a note that is lost. A note that is there
    /// may not be the last one, so nobody takes it back.
    fn doubt(&mut self, than: Revision, lost_at: Moment) {
        let newest = self.revision.max(than);
        match &mut self.note {
            Some(note) if note.revision >= newest => {
                note.flights = note.flights.saturating_add(1);
                // Before that nobody else has sent it.
                if note.at.after(DOUBT) <= lost_at {
                    note.at = lost_at;
                }
            }
            _ if newest == Revision::NONE => {}
            _ => self.note = Some(Note::new(newest, Nonce::NOBODY, lost_at)),
        }
    }

    fn write_note(&mut self, nonce: Nonce, Sending { revision, over }: Sending, now: Moment) {
        match &mut self.note {
            Some(note) if note.revision > revision => {}
            Some(note) if note.revision == revision => {
                let may_replace = note.by == nonce || Some(note.by) == over;
                if may_replace && !note.refused {
                    note.flights = note.flights.saturating_add(u32::from(note.by != nonce));
                    (note.by, note.at) = (nonce, now);
                }
            }
            _ => self.note = Some(Note::new(revision, nonce, now)),
        }
    }

    fn save_draft(&mut self, now: Moment, draft: &Draft) -> Saved {
        if self.revision == draft.revision && self.author == Some(draft.nonce) {
            return Saved::Done;
        }
        if self.revision > draft.than {
            return Saved::Newer(Box::new(self.look(now)));
        }
        (self.revision, self.author, self.saved_at) = (draft.revision, Some(draft.nonce), now);
        (self.standing, self.accepted) = (draft.standing, false);
        self.body = draft.body.clone();
        match draft.standing {
            Standing::Rejected => self.rejections = self.rejections.saturating_add(1).max(2),
            // Whoever has it forgotten begins anew, as in memory.
            Standing::Revoked => self.rejections = 0,
            Standing::Offered => {}
        }
        self.claim.take_if(|held| held.by == draft.nonce);
        self.note.take_if(|note| note.revision < draft.revision);
        if draft.in_doubt && self.note.is_none() {
            self.note = Some(Note::new(draft.revision, draft.nonce, now));
        }
        self.failure = None;
        self.goes_at = now.after(draft.keep.unwrap_or(KEPT));
        Saved::Done
    }
}
