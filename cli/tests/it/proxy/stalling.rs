//! Clients that begin something and don't go on with it, or close one direction alone.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::*;
use crate::support::{
    PATIENCE,
    frames::{self, CONTINUATION, END_HEADERS, frame},
    server::read_message,
};

const DATA: u8 = 0;

async fn connect(proxy: &Proxy, bytes: &[u8]) -> TcpStream {
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    tcp
}

/// What is left to read until the other side closes, which it must.
async fn rest(tcp: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut rest)).await.expect("it is closed");
    rest
}

/// The beginning of HTTP/2, and what comes after it.
fn http2(frames: &[Vec<u8>]) -> Vec<u8> {
    [frames::PREFACE, &frames::SETTINGS, &frames.concat()].concat()
}

#[tokio::test]
async fn an_upload_that_stops_is_answered_and_both_connections_are_closed() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--timeout 0.5")).await;
    for length in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let head = format!("POST /x HTTP/1.1\r\nHost: {}\r\n{length}\r\n\r\n5\r\nhello", proxy.address);
        let mut tcp = connect(&proxy, head.as_bytes()).await;
        let said = String::from_utf8(rest(&mut tcp).await).unwrap();
        assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("connection: close\r\n"), "{said}");
        assert!(said.contains("nothing moved for 500ms, and the client's body isn't at its end"), "{said}");
        until("the end of the vendor's connection", || server.open_connections() == 0).await;
    }
    // Whoever goes on, however slowly, isn't cut off.
    let head = format!("POST /x HTTP/1.1\r\nHost: {}\r\nContent-Length: 8\r\n\r\n", proxy.address);
    let mut tcp = connect(&proxy, head.as_bytes()).await;
    for _ in 0..8 {
        sleep(Duration::from_millis(150)).await;
        tcp.write_all(b"x").await.unwrap();
    }
    assert_eq!(status(&soon(read_message(&mut tcp)).await.unwrap()), 204);
    drop(tcp);
    proxy.stop().await;
}

#[tokio::test]
async fn over_http_2_uploads_that_stop_give_their_places_back() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--timeout 0.5 --max-streams 3")).await;
    let uploads: Vec<_> = [1, 3, 5].map(|stream| frames::post(stream, END_HEADERS, &proxy.address)).into();
    let mut tcp = connect(&proxy, &http2(&uploads)).await;
    let mut seen = Vec::new();
    let answered = |seen: &[u8], stream: u32| {
        let frames = frames::split(seen);
        let of_it = |frame: &&frames::Frame| frame.stream == stream;
        let head = frames.iter().filter(of_it).any(|frame| frame.kind == frames::HEADERS);
        let body: Vec<_> = frames.iter().filter(of_it).filter(|frame| frame.kind == DATA).collect();
        (head, body.iter().map(|frame| String::from_utf8_lossy(&frame.payload)).collect::<String>())
    };
    while ![1, 3, 5].iter().all(|stream| answered(&seen, *stream).1.contains("nothing moved for 500ms")) {
        assert!(soon(tcp.read_buf(&mut seen)).await.unwrap() > 0, "{:?}", frames::split(&seen));
    }
    tcp.write_all(&[frames::get(7, &proxy.address), frames::get(9, &proxy.address)].concat()).await.unwrap();
    while !answered(&seen, 7).0 || !answered(&seen, 9).0 {
        assert!(soon(tcp.read_buf(&mut seen)).await.unwrap() > 0, "{:?}", frames::split(&seen));
    }
    until("two requests", || server.seen().iter().filter(|seen| seen.starts_with("GET /")).count() == 2)
        .await;
    drop(tcp);
    proxy.stop().await;
}

#[tokio::test]
async fn over_http_2_a_head_that_does_not_come_to_its_end_keeps_no_connection() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--idle-timeout 0.5")).await;
    let mut tcp = connect(&proxy, &http2(&[frames::post(1, 0, &proxy.address)])).await;
    rest(&mut tcp).await;
    // Nor does one that goes on for ever grow for ever.
    let mut tcp = connect(&proxy, &http2(&[frames::post(1, 0, &proxy.address)])).await;
    // A literal field that isn't remembered, of a kilobyte.
    let field = [&[0x00, 0x01, b'x', 0x7f, 0xe9, 0x06][..], &[b'y'; 1000]].concat();
    let piece = frame(CONTINUATION, 0, 1, &field);
    let mut written = 0;
    while written < 100_000_000 {
        match timeout(PATIENCE, tcp.write_all(&piece)).await.expect("it is read, or closed") {
            Ok(()) => written += piece.len(),
            Err(_) => break,
        }
    }
    assert!(written < 10_000_000, "{written}");
    assert_eq!(server.seen().len(), 0);
    proxy.stop().await;
}

/// It can't be told from one that has gone, for whom nobody is to be asked on.
#[tokio::test]
async fn whoever_closes_its_own_direction_is_taken_for_gone() {
    let silent = Raw::start(&[""]).await;
    let proxy = Proxy::start(before(&silent.origin)).await;
    let request = format!("GET /x HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    let mut tcp = connect(&proxy, request.as_bytes()).await;
    silent.until_seen(1).await;
    tcp.shutdown().await.unwrap();
    assert_eq!(rest(&mut tcp).await, b"");
    until("the end of the vendor's connection", || silent.open_connections() == 0).await;
    proxy.stop().await;
}

/// Many programs read nothing until they have sent everything, and take a connection that breaks off meanwhile for the answer.
#[tokio::test]
async fn whoever_still_sends_what_is_refused_gets_the_refusal_and_may_not_send_for_ever() {
    const LONG: usize = 20_000_000;
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let head = |length: &str| {
        format!("POST /x HTTP/1.1\r\nHost: {}\r\nOrigin: https://page\r\n{length}\r\n\r\n", proxy.address)
    };
    let mut tcp = connect(&proxy, head(&format!("Content-Length: {LONG}")).as_bytes()).await;
    let piece = vec![b'x'; 100_000];
    for _ in 0..LONG / piece.len() {
        soon(tcp.write_all(&piece)).await.unwrap();
    }
    let said = String::from_utf8(rest(&mut tcp).await).unwrap();
    assert!(said.starts_with("HTTP/1.1 403 ") && said.contains("Origin"), "{said}");

    let mut tcp = connect(&proxy, head("Transfer-Encoding: chunked").as_bytes()).await;
    let endless = async {
        while tcp.write_all(b"3\r\nand\r\n").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    soon(endless).await;
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    proxy.stop().await;
}

/// How many sockets a process has open.
#[cfg(target_os = "linux")]
fn sockets(proxy: &Proxy) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", proxy.id())).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Whether it has answered before, or nobody waits for its answer any more.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_vendor_that_reads_no_more_of_an_upload_keeps_no_connection() {
    const EARLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = before(&format!("http://{}", listener.local_addr().unwrap()));
    let proxy = Proxy::start(program.args("--timeout 1 --stall-timeout 1")).await;
    let at_rest = sockets(&proxy);
    for (early, expected) in [(EARLY, "200"), (b"", "504")] {
        let head = format!("POST /x HTTP/1.1\r\nHost: {}\r\nContent-Length: 99999999\r\n\r\n", proxy.address);
        let mut client = connect(&proxy, head.as_bytes()).await;
        let (mut vendor, _) = soon(listener.accept()).await.unwrap();
        soon(vendor.read_exact(&mut [0; 6])).await.unwrap();
        vendor.write_all(early).await.unwrap();
        let (mut reading, mut writing) = client.split();
        let mut said = [0; 12];
        let upload = async {
            let piece = vec![b'x'; 65536];
            while writing.write_all(&piece).await.is_ok() {}
        };
        tokio::select! {
            read = soon(reading.read_exact(&mut said)) => drop(read.unwrap()),
            () = upload => panic!("the rest of the upload was not taken"),
        }
        assert_eq!(String::from_utf8_lossy(&said), format!("HTTP/1.1 {expected}"));
        // Until it can write no more to the vendor.
        while let Ok(written) = timeout(Duration::from_millis(300), client.write(&[b'x'; 65536])).await {
            if written.is_err() {
                break;
            }
        }
        drop(client);
        until("the end of the vendor's connection", || sockets(&proxy) == at_rest).await;
        drop(vendor);
    }
    proxy.stop().await;
}

/// Else its streams would be used up, and with them the whole vendor.
#[tokio::test]
async fn over_http_2_what_a_vendor_that_has_answered_does_not_read_keeps_no_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program =
        before(&format!("http://{}", listener.local_addr().unwrap())).arg("--http2-prior-knowledge");
    let proxy = Proxy::start(program.args("--timeout 0.5 --stall-timeout 0.5")).await;
    let head = format!("POST /x HTTP/1.1\r\nHost: {}\r\nContent-Length: 200000\r\n\r\n", proxy.address);
    // More than the vendor's window takes.
    let mut client = connect(&proxy, &[head.as_bytes(), &[b'x'; 150_000]].concat()).await;
    let mut vendor = frames::asked(&listener).await;
    let answer = [frame(frames::HEADERS, END_HEADERS, 1, &[0x88]), frame(DATA, 1, 1, b"ok")];
    vendor.write_all(&answer.concat()).await.unwrap();
    let mut said = [0; 12];
    soon(client.read_exact(&mut said)).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    // CANCEL.
    let reset = frame(frames::RST_STREAM, 0, 1, &8_u32.to_be_bytes());
    let mut seen = Vec::new();
    while !seen.windows(reset.len()).any(|seen| seen == reset) {
        assert!(soon(vendor.read_buf(&mut seen)).await.unwrap() > 0);
    }
    drop((client, vendor));
    proxy.stop().await;
}
