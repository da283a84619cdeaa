//! [`Redis`]: a primary and its replica, behind an address that moves to the replica when that is promoted.

use std::{
    cell::Cell,
    env, fs,
    net::TcpListener as StdListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
    time::Duration,
};

use redis::{Client, Cmd, FromRedisValue, cmd};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::spawn_local,
    time::{Instant, sleep, timeout},
};

use crate::BoxError;

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_secs(2);

pub struct Redis {
    pub address: String,
    primary: Server,
    replica: Server,
    target: Rc<Cell<u16>>,
    /// Ends the connections that there are.
    cut: watch::Sender<u32>,
}

impl Redis {
    /// Whether there is a program to run.
    pub fn is_there() -> bool {
        env::var_os("REDIS_SERVER").is_some()
    }

    pub async fn start(directory: &Path) -> Result<Self, BoxError> {
        let primary = Server::start(directory.join("one")).await?;
        let replica = Server::start(directory.join("two")).await?;
        replica.follow(&primary).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("redis://{}", listener.local_addr()?);
        let (target, cut) = (Rc::new(Cell::new(primary.port)), watch::Sender::default());
        spawn_local(forward(listener, target.clone(), cut.clone()));
        Ok(Self { address, primary, replica, target, cut })
    }

    pub async fn flush(&self) -> Result<(), BoxError> {
        self.primary.ask(&cmd("FLUSHALL")).await
    }

    /// Has it answer nobody for so long.
    pub async fn pause(&self, lasting: Duration) -> Result<(), BoxError> {
        let millis = u64::try_from(lasting.as_millis())?;
        self.primary.ask(cmd("CLIENT").arg("PAUSE").arg(millis).arg("ALL")).await
    }

    /// Kills it, and starts it again after a while, with what it had written.
    pub async fn restart(&mut self) -> Result<(), BoxError> {
        self.primary.kill()?;
        sleep(Duration::from_millis(500)).await;
        self.primary.run().await
    }

    /// Kills it, and has the replica take over.
    pub async fn promote(&mut self) -> Result<(), BoxError> {
        self.primary.kill()?;
        self.replica.ask::<()>(cmd("REPLICAOF").arg("NO").arg("ONE")).await?;
        std::mem::swap(&mut self.primary, &mut self.replica);
        self.target.set(self.primary.port);
        self.cut.send_modify(|cuts| *cuts += 1);
        self.replica.run().await?;
        self.replica.follow(&self.primary).await
    }
}

/// One server, with a directory of its own.
struct Server {
    port: u16,
    directory: PathBuf,
    process: Option<Child>,
}

impl Server {
    async fn start(directory: PathBuf) -> Result<Self, BoxError> {
        fs::create_dir_all(&directory)?;
        let port = StdListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Self { port, directory, process: None };
        server.run().await?;
        Ok(server)
    }

    async fn run(&mut self) -> Result<(), BoxError> {
        let program = env::var_os("REDIS_SERVER").ok_or("run it with tests/processes/run")?;
        let process = Command::new(program)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--repl-diskless-sync-delay", "0", "--dir"])
            .arg(&self.directory)
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
    async fn follow(&self, primary: &Self) -> Result<(), BoxError> {
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

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BoxError> {
        ask(&format!("redis://127.0.0.1:{}", self.port), command, LIMIT).await
    }

    fn kill(&mut self) -> Result<(), BoxError> {
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

/// What a server answers, on a connection of its own.
pub async fn ask<T: FromRedisValue>(url: &str, command: &Cmd, limit: Duration) -> Result<T, BoxError> {
    let asked = async {
        let mut connection = Client::open(url)?.get_multiplexed_async_connection().await?;
        command.query_async(&mut connection).await
    };
    Ok(timeout(limit, asked).await??)
}

async fn forward(listener: TcpListener, target: Rc<Cell<u16>>, cut: watch::Sender<u32>) {
    while let Ok((mut here, _)) = listener.accept().await {
        let (target, mut cut) = (target.clone(), cut.subscribe());
        spawn_local(async move {
            let Ok(mut there) = TcpStream::connect(("127.0.0.1", target.get())).await else { return };
            let _ = (here.set_nodelay(true), there.set_nodelay(true));
            tokio::select! {
                _ = copy_bidirectional(&mut here, &mut there) => {}
                _ = cut.changed() => {}
            }
        });
    }
}
