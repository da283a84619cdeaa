//! Bodies go through while they come, and none is held.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::*;
use crate::support::frames::{self, DATA, END_HEADERS, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame};

const PIECE: usize = 64 * 1024;
/// More than sockets and programs hold in passing, and more than the proxy may need.
const LONG: usize = 128 * 1024 * 1024;

/// A vendor's server whose one connection is the test's, and a client's connection to the proxy before it.
async fn between(head: &str) -> (Proxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(before(&format!("http://{}", listener.local_addr().unwrap()))).await;
    let mut client = TcpStream::connect(&proxy.address).await.unwrap();
    client.write_all(head.replace("HOST", &proxy.address).as_bytes()).await.unwrap();
    let (server, _) = soon(listener.accept()).await.unwrap();
    (proxy, client, server)
}

/// Reads up to the end of a head, and not further.
async fn head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(tcp.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Writes until the other side takes no more for a while, or until `most` is written.
async fn write_until_stuck(tcp: &mut TcpStream, most: usize) -> usize {
    let (piece, mut written) = (vec![b'x'; PIECE], 0);
    while written < most {
        match timeout(Duration::from_millis(500), tcp.write(&piece[..PIECE.min(most - written)])).await {
            Ok(bytes) => written += bytes.unwrap(),
            Err(_) => break,
        }
    }
    written
}

async fn write_exactly(tcp: &mut TcpStream, bytes: usize) {
    let (piece, mut left) = (vec![b'x'; PIECE], bytes);
    while left > 0 {
        left -= soon(tcp.write(&piece[..PIECE.min(left)])).await.unwrap();
    }
}

async fn read_exactly(tcp: &mut TcpStream, bytes: usize) {
    let (mut piece, mut left) = (vec![0; PIECE], bytes);
    while left > 0 {
        let most = left.min(PIECE);
        let read = soon(tcp.read(&mut piece[..most])).await.unwrap();
        assert!(read > 0, "{left} bytes are missing");
        left -= read;
    }
}

/// The most memory that the proxy has had, in KiB.
fn peak_memory(proxy: &Proxy) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", proxy.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_long_upload_waits_for_the_vendor_and_is_not_held() {
    let request = format!("POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: {LONG}\r\n\r\n");
    let (proxy, mut client, mut server) = between(&request).await;
    let at_vendor = head(&mut server).await;
    assert!(at_vendor.contains(&format!("content-length: {LONG}\r\n")), "{at_vendor}");
    // The vendor doesn't read yet, so after a while the client can't write.
    let written = write_until_stuck(&mut client, LONG).await;
    assert!(written < LONG / 2, "{written} bytes are somewhere");
    let rest = tokio::spawn(async move {
        write_exactly(&mut client, LONG - written).await;
        client
    });
    read_exactly(&mut server, LONG).await;
    let mut client = soon(rest).await.unwrap();
    server.write_all(EMPTY.as_bytes()).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 204 "));
    assert!(peak_memory(&proxy) < LONG / 1024 / 2, "{} KiB", peak_memory(&proxy));
    drop((client, server));
    proxy.stop().await;
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_long_download_waits_for_the_client_and_is_not_held() {
    let (proxy, mut client, mut server) = between("GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    head(&mut server).await;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {LONG}\r\n\r\n");
    server.write_all(answer.as_bytes()).await.unwrap();
    head(&mut client).await;
    let written = write_until_stuck(&mut server, LONG).await;
    assert!(written < LONG / 2, "{written} bytes are somewhere");
    let rest = tokio::spawn(async move {
        write_exactly(&mut server, LONG - written).await;
        server
    });
    read_exactly(&mut client, LONG).await;
    assert!(peak_memory(&proxy) < LONG / 1024 / 2, "{} KiB", peak_memory(&proxy));
    drop((client, soon(rest).await.unwrap()));
    proxy.stop().await;
}

#[tokio::test]
async fn each_piece_goes_through_before_the_next_is_sent() {
    let request = "POST /x HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (proxy, mut client, mut server) = between(request).await;
    head(&mut server).await;
    server.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    head(&mut client).await;
    let mut piece = [0; 8];
    for _ in 0..10 {
        client.write_all(b"3\r\nask\r\n").await.unwrap();
        soon(server.read_exact(&mut piece)).await.unwrap();
        assert_eq!(&piece, b"3\r\nask\r\n");
        server.write_all(b"3\r\nsay\r\n").await.unwrap();
        soon(client.read_exact(&mut piece)).await.unwrap();
        assert_eq!(&piece, b"3\r\nsay\r\n");
    }
    drop((client, server));
    proxy.stop().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_client() {
    for (length, half, end) in
        [("Transfer-Encoding: chunked", "4\r\nhalf\r\n", "0\r\n"), ("Content-Length: 9", "half", "-----")]
    {
        let (proxy, mut client, mut server) = between("GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        head(&mut server).await;
        server.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n{half}").as_bytes()).await.unwrap();
        head(&mut client).await;
        let mut got = vec![0; half.len()];
        soon(client.read_exact(&mut got)).await.unwrap();
        assert_eq!(got, half.as_bytes());
        drop(server);
        let mut rest = String::new();
        let _ = soon(client.read_to_string(&mut rest)).await;
        assert!(!rest.contains(end), "it must not look like a whole one: {rest:?}");
        proxy.stop().await;
    }
}

/// What has come of it gets to the client, and it is said whose fault it is that no more does.
#[tokio::test]
async fn an_answer_that_is_broken_from_its_beginning_has_its_head() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let (proxy, mut client, mut server) = between("GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        head(&mut server).await;
        server.write_all(answer.as_bytes()).await.unwrap();
        drop(server);
        let mut got = String::new();
        let _ = soon(client.read_to_string(&mut got)).await;
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}: {got:?}");
        assert!(!got.ends_with("0\r\n\r\n"), "{got:?}");
        assert_eq!(got.contains("half"), answer.contains("half"), "{got:?}");
        until("that it is said", || proxy.log().contains("GET /x: the vendor's answer broke off: ")).await;
        drop(client);
        proxy.stop().await;
    }
}

/// RST_STREAM with NO_ERROR, which says that whoever sends it wants no more, and not that it has sent all.
fn no_error(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &0_u32.to_be_bytes())
}

#[tokio::test]
async fn an_answer_over_http_2_that_is_reset_without_an_error_breaks_off_too() {
    for status in [vec![0x88], [&[0x88, 0x5c, 0x01][..], b"9"].concat()] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let program = before(&format!("http://{}", listener.local_addr().unwrap()));
        let proxy = Proxy::start(program.arg("--http2-prior-knowledge")).await;
        let mut client = TcpStream::connect(&proxy.address).await.unwrap();
        let request = format!("GET /x HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
        client.write_all(request.as_bytes()).await.unwrap();
        let mut vendor = frames::asked(&listener).await;
        let half = [frame(HEADERS, END_HEADERS, 1, &status), frame(DATA, 0, 1, b"half"), no_error(1)];
        vendor.write_all(&half.concat()).await.unwrap();
        let mut got = String::new();
        let _ = soon(client.read_to_string(&mut got)).await;
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.contains("half"), "{got:?}");
        assert!(!got.ends_with("0\r\n\r\n"), "{got:?}");
        until("that it is said", || proxy.log().contains("GET /x: the vendor's answer broke off: ")).await;
        drop((client, vendor));
        proxy.stop().await;
    }
}

/// Which of two tasks comes first decides, so there are many.
#[tokio::test]
async fn an_upload_over_http_2_that_is_reset_without_an_error_does_not_look_like_a_whole_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(before(&format!("http://{}", listener.local_addr().unwrap()))).await;
    let mut client = TcpStream::connect(&proxy.address).await.unwrap();
    client.write_all(&[PREFACE, &SETTINGS].concat()).await.unwrap();
    for stream in (1..80).step_by(2) {
        let upload = [frames::post(stream, END_HEADERS, &proxy.address), frame(DATA, 0, stream, b"half")];
        client.write_all(&upload.concat()).await.unwrap();
        let (mut vendor, _) = soon(listener.accept()).await.unwrap();
        head(&mut vendor).await;
        let mut half = [0; 9];
        soon(vendor.read_exact(&mut half)).await.unwrap();
        client.write_all(&no_error(stream)).await.unwrap();
        let mut rest = Vec::new();
        let _ = soon(vendor.read_to_end(&mut rest)).await;
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }
    drop(client);
    proxy.stop().await;
}

/// Whether the other side has closed the connection, or broken it off.
async fn is_over(tcp: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    matches!(timeout(crate::support::PATIENCE, tcp.read_to_end(&mut rest)).await, Ok(Ok(_) | Err(_)))
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_call_of_the_vendor() {
    // While it waits for an answer.
    let (proxy, client, mut server) = between("GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    head(&mut server).await;
    drop(client);
    assert!(is_over(&mut server).await);
    proxy.stop().await;

    // In the middle of an answer.
    let (proxy, mut client, mut server) = between("GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    head(&mut server).await;
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await.unwrap();
    head(&mut client).await;
    drop(client);
    assert!(is_over(&mut server).await);
    proxy.stop().await;

    // In the middle of an upload, which must not look like a whole one.
    let upload = "POST /x HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let (proxy, client, mut server) = between(upload).await;
    head(&mut server).await;
    let mut half = [0; 9];
    soon(server.read_exact(&mut half)).await.unwrap();
    drop(client);
    let mut rest = Vec::new();
    let _ = soon(server.read_to_end(&mut rest)).await;
    assert!(rest.is_empty(), "{rest:?}");
    proxy.stop().await;
}

/// A body may take longer than the timeout, as long as it moves.
#[tokio::test]
async fn a_slow_upload_is_not_timed_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = before(&format!("http://{}", listener.local_addr().unwrap())).args("--timeout 2");
    let proxy = Proxy::start(program).await;
    let mut client = TcpStream::connect(&proxy.address).await.unwrap();
    let request = format!("POST /x HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\n", proxy.address);
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = soon(listener.accept()).await.unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        client.write_all(b"x").await.unwrap();
    }
    assert!(head(&mut server).await.starts_with("POST /x"));
    read_exactly(&mut server, 10).await;
    server.write_all(EMPTY.as_bytes()).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 204 "));
    drop((client, server));
    proxy.stop().await;
}
