//! [`Fleet`]: the processes as they are started, killed and stopped.

use std::{
    env, fmt,
    process::{self, Command, Stdio},
    rc::Rc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::{
    BoxError,
    child::Child,
    ledger::{Kill, Ledger, Stop},
    place::Place,
    provider::Provider,
    server::Server,
};

/// Which ways the processes have to get a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A refresh token, and a password.
    Both,
    /// A refresh token.
    Only,
}

impl Grant {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Both, Self::Only].into_iter().find(|grant| grant.to_string() == text)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "two grants",
            Self::Only => "one grant",
        })
    }
}

/// Processes, and what they talk to.
pub struct Fleet {
    pub ledger: Rc<Ledger>,
    pub server: Server,
    setup: Setup,
    running: Vec<Running>,
    started: u32,
    _provider: Provider,
}

/// What the processes are like.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What they are, as the program that starts them knows them.
    pub manner: &'static str,
    pub place: Place,
    pub grant: Grant,
    /// How long their access tokens live.
    pub ttl: Duration,
    /// In which last part of that they are renewed.
    pub early: f64,
}

struct Running {
    number: u32,
    process: process::Child,
    stopped_until: Option<Instant>,
}

impl Fleet {
    /// Nobody yet.
    pub async fn new(setup: Setup) -> Result<Self, BoxError> {
        let (ledger, provider) = (Rc::<Ledger>::default(), Provider::start(setup.ttl)?);
        let logs_in = setup.grant == Grant::Only;
        let server = Server::start(ledger.clone(), provider.issuer.clone(), logs_in).await?;
        Ok(Self { ledger, server, setup, running: Vec::new(), started: 0, _provider: provider })
    }

    /// Which ways its processes have to get a token.
    pub fn grant(&self) -> Grant {
        self.setup.grant
    }

    /// Starts another process, which ends by itself when `lasting` is over.
    pub fn start(&mut self, lasting: Duration) -> Result<(), BoxError> {
        self.started += 1;
        let child = Child {
            manner: self.setup.manner.to_owned(),
            number: self.started,
            server: self.server.address.clone(),
            place: self.setup.place.clone(),
            grant: self.setup.grant,
            early: self.setup.early,
            lasting,
        };
        let process = Command::new(env::current_exe()?)
            .args(child.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        self.ledger.books().begun.insert(child.number, Instant::now());
        self.running.push(Running { number: child.number, process, stopped_until: None });
        Ok(())
    }

    /// Kills one of those that aren't stopped, and looks at what it has left behind. If it is `aimed`, then one that is at
    /// the token endpoint, if there is one.
    pub async fn kill_one(&mut self, aimed: bool) -> Result<(), BoxError> {
        let going = self.victims(aimed);
        let Some(&at) = fastrand::choice(&going) else { return Ok(()) };
        let mut victim = self.running.swap_remove(at);
        let id = victim.process.id();
        victim.process.kill()?;
        let at = Instant::now();
        victim.process.wait()?;
        let outside = self.setup.place.look(self.server.family()).await.unwrap_or_default();
        let mut books = self.ledger.books();
        let holder = books.is_calling(victim.number)
            || outside.owner == Some(id)
            || (outside.claimed && outside.owner.is_none() && books.last_caller() == Some(victim.number));
        books.kills.push(Kill { of: victim.number, at, holder, in_doubt: outside.in_doubt() });
        Ok(())
    }

    /// Those that can be killed.
    fn victims(&self, aimed: bool) -> Vec<usize> {
        let books = self.ledger.books();
        let going = (0..self.running.len()).filter(|&at| self.running[at].stopped_until.is_none());
        let (calling, others): (Vec<_>, Vec<_>) =
            going.partition(|&at| aimed && books.is_calling(self.running[at].number));
        if calling.is_empty() { others } else { calling }
    }

    /// Has one of them stand still for so long.
    pub fn stop_one(&mut self, lasting: Duration) -> Result<(), BoxError> {
        let Some(running) = fastrand::choice(&mut self.running) else { return Ok(()) };
        if running.stopped_until.is_some() {
            return Ok(());
        }
        let until = Instant::now() + lasting;
        signal(&running.process, Signal::STOP)?;
        running.stopped_until = Some(until);
        self.ledger.books().stops.push(Stop { of: running.number, at: Instant::now(), until });
        Ok(())
    }

    /// Has those go on whose time to stand still is over.
    pub fn go_on(&mut self) -> Result<(), BoxError> {
        for running in &mut self.running {
            if running.stopped_until.take_if(|until| *until <= Instant::now()).is_some() {
                signal(&running.process, Signal::CONT)?;
            }
        }
        Ok(())
    }

    /// Has all of them come to an end, and waits for that.
    pub async fn end(&mut self) -> Result<(), BoxError> {
        for running in &mut self.running {
            if running.stopped_until.take().is_some() {
                signal(&running.process, Signal::CONT)?;
            }
            drop(running.process.stdin.take());
        }
        self.wait().await
    }

    /// Waits until all have come to an end.
    pub async fn wait(&mut self) -> Result<(), BoxError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.running.is_empty() {
            if Instant::now() > deadline {
                return Err("a process doesn't end".into());
            }
            sleep(Duration::from_millis(50)).await;
            let mut ended = Vec::new();
            for (at, running) in self.running.iter_mut().enumerate() {
                if let Some(status) = running.process.try_wait()? {
                    if !status.success() {
                        return Err(format!("process {} has failed: {status}", running.number).into());
                    }
                    ended.push(at);
                }
            }
            for at in ended.into_iter().rev() {
                self.running.swap_remove(at);
            }
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for running in &mut self.running {
            let _ = running.process.kill();
            let _ = running.process.wait();
        }
    }
}

fn signal(process: &process::Child, signal: Signal) -> Result<(), BoxError> {
    Ok(kill_process(Pid::from_child(process), signal)?)
}
