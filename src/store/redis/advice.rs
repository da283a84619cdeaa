//! What a server should be set to, and isn't.

use std::collections::HashMap;

use redis::{Cmd, FromRedisValue, cmd};
use tokio::time::Instant;

use super::line::Line;

/// What a server is set to that loses records, as far as it may be asked.
pub(super) async fn of(line: &Line, deadline: Instant) -> Vec<&'static str> {
    let mut advice = Vec::new();
    let setting = async |name: &str| {
        let found: Option<HashMap<String, String>> =
            told(line, cmd("CONFIG").arg("GET").arg(name), deadline).await;
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
    let replicas = replicas(line, deadline).await;
    if replicas > 0 && setting("min-replicas-to-write").await.is_some_and(|least| least == "0") {
        advice
            .push("redis loses what was saved last when a replica takes over: set `min-replicas-to-write 1`");
    }
    advice
}

/// How many replicas a server has, as far as it may be asked.
pub(super) async fn replicas(line: &Line, deadline: Instant) -> u32 {
    let info: Option<String> = told(line, cmd("INFO").arg("replication"), deadline).await;
    let count =
        info.as_deref().and_then(|info| info.lines().find_map(|line| line.strip_prefix("connected_slaves:")));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

/// What a server tells, if it does.
async fn told<T: FromRedisValue>(line: &Line, command: &Cmd, deadline: Instant) -> Option<T> {
    T::from_redis_value(line.ask(command, deadline).await.ok()?).ok()
}
