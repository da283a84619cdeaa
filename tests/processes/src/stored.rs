//! [`Stored`]: a store of its own for each scenario, and what is done to it.

use std::{env, fmt, fs, path::PathBuf, process, time::Duration};

use tokio::time::Instant;

use crate::{
    BoxError,
    fleet::Grant,
    ledger::{Blow, Loses},
    place::Place,
    redis::Redis,
    sentinels::Sentinels,
};

/// For how long processes may leave a store alone that has failed them.
const REST: Duration = Duration::from_secs(4);

/// How long sentinels take to find out that the primary is dead, and to agree on another one.
const ELECTION: Duration = Duration::from_secs(3);

/// What kind of store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Files,
    Redis,
    /// A Redis that sentinels look after.
    Sentinels,
}

impl Kind {
    /// Those that can be had here, of which nobody takes care.
    pub fn all() -> Vec<Self> {
        if Redis::is_there() { vec![Self::Files, Self::Redis] } else { vec![Self::Files] }
    }

    /// Those that have others beside them which do.
    pub fn watched() -> Vec<Self> {
        if Redis::is_there() { vec![Self::Sentinels] } else { Vec::new() }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::Redis => "redis",
            Self::Sentinels => "sentinels",
        })
    }
}

/// A store, which goes with it.
pub struct Stored {
    directory: PathBuf,
    servers: Servers,
    blows: usize,
}

enum Servers {
    None,
    Redis(Redis),
    Sentinels(Sentinels),
}

impl Stored {
    pub async fn new(kind: Kind) -> Result<Self, BoxError> {
        let name = format!("tower-reauth-processes-{}-{:x}", process::id(), fastrand::u32(..));
        let directory = env::temp_dir().join(name);
        let servers = match kind {
            Kind::Files => Servers::None,
            Kind::Redis => Servers::Redis(Redis::start(&directory).await?),
            Kind::Sentinels => Servers::Sentinels(Sentinels::start(&directory).await?),
        };
        Ok(Self { directory, servers, blows: 0 })
    }

    pub fn place(&self) -> Place {
        match &self.servers {
            Servers::None => Place::Files(self.directory.clone()),
            Servers::Redis(redis) => Place::Redis(redis.address.clone()),
            Servers::Sentinels(sentinels) => Place::Sentinels(sentinels.urls()),
        }
    }

    /// How long it is left alone between two blows. After each failover the only grant is in doubt for 15 s, and is to be sent
    /// before the next one.
    pub fn between_blows(&self, grant: Grant) -> Duration {
        match (&self.servers, grant) {
            (Servers::Sentinels(_), Grant::Only) => Duration::from_secs(22),
            _ => Duration::from_secs(5),
        }
    }

    /// Does the next of what can be done to a server: it forgets, stands still, is killed and started again, and is replaced
    /// by its replica; where sentinels look after it, it is replaced, is killed, and comes back as a replica.
    pub async fn strike(&mut self) -> Result<Option<Blow>, BoxError> {
        const PAUSE: Duration = Duration::from_millis(1500);
        let at = Instant::now();
        let blow = self.blows;
        self.blows += 1;
        let (rest, loses) = match &mut self.servers {
            Servers::None => return Ok(None),
            Servers::Redis(redis) => match blow % 4 {
                0 => (redis.flush().await.map(|()| Duration::ZERO), Loses::Everything),
                1 => (redis.pause(PAUSE).await.map(|()| PAUSE + REST), Loses::Nothing),
                2 => (redis.restart().await.map(|()| REST), Loses::Newest),
                _ => (redis.promote().await.map(|()| REST), Loses::Newest),
            },
            Servers::Sentinels(sentinels) => match blow % 3 {
                0 => (sentinels.fail_over().await.map(|()| ELECTION + REST), Loses::Newest),
                1 => (sentinels.kill().await.map(|()| ELECTION + REST), Loses::Newest),
                _ => return sentinels.revive().await.map(|()| None),
            },
        };
        Ok(Some(Blow { at, until: Instant::now() + rest?, loses }))
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.servers = Servers::None;
        let _ = fs::remove_dir_all(&self.directory);
    }
}
