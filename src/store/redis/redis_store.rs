//! [`RedisStore`]: the connection, and the steps as calls of scripts.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::cmd;
use tokio::time::Instant;

use super::{
    address::Address,
    advice,
    line::{LIMIT, Line},
    logs,
    reply::Reply,
    script::{self, Step},
    sentinels::Sentinels,
};
use crate::{
    error::{ConfigError, StoreError},
    store::{
        Claim, Claimed, Fate, Keys, Rejection, Release, Save, Saved, SealedStore, Seen, Slot, Standing,
        Store, claim::Waits, steps::KEPT,
    },
};

/// How long it is believed how many replicas there are.
const MINUTE: Duration = Duration::from_secs(60);

/// The longest that a replica is waited for.
const REPLICA: Duration = Duration::from_millis(100);

/// A store in Redis, or Valkey: one server, or a primary with replicas, which sentinels may look after. Version 5 or later.
///
/// Each slot is a hash under one key, and each step one script over that key, with the server's own clock. The connection is
/// one for all, and comes back by itself: a step that meets one which was closed meanwhile is sent once more. Each call ends
/// within 500 ms.
///
/// What goes to it is sealed: [`sealed`](Self::sealed). Records go by themselves, 90 days after they were last saved unless
/// the slot says otherwise.
///
/// # The server
///
/// - `maxmemory-policy noeviction`, `appendonly yes`, and with replicas `min-replicas-to-write 1`: otherwise records may get
///   lost, and with one the refresh token in it. [`connect`](Self::connect) asks, and [`advice`](Self::advice) is what it has
///   found. With replicas, saving waits for one of them, for up to 100 ms (`WAIT 1 100`), and is done then, too. So what a
///   replica has within that time outlives a failover, and what none has doesn't: that narrows the window in which a record
///   can get lost, and doesn't close it.
/// - An ACL needs no more than this, for keys with the default prefix: `~tower-reauth:* +eval +evalsha +time +hgetall +hset
///   +hdel +pexpireat +del +wait +ping`, and for the advice and for replicas `+info +config|get`. With sentinels also
///   `+role`, so that no former primary is taken for one; and their own user needs
///   `+sentinel|get-master-addr-by-name`.
/// - The primary alone is asked. A cluster is refused by the first step, as [`StoreErrorKind::Config`].
///
/// # Examples
///
/// ```no_run
/// use tower_reauth::{BoxError, SecretSource, store::{Keys, RedisStore}};
///
/// # async fn run() -> Result<(), BoxError> {
/// let store = RedisStore::connect("rediss://tokens:s3cret@redis.example.com").await?;
/// let slot = store.sealed(&Keys::new(SecretSource::env("TOKENS_KEY")))?.slot("billing")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisStore {
    line: Arc<Line>,
    /// Where it is, without user and password.
    address: String,
    prefix: String,
    advice: Vec<&'static str>,
    replicas: Arc<Mutex<Replicas>>,
}

/// How many replicas there were, and when that was asked.
#[derive(Clone, Copy, Default)]
struct Replicas {
    count: u32,
    asked_at: Option<Instant>,
}

impl RedisStore {
    /// Connects to the server at `url`: `redis://`, or with TLS `rediss://`, then `user:password@`, host, port and number of
    /// the database, such as `rediss://tokens:s3cret@redis.example.com:6380/0`. User, password, port and number may be left
    /// out. Within the URL, `%`, `@`, `:` and `/` of a password are written `%25`, `%40`, `%3A` and `%2F`. `valkey://` and
    /// `valkeys://` are the same.
    ///
    /// If the program hasn't chosen a cryptography for rustls (`CryptoProvider::install_default`), TLS chooses ring for the
    /// whole process.
    ///
    /// # Errors
    ///
    /// A [`StoreError`]: [`StoreErrorKind::Config`] for a URL that can't be used, [`StoreErrorKind::Denied`] for a wrong
    /// password, [`StoreErrorKind::Unavailable`] and [`StoreErrorKind::TimedOut`] if the server can't be reached. None
    /// shows the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::lazy(url)?.connected().await
    }

    /// The same, but connects with the first step: for programs that are to start without the server. It gets no advice.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Config`] for a URL that can't be used.
    pub fn lazy(url: &str) -> Result<Self, StoreError> {
        let address = Address::read(url)?;
        let shown = address.to_string();
        let dial = move || {
            let address = address.clone();
            async move { address.connect().await }
        };
        Ok(Self::over(Line::new(dial), shown))
    }

    /// Connects to the primary that `sentinels` know by a name, and to the next one after a failover. The name takes the place
    /// of host and port in the URL `primary`, which says how it is asked: `rediss://tokens:s3cret@NAME/0`. The sentinels'
    /// URLs are as those of [`connect`](Self::connect); their port is 26379 if none is given, and their users and TLS are
    /// theirs alone.
    ///
    /// Give all sentinels, or a name that leads to them. They are asked at once, when a connection is needed. The first server
    /// that is named, and says that it is a primary, is taken. With TLS, sentinels have to name servers by what is in their
    /// certificates: see their `resolve-hostnames` and `announce-hostnames`.
    ///
    /// # Errors
    ///
    /// As of [`connect`](Self::connect): [`StoreErrorKind::Config`] also if no sentinel knows the name,
    /// [`StoreErrorKind::Unavailable`] and [`StoreErrorKind::TimedOut`] also if none answers, or the primary that they name
    /// doesn't, and [`StoreErrorKind::ReadOnly`] if that is a replica.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use tower_reauth::{StoreError, store::RedisStore};
    ///
    /// # async fn run() -> Result<(), StoreError> {
    /// let sentinels = ["rediss://s1.example.com", "rediss://s2.example.com", "rediss://s3.example.com"];
    /// let store = RedisStore::sentinel(sentinels, "rediss://tokens:s3cret@mymaster").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sentinel<U: AsRef<str>>(
        sentinels: impl IntoIterator<Item = U>,
        primary: &str,
    ) -> Result<Self, StoreError> {
        Self::sentinel_lazy(sentinels, primary)?.connected().await
    }

    /// The same, but asks the sentinels with the first step, as [`lazy`](Self::lazy) does.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Config`] for a URL that can't be used.
    pub fn sentinel_lazy<U: AsRef<str>>(
        sentinels: impl IntoIterator<Item = U>,
        primary: &str,
    ) -> Result<Self, StoreError> {
        let sentinels = Arc::new(Sentinels::read(sentinels, primary)?);
        let shown = sentinels.to_string();
        let dial = move || {
            let sentinels = sentinels.clone();
            async move { sentinels.connect().await }
        };
        Ok(Self::over(Line::new(dial), shown))
    }

    fn over(line: Line, address: String) -> Self {
        Self {
            line: Arc::new(line),
            address,
            prefix: "tower-reauth:".to_owned(),
            advice: Vec::new(),
            replicas: Arc::default(),
        }
    }

    /// The same, when it has answered.
    async fn connected(mut self) -> Result<Self, StoreError> {
        self.line.ask(&cmd("PING"), Instant::now() + LIMIT).await.map_err(|refusal| refusal.error)?;
        // Whoever may not ask gets no advice.
        self.advice = advice::of(&self.line, Instant::now() + LIMIT).await;
        self.advice.iter().for_each(|advice| logs::advise(advice));
        Ok(self)
    }

    /// Sets what keys begin with. By default that is `tower-reauth:`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Seals what is kept.
    ///
    /// # Errors
    ///
    /// Those of [`SealedStore::new`].
    pub fn sealed(self, keys: &Keys) -> Result<SealedStore, ConfigError> {
        SealedStore::new(self, keys)
    }

    /// What the server should be set to, and wasn't when it was connected to; nothing if it may not be asked. It is logged as
    /// well, with the feature `tracing`.
    #[must_use]
    pub fn advice(&self) -> &[&'static str] {
        &self.advice
    }

    async fn step(&self, step: &Step, slot: &Slot, arguments: &[&[u8]]) -> Result<Reply, StoreError> {
        let key = format!("{}{slot}", self.prefix);
        Reply::read(step.run(&self.line, &key, arguments, Instant::now() + LIMIT).await?)
    }

    /// Waits until a replica has it too, if there are any: what would be lost is a refresh token, or that one was sent.
    async fn replicate(&self) {
        let deadline = Instant::now() + 2 * REPLICA;
        if self.replicas(deadline).await > 0 {
            // It was saved, whatever comes of this.
            let _ = self.line.ask(cmd("WAIT").arg(1).arg(REPLICA.as_millis()), deadline).await;
        }
    }

    /// How many replicas there are, or were within the last minute.
    async fn replicas(&self, deadline: Instant) -> u32 {
        let known = *self.replicas.lock().unwrap_or_else(PoisonError::into_inner);
        if known.asked_at.is_some_and(|at| at.elapsed() < MINUTE) {
            return known.count;
        }
        let count = advice::replicas(&self.line, deadline).await;
        let asked = Replicas { count, asked_at: Some(Instant::now()) };
        *self.replicas.lock().unwrap_or_else(PoisonError::into_inner) = asked;
        count
    }
}

/// The calls of the scripts.
impl RedisStore {
    pub(super) async fn ask_look(&self, slot: &Slot) -> Result<Reply, StoreError> {
        self.step(&script::LOOK, slot, &[]).await
    }

    pub(super) async fn ask_claim(&self, slot: &Slot, claim: &Claim) -> Result<Reply, StoreError> {
        let sending = claim.sending;
        let rejection = match claim.rejection {
            None => "",
            Some(Rejection::Early) => "early",
            Some(Rejection::Natural) => "natural",
        };
        let arguments = [
            claim.nonce.to_string(),
            claim.than.number().to_string(),
            claim.lasting.as_millis().to_string(),
            claim.whom.map(|whom| whom.to_string()).unwrap_or_default(),
            if claim.waits == Waits::Obeyed { "obeyed" } else { "" }.to_owned(),
            rejection.to_owned(),
            sending.map(|sending| sending.revision.number().to_string()).unwrap_or_default(),
            sending.and_then(|sending| sending.over).map(|over| over.to_string()).unwrap_or_default(),
            claim.full_at.map(|full_at| full_at.millis().to_string()).unwrap_or_default(),
        ];
        self.step(&script::CLAIM, slot, &bytes(&arguments)).await
    }

    pub(super) async fn ask_save(&self, slot: &Slot, save: &Save) -> Result<Reply, StoreError> {
        let draft = match save {
            Save::Draft(draft) => draft,
            Save::Accepted(revision) => {
                let arguments = ["accepted".to_owned(), revision.number().to_string()];
                return self.step(&script::SAVE, slot, &bytes(&arguments)).await;
            }
        };
        let standing = match draft.standing {
            Standing::Offered => "",
            Standing::Rejected => "rejected",
            Standing::Revoked => "revoked",
        };
        let (nonce, than) = (draft.nonce.to_string(), draft.than.number().to_string());
        let revision = draft.revision.number().to_string();
        let keep = draft.keep.unwrap_or(KEPT).as_millis().to_string();
        let arguments: [&[u8]; 7] = [
            b"draft",
            nonce.as_bytes(),
            than.as_bytes(),
            revision.as_bytes(),
            standing.as_bytes(),
            draft.body.as_bytes(),
            keep.as_bytes(),
        ];
        self.step(&script::SAVE, slot, &arguments).await
    }

    pub(super) async fn ask_release(&self, slot: &Slot, release: &Release) -> Result<Reply, StoreError> {
        let fate = match release.fate {
            Fate::Unspent => "unspent",
            Fate::Unknown => "unknown",
            Fate::Refused => "refused",
        };
        let (text, in_a_row) = match &release.failed {
            Some(failed) => (failed.text.clone(), failed.in_a_row),
            None => (String::new(), 0),
        };
        let arguments = [
            release.nonce.to_string(),
            fate.to_owned(),
            if release.failed.is_some() { "failed" } else { "" }.to_owned(),
            release.wait.as_millis().to_string(),
            release.whom.map(|whom| whom.to_string()).unwrap_or_default(),
            in_a_row.to_string(),
            text,
        ];
        self.step(&script::RELEASE, slot, &bytes(&arguments)).await
    }
}

impl Store for RedisStore {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        Ok(self.ask_look(slot).await?.seen)
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        let claimed = self.ask_claim(slot, &claim).await?.claimed(claim.whom)?;
        if claim.sending.is_some() && matches!(claimed, Claimed::Yours { .. }) {
            self.replicate().await;
        }
        Ok(claimed)
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        let saved = self.ask_save(slot, &save).await?.saved()?;
        if let (Save::Draft(_), Saved::Done) = (&save, &saved) {
            self.replicate().await;
        }
        Ok(saved)
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.ask_release(slot, &release).await.map(|_| ())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.address)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn bytes<const N: usize>(arguments: &[String; N]) -> [&[u8]; N] {
    arguments.each_ref().map(String::as_bytes)
}
