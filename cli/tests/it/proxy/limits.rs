//! What clients can make grow, and how far.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{interval, sleep, timeout},
};

use super::*;
use crate::support::{PATIENCE, frames, server::read_message};

/// A request whose connection is kept.
const REQUEST: &str = "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n";

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(&proxy.address).await.unwrap()
}

async fn write(tcp: &mut TcpStream, proxy: &Proxy, text: &str) {
    tcp.write_all(text.replace("HOST", &proxy.address).as_bytes()).await.unwrap();
}

/// The status of one request more on a connection.
async fn ask(tcp: &mut TcpStream, proxy: &Proxy) -> u16 {
    write(tcp, proxy, REQUEST).await;
    status(&soon(read_message(tcp)).await.unwrap_or_default())
}

/// What is left to read until the other side closes, which it must.
async fn rest(tcp: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut rest)).await.expect("it is closed");
    rest
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--max-connections 2")).await;
    let (mut first, mut second) = (connect(&proxy).await, connect(&proxy).await);
    assert_eq!((ask(&mut first, &proxy).await, ask(&mut second, &proxy).await), (204, 204));
    let mut third = connect(&proxy).await;
    write(&mut third, &proxy, REQUEST).await;
    until("that it is said", || proxy.log().contains("as many connections as --max-connections")).await;
    assert!(timeout(Duration::from_millis(300), read_message(&mut third)).await.is_err());
    assert_eq!((ask(&mut second, &proxy).await, server.seen().len()), (204, 3));
    drop(first);
    assert_eq!(status(&soon(read_message(&mut third)).await.unwrap()), 204);
    drop((second, third));
    proxy.stop().await;
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_waited_for_no_longer_than_allowed() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--head-timeout 0.5")).await;
    for beginning in ["G", "GET /x HTTP/1.1\r\nHost: HOST\r\n", "P", "PRI * HTTP/2.0\r\n\r\nS"] {
        for asked_before in [false, true] {
            let mut tcp = connect(&proxy).await;
            if asked_before && !beginning.starts_with('P') {
                assert_eq!(ask(&mut tcp, &proxy).await, 204);
            }
            write(&mut tcp, &proxy, beginning).await;
            let (mut reading, mut writing) = tcp.into_split();
            // Little by little doesn't help.
            let trickle = tokio::spawn(async move {
                while beginning.starts_with('G') && writing.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_millis(100)).await;
                }
                writing
            });
            let read = timeout(PATIENCE, reading.read_to_end(&mut Vec::new())).await;
            assert!(read.is_ok(), "{beginning:?}");
            drop(timeout(PATIENCE, trickle).await);
        }
    }
    // The time begins with the head, not with the connection.
    let mut tcp = connect(&proxy).await;
    sleep(Duration::from_millis(700)).await;
    assert_eq!(ask(&mut tcp, &proxy).await, 204);
    drop(tcp);
    assert!(server.seen().iter().all(|request| request.starts_with("GET /x ")), "{:?}", server.seen());
    proxy.stop().await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program.args("--idle-timeout 0.5")).await;
    let mut silent = connect(&proxy).await;
    let mut used = connect(&proxy).await;
    assert_eq!(ask(&mut used, &proxy).await, 200);
    assert!(rest(&mut used).await.is_empty() && rest(&mut silent).await.is_empty());
    // HTTP/2 is told, even if it pings.
    let mut http2 = connect(&proxy).await;
    http2.write_all(&[frames::PREFACE, &frames::SETTINGS].concat()).await.unwrap();
    http2.write_all(&frames::frame(frames::PING, 0, 0, &[0; 8])).await.unwrap();
    let said = frames::split(&rest(&mut http2).await);
    assert!(said.iter().any(|frame| frame.kind == frames::GOAWAY && frame.error() == 0), "{said:?}");
    // One that waits for an answer isn't idle.
    fake.controls().delay(On::Api, Times::Next(1), Duration::from_millis(1200));
    let mut waiting = connect(&proxy).await;
    assert_eq!(ask(&mut waiting, &proxy).await, 200);
    drop(waiting);
    proxy.stop().await;
}

#[tokio::test]
async fn whoever_takes_nothing_in_is_disconnected_and_the_vendors_connection_with_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = before(&format!("http://{}", listener.local_addr().unwrap())).args("--stall-timeout 0.6");
    let proxy = Proxy::start(program).await;
    let mut client = connect(&proxy).await;
    write(&mut client, &proxy, REQUEST).await;
    let (mut server, _) = soon(listener.accept()).await.unwrap();
    soon(read_message(&mut server)).await.unwrap();
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await.unwrap();
    let endless = async { while server.write_all(&[b'x'; 65536]).await.is_ok() {} };
    soon(endless).await;
    assert!(rest(&mut client).await.len() < 100_000_000);
    proxy.stop().await;
}

#[tokio::test]
async fn a_slow_reader_that_reads_is_not_disconnected() {
    let body = "x".repeat(2_000_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Raw::start(&[&answer]).await;
    let proxy = Proxy::start(before(&server.origin).args("--stall-timeout 1 --idle-timeout 0.5")).await;
    let mut client = connect(&proxy).await;
    write(&mut client, &proxy, REQUEST).await;
    let (mut got, mut piece) = (0, vec![0; 400_000]);
    while got < body.len() {
        sleep(Duration::from_millis(200)).await;
        let read = soon(client.read(&mut piece)).await.unwrap();
        assert!(read > 0, "{got} bytes came");
        got += read;
    }
    drop(client);
    proxy.stop().await;
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = Raw::start(&[EMPTY]).await;
    let program = before(&server.origin).args("--max-head 8192 --max-fields 20");
    let proxy = Proxy::start(program).await;
    let fields = |number: usize| (0..number).map(|field| format!("x-{field}: 1\r\n")).collect::<String>();
    for (more, expected) in [
        (format!("x: {}\r\n", "x".repeat(7000)), 204),
        (format!("x: {}\r\n", "x".repeat(8200)), 431),
        // Host is one, too.
        (fields(19), 204),
        (fields(20), 431),
    ] {
        let answer = raw(&proxy.address, &format!("GET /x HTTP/1.1\r\nHost: HOST\r\n{more}\r\n")).await;
        assert_eq!(status(&answer), expected, "{answer}");
    }
    assert_eq!(server.seen().len(), 2);
    proxy.stop().await;
}

/// A client of HTTP/2 that has sent its preface, and so many requests in one piece.
async fn http2(proxy: &Proxy, requests: u32) -> TcpStream {
    let mut tcp = connect(proxy).await;
    let mut sent = [frames::PREFACE, &frames::SETTINGS].concat();
    for number in 0..requests {
        sent.extend(frames::get(2 * number + 1, &proxy.address));
    }
    tcp.write_all(&sent).await.unwrap();
    tcp
}

#[tokio::test]
async fn over_http_2_no_more_requests_are_under_way_than_allowed() {
    let silent = Raw::start(&[""]).await;
    let proxy = Proxy::start(before(&silent.origin).args("--max-streams 3")).await;
    let mut tcp = http2(&proxy, 5).await;
    let mut seen = Vec::new();
    let refused = |seen: &[u8]| {
        let resets = frames::split(seen).into_iter().filter(|frame| frame.kind == frames::RST_STREAM);
        // REFUSED_STREAM: they can be sent again (RFC 9113 §8.7).
        resets.filter(|frame| frame.error() == 7).map(|frame| frame.stream).collect::<Vec<_>>()
    };
    while refused(&seen).len() < 2 {
        assert!(soon(tcp.read_buf(&mut seen)).await.unwrap() > 0);
    }
    assert_eq!(refused(&seen), [7, 9]);
    silent.until_seen(3).await;
    assert_eq!(silent.seen().len(), 3);
    drop(tcp);
    until("the end of the vendor's connections", || silent.open_connections() == 0).await;
    proxy.stop().await;
}

#[tokio::test]
async fn whoever_resets_requests_as_fast_as_it_makes_them_is_disconnected() {
    let silent = Raw::start(&[""]).await;
    let proxy = Proxy::start(before(&silent.origin)).await;
    let mut tcp = connect(&proxy).await;
    let mut sent = [frames::PREFACE, &frames::SETTINGS].concat();
    for number in 0..2000 {
        let stream = 2 * number + 1;
        sent.extend(frames::get(stream, &proxy.address));
        sent.extend(frames::frame(frames::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    // It may be disconnected before it has sent all of that.
    let (mut reading, mut writing) = tcp.split();
    let mut said = Vec::new();
    let (_, read) =
        soon(async { tokio::join!(writing.write_all(&sent), reading.read_to_end(&mut said)) }).await;
    let said = frames::split(&said);
    let calm = said.iter().any(|frame| frame.kind == frames::GOAWAY && frame.error() == 11);
    // The word may get lost where there are bytes that nobody has read.
    assert!(calm || read.is_err(), "{said:?}");
    assert!(silent.seen().len() < 200, "{}", silent.seen().len());
    drop(tcp);
    proxy.stop().await;
}

#[tokio::test]
async fn a_client_of_http_2_that_answers_no_ping_is_disconnected() {
    let silent = Raw::start(&[""]).await;
    let proxy = Proxy::start(before(&silent.origin).args("--stall-timeout 0.9")).await;
    // It acknowledges nothing, either.
    let mut tcp = http2(&proxy, 1).await;
    silent.until_seen(1).await;
    let said = frames::split(&rest(&mut tcp).await);
    assert!(said.iter().any(|frame| frame.kind == frames::PING), "{said:?}");
    until("the end of the vendor's connection", || silent.open_connections() == 0).await;
    proxy.stop().await;
}

/// Gives a client of HTTP/2 more of an answer, in bytes, on the connection and on each of the streams.
fn more(bytes: u32, streams: &[u32]) -> Vec<u8> {
    let on = |stream: &u32| frames::frame(frames::WINDOW_UPDATE, 0, *stream, &bytes.to_be_bytes());
    [0].iter().chain(streams).flat_map(on).collect()
}

/// A client of HTTP/2 whose windows are shut, and that answers pings.
struct Shut {
    tcp: TcpStream,
    seen: Vec<u8>,
    pings: usize,
}

impl Shut {
    async fn connect(proxy: &Proxy) -> Self {
        let mut tcp = connect(proxy).await;
        tcp.write_all(&[frames::PREFACE, &frames::shut()].concat()).await.unwrap();
        Self { tcp, seen: Vec::new(), pings: 0 }
    }

    async fn write(&mut self, frame: &[u8]) {
        self.tcp.write_all(frame).await.unwrap();
    }

    fn seen(&self) -> Vec<frames::Frame> {
        frames::split(&self.seen)
    }

    /// Reads once.
    async fn read(&mut self) {
        assert!(soon(self.tcp.read_buf(&mut self.seen)).await.unwrap() > 0, "{:?}", self.seen());
        let seen = self.seen();
        let pings = seen.iter().filter(|frame| frame.kind == frames::PING && !frame.is_ack());
        for ping in pings.skip(self.pings) {
            self.pings += 1;
            self.write(&frames::frame(frames::PING, 1, 0, &ping.payload)).await;
        }
    }

    /// Reads until such a frame has come.
    async fn until(&mut self, is_it: impl Fn(&frames::Frame) -> bool) -> frames::Frame {
        loop {
            match self.seen().into_iter().find(&is_it) {
                Some(frame) => return frame,
                None => self.read().await,
            }
        }
    }

    /// What has come of an answer's body.
    fn body(&self, stream: u32) -> Vec<u8> {
        let data =
            self.seen().into_iter().filter(|frame| frame.kind == frames::DATA && frame.stream == stream);
        data.flat_map(|frame| frame.payload).collect()
    }
}

#[tokio::test]
async fn a_stream_whose_window_stays_shut_ends_and_the_others_go_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let program = before(&format!("http://{}", listener.local_addr().unwrap())).args("--stall-timeout 1");
    let proxy = Proxy::start(program).await;
    let mut client = Shut::connect(&proxy).await;
    client.write(&frames::get(1, &proxy.address)).await;
    let (mut shut, _) = soon(listener.accept()).await.unwrap();
    soon(read_message(&mut shut)).await.unwrap();
    shut.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await.unwrap();
    // One that waits for the vendor, and not for its client.
    client.write(&frames::get(3, &proxy.address)).await;
    let (mut slow, _) = soon(listener.accept()).await.unwrap();
    soon(read_message(&mut slow)).await.unwrap();
    slow.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc").await.unwrap();
    client.write(&more(3, &[3])).await;

    let endless = tokio::spawn(async move { while shut.write_all(&[b'x'; 65536]).await.is_ok() {} });
    let reset = client.until(|frame| frame.kind == frames::RST_STREAM).await;
    // CANCEL.
    assert_eq!((reset.stream, reset.error()), (1, 8));
    // Nothing more is taken from the vendor.
    soon(endless).await.unwrap();
    slow.write_all(b"def").await.unwrap();
    client.write(&more(3, &[3])).await;
    client.until(|frame| frame.stream == 3 && frame.is_end()).await;
    assert_eq!((client.body(1), client.body(3)), (vec![], b"abcdef".to_vec()));
    assert!(client.pings > 0);
    drop((client, slow));
    proxy.stop().await;
}

/// A quarter of a piece at a time.
#[tokio::test]
async fn a_slow_reader_over_http_2_is_not_disconnected() {
    let body = "x".repeat(600_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Raw::start(&[&answer]).await;
    let proxy = Proxy::start(before(&server.origin).args("--stall-timeout 2.5 --idle-timeout 0.5")).await;
    let mut client = Shut::connect(&proxy).await;
    client.write(&frames::get(1, &proxy.address)).await;
    let mut opens = interval(Duration::from_millis(100));
    while client.body(1).len() < body.len() {
        tokio::select! {
            _ = opens.tick() => client.write(&more(16 * 1024, &[1])).await,
            () = client.read() => {}
        }
    }
    assert_eq!(client.body(1), body.as_bytes());
    drop(client);
    proxy.stop().await;
}

/// The vendor has nothing to do with it any more, so what is left of it is as long as a piece at most.
#[tokio::test]
async fn a_short_answer_that_nobody_takes_in_does_not_keep_a_connection() {
    let server = Raw::start(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort"]).await;
    let proxy = Proxy::start(before(&server.origin).args("--stall-timeout 1 --idle-timeout 0.5")).await;
    let mut client = Shut::connect(&proxy).await;
    client.write(&frames::get(1, &proxy.address)).await;
    client.until(|frame| frame.kind == frames::GOAWAY).await;
    assert_eq!((client.body(1), server.seen().len()), (vec![], 1));
    rest(&mut client.tcp).await;
    proxy.stop().await;
}

/// The processor time of a process so far, in ticks of a hundredth of a second.
#[cfg(target_os = "linux")]
fn ticks(proxy: &Proxy) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", proxy.id())).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn where_the_system_has_no_room_for_more_it_waits_and_goes_on() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).ulimit("-n 40")).await;
    let said = "and --max-upgrades 200 may need 2464 open files";
    until("that it is said", || proxy.log().contains(said)).await;
    let mut first = connect(&proxy).await;
    assert_eq!(ask(&mut first, &proxy).await, 204);
    let mut others = Vec::new();
    for _ in 0..60 {
        others.push(connect(&proxy).await);
    }
    until("that it is said", || proxy.log().contains("nothing can be accepted: Too many open files")).await;
    let before = ticks(&proxy);
    sleep(Duration::from_secs(1)).await;
    assert!(ticks(&proxy) - before < 50, "it spins");
    assert_eq!(ask(&mut first, &proxy).await, 204);
    drop(others);
    let mut next = connect(&proxy).await;
    assert_eq!(ask(&mut next, &proxy).await, 204);
    assert_eq!(proxy.log().matches("nothing can be accepted").count(), 1);
    drop((first, next));
    proxy.stop().await;
}

#[tokio::test]
async fn limits_that_cannot_be_are_refused() {
    for (args, says) in [
        ("--max-connections 0", "1..=1000000"),
        ("--max-connections 1 --listen unix:/x", "each --listen needs one at least"),
        ("--max-head 100", "8192..=16777216"),
        ("--max-fields 1", "10..=10000"),
        ("--max-streams 0", "1..=10000"),
        ("--head-timeout 0", "give seconds, as a number above 0"),
        ("--idle-timeout x", "give seconds, as a number above 0"),
        ("--stall-timeout -1", "give seconds, as a number above 0"),
    ] {
        let program = before("http://127.0.0.1:9").args(&args.replacen(' ', "=", 1));
        program.run().await.assert_status(2).assert_says(says);
    }
}
