//! Caches that share a store, each of them in the place of a process.

mod failures;
mod grants;
mod logins;
mod secrets;
mod sharing;

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

use crate::{
    error::{AcquireError, AuthError, StoreError, StoreErrorKind},
    store::{Claim, Claimed, Moment, Record, Release, Save, Saved, Seen, SharedSlot, Slot, Store},
    token::{AccessToken, Acquire, Credential, Description, Grants, Lease, TokenCache},
};

const SECOND: Duration = Duration::from_secs(1);

/// A store in memory, with the clock of the test.
#[derive(Clone)]
struct Shelves(Arc<Inside>);

struct Inside {
    records: Mutex<HashMap<Slot, Record>>,
    began: Instant,
    calls: AtomicUsize,
    mood: Mutex<Mood>,
}

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Down,
    Hangs,
    /// It does what it is asked, and says nothing.
    Mute,
}

impl Shelves {
    fn new() -> Self {
        Self(Arc::new(Inside {
            records: Mutex::default(),
            began: Instant::now(),
            calls: AtomicUsize::new(0),
            mood: Mutex::new(Mood::Well),
        }))
    }

    fn slot(&self) -> SharedSlot {
        SharedSlot::plain(self.clone(), "test").expect("a name").subject("somebody")
    }

    fn set(&self, mood: Mood) {
        *self.0.mood.lock().expect("no panic") = mood;
    }

    fn calls(&self) -> usize {
        self.0.calls.load(SeqCst)
    }

    /// The only record there is.
    fn record(&self) -> Record {
        let records = self.0.records.lock().expect("no panic");
        assert!(records.len() <= 1, "one slot");
        records.values().next().cloned().unwrap_or_default()
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        let mut records = self.0.records.lock().expect("no panic");
        change(records.values_mut().next().expect("a record"));
    }

    fn flush(&self) {
        self.0.records.lock().expect("no panic").clear();
    }

    async fn step<T>(
        &self,
        slot: &Slot,
        step: impl FnOnce(&mut Record, Moment) -> T + Send,
    ) -> Result<T, StoreError> {
        self.0.calls.fetch_add(1, SeqCst);
        sleep(Duration::from_millis(2)).await;
        let mood = *self.0.mood.lock().expect("no panic");
        match mood {
            Mood::Down => return Err(StoreError::new(StoreErrorKind::Unavailable, "down")),
            Mood::Hangs => pending().await,
            Mood::Well | Mood::Mute => {}
        }
        let result = {
            let now = Moment::from_millis(1_700_000_000_000).after(self.0.began.elapsed());
            let mut records = self.0.records.lock().expect("no panic");
            step(records.entry(slot.clone()).or_default(), now)
        };
        if mood == Mood::Mute {
            pending().await
        }
        Ok(result)
    }
}

impl Store for Shelves {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.step(slot, |record, now| record.look(now)).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        self.step(slot, |record, now| record.claim(now, &claim)).await
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        self.step(slot, |record, now| record.save(now, &save)).await
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.step(slot, |record, now| record.release(now, &release)).await
    }
}

/// A token endpoint, which all processes ask. Each refresh token is good once, and its reuse is noticed.
#[derive(Clone)]
struct Server(Arc<Books>);

struct Books {
    calls: AtomicUsize,
    /// Refresh tokens that came a second time.
    reused: AtomicUsize,
    spent: Mutex<Vec<String>>,
    script: Mutex<Vec<Act>>,
    revoked: Mutex<Vec<String>>,
    lifetime: Option<Duration>,
    grants: Grants,
}

/// What it does next, if not to answer after a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Answer,
    /// Answers after six seconds.
    Slow,
    Fail,
    Refuse,
    WrongKey,
    Throttle,
    /// Has no secret to ask with, and so asks nobody.
    Mislay,
    /// Hands out the first token again.
    Again,
    /// Spends the refresh token, and never answers.
    Hang,
    /// Spends the refresh token, and its answer is lost.
    Lose,
}

impl Server {
    fn new(grants: Grants, lifetime: Option<Duration>) -> Self {
        Self(Arc::new(Books {
            calls: AtomicUsize::new(0),
            reused: AtomicUsize::new(0),
            spent: Mutex::default(),
            script: Mutex::default(),
            revoked: Mutex::default(),
            lifetime,
            grants,
        }))
    }

    fn next(&self, acts: impl IntoIterator<Item = Act>) {
        let mut script = self.0.script.lock().expect("no panic");
        *script = acts.into_iter().collect();
        script.reverse();
    }

    fn calls(&self) -> usize {
        self.0.calls.load(SeqCst)
    }

    fn reused(&self) -> usize {
        self.0.reused.load(SeqCst)
    }

    /// Another process with this server's credential.
    fn process(&self, store: &Shelves) -> TokenCache {
        let cache = TokenCache::new(self.clone());
        cache.share(store.slot()).expect("shared");
        cache
    }
}

impl Credential for Server {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let books = &self.0;
        let call = books.calls.fetch_add(1, SeqCst) + 1;
        let act = books.script.lock().expect("no panic").pop().unwrap_or(Act::Answer);
        let refreshes = request.may_refresh() || books.grants == Grants::SingleUse;
        let refresh_token = request.previous().and_then(AccessToken::refresh_token).filter(|_| refreshes);
        if act == Act::Throttle {
            return Err(AcquireError::transient("busy").with_retry_after(20 * SECOND));
        }
        if act == Act::Mislay {
            return Err(AcquireError::no_secret("the secret can't be read"));
        }
        let sent = match refresh_token {
            Some(token) => Some(token.expose_secret().to_owned()),
            None => (books.grants == Grants::SingleUse).then(|| "first".to_owned()),
        };
        if let Some(sent) = sent.filter(|_| act != Act::Fail) {
            let mut spent = books.spent.lock().expect("no panic");
            if spent.contains(&sent) {
                books.reused.fetch_add(1, SeqCst);
            }
            spent.push(sent);
        }
        sleep(if act == Act::Slow { 6 * SECOND } else { SECOND }).await;
        match act {
            Act::Answer | Act::Slow | Act::Throttle | Act::Mislay | Act::Again => {
                let number = if act == Act::Again { 1 } else { call };
                let token = AccessToken::new(format!("token-{number}"))?;
                let token = token.with_refresh_token(format!("grant-{call}"));
                Ok(match books.lifetime {
                    Some(lifetime) => token.with_lifetime(lifetime),
                    None => token,
                })
            }
            Act::Fail | Act::Lose => Err(AcquireError::transient("down")),
            Act::Refuse => Err(AcquireError::grant_rejected("spent")),
            Act::WrongKey => Err(AcquireError::rejected("wrong key")),
            Act::Hang => pending().await,
        }
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        self.0.revoked.lock().expect("no panic").push(token.expose_secret().to_owned());
        Ok(())
    }

    fn describe(&self) -> Description {
        Description::new("server").grants(self.0.grants)
    }
}

async fn get(tokens: &TokenCache) -> Result<Lease, AuthError> {
    tokens.get(Duration::ZERO).await
}

async fn text(tokens: &TokenCache) -> String {
    get(tokens).await.expect("a token").token().expose_secret().to_owned()
}
