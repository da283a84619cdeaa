//! [`Cluster`]: several servers, each of which has a part of the keys, and says who has another.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::{
    address::{Address, unusable},
    cause::{Refusal, Remedy, late, unsettled},
    hash_slot::hash_slot,
    line::Line,
};
use crate::error::{StoreError, StoreErrorKind};

/// How often a command is sent on, at most.
const SENT_ON: u32 = 5;

/// The servers that are known, and which of them has what. Which one has a key is learnt from those that haven't.
pub(super) struct Cluster {
    given: Vec<Address>,
    /// By host and port. There are those that were given, and those that others have named.
    nodes: Mutex<HashMap<String, Arc<Line>>>,
    /// Who has had a slot, when it was last asked for.
    owners: Mutex<HashMap<u16, String>>,
}

/// How a server is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Plainly,
    /// For what isn't the server's yet.
    Moving,
}

impl Cluster {
    pub(super) fn read<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Result<Self, StoreError> {
        let given = urls.into_iter().map(|url| Address::read(url.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if given.is_empty() {
            return Err(unusable("there is no server of the cluster to ask; give the urls of some"));
        }
        if given.iter().any(Address::has_number) {
            return Err(unusable("a cluster has no databases but 0; leave the number out of the urls"));
        }
        let nodes = given.iter().map(|address| (address.place(), line(address.clone()))).collect();
        Ok(Self { given, nodes: Mutex::new(nodes), owners: Mutex::default() })
    }

    /// What who has this key answers. Whoever had it last is asked, and else whoever can be reached first, and says who has.
    pub(super) async fn ask(&self, key: &str, command: &Cmd, deadline: Instant) -> Result<Value, Refusal> {
        let slot = hash_slot(key);
        let mut refused = None;
        let owner = self.owners().get(&slot).cloned();
        if let Some(owner) = owner {
            match self.follow(slot, owner, command, deadline).await {
                Err(refusal) if refusal.is_the_servers() => refused = Some(refusal),
                answered => return answered,
            }
        }
        let nodes: Vec<_> = self.nodes().iter().map(|(place, line)| (place.clone(), line.clone())).collect();
        let reached = nodes.into_iter().map(async |(place, line)| (place, line.reached(deadline).await));
        let mut reached: FuturesUnordered<_> = reached.collect();
        while let Some((place, reached)) = reached.next().await {
            if Instant::now() >= deadline {
                break;
            }
            let answered = match reached {
                Ok(()) => self.follow(slot, place, command, deadline).await,
                Err(refusal) => Err(refusal),
            };
            match answered {
                // Others may know better: this one may be cut off from them.
                Err(refusal) if refusal.is_the_servers() => refused = refused.or(Some(refusal)),
                answered => return answered,
            }
        }
        // All have been asked already.
        Err(refused.map_or_else(late, |refused| refused.error).into())
    }

    /// The line to who has this key, if it is known.
    pub(super) fn line_of(&self, key: &str) -> Option<Arc<Line>> {
        let owner = self.owners().get(&hash_slot(key)).cloned();
        owner.map(|owner| self.line(&owner))
    }

    /// The lines to all that are known.
    pub(super) fn lines(&self) -> Vec<Arc<Line>> {
        self.nodes().values().cloned().collect()
    }

    /// Asks a server, and those that it sends to.
    async fn follow(
        &self,
        slot: u16,
        mut place: String,
        command: &Cmd,
        deadline: Instant,
    ) -> Result<Value, Refusal> {
        let mut how = How::Plainly;
        for _ in 0..=SENT_ON {
            let mut answered = self.ask_at(&place, how, command, deadline).await;
            // It may have been closed while nothing was asked for.
            if matches!(answered, Err(Refusal { remedy: Remedy::AnotherConnection, .. })) {
                answered = self.ask_at(&place, how, command, deadline).await;
            }
            match answered {
                Err(Refusal { remedy: Remedy::Moved(to), .. }) => {
                    (place, how) = (beside(&place, to), How::Plainly)
                }
                Err(Refusal { remedy: Remedy::Moving(to), .. }) => {
                    (place, how) = (beside(&place, to), How::Moving)
                }
                Err(refusal) if refusal.is_the_servers() => {
                    self.forget(slot, &place, refusal.error.kind());
                    return Err(refusal);
                }
                answered => {
                    if how == How::Plainly {
                        self.owners().insert(slot, place);
                    }
                    return answered;
                }
            }
        }
        Err(unsettled().into())
    }

    async fn ask_at(
        &self,
        place: &str,
        how: How,
        command: &Cmd,
        deadline: Instant,
    ) -> Result<Value, Refusal> {
        let line = self.line(place);
        match how {
            How::Plainly => line.ask(command, deadline).await,
            How::Moving => line.ask_for_what_moves(command, deadline).await,
        }
    }

    fn line(&self, place: &str) -> Arc<Line> {
        let mut nodes = self.nodes();
        let named = || {
            let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
            line(self.given[0].at(host, port.parse().unwrap_or_default()))
        };
        nodes.entry(place.to_owned()).or_insert_with(named).clone()
    }

    /// Forgets who has had a slot, and also the server, if others have named it and it is gone. One that is late may be about
    /// to be connected.
    fn forget(&self, slot: u16, place: &str, why: StoreErrorKind) {
        let mut owners = self.owners();
        if owners.get(&slot).is_some_and(|owner| owner == place) {
            owners.remove(&slot);
        }
        drop(owners);
        if why == StoreErrorKind::Unavailable && !self.given.iter().any(|given| given.place() == place) {
            self.nodes().remove(place);
        }
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<String, Arc<Line>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<u16, String>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cluster")?;
        self.given.iter().enumerate().try_for_each(|(number, address)| {
            write!(f, "{}{address}", if number == 0 { " of " } else { ", " })
        })
    }
}

fn line(address: Address) -> Arc<Line> {
    Arc::new(Line::to(address))
}

/// A place that a server has named. Without a host it is the server's own.
fn beside(place: &str, named: String) -> String {
    match (named.strip_prefix(':'), place.rsplit_once(':')) {
        (Some(port), Some((host, _))) => format!("{host}:{port}"),
        _ => named,
    }
}
