//! [`Servers`]: whom a step is asked of.

use std::sync::Arc;

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::{cause::Refusal, cluster::Cluster, hash_slot::hash_slot, line::Line};

/// Whom a step is asked of.
pub(super) enum Servers {
    /// One server, which may be another one after a while.
    One(Arc<Line>),
    /// The one of several that has the key.
    Cluster(Cluster),
}

impl Servers {
    /// What who has this key answers to a command about it.
    pub(super) async fn ask(&self, key: &str, command: &Cmd, deadline: Instant) -> Result<Value, Refusal> {
        match self {
            Self::One(line) => line.ask(command, deadline).await,
            Self::Cluster(cluster) => cluster.ask(key, command, deadline).await,
        }
    }

    /// The line to who has this key, if it is known.
    pub(super) fn line_of(&self, key: &str) -> Option<Arc<Line>> {
        match self {
            Self::One(line) => Some(line.clone()),
            Self::Cluster(cluster) => cluster.line_of(key),
        }
    }

    /// The lines to all that are known.
    pub(super) fn lines(&self) -> Vec<Arc<Line>> {
        match self {
            Self::One(line) => vec![line.clone()],
            Self::Cluster(cluster) => cluster.lines(),
        }
    }

    /// A number that all keys have in common which one server has.
    pub(super) fn part(&self, key: &str) -> u16 {
        match self {
            Self::One(_) => 0,
            Self::Cluster(_) => hash_slot(key),
        }
    }
}
