//! [`RedisStore`]: where it is, and what it is connected to.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use redis::cmd;
use tokio::time::Instant;

use super::{
    address::{Address, LIMIT},
    advice,
    cluster::Cluster,
    line::Line,
    logs,
    reply::Reply,
    script::Step,
    sentinels::Sentinels,
    servers::Servers,
};
#[cfg(doc)]
use crate::error::StoreErrorKind;
use crate::{
    error::{ConfigError, StoreError},
    store::{Keys, SealedStore, Slot},
};

/// How long it is believed how many replicas there are.
const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(3);

/// The longest that a replica is waited for.
const REPLICA: Duration = Duration::from_millis(100);

/// A store in Redis, or Valkey: one server, a primary with replicas that sentinels look after, or a cluster. Version 5 or
/// later.
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
/// - `maxmemory-policy noeviction`, `appendonly yes`, and with two replicas or more `min-replicas-to-write 1` and
///   `min-replicas-max-lag 3`: otherwise records may get lost, and with one the refresh token in it. [`connect`](Self::connect)
///   asks, and [`advice`](Self::advice) is what it has found. With replicas, saving waits for one of them, for up to 100 ms
///   (`WAIT 1 100`), and is done then, too. So what a replica has within that time outlives a failover, and what none has
///   doesn't: that narrows the window in which a record can get lost, and doesn't close it. Before version 7, Redis doesn't hold
///   scripts to `min-replicas-to-write` ([redis#9993](https://github.com/redis/redis/issues/9993)).
/// - A server that takes over, or is started again, may lack what was acknowledged last. Each record says under which primary it
///   was written: by its `run_id`, or by the
///   [replication id](https://redis.io/docs/latest/operate/oss_and_stack/management/replication/#replication-id-explained) that a
///   replica has since it took over. Under another one, its refresh token counts as sent: another grant is taken if there is
///   one, and if not, it is sent 15 seconds later at the earliest, and not while the access token is valid. That comes up once
///   for each record after a failover or a restart, and when a cluster has moved its key.
/// - An ACL needs no more than this, for keys with the default prefix: `~tower-reauth:* +eval +evalsha +time +hgetall +hset
///   +hdel +pexpireat +del +wait +ping`, and `+info` to know of another primary and of replicas, with `+config|get` for the
///   advice. With sentinels also `+role`, so that no former primary is taken for one; and their own user needs
///   `+sentinel|get-master-addr-by-name`. With a cluster also `+asking`, for keys that are on their way to another server.
///   Without `+info`, what a failover has lost isn't noticed.
/// - Primaries alone are asked. [`connect`](Self::connect) is for one server or a name that leads to the primary,
///   [`sentinel`](Self::sentinel) and [`cluster`](Self::cluster) for those; a cluster's server that was given to the former
///   says so with the first step, as [`StoreErrorKind::Config`].
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
    servers: Arc<Servers>,
    /// Where it is, without user and password.
    address: String,
    prefix: String,
    advice: Vec<&'static str>,
    /// Of each server that has been asked, by a slot that it has.
    replicas: Arc<Mutex<HashMap<u16, Replicas>>>,
}

/// How many replicas there were, and when that was asked.
#[derive(Clone, Copy)]
struct Replicas {
    count: u32,
    asked_at: Instant,
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
        Ok(Self::over(Servers::One(Arc::new(Line::to(address))), shown))
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
    /// Sentinels tell a former primary that it is one some seconds after they have named the next. What it is given until then
    /// is lost, unless it has `min-replicas-to-write 1`: then it takes nothing when its replicas have left it, and the
    /// sentinels are asked again. With more than one replica, they leave it a moment after the one that takes over.
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
        Ok(Self::over(Servers::One(Arc::new(Line::new(dial))), shown))
    }

    /// Connects to the cluster that the servers at `urls` belong to. Give some of them, or a name that leads to all: the others
    /// are learnt from them. Each slot's key is asked of the server that has it, and a step follows it when it moves, or
    /// when another server takes over. User, password and TLS for the servers that were learnt of are those of the first URL.
    ///
    /// # Errors
    ///
    /// As of [`connect`](Self::connect). While the cluster has no server for a key, steps are
    /// [`StoreErrorKind::Unavailable`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use tower_reauth::{StoreError, store::RedisStore};
    ///
    /// # async fn run() -> Result<(), StoreError> {
    /// let urls = ["rediss://tokens:s3cret@n1.example.com", "rediss://tokens:s3cret@n2.example.com"];
    /// let store = RedisStore::cluster(urls).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cluster<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Result<Self, StoreError> {
        Self::cluster_lazy(urls)?.connected().await
    }

    /// The same, but connects with the first step, as [`lazy`](Self::lazy) does.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Config`] for a URL that can't be used.
    pub fn cluster_lazy<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Result<Self, StoreError> {
        let cluster = Cluster::read(urls)?;
        let shown = cluster.to_string();
        Ok(Self::over(Servers::Cluster(cluster), shown))
    }

    fn over(servers: Servers, address: String) -> Self {
        Self {
            servers: Arc::new(servers),
            address,
            prefix: "tower-reauth:".to_owned(),
            advice: Vec::new(),
            replicas: Arc::default(),
        }
    }

    /// The same, when a server has answered.
    async fn connected(mut self) -> Result<Self, StoreError> {
        let lines = self.servers.lines();
        let ping = cmd("PING");
        let answers = join_all(lines.iter().map(|line| line.ask(&ping, Instant::now() + LIMIT))).await;
        let mut answering = Vec::new();
        let mut refused = None;
        for (line, answer) in lines.into_iter().zip(answers) {
            match answer {
                Ok(_) => answering.push(line),
                Err(refusal) => refused = Some(refusal.error),
            }
        }
        if let (true, Some(error)) = (answering.is_empty(), refused) {
            return Err(error);
        }
        // Whoever may not ask gets no advice.
        let deadline = Instant::now() + LIMIT;
        for advice in join_all(answering.iter().map(|line| advice::of(line, deadline))).await.concat() {
            if !self.advice.contains(&advice) {
                logs::advise(advice);
                self.advice.push(advice);
            }
        }
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

    pub(super) async fn step(
        &self,
        step: &Step,
        slot: &Slot,
        arguments: &[&[u8]],
    ) -> Result<Reply, StoreError> {
        let key = self.key(slot);
        Reply::read(step.run(&self.servers, &key, arguments, Instant::now() + LIMIT).await?)
    }

    fn key(&self, slot: &Slot) -> String {
        format!("{}{slot}", self.prefix)
    }

    /// Waits until a replica has it too, if there are any: what would be lost is a refresh token, or that one was sent.
    pub(super) async fn replicate(&self, slot: &Slot) {
        let key = self.key(slot);
        let Some(line) = self.servers.line_of(&key) else { return };
        let deadline = Instant::now() + 2 * REPLICA;
        if self.replicas(&line, self.servers.part(&key), deadline).await.is_some_and(|count| count > 0) {
            // It was saved, whatever comes of this.
            let _ = line.ask(cmd("WAIT").arg(1).arg(REPLICA.as_millis()), deadline).await;
        }
    }

    /// How many replicas a server has, or had within the last minute, if that is known. Where there was none, one may be on
    /// its way: it is asked again soon.
    async fn replicas(&self, line: &Line, part: u16, deadline: Instant) -> Option<u32> {
        let known = self.known_replicas().get(&part).copied();
        if let Some(Replicas { count, asked_at }) = known
            && asked_at.elapsed() < if count > 0 { MINUTE } else { SOON }
        {
            return Some(count);
        }
        let count = advice::replicas(line, deadline).await?;
        self.known_replicas().insert(part, Replicas { count, asked_at: Instant::now() });
        Some(count)
    }

    fn known_replicas(&self) -> MutexGuard<'_, HashMap<u16, Replicas>> {
        self.replicas.lock().unwrap_or_else(PoisonError::into_inner)
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
