//! A Redis of one's own, in a directory that goes with it. `REDIS_SERVER` is the program: `tests/store/run` has it.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
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
        Self::made(free_port, None, arguments)
    }

    /// A sentinel, with these lines in its file.
    pub(crate) fn sentinel(lines: &[String], arguments: &[&str]) -> Self {
        Self::made(free_port, Some(lines.join("\n")), arguments)
    }

    /// A server of a cluster, which speaks to the others at a port 10,000 above its own.
    pub(crate) fn of_cluster(arguments: &[&str]) -> Self {
        Self::made(free_port_of_cluster, None, &[&["--cluster-enabled", "yes"], arguments].concat())
    }

    fn made(port: fn() -> u16, file: Option<String>, arguments: &[&str]) -> Self {
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
        let first = port();
        let process = run(first, &all, &directory);
        let mut server = Self { process, port: first, arguments: all, directory };
        // Somebody else may have taken the port meanwhile.
        for last in [false, false, true] {
            if server.is_up() {
                break;
            }
            assert!(!last, "it ends when it is started: {:?}", server.arguments);
            server.port = port();
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

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// One whose neighbour, 10,000 above, is free too.
pub(crate) fn free_port_of_cluster() -> u16 {
    loop {
        let port = free_port();
        if port <= 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
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
