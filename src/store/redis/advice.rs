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
    if replicas.is_some_and(|count| count > 0)
        && setting("min-replicas-to-write").await.is_some_and(|least| least == "0")
    {
        advice
            .push("redis loses what was saved last when a replica takes over: set `min-replicas-to-write 1`");
    }
    advice
}

/// How many replicas a server has, and none if it may not be asked. Nothing is known if it doesn't answer.
pub(super) async fn replicas(line: &Line, deadline: Instant) -> Option<u32> {
    let info = match line.ask(cmd("INFO").arg("replication"), deadline).await {
        Ok(info) => String::from_redis_value(info).unwrap_or_default(),
        Err(refusal) if refusal.is_the_servers() => return None,
        Err(_) => return Some(0),
    };
    let count = info.lines().find_map(|line| line.strip_prefix("connected_slaves:"));
    Some(count.and_then(|count| count.trim().parse().ok()).unwrap_or_default())
}

/// What a server tells, if it does.
async fn told<T: FromRedisValue>(line: &Line, command: &Cmd, deadline: Instant) -> Option<T> {
    T::from_redis_value(line.ask(command, deadline).await.ok()?).ok()
}
