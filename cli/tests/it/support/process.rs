//! The program as a process. None of its output may hold a secret.

use std::{
    ffi::OsString,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use super::soon;

/// Where the tests run: what the declarations say of files is relative to the crate.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A program that is to be run. It sees no variables of the environment but those given.
pub(crate) struct Program {
    args: Vec<OsString>,
    secrets: Vec<(&'static str, String)>,
    variables: Vec<(&'static str, OsString)>,
    input: Option<Vec<u8>>,
    ulimit: Option<&'static str>,
}

impl Program {
    /// Without any arguments.
    pub(crate) fn bare() -> Self {
        Self { args: Vec::new(), secrets: Vec::new(), variables: Vec::new(), input: None, ulimit: None }
    }

    pub(crate) fn call() -> Self {
        Self::bare().args("call --roots bundled")
    }

    pub(crate) fn proxy() -> Self {
        Self::proxy_at("127.0.0.1:0")
    }

    pub(crate) fn proxy_at(listen: &str) -> Self {
        Self::bare().args("proxy --roots bundled --listen").arg(listen)
    }

    /// Arguments without spaces.
    pub(crate) fn args(mut self, args: &str) -> Self {
        self.args.extend(args.split_whitespace().map(OsString::from));
        self
    }

    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A variable whose value must not be seen anywhere.
    pub(crate) fn secret(mut self, variable: &'static str, value: &str) -> Self {
        self.secrets.push((variable, value.to_owned()));
        self
    }

    /// A variable that isn't secret.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// What the shell's `ulimit` allows it at most, such as `-n 40`.
    pub(crate) fn ulimit(mut self, limit: &'static str) -> Self {
        self.ulimit = Some(limit);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Runs it to its end.
    pub(crate) async fn run(self) -> Ended {
        let secrets = self.secrets.clone();
        let output = soon(self.start().wait_with_output()).await.expect("its output is read");
        Ended::new(output, &secrets)
    }

    /// The same, for a program that is given nothing secret.
    pub(crate) async fn run_showing_all(self) -> Ended {
        let output = soon(self.start().wait_with_output()).await.expect("its output is read");
        Ended::new(output, &[])
    }

    /// Starts it, with what it writes piped.
    pub(crate) fn start(self) -> Child {
        self.start_writing_to(Stdio::piped())
    }

    pub(crate) fn start_writing_to(self, stdout: Stdio) -> Child {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.spawn(stdin, stdout)
    }

    /// Starts it with a standard input that stays open and has nothing.
    pub(crate) fn start_with_open_input(self) -> Child {
        self.spawn(Stdio::piped(), Stdio::piped())
    }

    fn spawn(self, stdin: Stdio, stdout: Stdio) -> Child {
        let program = env!("CARGO_BIN_EXE_reauth");
        let mut command = match self.ulimit {
            Some(limit) => {
                let mut shell = Command::new("/bin/sh");
                shell.arg("-c").arg(format!("ulimit {limit}; exec \"$0\" \"$@\"")).arg(program);
                shell
            }
            None => Command::new(program),
        };
        let mut child = command
            .args(&self.args)
            .current_dir(DIRECTORY)
            .env_clear()
            .envs(self.secrets)
            .envs(self.variables)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        if let Some(input) = self.input {
            let mut stdin = child.stdin.take().expect("piped");
            // It may end without having read all of it.
            tokio::spawn(async move { drop(stdin.write_all(&input).await) });
        }
        child
    }
}

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn new(output: Output, secrets: &[(&str, String)]) -> Self {
        let ended = Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert_none_shown(secrets.iter().map(|(_, secret)| &**secret), &ended.stderr);
        assert_none_shown(secrets.iter().map(|(_, secret)| &**secret), &ended.stdout);
        ended
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn assert_says(&self, words: &str) -> &Self {
        assert!(self.stderr.contains(words), "no {words:?} in {}", self.stderr);
        self
    }
}

#[track_caller]
pub(crate) fn assert_none_shown<'a>(secrets: impl IntoIterator<Item = &'a str>, text: &str) {
    assert!(!secrets.into_iter().any(|secret| text.contains(secret)), "a secret is shown: {text}");
}

/// A proxy that runs.
pub(crate) struct Proxy {
    /// `127.0.0.1:<port>`, or the path of a socket.
    pub(crate) address: String,
    child: Child,
    secrets: Vec<(&'static str, String)>,
    log: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy and waits until it listens.
    pub(crate) async fn start(program: Program) -> Self {
        let secrets = program.secrets.clone();
        let mut child = program.start();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let log = Arc::new(Mutex::new(String::new()));
        let reader = tokio::spawn(collect(child.stderr.take().expect("piped"), log.clone()));
        let mut line = String::new();
        soon(stdout.read_line(&mut line)).await.expect("text");
        let address = line.trim_end();
        let address = address.strip_prefix("http://").or(address.strip_prefix("unix:"));
        let address =
            address.unwrap_or_else(|| panic!("it doesn't listen: {line:?}, {}", log.lock().unwrap()));
        Self { address: address.to_owned(), child, secrets, log, reader }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> &str {
        self.address.rsplit_once(':').expect("a port").1
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// What it has said on standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) async fn signal(&self, signal: &str) {
        send_signal(self.id(), signal).await;
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let status = soon(self.child.wait()).await.expect("it can be waited for");
        soon(&mut self.reader).await.expect("its output is read");
        let log = self.log();
        assert_none_shown(self.secrets.iter().map(|(_, secret)| &**secret), &log);
        (status, log)
    }

    /// Ends it, and looks at what it has said.
    pub(crate) async fn stop(self) -> String {
        self.signal("TERM").await;
        let (status, log) = self.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

/// There is no safe function for it in the standard library.
pub(crate) async fn send_signal(process: u32, signal: &str) {
    let kill = Command::new("sh").arg("-c").arg(format!("kill -{signal} {process}")).status();
    assert!(kill.await.expect("a shell").success());
}

async fn collect(from: impl AsyncRead + Unpin, to: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from);
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = lines.read(&mut bytes).await {
        to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}
