//! The refresh token that is in force, and how a new one is saved (RFC 6749 §6).
//!
//! A server that rotates refresh tokens has spent the old one as soon as it answers. So the new one is in memory
//! before anything else happens, and is handed to the program before the access token is used.

use std::{
    error::Error as StdError,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout};

use crate::{
    error::{AcquireError, BoxError, ConfigError},
    secret::Supply,
    token::RefreshTokens,
};

/// How long saving may take, within the attempt's own limit.
const PERSIST_LIMIT: Duration = Duration::from_secs(5);

/// What it is called in errors.
const WHAT: &str = "refresh token";

type Persisted = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// What saves a refresh token.
#[derive(Clone)]
pub(super) struct Persist(Arc<dyn Fn(SecretString) -> Persisted + Send + Sync>);

impl Persist {
    pub(super) fn by<F, Fut>(save: F) -> Self
    where
        F: Fn(SecretString) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |token| Box::pin(save(token))))
    }
}

impl fmt::Debug for Persist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[closure]")
    }
}

/// A refresh token, and what becomes of it.
pub(super) struct Rotation {
    initial: Supply,
    /// What the server sent. None as long as the initial one is in force.
    refresh_tokens: RefreshTokens,
    /// On its own, as there may be many logins that nobody saves.
    saving: Option<Box<Saving>>,
    turn: tokio::sync::Mutex<()>,
}

/// How new ones are saved.
struct Saving {
    persist: Persist,
    /// Since when the newest one should have been saved, and wasn't.
    unsaved: Mutex<Option<Unsaved>>,
}

/// A refresh token that could not be saved. It is used from memory, and saving is tried again at each acquisition.
///
/// If the program ends before that, it starts with a refresh token that is spent.
#[derive(Clone, Debug)]
pub struct Unsaved {
    since: Instant,
    error: Option<Arc<BoxError>>,
}

impl Unsaved {
    /// When the server sent the refresh token.
    #[must_use]
    pub fn since(&self) -> Instant {
        self.since
    }

    /// What the callback said the last time; `None` if it hasn't answered yet.
    #[must_use]
    pub fn error(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.as_ref().map(|error| &***error as _)
    }
}

impl Rotation {
    pub(super) fn new(initial: Supply, persist: Option<Persist>) -> Self {
        let saving = persist.map(|persist| Box::new(Saving { persist, unsaved: Mutex::default() }));
        Self { initial, refresh_tokens: RefreshTokens::new(), saving, turn: tokio::sync::Mutex::default() }
    }

    pub(super) fn initial(&self) -> &Supply {
        &self.initial
    }

    /// What saves each one, if anything does.
    pub(super) fn persist(&self) -> Option<&Persist> {
        self.saving.as_ref().map(|saving| &saving.persist)
    }

    /// A first refresh token for a request that is only looked at.
    pub(super) fn peek(&self) -> Result<SecretString, ConfigError> {
        self.initial.peek_or_open(WHAT)
    }

    /// The initial refresh token, if that is the same one at every start: neither read from where it may change, nor saved by
    /// the program.
    pub(super) fn login(&self) -> Option<SecretString> {
        self.initial.lasting().filter(|_| self.saving.is_none())
    }

    /// What it takes beside its own size, in bytes. The newest refresh token is about as long as the first.
    pub(super) fn heap_bytes(&self) -> usize {
        let saving = self.saving.as_deref().map_or(0, size_of_val);
        RefreshTokens::BYTES + saving + 2 * self.initial.heap_bytes()
    }

    /// Whether the program saves each one.
    pub(super) fn is_saved_by_program(&self) -> bool {
        self.saving.is_some()
    }

    /// Where the one in force is, for the caches.
    pub(super) fn refresh_tokens(&self) -> &RefreshTokens {
        &self.refresh_tokens
    }

    /// Waits for whoever uses the refresh token: sent twice, it would look stolen (RFC 6749 §10.4). One cache asks
    /// only once at a time, but several may share the credential.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The newest refresh token.
    pub(super) async fn current(&self) -> Result<SecretString, AcquireError> {
        match self.rotated() {
            Some(token) => Ok(token),
            None => self.read().await,
        }
    }

    /// The newest refresh token that the server sent.
    pub(super) fn rotated(&self) -> Option<SecretString> {
        self.refresh_tokens.newest()
    }

    /// The initial refresh token, if it is another one than `refused` by now: somebody has logged in again, or
    /// another process has rotated it.
    pub(super) async fn changed(&self, refused: Option<&SecretString>) -> Option<SecretString> {
        if !self.initial.may_change() {
            return None;
        }
        let token = self.read().await.ok()?;
        let same = refused.is_some_and(|refused| is_same(refused, &token));
        (!same).then_some(token)
    }

    /// Takes down what a successful request brought: a new refresh token, or else the one that was `sent` stays in
    /// force. It may have been sent in place of one that was `refused`. Saves a new one.
    pub(super) async fn rotate(
        &self,
        sent: &SecretString,
        refused: Option<&SecretString>,
        received: Option<&SecretString>,
    ) {
        if let Some(token) = received.filter(|token| !is_same(token, sent)) {
            // First, so that whoever saves finds the new one.
            self.refresh_tokens.replace(token.clone());
            self.set_unsaved(Some(Unsaved { since: Instant::now(), error: None }));
        } else if refused.is_some_and(|refused| self.refresh_tokens.is_newest(refused)) {
            self.forget();
        }
        self.save().await;
    }

    /// Saves the newest refresh token, if it isn't saved.
    pub(super) async fn save(&self) {
        let Some(saving) = &self.saving else { return };
        let unsaved = saving.lock().as_ref().and(self.refresh_tokens.newest());
        let Some(token) = unsaved else { return };
        let result = match timeout(PERSIST_LIMIT, (saving.persist.0)(token.clone())).await {
            Ok(result) => result,
            Err(elapsed) => Err(elapsed.into()),
        };
        let mut unsaved = saving.lock();
        // Another cache may have rotated it meanwhile; then there is another one to be saved.
        if self.refresh_tokens.is_newest(&token) {
            match (result, &mut *unsaved) {
                (Ok(()), unsaved) => *unsaved = None,
                (Err(error), Some(unsaved)) => unsaved.error = Some(Arc::new(error)),
                (Err(_), None) => {}
            }
        }
    }

    pub(super) fn unsaved(&self) -> Option<Unsaved> {
        self.saving.as_ref().and_then(|saving| saving.lock().clone())
    }

    /// Forgets what the server sent: it was revoked.
    pub(super) fn forget(&self) {
        self.refresh_tokens.forget();
        self.set_unsaved(None);
    }

    async fn read(&self) -> Result<SecretString, AcquireError> {
        self.initial.read(WHAT, "").await
    }

    fn set_unsaved(&self, unsaved: Option<Unsaved>) {
        if let Some(saving) = &self.saving {
            *saving.lock() = unsaved;
        }
    }
}

impl Saving {
    fn lock(&self) -> MutexGuard<'_, Option<Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation").field("initial", &self.initial).finish_non_exhaustive()
    }
}
