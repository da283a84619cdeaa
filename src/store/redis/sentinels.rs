//! [`Sentinels`]: who knows which server is the primary.

use std::fmt;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use redis::{Value, aio::MultiplexedConnection, cmd};
use tokio::time::timeout;

use super::{
    address::{Address, LIMIT, unusable},
    cause::{because, late},
};
use crate::error::{StoreError, StoreErrorKind};

/// The sentinels, and what they are asked for.
pub(super) struct Sentinels {
    sentinels: Vec<Address>,
    /// Who asks the primary. Its host is the name that sentinels know it by.
    primary: Address,
}

/// What comes of the search.
enum Found {
    /// Where a sentinel says that the primary is.
    Place(Result<(String, u16), StoreError>),
    /// What is there.
    Primary(Result<MultiplexedConnection, StoreError>),
}

impl Sentinels {
    pub(super) fn read<U: AsRef<str>>(
        sentinels: impl IntoIterator<Item = U>,
        primary: &str,
    ) -> Result<Self, StoreError> {
        let primary = Address::read_name(primary)?;
        let sentinels = sentinels.into_iter().map(|url| Address::read_sentinel(url.as_ref()));
        let sentinels = sentinels.collect::<Result<Vec<_>, _>>()?;
        if sentinels.is_empty() {
            return Err(unusable("there is no sentinel to ask; give the url of each"));
        }
        Ok(Self { sentinels, primary })
    }

    /// Connects to the primary. All sentinels are asked at once, since the machine of any may be gone, and with it perhaps the
    /// primary's. Whatever is named first is the primary if it says so itself; a sentinel that was cut off from the others
    /// may name a former one.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut search: FuturesUnordered<BoxFuture<'_, Found>> =
            self.sentinels.iter().map(|sentinel| self.ask(sentinel).map(Found::Place).boxed()).collect();
        let mut named = Vec::new();
        let mut failures = Vec::new();
        while let Some(found) = search.next().await {
            match found {
                Found::Primary(Ok(connection)) => return Ok(connection),
                Found::Place(Ok(place)) => {
                    if !named.contains(&place) {
                        let address = self.primary.at(&place.0, place.1);
                        search.push(async move { Found::Primary(primary(&address).await) }.boxed());
                        named.push(place);
                    }
                }
                // What is told of a primary says more than what is told of sentinels.
                Found::Primary(Err(error)) => failures.push((0, error)),
                Found::Place(Err(error)) => failures.push((1 + rank(error.kind()), error)),
            }
        }
        let told = failures.into_iter().min_by_key(|(rank, _)| *rank);
        Err(told.map_or_else(late, |(_, error)| error))
    }

    /// Asks a sentinel where the primary is.
    async fn ask(&self, sentinel: &Address) -> Result<(String, u16), StoreError> {
        let asked = async {
            let mut connection = sentinel.connect().await?;
            let mut question = cmd("SENTINEL");
            question.arg("GET-MASTER-ADDR-BY-NAME").arg(self.primary.host());
            let answer: Result<Option<(String, u16)>, _> = question.query_async(&mut connection).await;
            answer.map_err(|error| because(&error))
        };
        match timeout(LIMIT, asked).await.unwrap_or_else(|_| Err(late())) {
            Ok(Some(place)) => Ok(place),
            Ok(None) => Err(unusable(
                "the sentinels know no primary of this name; check the name, which is the host in the primary's url",
            )),
            Err(error) => {
                let words = match error.kind() {
                    StoreErrorKind::TimedOut => "no sentinel answered within 500 ms; check the way to them",
                    StoreErrorKind::Denied => {
                        "the sentinels don't let this user in, or say this; check user and password in their urls, and acl"
                    }
                    StoreErrorKind::Config => "a sentinel's url or tls can't be used; check both",
                    _ => "no sentinel can be reached and answers; check whether they run, and their urls",
                };
                Err(StoreError::new(error.kind(), words).with_source(error))
            }
        }
    }
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.primary.host())?;
        for (number, sentinel) in self.sentinels.iter().enumerate() {
            write!(f, "{}{sentinel}", if number == 0 { " by " } else { ", " })?;
        }
        Ok(())
    }
}

/// Connects to who is said to be the primary, if it says so, too, or may not be asked.
async fn primary(address: &Address) -> Result<MultiplexedConnection, StoreError> {
    let connected = async {
        let mut connection = address.connect().await?;
        let role: Result<Value, _> = cmd("ROLE").query_async(&mut connection).await;
        match role {
            Err(error) if because(&error).kind() != StoreErrorKind::Denied => Err(because(&error)),
            Ok(Value::Array(parts)) if !matches!(parts.first(), Some(Value::BulkString(role)) if role == b"master") =>
            {
                let words = "what the sentinels name as primary is a replica; wait until they agree";
                Err(StoreError::new(StoreErrorKind::ReadOnly, words))
            }
            _ => Ok(connection),
        }
    };
    let connected = timeout(LIMIT, connected).await.unwrap_or_else(|_| Err(late()));
    connected.map_err(|error| {
        let words = match error.kind() {
            StoreErrorKind::Unavailable => {
                "the primary that the sentinels name can't be reached; wait for a failover, and check the way to it"
            }
            StoreErrorKind::TimedOut => {
                "the primary that the sentinels name didn't answer within 500 ms; wait for a failover"
            }
            _ => return error,
        };
        StoreError::new(error.kind(), words).with_source(error)
    })
}

/// The least is what tells most: a sentinel that answers, then one that is there.
fn rank(kind: StoreErrorKind) -> u8 {
    match kind {
        StoreErrorKind::Config => 0,
        StoreErrorKind::Denied => 1,
        StoreErrorKind::TimedOut => 2,
        _ => 3,
    }
}
