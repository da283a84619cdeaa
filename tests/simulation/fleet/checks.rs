//! What must hold, whatever happens to a fleet. The numbers are those of the invariants in CONTRIBUTING.md.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::{
    authority::{Access, LogOut, SECRET, Spent},
    event::Event,
    plan::Kind,
    world::{Inner, Op},
};

const SECOND: Duration = Duration::from_secs(1);

/// What a message may take that was sent before something else was.
const MARGIN: Duration = Duration::from_secs(2);

impl Inner {
    /// 19, 24: there is one call at a time, and none where the store has something better. 26, 29: none with what a program
    /// has revoked.
    pub(crate) fn check_call(&mut self, process: usize, refresh: Option<&str>) {
        let there = &self.processes[process];
        let (account, version, now) = (there.account, there.version, Instant::now());
        let other = self.calls.iter().rposition(|call| {
            let other = &self.processes[call.process];
            call.alive
                && (other.account, other.version) == (account, version)
                && self.is_up(call.process)
                && self.was_at_peace(call.process, call.began_at)
                && !self.was_lost_since(call.began_at - MARGIN)
                && !self.clock_was_set_since(call.began_at - MARGIN)
                && !self.was_saved_since(account, call.began_at)
        });
        if let Some(other) = other.filter(|_| self.is_at_peace(process)) {
            self.violated(format_args!("one call for all: call {other} is still under way"));
        }
        if let Some(newest) = self.offered(process).filter(|_| self.is_at_peace(process)) {
            let text = self.authority.access[newest].text.clone();
            self.violated(format_args!("one call for all: the store has {text}"));
        }
        let family = refresh.and_then(|refresh| self.authority.family_of(refresh));
        if let Some(LogOut { at, .. }) = family.and_then(|family| family.log_out.clone()) {
            let is_excused =
                at + MARGIN > now || !self.is_at_peace(process) || self.was_lost_since(at - MARGIN);
            self.check(is_excused, "forgetting: what was revoked is sent to be renewed");
        }
    }

    /// A token in the store that this process should use, and not ask for another.
    fn offered(&self, process: usize) -> Option<usize> {
        let there = &self.processes[process];
        let newest = self.authority.newest(there.account, there.mark)?;
        let access = &self.authority.access[newest];
        let saved = access.saved.as_ref()?;
        let now = Instant::now();
        let stale_at = self.calls[access.call].asked_at + self.plan.lifetime - self.plan.window();
        let is_good = !access.revoked && !access.rejected && now + MARGIN < stale_at;
        let clock_was_set = self.clock_was_set_since(access.minted_at - MARGIN);
        // Whoever knows what a store had before it lost that, and its clock was set back, takes nothing whose revision is
        // no newer.
        let is_older = self.authority.access.iter().any(|before| {
            before.account == there.account
                && before.minted_at < access.minted_at
                && before.saved.as_ref().is_some_and(|before| before.revision >= saved.revision)
        });
        let is_unwanted = there.invalidated_at.is_some_and(|at| at + MARGIN >= saved.at);
        (is_good
            && saved.at + MARGIN < now
            && self.store.has(&saved.slot, saved.revision)
            && self.of_version(access, there.version)
            && !clock_was_set
            && !is_older
            && !is_unwanted)
            .then_some(newest)
    }

    fn of_version(&self, access: &Access, version: u32) -> bool {
        self.processes[self.calls[access.call].process].version == version
    }

    fn was_lost_since(&self, at: Instant) -> bool {
        self.store.lost_at.is_some_and(|lost_at| lost_at >= at)
    }

    /// Whether somebody has saved a token meanwhile, in spite of all claims: alone, or late.
    fn was_saved_since(&self, account: usize, at: Instant) -> bool {
        let saved = |access: &Access| access.saved.as_ref().is_some_and(|saved| saved.at >= at);
        self.authority.access.iter().any(|access| access.account == account && saved(access))
    }

    fn clock_was_set_since(&self, at: Instant) -> bool {
        self.store.clock_set_at.is_some_and(|set_at| set_at >= at)
    }

    /// 21: a refresh token is sent again only where there is no other grant, after a kill, a stop, or a loss between its
    /// sending and its saving; then not before the access token has expired, nor soon.
    pub(crate) fn check_reuse(&mut self, call: usize, refresh: &str, spent: Spent) {
        let (first, second) = (&self.calls[spent.call], &self.calls[call]);
        let (old, new) = (&self.processes[first.process], &self.processes[second.process]);
        let now = Instant::now();
        let was_lost = self.was_lost_since(first.began_at - MARGIN);
        let stood = |at: Option<Instant>| at.is_some_and(|at| at + MARGIN >= first.began_at);
        let stood_meanwhile = stood(new.stands_until);
        if self.plan.kind == Kind::RefreshOrLogin {
            // Whatever the store has lost.
            let what = format_args!("a grant of unknown fate: {refresh} was sent before");
            self.check(stood_meanwhile, what);
            return;
        }
        let had_trouble = !self.was_at_peace(first.process, first.began_at);
        let is_excused = was_lost
            || stood_meanwhile
            || stood(old.stands_until)
            || !old.alive
            || had_trouble
            || !first.heard
            // The doubt of 15 s is over when the clock says so, also before what has come of it is saved.
            || self.clock_was_set_since(first.began_at - MARGIN);
        // Who stands still between its note and the wire sends when others have taken over, and nothing tells them.
        let was_late = stood(old.stands_until.filter(|at| *at <= first.began_at + MARGIN));
        let is_early = spent.at + 15 * SECOND > now + MARGIN;
        let with = spent.with.map(|with| &self.authority.access[with]);
        let is_valid = with.is_some_and(|access| {
            !access.revoked
                && !access.rejected
                && access.mark == new.mark
                && access.dies_at > now + 2 * MARGIN
        });
        let clock_was_set = self.store.clock_set_at.is_some_and(|at| at + self.plan.lifetime >= spent.at);
        let knew = !was_lost && !stood_meanwhile && !clock_was_set && new.invalidated_at.is_none();
        self.say(format_args!("{refresh} was sent before, by call {}", spent.call));
        if !is_excused {
            return self
                .violated(format_args!("a grant of unknown fate: {refresh} was sent before, for no reason"));
        }
        self.check(
            !(knew && is_early && !was_late),
            format_args!("a grant of unknown fate: {refresh} is sent again too soon"),
        );
        self.check(
            !(knew && is_valid),
            format_args!("a grant of unknown fate: {refresh} is sent with a valid token"),
        );
        self.saw(Event::SentAgain);
        self.reused += 1;
    }

    /// A request leaves the layer. 20: at once, if there was a token. 22: with what others could have by now. 26: with what
    /// is this process's. 29: with nothing that was revoked.
    pub(crate) fn request_is_sent(&mut self, op: usize, text: &str) {
        let now = Instant::now();
        self.ops[op].sends += 1;
        let Op { process, began_at, had_token, sends } = self.ops[op];
        let stood = self.processes[process].stands_until.is_some_and(|until| until >= began_at);
        if sends == 1 && had_token && !stood {
            self.check(began_at == now, "memory first: a request waits, and there is a valid token");
        }
        let Some(access) = self.authority.find(text) else {
            return self.violated(format_args!("somebody else's token: {text:?} is nobody's"));
        };
        let (there, access) = (&self.processes[process], self.authority.access[access].clone());
        let is_own = (access.account, access.mark) == (there.account, there.mark);
        let minter = self.calls[access.call].process;
        let is_known = access.saved.is_some() || access.overtaken || self.plan.kind == Kind::LoginOnly;
        let log_out = access.family.and_then(|family| self.authority.families[family].log_out.clone());
        let is_first = self.processes[process].sends == 0;
        self.processes[process].sends += 1;
        if minter != process {
            self.saw(Event::Adopted);
            if is_first && self.ops[op].began_at > self.processes[process].started_at {
                self.saw(Event::StartedWithWhatIsStored);
            }
        }
        if self.plan.store_down.covers(self.elapsed()) && had_token && !self.healthy {
            self.saw(Event::UsedWithoutTheStore);
        }
        self.check(is_own, format_args!("somebody else's token: process {process} sends {text}"));
        let is_excused =
            !self.was_at_peace(process, access.minted_at) || self.was_lost_since(access.minted_at);
        self.check(is_known || is_excused, format_args!("saved before used: {text} isn't in the store"));
        if let Some(LogOut { at, holders }) = log_out {
            let is_excused = holders.contains(&process)
                || at + MARGIN > now
                || self.was_lost_since(at - MARGIN)
                || !self.is_at_peace(process);
            self.check(
                is_excused,
                format_args!("forgetting: {text} was revoked, and process {process} has it"),
            );
        }
    }

    /// What the server says of a token: why it is bad, if it is.
    pub(crate) fn api_answers(&mut self, text: &str) -> Option<&'static str> {
        let now = Instant::now();
        let rejects = self.plan.rejects_everything.covers(self.elapsed()) && !self.healthy;
        if rejects {
            self.saw(Event::RejectedEverything);
        }
        let access = self.authority.find(text)?;
        let access = &mut self.authority.access[access];
        let has_expired = access.dies_at <= now;
        let is_bad = rejects || has_expired || access.revoked;
        access.rejected |= is_bad;
        let says_expired = has_expired || self.plan.says_expired;
        is_bad.then_some(if says_expired { "expired" } else { "dead" })
    }

    /// `process` has heard that the server refuses a token.
    pub(crate) fn is_refused(&mut self, process: usize, text: &str) {
        self.say(format_args!("process {process} is refused {text}"));
        if let Some(access) = self.authority.find(text) {
            self.processes[process].refused.insert(access);
        }
        let everybody = self.processes.iter().filter(|process| process.alive);
        let newest = self.authority.find(text);
        if newest.is_some_and(|newest| everybody.clone().all(|process| process.refused.contains(&newest))) {
            self.saw(Event::DeadForAll);
        }
    }

    pub(crate) fn server_revokes(&mut self) {
        let account = self.rng.usize(..self.plan.accounts);
        let mark = self.rng.usize(..self.plan.marks);
        if let Some(newest) = self.authority.newest(account, mark) {
            let access = &mut self.authority.access[newest];
            access.revoked = true;
            let text = access.text.clone();
            self.say(format_args!("the server revokes {text}"));
            self.saw(Event::TokenRevoked);
        }
    }

    /// `process` has revoked the token with this text, and was told that it is done.
    pub(crate) fn is_logged_out(&mut self, process: usize, text: &str) {
        let Some(access) = self.authority.find(text) else { return };
        let Some(family) = self.authority.access[access].family else { return };
        if self.authority.families[family].dead_since.is_none() {
            // Something newer was in the store, and was revoked in place of it.
            return;
        }
        let holders = (0..self.processes.len()).filter(|other| *other != process).collect();
        self.say(format_args!("process {process} has revoked {text}"));
        self.authority.families[family].log_out = Some(LogOut { at: Instant::now(), holders });
    }

    /// 28: a token never seems to live longer than it does.
    pub(crate) fn check_lifetime(&mut self, process: usize, text: &str, left: Option<Duration>) {
        let (Some(access), Some(left)) = (self.authority.find(text), left) else { return };
        let access = &self.authority.access[access];
        let minter = self.calls[access.call].process;
        let clock_was_set = self.clock_was_set_since(access.minted_at - MARGIN);
        if clock_was_set || access.by_wall || minter == process {
            return;
        }
        let is_right = Instant::now() + left <= access.dies_at;
        let (text, dies_at) = (access.text.clone(), access.dies_at);
        let over = (Instant::now() + left).saturating_duration_since(dies_at);
        self.check(is_right, format_args!("clocks: {text} seems to live for {over:?} longer than it does"));
    }

    pub(crate) fn check_secret(&mut self, text: &str) {
        self.check(!text.contains(SECRET), format_args!("secret: {text}"));
    }

    /// 21: that is asked for only where a family is dead, or the store has lost what was brought.
    fn is_told_to_log_in(&mut self, process: usize) {
        let there = &self.processes[process];
        let account = &mut self.authority.accounts[there.account];
        if account.version != there.version {
            return;
        }
        account.told_at.get_or_insert_with(Instant::now);
        let initial = account.initial.clone();
        let is_dead = self.authority.family_of(&initial).is_some_and(|family| family.dead_since.is_some());
        let is_right = is_dead || self.store.lost_at.is_some();
        self.check(is_right, "a grant of unknown fate: somebody has to log in, and the family is alive");
    }

    pub(crate) fn op_ends(&mut self, op: usize, result: Result<StatusCode, String>) {
        let Op { process, had_token, sends, began_at, .. } = self.ops[op];
        let stood = self.processes[process].stands_until.is_some_and(|until| until >= began_at);
        match result {
            Ok(status) => {
                let is_good = !self.calm || status == StatusCode::OK;
                self.check(
                    is_good,
                    format_args!("recovery: process {process} gets {status}, and all is well"),
                );
            }
            Err(told) => {
                self.say(format_args!("process {process}: {told:.600}"));
                self.check_secret(&told);
                if told.contains("log in again") {
                    self.is_told_to_log_in(process);
                }
                let is_excused = !had_token || sends > 0 || stood;
                self.check(is_excused, "memory first: a request fails, and there was a valid token");
                // Where servers revoke tokens as soon as they are there, everybody waits for a while.
                let is_paused = told.contains("acquiring is paused");
                let is_excused = !self.calm && (!self.plan.quiet || is_paused);
                self.check(is_excused, format_args!("recovery: process {process} fails, and all is well"));
            }
        }
    }
}
