//! [`Sentinels`]: three of them, which look after a primary and its replicas.

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
    servers: [Server; 3],
    sentinels: Vec<Server>,
    /// Which of the servers was killed, if one was.
    dead: Option<usize>,
}

impl Sentinels {
    pub async fn start(directory: &Path) -> Result<Self, BoxError> {
        let servers = Server::three(directory).await?;
        let lines = format!(
            "sentinel monitor {NAME} 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds {NAME} 1000\n\
             sentinel failover-timeout {NAME} 4000\n",
            servers[0].port
        );
        let mut sentinels = Vec::new();
        for number in 0..3 {
            sentinels.push(Server::sentinel(directory.join(format!("sentinel-{number}")), &lines).await?);
        }
        let started = Self { servers, sentinels, dead: None };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !started.know_all().await? {
            if Instant::now() > deadline {
                return Err("the sentinels don't find each other and the replicas".into());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(started)
    }

    /// Whether each knows of the others, and of the replicas: without one they can do nothing.
    async fn know_all(&self) -> Result<bool, BoxError> {
        for sentinel in &self.sentinels {
            let others: Vec<redis::Value> = sentinel.ask(cmd("SENTINEL").arg("SENTINELS").arg(NAME)).await?;
            let replicas: Vec<redis::Value> = sentinel.ask(cmd("SENTINEL").arg("REPLICAS").arg(NAME)).await?;
            if (others.len(), replicas.len()) != (2, 2) {
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
        let at = self.primary().await?;
        self.servers[at].kill()?;
        self.dead = Some(at);
        Ok(())
    }

    /// Starts again what was killed, as the replica of who has taken over.
    pub async fn revive(&mut self) -> Result<(), BoxError> {
        let Some(dead) = self.dead.take() else { return Ok(()) };
        let primary = self.primary().await?;
        self.servers[dead].run().await?;
        // Otherwise the sentinels tell it later.
        if primary != dead {
            self.servers[dead].follow(&self.servers[primary]).await?;
        }
        Ok(())
    }

    async fn primary(&self) -> Result<usize, BoxError> {
        let port = primary_port(&self.urls(), Duration::from_secs(2))
            .await
            .ok_or("no sentinel knows the primary")?;
        Ok(self.servers.iter().position(|server| server.port == port).ok_or("an unknown primary")?)
    }

    /// Has a sentinel make a replica the primary, though nothing is wrong.
    pub async fn fail_over(&self) -> Result<(), BoxError> {
        // It refuses where another one has just done it, or doesn't know of a replica yet.
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
