//! A Redis of one's own, in a directory that goes with it. `REDIS_SERVER` is the program: `tests/store/run` has it.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    thread::sleep,
    time::Duration,
};

/// A running server.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    arguments: Vec<String>,
    directory: PathBuf,
}

impl Server {
    /// A server that writes to its disk what it acknowledges.
    pub(crate) fn start() -> Self {
        Self::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::made(None, arguments)
    }

    /// A sentinel, with these lines in its file.
    pub(crate) fn sentinel(lines: &[String], arguments: &[&str]) -> Self {
        Self::made(Some(lines.join("\n")), arguments)
    }

    /// A server of a cluster.
    pub(crate) fn of_cluster(arguments: &[&str]) -> Self {
        Self::made(None, &[&["--cluster-enabled", "yes"], arguments].concat())
    }

    fn made(file: Option<String>, arguments: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("tower-reauth-redis-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let mut all = Vec::new();
        if let Some(lines) = file {
            // A sentinel writes to its file, which is the first of its arguments.
            let path = directory.join("sentinel.conf");
            fs::write(&path, lines + "\n").expect("a file");
            all.extend([path.to_str().expect("a path").to_owned(), "--sentinel".to_owned()]);
        }
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let first = free_port();
        let process = run(first, &all, &directory);
        let mut server = Self { process, port: first, arguments: all, directory };
        // Somebody else may have taken the port meanwhile.
        for last in [false, false, true] {
            if server.is_up() {
                break;
            }
            assert!(!last, "it ends when it is started: {:?}", server.arguments);
            server.port = free_port();
            server.process = run(server.port, &server.arguments, &server.directory);
        }
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, as by SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it is killed");
        self.process.wait().expect("its end");
    }

    /// Stops it, as by SIGSTOP: its connections stay, and nothing is answered. It never goes on.
    pub(crate) fn stop(&mut self) {
        let stopped = Command::new("kill").args(["-STOP", &self.process.id().to_string()]).status();
        assert!(stopped.expect("kill").success());
    }

    /// Starts it again, at the same port, with what it had on its disk.
    pub(crate) fn restart(&mut self) {
        self.process = run(self.port, &self.arguments, &self.directory);
        assert!(self.is_up(), "it ended");
    }

    /// What it answers to a command, as it is on the wire.
    pub(crate) fn says(&self, words: &[&str]) -> String {
        self.asked(words).expect("it answers")
    }

    /// That it answers `+OK`.
    pub(crate) fn does(&self, words: &[&str]) {
        assert_eq!(self.says(words), "+OK", "{words:?}");
    }

    fn asked(&self, words: &[&str]) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(command.as_bytes())?;
        let mut answer = vec![0; 65_536];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).trim_end().to_owned())
    }

    /// Waits until it is up, or has ended.
    fn is_up(&mut self) -> bool {
        for _ in 0..1000 {
            // Where nobody listens, one may be connected to oneself, and hear one's own words.
            let answer = self.asked(&["PING"]).unwrap_or_default();
            if answer.starts_with(['+', '-']) && !answer.starts_with("-LOADING") {
                return true;
            }
            if self.process.try_wait().expect("its state").is_some() {
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the server did not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A port for one server alone, of those that the system hands to nobody: while the server is down, nobody else listens there,
/// and whoever connects to it isn't connected to itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(10_000..20_000)));
    (0..1000)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed))
        .find(|port| is_free(*port) && is_free(port + BUS))
        .expect("a free port")
}

/// A server of a cluster speaks to the others at a port so far above its own.
const BUS: u16 = 10_000;

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn run(port: u16, arguments: &[String], directory: &std::path::Path) -> Child {
    let program = env::var_os("REDIS_SERVER").expect("run this test with tests/store/run");
    Command::new(program)
        .args(arguments)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server")
}
