//! What ten thousand idle connections cost. Takes a while, so it is run when it is asked for; CONTRIBUTING has the command.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::*;
use crate::support::server::read_message;

const CONNECTIONS: usize = 10_000;

/// The memory that the proxy has now, in bytes.
fn resident(proxy: &Proxy) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", proxy.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[tokio::test]
#[ignore = "needs twenty thousand open files, and prints what it measures"]
#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, reason = "it is what this is for")]
async fn ten_thousand_idle_connections_are_held_and_answered() {
    let mut allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    allowed.current = allowed.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, allowed).unwrap();
    let server = Raw::start(&[EMPTY]).await;
    let limits = format!("--max-connections {} --idle-timeout 600", CONNECTIONS + 10);
    let proxy = Proxy::start(before(&server.origin).args(&limits)).await;
    let request = format!("GET /x HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    let ask = async |tcp: &mut TcpStream| {
        tcp.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(status(&soon(read_message(tcp)).await.unwrap()), 204);
    };
    let mut first = TcpStream::connect(&proxy.address).await.unwrap();
    ask(&mut first).await;
    let before = resident(&proxy);
    let mut idle = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(&proxy.address).await.unwrap());
    }
    ask(&mut first).await;
    let fresh = (resident(&proxy) - before) / CONNECTIONS;
    for tcp in &mut idle {
        ask(tcp).await;
    }
    let used = (resident(&proxy) - before) / CONNECTIONS;
    println!(
        "bytes for each of {CONNECTIONS} idle connections: {fresh} before its first request, {used} after it"
    );
    assert!(used <= 20 * 1024, "{used}");
    // All of them are still there.
    for tcp in idle.iter_mut().step_by(100) {
        ask(tcp).await;
    }
    let page = get(&proxy.url("/.tower-reauth/metrics")).await;
    let page = String::from_utf8_lossy(page.body()).into_owned();
    assert!(page.contains(&format!("reauth_connections {}\n", CONNECTIONS + 2)), "{page}");
    drop(idle);
    proxy.stop().await;
}
