//! [`Stored`]: a store of its own for each scenario, and what is done to it.

use std::{env, fmt, fs, path::PathBuf, process, time::Duration};

use tokio::time::Instant;

use crate::{BoxError, ledger::Blow, place::Place, redis::Redis};

/// For how long processes may leave a store alone that has failed them.
const REST: Duration = Duration::from_secs(4);

/// What kind of store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Files,
    Redis,
}

impl Kind {
    /// Those that can be had here.
    pub fn all() -> Vec<Self> {
        if Redis::is_there() { vec![Self::Files, Self::Redis] } else { vec![Self::Files] }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::Redis => "redis",
        })
    }
}

/// A store, which goes with it.
pub struct Stored {
    directory: PathBuf,
    redis: Option<Redis>,
    blows: usize,
}

impl Stored {
    pub async fn new(kind: Kind) -> Result<Self, BoxError> {
        let name = format!("tower-reauth-processes-{}-{:x}", process::id(), fastrand::u32(..));
        let directory = env::temp_dir().join(name);
        let redis = match kind {
            Kind::Files => None,
            Kind::Redis => Some(Redis::start(&directory).await?),
        };
        Ok(Self { directory, redis, blows: 0 })
    }

    pub fn place(&self) -> Place {
        match &self.redis {
            Some(redis) => Place::Redis(redis.address.clone()),
            None => Place::Files(self.directory.clone()),
        }
    }

    /// Does the next of what can be done to a server: it forgets, stands still, is killed and started again, and is replaced
    /// by its replica.
    pub async fn strike(&mut self) -> Result<Option<Blow>, BoxError> {
        const PAUSE: Duration = Duration::from_millis(1500);
        let Some(redis) = &mut self.redis else { return Ok(None) };
        let at = Instant::now();
        let (done, rest, forgets) = match self.blows % 4 {
            0 => (redis.flush().await, Duration::ZERO, true),
            1 => (redis.pause(PAUSE).await, PAUSE + REST, false),
            2 => (redis.restart().await, REST, true),
            _ => (redis.promote().await, REST, true),
        };
        done?;
        self.blows += 1;
        Ok(Some(Blow { at, until: Instant::now() + rest, forgets }))
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.redis = None;
        let _ = fs::remove_dir_all(&self.directory);
    }
}
