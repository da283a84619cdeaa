//! [`SecretCommand`]: a secret that another program prints, such as a password manager.

use std::{
    ffi::OsString,
    fmt,
    io::{self, ErrorKind},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{io::AsyncReadExt, process::Command, time::timeout};
use tower_reauth::{AcquireError, SecretSource};

/// The longest output that is taken for a secret, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// How long it isn't run after it has failed. As long again with each further time, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a program ends with whose failure may pass: `EX_TEMPFAIL` of sysexits(3).
const MAY_PASS: i32 = 75;

/// A program that prints a secret, with its arguments. It is run without a shell, each time that a token is asked for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretCommand {
    program: PathBuf,
    args: Vec<String>,
    limit: Duration,
    /// Where somebody has written it.
    place: String,
}

impl SecretCommand {
    /// It has so long for it. `place` is where somebody has written it, for errors.
    pub(crate) fn new(program: PathBuf, args: Vec<String>, limit: Duration, place: String) -> Self {
        Self { program, args, limit, place }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Its arguments, and how long it has, which `Debug` doesn't show.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        self.args.iter().cloned().chain([format!("{:?}", self.limit)])
    }

    pub(crate) fn source(&self) -> SecretSource {
        let (command, failures) = (self.clone(), Arc::new(AtomicU32::new(0)));
        SecretSource::from_fn(move || {
            let (command, failures) = (command.clone(), Arc::clone(&failures));
            async move {
                let failed = match command.run().await {
                    Ok(secret) => {
                        failures.store(0, Relaxed);
                        return Ok(secret.into());
                    }
                    Err(failed) => failed,
                };
                let error = AcquireError::no_secret(failed.why);
                Err(match failed.may_pass {
                    true => error.into(),
                    false => {
                        let before = failures.fetch_add(1, Relaxed).min(16);
                        error.with_retry_after((PAUSE * (1 << before)).min(LONGEST_PAUSE)).into()
                    }
                })
            }
        })
    }

    /// What it prints, without the line's end. What it says on standard error is for whoever reads ours, and in no error.
    async fn run(&self) -> Result<String, Failed> {
        let name = self.program.display();
        let place = &self.place;
        let fail =
            |why: String| Failed { why: format!("the command {name} ({place}) {why}"), may_pass: false };
        let mut child = Command::new(&self.program)
            .args(self.args.iter().map(OsString::from))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failed {
                may_pass: is_want_of_room(&error),
                ..fail(format!("can't be run: {error}{}", self.advice(&error)))
            })?;
        let mut secret = Vec::new();
        let work = async {
            let Some(output) = child.stdout.take() else { return Err(fail("has no output".to_owned())) };
            let read = output.take(MAX_LEN + 1).read_to_end(&mut secret).await;
            read.map_err(|error| fail(format!("can't be read from: {error}")))?;
            if secret.len() as u64 > MAX_LEN {
                return Err(fail("prints more than 64 KiB".to_owned()));
            }
            let status = child.wait().await.map_err(|error| fail(format!("can't be waited for: {error}")))?;
            match status.success() {
                true => Ok(()),
                false => Err(Failed {
                    may_pass: status.code() == Some(MAY_PASS),
                    ..fail(format!("has failed, with {status}"))
                }),
            }
        };
        match timeout(self.limit, work).await {
            Ok(done) => done?,
            Err(_) => return Err(fail(format!("took longer than {:?}, and was ended", self.limit))),
        }
        let mut secret =
            String::from_utf8(secret).map_err(|_| fail("prints something that isn't utf-8".to_owned()))?;
        if secret.ends_with('\n') {
            secret.pop();
            if secret.ends_with('\r') {
                secret.pop();
            }
        }
        match secret.is_empty() {
            true => Err(fail("prints nothing".to_owned())),
            false => Ok(secret),
        }
    }
}

impl SecretCommand {
    /// What to look at, where it can't be run.
    fn advice(&self, error: &io::Error) -> &'static str {
        match error.kind() {
            ErrorKind::NotFound if self.program.components().count() > 1 => "; check its path",
            ErrorKind::NotFound => "; check its name, and whether it is in PATH",
            ErrorKind::PermissionDenied => "; check whether this user may run it",
            _ => "",
        }
    }
}

/// Why there is no secret.
struct Failed {
    why: String,
    /// Running it again may help.
    may_pass: bool,
}

/// Whether the system has no room for another process just now.
fn is_want_of_room(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::OutOfMemory)
}

impl fmt::Debug for SecretCommand {
    /// Without its arguments, which may say more than is wanted in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCommand").field("program", &self.program).finish_non_exhaustive()
    }
}
