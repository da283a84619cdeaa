//! [`Sentinels`]: three of them, which look after a primary and its replica.

use std::{path::Path, time::Duration};

use redis::cmd;
use tokio::time::{Instant, sleep};

use crate::{
    BoxError,
    redis_server::{Server, ask},
};

/// What they call the primary.
pub const NAME: &str = "mymaster";

pub struct Sentinels {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
    /// Which of the servers was killed, if one was.
    dead: Option<usize>,
}

impl Sentinels {
    pub async fn start(directory: &Path) -> Result<Self, BoxError> {
        let primary = Server::start(directory.join("one")).await?;
        let replica = Server::start(directory.join("two")).await?;
        replica.follow(&primary).await?;
        let lines = format!(
            "sentinel monitor {NAME} 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds {NAME} 1000\n\
             sentinel failover-timeout {NAME} 4000\n",
            primary.port
        );
        let mut sentinels = Vec::new();
        for number in 0..3 {
            sentinels.push(Server::sentinel(directory.join(format!("sentinel-{number}")), &lines).await?);
        }
        let started = Self { servers: vec![primary, replica], sentinels, dead: None };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !started.know_all().await? {
            if Instant::now() > deadline {
                return Err("the sentinels don't find each other and the replica".into());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(started)
    }

    /// Whether each knows of the others, and of the replica: without one they can do nothing.
    async fn know_all(&self) -> Result<bool, BoxError> {
        for sentinel in &self.sentinels {
            let others: Vec<redis::Value> = sentinel.ask(cmd("SENTINEL").arg("SENTINELS").arg(NAME)).await?;
            let replicas: Vec<redis::Value> = sentinel.ask(cmd("SENTINEL").arg("REPLICAS").arg(NAME)).await?;
            if (others.len(), replicas.len()) != (2, 1) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Server::url).collect()
    }

    /// Kills the primary. The sentinels find that out.
    pub async fn kill(&mut self) -> Result<(), BoxError> {
        let port = primary_port(&self.urls(), Duration::from_secs(2))
            .await
            .ok_or("no sentinel knows the primary")?;
        let at = self.servers.iter().position(|server| server.port == port).ok_or("an unknown primary")?;
        self.servers[at].kill()?;
        self.dead = Some(at);
        Ok(())
    }

    /// Starts again what was killed, as the replica of the other one.
    pub async fn revive(&mut self) -> Result<(), BoxError> {
        let Some(dead) = self.dead.take() else { return Ok(()) };
        self.servers[dead].run().await?;
        self.servers[dead].follow(&self.servers[1 - dead]).await
    }

    /// Has a sentinel make the replica the primary, though nothing is wrong.
    pub async fn fail_over(&self) -> Result<(), BoxError> {
        // It refuses where another one has just done it, or doesn't know of the replica yet.
        let _ = self.sentinels[0].ask::<()>(cmd("SENTINEL").arg("FAILOVER").arg(NAME)).await;
        Ok(())
    }
}

/// Where the primary is, as the first sentinel says that answers.
pub async fn primary_port(sentinels: &[String], limit: Duration) -> Option<u16> {
    let mut question = cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(NAME);
    for url in sentinels {
        if let Ok((_, port)) = ask::<(String, String)>(url, &question, limit).await {
            return port.parse().ok();
        }
    }
    None
}
