//! What was acquired, rejected and handed out, and what must hold between these. It is no part of the model: writing
//! into it is no step, so it doesn't order what the cache leaves unordered.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::Lease;

#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    /// Acquisitions that have begun. A token's text is the number of the one that brought it.
    calls: u64,
    /// Those under way, with the retirements that were over when they began.
    running: BTreeMap<u64, u64>,
    retirements_begun: u64,
    retirements_over: u64,
    revocations: u64,
    /// Secrets that were refused, with the retirements that were over when they were shown.
    refused: BTreeMap<u64, u64>,
    /// The clock may have gone past the time for which a renewal that kills is waited for.
    outwaited: bool,
    /// Which acquisition brought the newest refresh token.
    refresh_token: Option<u64>,
    /// Refresh tokens that are good once, and were sent.
    spent: BTreeSet<String>,
    /// Which acquisition brought a generation.
    generations: BTreeMap<u64, u64>,
    known: Known,
    /// What was wrong with an acquisition. The cache catches a credential's panics, so it is said later.
    broken: Option<String>,
}

/// What every operation that begins now has to respect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Generations whose rejection has been taken down.
    rejected: BTreeSet<u64>,
    /// The newest generation that was handed out.
    newest: u64,
    /// Tokens up to this acquisition's have been forgotten.
    forgotten: u64,
    /// Tokens up to this acquisition's are being killed by a renewal.
    dying: u64,
}

/// An acquisition, until it is dropped.
#[derive(Debug)]
pub(crate) struct Call {
    ledger: Ledger,
    pub(crate) number: u64,
    retirements_over: u64,
    /// It has sent a refresh token that is good once, and what comes back is all there is.
    must_end: bool,
}

/// A retirement of whatever is under way, until it is over.
#[derive(Debug)]
pub(crate) struct Retirement {
    ledger: Ledger,
    calls: u64,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many acquisitions have begun.
    pub(crate) fn calls(&self) -> u64 {
        self.sound().calls
    }

    fn sound(&self) -> MutexGuard<'_, Book> {
        let book = self.book();
        if let Some(broken) = &book.broken {
            panic!("{broken}");
        }
        book
    }

    pub(crate) fn revocations(&self) -> u64 {
        self.book().revocations
    }

    /// What is known before an operation begins.
    pub(crate) fn known(&self) -> Known {
        self.sound().known.clone()
    }

    /// An acquisition begins, which `kills` the token with this text.
    pub(crate) fn begin_call(&self, kills: Option<&str>) -> Call {
        let mut book = self.book();
        let standing = book.running.iter().find(|(_, over)| **over >= book.retirements_begun);
        if let Some((call, _)) = standing {
            let (call, another) = (*call, book.calls + 1);
            book.broken = Some(format!("call {another} begins, and nothing has superseded call {call}"));
        }
        book.calls += 1;
        let (number, retirements_over) = (book.calls, book.retirements_over);
        book.running.insert(number, retirements_over);
        if let Some(killed) = kills.map(number_of) {
            book.known.dying = book.known.dying.max(killed);
        }
        drop(book);
        Call { ledger: self.clone(), number, retirements_over, must_end: false }
    }

    /// `secret` is shown to the server: not once more after it was refused, unless somebody has asked for that.
    pub(crate) fn show(&self, secret: u64) {
        let mut book = self.book();
        if book.refused.get(&secret).is_some_and(|over| *over >= book.retirements_begun) {
            book.broken = Some(format!("secret {secret} was refused already"));
        }
    }

    /// A refresh token is shown to the server, where nothing supersedes a flight: it has to be the newest, since each
    /// kills the one before it.
    pub(crate) fn show_refresh_token(&self, text: Option<&str>) {
        let mut book = self.book();
        let (shown, newest) = (text.map(number_of), book.refresh_token);
        if shown != newest {
            book.broken = Some(format!("refresh token {shown:?} is shown, and the newest is {newest:?}"));
        }
    }

    /// Whether an acquisition is under way.
    pub(crate) fn is_busy(&self) -> bool {
        !self.book().running.is_empty()
    }

    /// The clock is about to go past the time for which a renewal that kills is waited for.
    pub(crate) fn outwait(&self) {
        self.book().outwaited = true;
    }

    pub(crate) fn count_revocation(&self) {
        self.book().revocations += 1;
    }

    /// Something that supersedes a flight begins.
    pub(crate) fn begin_retirement(&self) -> Retirement {
        let mut book = self.book();
        book.retirements_begun += 1;
        let calls = book.calls;
        drop(book);
        Retirement { ledger: self.clone(), calls }
    }

    /// The rejection of `generation` has returned.
    pub(crate) fn rejected(&self, generation: u64) {
        self.book().known.rejected.insert(generation);
    }

    /// An operation that began with `known` got `lease`.
    pub(crate) fn got(&self, known: &Known, lease: &Lease) {
        let generation = lease.generation();
        if !lease.is_rejected() {
            assert!(!known.rejected.contains(&generation), "{generation} was rejected before this began");
        }
        self.used(known, generation, lease.token().expose_secret());
    }

    /// An operation got `lease`, whichever of several caches it asked.
    pub(crate) fn got_anywhere(&self, lease: &Lease) {
        let call = number_of(lease.token().expose_secret());
        let calls = self.sound().calls;
        assert!(call <= calls, "{call}'s token, and there were {calls} calls");
    }

    /// An operation that began with `known` got to use `text`.
    pub(crate) fn used(&self, known: &Known, generation: u64, text: &str) {
        let call = number_of(text);
        assert!(
            generation >= known.newest,
            "{generation} is older than what was handed out before this began"
        );
        assert!(call > known.forgotten, "{call}'s token was forgotten before this began");
        let mut book = self.sound();
        assert!(
            call > known.dying || book.outwaited,
            "{call}'s token began to be renewed, which kills it, before this began"
        );
        let first = *book.generations.entry(generation).or_insert(call);
        assert_eq!(first, call, "generation {generation} is two tokens");
        let calls: Vec<u64> = book.generations.values().copied().collect();
        assert!(
            calls.is_sorted_by(|a, b| a < b),
            "generations are not in the order of their acquisitions: {calls:?}"
        );
        book.known.newest = book.known.newest.max(generation);
    }

    /// As [`used`](Self::used), where only tokens that nobody has rejected may be.
    pub(crate) fn used_as_good(&self, known: &Known, generation: u64, text: &str) {
        assert!(!known.rejected.contains(&generation), "{generation} was rejected before this began");
        self.used(known, generation, text);
    }
}

impl Call {
    /// A refresh token is sent that is good once.
    pub(crate) fn spend(&mut self, text: &str) {
        self.must_end = true;
        let mut book = self.ledger.book();
        if !book.spent.insert(text.to_owned()) {
            book.broken = Some(format!("refresh token {text} is sent a second time"));
        }
    }

    /// The answer has come to who asked.
    pub(crate) fn is_answered(&mut self) {
        self.must_end = false;
    }

    /// The server sends a refresh token.
    pub(crate) fn bring_refresh_token(&self) -> String {
        self.ledger.book().refresh_token = Some(self.number);
        self.number.to_string()
    }

    /// The server refuses `secret`.
    pub(crate) fn refuse(&self, secret: u64) {
        self.ledger.book().refused.insert(secret, self.retirements_over);
    }
}

impl Retirement {
    /// It has returned. If the token is `forgotten` with it, no token acquired before may be used any more.
    pub(crate) fn over(self, forgotten: Forgotten) {
        let mut book = self.ledger.book();
        book.retirements_over += 1;
        if forgotten == Forgotten::Token {
            book.known.forgotten = book.known.forgotten.max(self.calls);
        }
    }
}

/// The acquisition that brought the token with this text.
fn number_of(text: &str) -> u64 {
    text.parse().expect("the text of a token is a number")
}

/// What a retirement does besides superseding the flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgotten {
    Nothing,
    Token,
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut book = self.ledger.book();
        book.running.remove(&self.number);
        if self.must_end {
            book.broken = Some(format!("call {} is dropped, and its refresh token is spent", self.number));
        }
    }
}
