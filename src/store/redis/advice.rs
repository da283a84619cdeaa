//! What a server should be set to, and isn't.

use std::collections::HashMap;

use redis::{aio::ConnectionManager, cmd};

/// What a server is set to that loses records, as far as it may be asked.
pub(super) async fn of(connection: &ConnectionManager) -> Vec<&'static str> {
    let mut advice = Vec::new();
    let setting = async |name: &str| {
        let mut connection = connection.clone();
        let found: Option<HashMap<String, String>> =
            cmd("CONFIG").arg("GET").arg(name).query_async(&mut connection).await.ok();
        found?.remove(name)
    };
    if setting("maxmemory").await.is_some_and(|bytes| bytes != "0")
        && setting("maxmemory-policy").await.is_some_and(|policy| policy != "noeviction")
    {
        advice.push("redis throws records away when its memory is full: set `maxmemory-policy noeviction`");
    }
    if setting("appendonly").await.is_some_and(|appends| appends == "no") {
        advice.push("redis loses what was saved last when it is restarted: set `appendonly yes`");
    }
    let replicas = replicas(connection).await;
    if replicas > 0 && setting("min-replicas-to-write").await.is_some_and(|least| least == "0") {
        advice
            .push("redis loses what was saved last when a replica takes over: set `min-replicas-to-write 1`");
    }
    advice
}

/// How many replicas a server has, as far as it may be asked.
pub(super) async fn replicas(connection: &ConnectionManager) -> u32 {
    let mut connection = connection.clone();
    let info: Option<String> = cmd("INFO").arg("replication").query_async(&mut connection).await.ok();
    let count =
        info.as_deref().and_then(|info| info.lines().find_map(|line| line.strip_prefix("connected_slaves:")));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}
