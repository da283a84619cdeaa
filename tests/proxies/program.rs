//! The programs of others: how each is started, what it has written, and that it ends with the test.

use std::{
    env, fmt, fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use rcgen::KeyPair;
use tokio::time::Instant;

use crate::ca::Ca;

/// The name that leads to loopback for proxies, and nowhere for anybody else.
const HOSTS: &str = "127.0.0.1 api.example.test\n";

/// A program that listens.
pub(crate) struct Program {
    name: &'static str,
    process: Child,
    directory: PathBuf,
    port: u16,
    /// Where it speaks TLS, if it does both.
    tls_port: u16,
}

/// tinyproxy, with what is added to its configuration.
pub(crate) fn tinyproxy(more: &str) -> Program {
    let (directory, port) = (directory(), free_port());
    let log = directory.join("log");
    let configuration = format!(
        "Listen 127.0.0.1\nPort {port}\nAllow 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Info\nLogFile \"{}\"\n{more}",
        log.display()
    );
    fs::write(directory.join("conf"), configuration).unwrap();
    fs::write(directory.join("hosts"), HOSTS).unwrap();
    let mut command = unpacked("usr/bin/tinyproxy");
    command.args(["-d", "-c"]).arg(directory.join("conf"));
    command
        .env("LD_PRELOAD", libraries().join("libnss_wrapper.so"))
        .env("NSS_WRAPPER_HOSTS", directory.join("hosts"));
    Program::start("tinyproxy", command, directory, port, 0)
}

/// Squid, for those whom the test's user name and password let in; over TLS at a second port.
pub(crate) fn squid(ca: &Ca) -> Program {
    let (directory, port, tls_port) = (directory(), free_port(), free_port());
    let path = |name: &str| directory.join(name).display().to_string();
    let root = root().display().to_string();
    let (certificate, key) = server_certificate(ca);
    fs::write(directory.join("certificate"), certificate).unwrap();
    fs::write(directory.join("key"), key).unwrap();
    fs::write(directory.join("hosts"), HOSTS).unwrap();
    let helper = "#!/bin/sh\nwhile read -r name password; do\n    case \"$name $password\" in\n        \
                  'aladdin opens3same') echo OK ;;\n        *) echo ERR ;;\n    esac\ndone\n";
    fs::write(directory.join("helper"), helper).unwrap();
    fs::set_permissions(directory.join("helper"), fs::Permissions::from_mode(0o755)).unwrap();
    let configuration = format!(
        "http_port 127.0.0.1:{port}\n\
         https_port 127.0.0.1:{tls_port} tls-cert={} tls-key={}\n\
         auth_param basic program {}\n\
         auth_param basic children 1\n\
         acl known proxy_auth REQUIRED\n\
         http_access allow known\n\
         http_access deny all\n\
         hosts_file {}\n\
         dns_nameservers 127.0.0.1\n\
         dns_timeout 1 second\n\
         access_log stdio:{}\n\
         cache_log {}\n\
         visible_hostname proxy.test\n\
         cache_effective_user nobody\n\
         cache_mem 8 MB\n\
         shutdown_lifetime 0 seconds\n\
         pinger_enable off\n\
         pid_filename none\n\
         netdb_filename none\n\
         coredump_dir none\n\
         unlinkd_program {root}/usr/lib/squid/unlinkd\n\
         error_directory {root}/usr/share/squid/errors/templates\n\
         icon_directory {root}/usr/share/squid/icons\n\
         mime_table {root}/usr/share/squid/mime.conf\n",
        path("certificate"),
        path("key"),
        path("helper"),
        path("hosts"),
        path("log"),
        path("cache.log"),
    );
    fs::write(directory.join("conf"), configuration).unwrap();
    let mut command = unpacked("usr/sbin/squid");
    command.args(["-N", "-f"]).arg(directory.join("conf"));
    Program::start("squid", command, directory, port, tls_port)
}

/// nghttp2's server, without TLS.
pub(crate) fn nghttpd() -> Program {
    let (directory, port) = (directory(), free_port());
    fs::write(directory.join("page"), "a page").unwrap();
    let mut command = unpacked("usr/sbin/nghttpd");
    command.args(["--no-tls", "--address=127.0.0.1", "-d"]).arg(&directory).arg(port.to_string());
    Program::start("nghttpd", command, directory, port, 0)
}

/// OpenSSL's server, which trusts `ca`, with more options.
pub(crate) fn s_server(ca: &Ca, more: &[&str]) -> Program {
    let (directory, port) = (directory(), free_port());
    let (certificate, key) = server_certificate(ca);
    for (name, text) in [("certificate", certificate), ("key", key), ("ca", ca.pem())] {
        fs::write(directory.join(name), text).unwrap();
    }
    let mut command = unpacked("usr/bin/openssl");
    command.current_dir(&directory).args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-quiet"]);
    command.args(["-cert", "certificate", "-key", "key", "-CAfile", "ca"]).args(more);
    Program::start("openssl s_server", command, directory, port, 0)
}

impl Program {
    fn start(name: &'static str, mut command: Command, directory: PathBuf, port: u16, tls_port: u16) -> Self {
        let output = fs::File::create(directory.join("output")).unwrap();
        command.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output);
        let process = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut program = Self { name, process, directory, port, tls_port };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = program.process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < patience,
                "{name} did not start: {}",
                program.output()
            );
            thread::sleep(Duration::from_millis(20));
        }
        program
    }

    /// The same, where it speaks TLS.
    pub(crate) fn over_tls(mut self) -> Self {
        self.port = self.tls_port;
        self
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap()
    }

    /// Waits until it has logged this.
    pub(crate) async fn has_logged(&self, text: &str) {
        let patience = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(text) {
            assert!(Instant::now() < patience, "{self:?} has logged no {text:?}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn output(&self) -> String {
        let of = |name| fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        of("output") + &of("cache.log")
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the packages were unpacked.
fn root() -> PathBuf {
    env::var_os("PROXIES_DIR").expect("run this test with tests/proxies/run").into()
}

/// Of this machine's kind.
fn libraries() -> PathBuf {
    let directories = fs::read_dir(root().join("usr/lib")).unwrap().map(|entry| entry.unwrap().path());
    let mut found = directories.filter(|path| path.join("libnss_wrapper.so").exists());
    found.next().expect("libnss-wrapper")
}

fn unpacked(program: &str) -> Command {
    let mut command = Command::new(root().join(program));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LD_LIBRARY_PATH", libraries());
    command
}

/// A directory for one program, in which it may write whoever it is.
fn directory() -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let directory = root().join(format!("run-{}", MADE.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    directory
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// For `localhost`, where tests find each of them.
fn server_certificate(ca: &Ca) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (ca.certificate_for("localhost", &key), key.serialize_pem())
}
