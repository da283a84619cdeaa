//! [`Server`]: a server of Redis, or a sentinel, in a directory of its own.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
    time::Duration,
};

use redis::{Client, Cmd, FromRedisValue, cmd};
use tokio::time::{Instant, sleep, timeout};

use crate::BoxError;

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_secs(2);

/// One server.
pub struct Server {
    pub port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Server {
    /// A primary and two replicas, as the docs of `RedisStore` advise: each writes down what it acknowledges, and as a primary
    /// takes nothing while no replica has it.
    pub async fn three(directory: &Path) -> Result<[Self; 3], BoxError> {
        let mut servers = Vec::new();
        for name in ["one", "two", "three"] {
            servers.push(Self::start(directory.join(name)).await?);
        }
        let servers: [Self; 3] = servers.try_into().map_err(|_| "there are three")?;
        for replica in &servers[1..] {
            replica.follow(&servers[0]).await?;
        }
        Ok(servers)
    }

    async fn start(directory: PathBuf) -> Result<Self, BoxError> {
        fs::create_dir_all(&directory)?;
        let directory = directory.to_str().ok_or("a path that isn't text")?;
        let settings = "--save '' --appendonly yes --min-replicas-to-write 1 --min-replicas-max-lag 3 \
                        --repl-ping-replica-period 1 --repl-timeout 5 --repl-diskless-sync-delay 0 --dir";
        let arguments = settings.split_whitespace().map(|word| word.replace("''", ""));
        Self::with(arguments.chain([directory.to_owned()]).collect()).await
    }

    /// A sentinel, with these lines in the file that it writes its own to.
    pub async fn sentinel(directory: PathBuf, lines: &str) -> Result<Self, BoxError> {
        fs::create_dir_all(&directory)?;
        let file = directory.join("sentinel.conf");
        fs::write(&file, lines)?;
        let file = file.to_str().ok_or("a path that isn't text")?;
        Self::with(vec![file.to_owned(), "--sentinel".to_owned()]).await
    }

    async fn with(arguments: Vec<String>) -> Result<Self, BoxError> {
        let mut server = Self { port: free_port()?, arguments, process: None };
        server.run().await?;
        Ok(server)
    }

    /// Starts it, and waits until it answers.
    pub async fn run(&mut self) -> Result<(), BoxError> {
        let program = env::var_os("REDIS_SERVER").ok_or("run it with tests/processes/run")?;
        let process = Command::new(program)
            .args(&self.arguments)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        self.process = Some(process);
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.ask::<String>(&cmd("PING")).await.is_err() {
            if Instant::now() > deadline {
                return Err("redis-server did not start".into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Has it be a replica, and waits until it is.
    pub async fn follow(&self, primary: &Self) -> Result<(), BoxError> {
        self.ask::<()>(cmd("REPLICAOF").arg("127.0.0.1").arg(primary.port)).await?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.ask::<String>(cmd("INFO").arg("replication")).await?.contains("master_link_status:up") {
            if Instant::now() > deadline {
                return Err("the replica doesn't follow".into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    pub async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BoxError> {
        ask(&self.url(), command, LIMIT).await
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// By SIGKILL.
    pub fn kill(&mut self) -> Result<(), BoxError> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A port for one server alone, of those that the system hands to nobody: while the server is down, others begin to listen.
fn free_port() -> Result<u16, BoxError> {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(10_000..25_000)));
    (0..1000)
        .map(|_| NEXT.fetch_add(1, Relaxed))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| "no port is free for a server".into())
}

/// What a server answers, on a connection of its own.
pub async fn ask<T: FromRedisValue>(url: &str, command: &Cmd, limit: Duration) -> Result<T, BoxError> {
    let asked = async {
        let mut connection = Client::open(url)?.get_multiplexed_async_connection().await?;
        command.query_async(&mut connection).await
    };
    Ok(timeout(limit, asked).await??)
}
