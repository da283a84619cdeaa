//! [`Redis`]: a primary and its replicas, behind an address that moves to the replica that is promoted.

use std::{cell::Cell, env, path::Path, rc::Rc, time::Duration};

use redis::cmd;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::spawn_local,
    time::sleep,
};

use crate::{BoxError, redis_server::Server};

pub struct Redis {
    pub address: String,
    primary: Server,
    replicas: [Server; 2],
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
        let [primary, one, other] = Server::three(directory).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("redis://{}", listener.local_addr()?);
        let (target, cut) = (Rc::new(Cell::new(primary.port)), watch::Sender::default());
        spawn_local(forward(listener, target.clone(), cut.clone()));
        Ok(Self { address, primary, replicas: [one, other], target, cut })
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

    /// Kills it, and has a replica take over, which the others follow.
    pub async fn promote(&mut self) -> Result<(), BoxError> {
        self.primary.kill()?;
        self.replicas[0].ask::<()>(cmd("REPLICAOF").arg("NO").arg("ONE")).await?;
        std::mem::swap(&mut self.primary, &mut self.replicas[0]);
        self.target.set(self.primary.port);
        self.cut.send_modify(|cuts| *cuts += 1);
        self.replicas[1].follow(&self.primary).await?;
        self.replicas[0].run().await?;
        self.replicas[0].follow(&self.primary).await
    }
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
