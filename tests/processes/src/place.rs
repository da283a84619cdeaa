//! [`Place`]: where the store is, and what is in it beside the tokens.

use std::{
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
    str,
    time::Duration,
};

use redis::cmd;
use tower_reauth::store::{Record, Revision};

use crate::{redis_server::ask, sentinels::primary_port};

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_millis(200);

/// Where the processes' store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// There is none.
    Nowhere,
    /// In this directory.
    Files(PathBuf),
    /// At this URL.
    Redis(String),
    /// Where these sentinels say that it is.
    Sentinels(Vec<String>),
}

/// What anybody can see of a record.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    pub revision: Revision,
    /// Which revision's refresh token may have been sent.
    pub noted: Option<Revision>,
    /// Whether somebody has the claim.
    pub claimed: bool,
    /// The process that has it, where the store knows.
    pub owner: Option<u32>,
}

impl Outside {
    /// Whether nobody knows what has become of the refresh token that is there.
    pub fn in_doubt(&self) -> bool {
        self.noted.is_some_and(|noted| noted >= self.revision)
    }
}

impl Place {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "nowhere" => Some(Self::Nowhere),
            "files" => Some(Self::Files(rest.into())),
            "redis" => Some(Self::Redis(text.to_owned())),
            "sentinels" => Some(Self::Sentinels(rest.split(',').map(str::to_owned).collect())),
            _ => None,
        }
    }

    /// The name of a login's slot.
    pub fn slot(family: u64) -> String {
        format!("family-{family}")
    }

    /// What can be seen of a login's record.
    pub async fn look(&self, family: u64) -> Option<Outside> {
        match self {
            Self::Nowhere => None,
            Self::Files(directory) => look_at_files(directory, family),
            Self::Redis(url) => look_in_redis(url, family).await,
            Self::Sentinels(urls) => {
                let port = primary_port(urls, LIMIT).await?;
                look_in_redis(&format!("redis://127.0.0.1:{port}"), family).await
            }
        }
    }
}

fn look_at_files(directory: &Path, family: u64) -> Option<Outside> {
    let begin = format!("slot-{}.", Place::slot(family));
    let path = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&begin) && name.ends_with(".record")
    })?;
    let record = Record::from_bytes(&fs::read(path).ok()?).ok()?;
    let owner = record.claim.as_ref().and_then(|held| {
        // Boot, namespace, number, begin.
        str::from_utf8(&held.owner).ok()?.rsplit(' ').nth(1)?.parse().ok()
    });
    Some(Outside {
        revision: record.revision,
        noted: record.note.map(|note| note.revision),
        claimed: record.claim.is_some(),
        owner,
    })
}

async fn look_in_redis(url: &str, family: u64) -> Option<Outside> {
    let pattern = format!("tower-reauth:{}.*", Place::slot(family));
    let keys: Vec<String> = ask(url, cmd("KEYS").arg(pattern), LIMIT).await.ok()?;
    let fields: HashMap<String, Vec<u8>> = ask(url, cmd("HGETALL").arg(keys.first()?), LIMIT).await.ok()?;
    let number = |name: &str| str::from_utf8(fields.get(name)?).ok()?.parse().ok();
    Some(Outside {
        revision: number("revision").map_or(Revision::NONE, Revision::new),
        noted: number("note.revision").map(Revision::new).or(fields.get("note.by").map(|_| Revision::NONE)),
        claimed: fields.contains_key("claim.by"),
        owner: None,
    })
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("nowhere:"),
            Self::Files(directory) => write!(f, "files:{}", directory.display()),
            Self::Redis(url) => f.write_str(url),
            Self::Sentinels(urls) => write!(f, "sentinels:{}", urls.join(",")),
        }
    }
}
