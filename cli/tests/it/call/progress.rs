//! How far a call is: on a terminal, which `script` of util-linux stands in for, and nowhere else.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
    task::JoinHandle,
    time::sleep,
};

use super::*;
use crate::support::{soon, temporary::Temporary};

const HALF: usize = 100 * 1024;

/// Takes half of what a client sends, waits for longer than nobody needs a bar, and does the same with its answer.
async fn slow() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; HALF];
        let mut upload = 0;
        let head = loop {
            upload += tcp.read(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes[..upload]);
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                break head.to_owned();
            }
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut left = length.map_or(0, |length| length.parse::<usize>().unwrap()) + head.len() + 4 - upload;
        if left > 0 {
            sleep(Duration::from_millis(1300)).await;
        }
        while left > 0 {
            left -= tcp.read(&mut bytes).await.unwrap();
        }
        tcp.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 2 * HALF).as_bytes())
            .await
            .unwrap();
        tcp.write_all(&vec![b'x'; HALF]).await.unwrap();
        sleep(Duration::from_millis(1300)).await;
        tcp.write_all(&vec![b'x'; HALF]).await.unwrap();
        let _ = tcp.read(&mut bytes).await;
    });
    (origin, server)
}

/// What a terminal shows of a call, of which this is written to it or elsewhere.
async fn on_a_terminal(origin: &str, args: &str) -> String {
    let call = format!(
        "{} call --roots bundled --vendor videsk --key env:KEY --base-url {origin} {args}",
        env!("CARGO_BIN_EXE_reauth")
    );
    let mut script = Command::new("script");
    let script = script
        .args(["-qefc", &call, "/dev/null"])
        .env("TERM", "xterm")
        .env("KEY", KEY)
        .env("SHELL", "/bin/sh");
    let child = script.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = soon(child.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_long_download_is_seen_on_a_terminal_while_it_goes_elsewhere() {
    let (origin, _server) = slow().await;
    let output = Temporary::new("progress-download", "");
    let shown = on_a_terminal(&origin, &format!("GET /x > {}", output.path().display())).await;
    assert!(shown.contains("received ") && shown.contains("/200.00 KiB"), "{shown:?}");
    assert_eq!(std::fs::read(output.path()).unwrap().len(), 2 * HALF, "all of it, and nothing else");
}

#[tokio::test]
async fn a_long_upload_is_seen_on_a_terminal_and_what_is_printed_there_is_not_disturbed() {
    let (origin, _server) = slow().await;
    // More than the kernel takes for a server that doesn't read.
    let file = Temporary::new("progress-upload", &"y".repeat(16 * 1024 * 1024));
    let shown = on_a_terminal(&origin, &format!("POST /x -d @{}", file.path().display())).await;
    assert!(shown.contains("sent ") && shown.contains("/16.00 MiB"), "{}", shown.replace('x', ""));
    assert!(!shown.contains("received "), "{}", shown.replace('x', ""));
    assert_eq!(shown.matches('x').count(), 2 * HALF);
}

#[tokio::test]
async fn nothing_is_seen_where_there_is_no_terminal_or_nothing_is_long() {
    let (origin, _server) = slow().await;
    let ended = at(&origin).args("GET /x").run().await;
    ended.assert_status(0);
    assert_eq!((ended.stdout.len(), &*ended.stderr), (2 * HALF, ""));
    let server = Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nz"]).await;
    let shown = on_a_terminal(&server.origin, "GET /x > /dev/null").await;
    assert_eq!(shown, "");
}
