//! The authorization server: `oidc-provider.mjs`, as a process.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::BoxError;

/// The server's process, which ends with it.
pub struct Provider {
    process: Child,
    /// Kept open: the server writes to it now and then.
    _output: BufReader<ChildStdout>,
    pub issuer: String,
}

impl Provider {
    /// A server whose access tokens live so long.
    pub fn start(ttl: Duration) -> Result<Self, BoxError> {
        let directory = env::var_os("PROCESSES_DIR").ok_or("run it with tests/processes/run")?;
        let mut process = Command::new("node")
            .arg("oidc-provider.mjs")
            .current_dir(directory)
            .env("TTL", ttl.as_secs().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut issuer = String::new();
        output.read_line(&mut issuer)?;
        if !issuer.starts_with("http://127.0.0.1:") {
            return Err(format!("oidc-provider did not start: {issuer:?}").into());
        }
        Ok(Self { process, _output: output, issuer: issuer.trim().to_owned() })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
