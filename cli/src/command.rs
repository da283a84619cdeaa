//! [`SecretCommand`]: a secret that another program prints, such as a password manager.

use std::{ffi::OsString, fmt, path::PathBuf, process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt, process::Command, time::timeout};
use tower_reauth::{BoxError, SecretSource};

/// The longest output that is taken for a secret, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// A program that prints a secret, with its arguments. It is run without a shell, each time that a token is asked for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretCommand {
    program: PathBuf,
    args: Vec<String>,
    limit: Duration,
}

impl SecretCommand {
    /// It has so long for it.
    pub(crate) fn new(program: PathBuf, args: Vec<String>, limit: Duration) -> Self {
        Self { program, args, limit }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn source(&self) -> SecretSource {
        let command = self.clone();
        SecretSource::from_fn(move || {
            let command = command.clone();
            async move { Ok(command.run().await?.into()) }
        })
    }

    /// What it prints, without the line's end. What it says on standard error is for whoever reads ours, and in no error.
    async fn run(&self) -> Result<String, BoxError> {
        let name = self.program.display();
        let fail = |why: String| -> BoxError { format!("the command {name} {why}").into() };
        let mut child = Command::new(&self.program)
            .args(self.args.iter().map(OsString::from))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| fail(format!("can't be run: {error}")))?;
        let mut secret = Vec::new();
        let work = async {
            let Some(output) = child.stdout.take() else { return Err(fail("has no output".to_owned())) };
            let read = output.take(MAX_LEN + 1).read_to_end(&mut secret).await;
            read.map_err(|error| fail(format!("can't be read from: {error}")))?;
            if secret.len() as u64 > MAX_LEN {
                return Err(fail("prints more than 64 KiB".to_owned()));
            }
            let status = child.wait().await.map_err(|error| fail(format!("can't be waited for: {error}")))?;
            if status.success() { Ok(()) } else { Err(fail(format!("has failed, with {status}"))) }
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

impl fmt::Debug for SecretCommand {
    /// Without its arguments, which may say more than is wanted in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCommand").field("program", &self.program).finish_non_exhaustive()
    }
}
