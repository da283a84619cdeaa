//! [`StoreOptions`]: where tokens are remembered, and as whose.

use std::{
    env,
    path::{self, Path, PathBuf},
};

use clap::Args;
use tower_reauth::{
    AuthLayer, StoreError,
    store::{FileStore, Keys, RedisStore, SharedSlot},
};

use super::{quiet::Quiet, secret::Secret};
use crate::{
    message::{chain, tell},
    mistake::Mistake,
};

/// The place that is taken if none is named.
const SLOT: &str = "reauth";

/// Where tokens are remembered, and as whose.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Remembering tokens")]
pub(crate) struct StoreOptions {
    /// Remember tokens, for the next call and for other processes: in file:DIR, a directory on this machine, or in a Redis
    /// or Valkey at redis://HOST or, with TLS, rediss://HOST; sentinel:redis://NAME,redis://SENTINEL,... is the primary that
    /// sentinels know by that name, and cluster:redis://HOST,redis://HOST,... a cluster with some of its servers; env:NAME is
    /// a variable that has any of these with passwords. By default nothing is remembered
    #[arg(long, value_name = "WHERE", value_parser = Quiet(Place::parse))]
    store: Option<Place>,

    /// The place there. With another name, the same credentials have a token of their own
    #[arg(long, value_name = "NAME", default_value = SLOT, requires = "store")]
    slot: String,

    /// Whose token it is: any text that stays the same. Needed where a secret alone says who calls, as with api.video, Vervoe,
    /// entries of the catalogue and --config
    #[arg(long, value_name = "WHO", requires = "store")]
    subject: Option<String>,

    /// The key to seal tokens with: 32 bytes in base64, which `openssl rand -base64 32` prints. Without one they are in the
    /// directory as they are, for whoever can read this user's files or a backup of them
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser(), requires = "store")]
    store_key: Option<Secret>,

    /// A key that was used before, for tokens that are still sealed with it, as often as needed
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser(), requires = "store_key")]
    old_store_key: Vec<Secret>,

    /// Whether it is for all that have something to remember, and nothing to the others.
    #[arg(skip)]
    is_for_all: bool,
}

impl StoreOptions {
    /// Nothing is remembered.
    pub(crate) fn none() -> Self {
        let slot = SLOT.to_owned();
        Self {
            store: None,
            slot,
            subject: None,
            store_key: None,
            old_store_key: Vec::new(),
            is_for_all: false,
        }
    }

    /// As the options would have it, with the usual slot if there is none.
    pub(crate) fn at(
        place: &str,
        slot: Option<String>,
        subject: Option<String>,
        store_key: Option<Secret>,
        old_store_key: Vec<Secret>,
    ) -> Result<Self, String> {
        let slot = slot.unwrap_or_else(|| SLOT.to_owned());
        let store = Some(Place::parse(place)?);
        Ok(Self { store, slot, subject, store_key, old_store_key, is_for_all: false })
    }

    /// The same for all that have something to remember: whoever hasn't goes without it.
    pub(crate) fn for_all(self) -> Self {
        Self { is_for_all: true, ..self }
    }

    /// The same with another slot and for another subject, where there are such.
    pub(crate) fn with(self, slot: Option<String>, subject: Option<String>) -> Self {
        Self { slot: slot.unwrap_or(self.slot), subject: subject.or(self.subject), ..self }
    }

    /// The same for this subject, if there is none.
    pub(crate) fn of(self, subject: &str) -> Self {
        Self { subject: self.subject.or_else(|| Some(subject.to_owned())), ..self }
    }

    /// Whether anything is remembered.
    pub(crate) fn is_given(&self) -> bool {
        self.store.is_some()
    }

    /// The options that read standard input.
    pub(crate) fn that_read_stdin(&self) -> Vec<&'static str> {
        let current = self.store_key.iter().map(|key| ("--store-key", key));
        let keys = current.chain(self.old_store_key.iter().map(|key| ("--old-store-key", key)));
        keys.filter_map(|(option, key)| (*key == Secret::Stdin).then_some(option)).collect()
    }

    /// The same layer, which remembers its token if that was asked for. Within a runtime, on which Redis is asked.
    pub(crate) fn remember(&self, layer: AuthLayer) -> Result<AuthLayer, Mistake> {
        let Some(place) = &self.store else { return Ok(layer) };
        let hint = match layer.tokens().is_shareable() {
            true => "see --subject",
            false if self.is_for_all => return Ok(layer),
            false => "leave --store out",
        };
        let slot = match (place.slot(&self.slot, self.keys()?)?, &self.subject) {
            (slot, Some(subject)) => slot.subject(subject),
            (slot, None) => slot,
        };
        layer.shared(slot).map_err(|error| Mistake::new(format!("--store: {}; {hint}", chain(&error))))
    }

    fn keys(&self) -> Result<Option<Keys>, Mistake> {
        let Some(current) = &self.store_key else { return Ok(None) };
        let keys = Keys::new(current.source("--store-key")?);
        let mut old = self.old_store_key.iter();
        old.try_fold(keys, |keys, old| Ok(keys.accept(old.source("--old-store-key")?))).map(Some)
    }
}

/// Where tokens are remembered.
#[derive(Clone, Debug)]
enum Place {
    Directory(PathBuf),
    /// URLs without passwords.
    Redis(String),
    /// A variable that has URLs.
    Variable(String),
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if path.starts_with('~') => {
                Err("the shell hasn't put your home in the place of ~; write \"file:$HOME/...\"".to_owned())
            }
            Some(("file", path)) if !path.is_empty() => {
                path::absolute(path).map(Self::Directory).map_err(|error| error.to_string())
            }
            Some(("env", name)) if !name.is_empty() => Ok(Self::Variable(name.to_owned())),
            Some(("redis" | "rediss" | "valkey" | "valkeys" | "sentinel" | "cluster", rest)) if rest.contains('@') => {
                Err("leave the user and the password out, which other users of this machine could see; write env:NAME, \
                     and put the URL into that variable"
                    .to_owned())
            }
            Some(("redis" | "rediss" | "valkey" | "valkeys" | "sentinel" | "cluster", _)) => {
                Ok(Self::Redis(text.to_owned()))
            }
            _ => Err("write file:DIR, redis://HOST, rediss://HOST, sentinel:redis://NAME,redis://SENTINEL,..., \
                      cluster:redis://HOST,redis://HOST,..., or env:NAME for a variable with any of these URLs"
                .to_owned()),
        }
    }

    fn slot(&self, name: &str, keys: Option<Keys>) -> Result<SharedSlot, Mistake> {
        match self {
            Self::Directory(path) => in_directory(path, name, keys),
            Self::Redis(url) => in_redis(url, name, keys),
            Self::Variable(variable) => {
                let url = env::var(variable);
                let missing =
                    |_| Mistake::new(format!("--store: the environment variable {variable} has no URL"));
                in_redis(&url.map_err(missing)?, name, keys)
            }
        }
    }
}

fn in_directory(path: &Path, name: &str, keys: Option<Keys>) -> Result<SharedSlot, Mistake> {
    let is_new = !path.exists();
    take_long_files_for_errors();
    let store = FileStore::open(path).map_err(unusable)?;
    let Some(keys) = keys else {
        if is_new {
            let path = path.display();
            tell(format_args!(
                "reauth: tokens are in {path} as they are, for whoever can read this user's files; --store-key seals them"
            ));
        }
        return Ok(store.slot(name)?);
    };
    Ok(store.sealed(&keys)?.slot(name)?)
}

/// Where no file may become as long as it would (`RLIMIT_FSIZE`), the system ends a program that knows nothing of its signal. One
/// that does gets an error, as from a full disk, and can go on without a store.
#[cfg(unix)]
fn take_long_files_for_errors() {
    use tokio::signal::unix::{SignalKind, signal};
    // Nobody waits for it: that it is known is enough, from now on and for ever.
    let known = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    if let Err(error) = known {
        tell(format_args!("reauth: a limit of the length of files would end this program: {error}"));
    }
}

#[cfg(not(unix))]
fn take_long_files_for_errors() {}

fn in_redis(url: &str, name: &str, keys: Option<Keys>) -> Result<SharedSlot, Mistake> {
    let Some(keys) = keys else {
        return Err(Mistake::new("--store: what is in Redis has to be sealed; give --store-key"));
    };
    let store = match url.split_once(':') {
        Some(("sentinel", urls)) => {
            let mut urls = urls.split(',');
            let primary = urls.next().unwrap_or_default();
            RedisStore::sentinel_lazy(urls, primary)
        }
        Some(("cluster", urls)) => RedisStore::cluster_lazy(urls.split(',')),
        _ => RedisStore::lazy(url),
    };
    Ok(store.map_err(unusable)?.sealed(&keys)?.slot(name)?)
}

fn unusable(error: StoreError) -> Mistake {
    Mistake::new(format!("--store: {}", chain(&error)))
}
