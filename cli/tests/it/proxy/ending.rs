//! How it ends: requests in flight are answered, but not for ever.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::*;
use crate::support::server::read_message;

/// A request whose answer takes its time.
async fn in_flight(program: Program, fake: &FakeApiVideo) -> (Proxy, TcpStream) {
    let proxy = Proxy::start(program).await;
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    let request = format!("GET /slow HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    tcp.write_all(request.as_bytes()).await.unwrap();
    until("the request", || fake.counts().api_calls == 1).await;
    (proxy, tcp)
}

#[tokio::test]
async fn requests_in_flight_are_answered_before_it_ends_and_none_is_taken_after() {
    for signal in ["TERM", "INT"] {
        let (fake, _served, program) = api_video().await;
        fake.controls().delay(On::Api, Times::UntilCleared, std::time::Duration::from_millis(700));
        let (proxy, mut tcp) = in_flight(program, &fake).await;
        let idle = TcpStream::connect(&proxy.address).await.unwrap();
        proxy.signal(signal).await;
        until("the end of listening", || proxy.log().contains("requests in flight have 30s")).await;
        let refused = async { while TcpStream::connect(&proxy.address).await.is_ok() {} };
        soon(refused).await;
        let answer = soon(read_message(&mut tcp)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let (status, log) = proxy.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
        drop(idle);
        fake.assert_no_refusals();
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_cut_off() {
    let (fake, _served, program) = api_video().await;
    fake.controls().fail(On::Api, Times::UntilCleared, Fault::Hang);
    let (proxy, mut tcp) = in_flight(program.args("--grace 0.3"), &fake).await;
    proxy.signal("TERM").await;
    let (status, log) = proxy.ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("ended with requests in flight; see --grace"), "{log}");
    assert_eq!(soon(read_message(&mut tcp)).await, None);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (fake, _served, program) = api_video().await;
    fake.controls().fail(On::Api, Times::UntilCleared, Fault::Hang);
    let (proxy, _tcp) = in_flight(program, &fake).await;
    proxy.signal("TERM").await;
    until("the first signal", || proxy.log().contains("requests in flight have 30s")).await;
    proxy.signal("INT").await;
    let (status, log) = proxy.ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("reauth proxy: ended at once"), "{log}");
}

#[tokio::test]
async fn with_no_request_in_flight_it_ends_at_once() {
    let (_fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    // Kept alive by the client, with nothing going on.
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    let request = format!("GET /x HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    tcp.write_all(request.as_bytes()).await.unwrap();
    soon(read_message(&mut tcp)).await.unwrap();
    proxy.stop().await;
}

/// It has its answer, though it hasn't sent all of its body.
#[tokio::test]
async fn whoever_was_refused_and_does_not_go_away_is_nobody_to_wait_for() {
    let proxy = Proxy::start(before("http://127.0.0.1:1").args("--grace 2")).await;
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    let head =
        format!("POST /x HTTP/1.1\r\nHost: {}\r\nOrigin: x\r\nContent-Length: 9\r\n\r\n", proxy.address);
    tcp.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&soon(read_message(&mut tcp)).await.unwrap()), 403);
    // Which says that nothing was cut off.
    proxy.stop().await;
}
