//! What clients are told when the vendor can't be called.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::*;
use crate::support::{
    frames::{self, CONTINUATION, END_HEADERS, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, split},
    server::{Manner, read_message},
    temporary::Temporary,
};

/// The problem that a request comes to: its status, and what is said.
async fn problem(proxy: &Proxy) -> (u16, String, http::HeaderMap) {
    let response = get(&proxy.url("/x")).await;
    let (head, body) = response.into_parts();
    assert_eq!(head.headers["content-type"], "application/problem+json");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["status"], head.status.as_u16());
    assert!(!body.to_string().contains(KEY));
    (head.status.as_u16(), body["detail"].as_str().unwrap().to_owned(), head.headers)
}

#[tokio::test]
async fn without_a_token_it_is_503_and_nothing_is_sent() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    fake.controls().revoke(Revoked::Removed);
    let (status, detail, headers) = problem(&proxy).await;
    assert_eq!(status, 503);
    assert!(detail.starts_with("there is no token for the vendor: the token endpoint rejected"), "{detail}");
    assert_eq!(headers["proxy-status"], "tower-reauth; error=proxy_configuration_error");
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    // The credentials aren't tried again and again.
    assert_eq!(problem(&proxy).await.0, 503);
    let counts = fake.counts();
    assert_eq!((counts.acquires, counts.api_calls), (1, 0));
    fake.assert_no_refusals();
    let log = proxy.stop().await;
    assert!(log.contains("GET /x: 503 Service Unavailable in "), "{log}");
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_503_too() {
    let (fake, _served, program) = api_video().await;
    fake.controls().fail(On::Tokens, Times::UntilCleared, Answer::new(StatusCode::BAD_GATEWAY));
    let proxy = Proxy::start(program).await;
    let (status, detail, headers) = problem(&proxy).await;
    assert_eq!(
        (status, &headers["proxy-status"]),
        (503, &"tower-reauth; error=proxy_internal_error".parse().unwrap())
    );
    assert!(detail.contains("the token endpoint is unavailable"), "{detail}");
    fake.controls().clear();
    until("a token again", || fake.counts().acquires > 0).await;
    let recovered = async {
        while get(&proxy.url("/x")).await.status() != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    soon(recovered).await;
    proxy.stop().await;
}

#[tokio::test]
async fn a_vendor_that_cannot_be_reached_is_502() {
    let gone = FakeVidesk::new().serve().await.unwrap();
    let proxy = Proxy::start(before(gone.origin())).await;
    gone.stop().await;
    let (status, detail, headers) = problem(&proxy).await;
    assert_eq!(
        (status, &headers["proxy-status"]),
        (502, &"tower-reauth; error=destination_unavailable".parse().unwrap())
    );
    assert!(detail.contains("no connection could be made"), "{detail}");
    proxy.stop().await;
}

#[tokio::test]
async fn a_vendor_that_breaks_off_is_502() {
    let fake = FakeVidesk::new();
    let served = fake.serve().await.unwrap();
    fake.controls().fail(On::Api, Times::UntilCleared, Fault::RequestLost);
    let proxy = Proxy::start(before(served.origin())).await;
    let (status, _, headers) = problem(&proxy).await;
    assert_eq!(
        (status, &headers["proxy-status"]),
        (502, &"tower-reauth; error=connection_terminated".parse().unwrap())
    );
    proxy.stop().await;
}

#[tokio::test]
async fn a_vendor_that_says_nothing_is_504() {
    let silent = Raw::start(&[""]).await;
    let proxy = Proxy::start(before(&silent.origin).args("--timeout 0.3")).await;
    let (status, detail, headers) = problem(&proxy).await;
    assert_eq!(
        (status, &headers["proxy-status"]),
        (504, &"tower-reauth; error=http_response_timeout".parse().unwrap())
    );
    assert!(detail.contains("nothing moved for 300ms"), "{detail}");
    until("the end of the connection", || silent.open_connections() == 0).await;
    proxy.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_status_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = with_key(Program::proxy_at(&address), "https://api.videsk.io").run().await;
    ended.assert_status(1).assert_says(&format!("reauth proxy: can't listen at {address}"));
}

/// The log is read in a terminal, which takes orders from C1 controls, and shows what comes after U+202E backwards.
#[tokio::test]
async fn the_log_says_what_a_client_sends_in_ascii_alone() {
    let proxy = Proxy::start(before("http://127.0.0.1:1")).await;
    let answer = raw(&proxy.address, "GET /a\u{9b}31m\u{202e}b?c HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    assert_eq!(status(&answer), 502, "{answer}");
    until("that it is said", || proxy.log().contains("GET /a\\u{9b}31m\\u{202e}b: 502")).await;
    assert!(proxy.log().is_ascii(), "{}", proxy.log());
    proxy.stop().await;
}

/// A vendor that answers when it has a whole body, and how many requests it has had.
async fn patient() -> (String, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let count = requests.clone();
    let router = axum::Router::new().fallback(async move |request: axum::extract::Request| {
        count.fetch_add(1, SeqCst);
        http_body_util::BodyExt::collect(request.into_body()).await.map(|_| "whole").unwrap_or("broken")
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (origin, requests)
}

/// A client that has written this, as it is but for `HOST`.
async fn writes(proxy: &Proxy, bytes: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    tcp.write_all(bytes.replace("HOST", &proxy.address).as_bytes()).await.unwrap();
    tcp
}

#[tokio::test]
async fn what_a_client_does_not_send_to_its_end_is_its_own_fault() {
    const CHUNKS: &str = "POST /x HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n";
    const LENGTH: &str = "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 9\r\n\r\nab";
    // Of why a body broke off, a vendor's client keeps nothing over HTTP/2.
    for args in ["", "--http2-prior-knowledge"] {
        let (origin, requests) = patient().await;
        let proxy = Proxy::start(before(&origin).args(args)).await;
        // Chunks that are none, and the end of what the client sends.
        for (begins, breaks) in [(CHUNKS, "x\r\n"), (CHUNKS, ""), (LENGTH, "")] {
            let mut tcp = writes(&proxy, &format!("{begins}{breaks}")).await;
            if breaks.is_empty() {
                tcp.shutdown().await.unwrap();
            }
            let answer = soon(read_message(&mut tcp)).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            assert!(
                answer.contains("\r\nproxy-status: tower-reauth; error=http_request_error\r\n"),
                "{answer}"
            );
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert!(answer.contains("the client's body broke off: "), "{answer}");
            assert_eq!(soon(tcp.read(&mut [0])).await.unwrap(), 0);
        }
        // Nobody is there any more to be answered, but somebody may ask what has happened.
        let told = |path: &str| proxy.log().matches(&format!("POST {path}: 400 Bad Request in ")).count();
        until("that it is said", || told("/x") == 3).await;
        let had = requests.load(SeqCst);
        let tcp = writes(&proxy, LENGTH).await;
        until("the request", || requests.load(SeqCst) > had).await;
        tcp.set_zero_linger().unwrap();
        drop(tcp);
        until("that a reset is said", || told("/x") == 4).await;
        assert!(!proxy.log().contains("vendor did not"), "{}", proxy.log());
        proxy.stop().await;
    }
}

/// Whoever sends the next request on such a connection has lost it.
#[tokio::test]
async fn a_connection_whose_request_is_answered_before_its_end_is_said_to_be_closed() {
    const HALF: &str = "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 300000\r\n\r\nab";
    let whole = HALF.replace("300000", "2");
    let early = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
    let server = Raw::with(Manner::Hasty, &[early]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (request, is_whole) in [(HALF, false), (&*whole, true)] {
        let answer = soon(read_message(&mut writes(&proxy, request).await)).await.unwrap();
        assert_eq!(status(&answer), 413, "{answer}");
        assert_eq!(answer.contains("\r\nconnection: close\r\n"), !is_whole, "{answer}");
    }
    proxy.stop().await;
    // One that goes away in the middle.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(before(&format!("http://{}", listener.local_addr().unwrap()))).await;
    let mut tcp = writes(&proxy, HALF).await;
    let (mut vendor, _) = soon(listener.accept()).await.unwrap();
    soon(vendor.read(&mut [0; 1024])).await.unwrap();
    drop(vendor);
    let answer = soon(read_message(&mut tcp)).await.unwrap();
    assert_eq!(status(&answer), 502, "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(soon(tcp.read(&mut [0])).await.unwrap(), 0);
    proxy.stop().await;
}

/// A vendor that answers before it reads, and throws away what comes.
async fn answers_at_once(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            assert!(tcp.read(&mut [0; 1024]).await.unwrap() > 0);
            tcp.write_all(answer.as_bytes()).await.unwrap();
            tokio::spawn(async move { tokio::io::copy(&mut tcp, &mut tokio::io::sink()).await });
        }
    });
    origin
}

/// As many do, and the system forgets an answer once it is told that the rest was not wanted.
#[tokio::test]
async fn a_client_that_writes_all_before_it_reads_has_its_answer() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let origin =
        answers_at_once("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno").await;
    let key = Temporary::new("cut-off-key", "a-key-of-the-clients");
    for (program, expected) in
        [(before(&origin), 413), (before(&origin).arg("--allow-key").arg(key.reference()), 407)]
    {
        let proxy = Proxy::start(program).await;
        for head in [
            format!("Content-Length: {LENGTH}\r\n\r\n"),
            "Transfer-Encoding: chunked\r\n\r\n1000000\r\n".to_owned(),
        ] {
            let mut tcp = writes(&proxy, &format!("POST /x HTTP/1.1\r\nHost: HOST\r\n{head}")).await;
            for _ in 0..128 {
                tcp.write_all(&[b'a'; LENGTH / 128]).await.expect("it is taken");
                sleep(Duration::from_millis(2)).await;
            }
            let answer = soon(read_message(&mut tcp)).await.unwrap();
            assert_eq!(status(&answer), expected, "{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        }
        proxy.stop().await;
    }
}

/// Whose answers these are, nobody should look for a connection that broke off.
#[tokio::test]
async fn an_answer_that_makes_no_sense_is_told_as_that() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1_000_000));
    let answers = [
        ("HTTP/1.1 abc OK\r\n\r\n", "http_protocol_error"),
        ("HTTP/1.1 099 OK\r\n\r\n", "http_protocol_error"),
        ("<html>An answer of HTTP/0.9</html>", "http_protocol_error"),
        ("HTTP/1.1 200 OK\r\nx y: z\r\n\r\n", "http_protocol_error"),
        ("HTTP/1.1 200 OK\r\nx: y\r\n z\r\n\r\n", "http_protocol_error"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "http_protocol_error"),
        (&*long, "http_response_header_section_size"),
        ("HTTP/1.1 200 OK\r\nx: y", "connection_terminated"),
    ];
    let server = Raw::with(Manner::Closes, &answers.map(|(answer, _)| answer)).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (answer, expected) in answers {
        let (status, detail, headers) = problem(&proxy).await;
        let error = format!("tower-reauth; error={expected}");
        let answer = &answer[..answer.len().min(60)];
        assert_eq!(
            (status, headers["proxy-status"].to_str().unwrap()),
            (502, &*error),
            "{answer:?}: {detail}"
        );
        assert_eq!(detail.contains("vendor did not answer"), expected == "connection_terminated", "{detail}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn over_http_2_a_vendor_that_resets_and_one_that_makes_no_sense_are_told_apart() {
    let no_status = frame(HEADERS, 0x05, 1, &[0x00, 0x01, b'x', 0x01, b'y']);
    let reset = frame(RST_STREAM, 0, 1, &2_u32.to_be_bytes());
    for (said, expected) in [(no_status, "http_protocol_error"), (reset, "http_response_incomplete")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Proxy::start(before(&origin).arg("--http2-prior-knowledge")).await;
        let vendor = async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(&SETTINGS).await.unwrap();
            let mut seen = Vec::new();
            let has_head = |seen: &[u8]| {
                seen.get(PREFACE.len()..)
                    .is_some_and(|seen| split(seen).iter().any(|frame| frame.kind == HEADERS))
            };
            while !has_head(&seen) {
                assert!(tcp.read_buf(&mut seen).await.unwrap() > 0);
            }
            tcp.write_all(&said).await.unwrap();
            tcp
        };
        let ((status, detail, headers), _tcp) = tokio::join!(problem(&proxy), vendor);
        let error = format!("tower-reauth; error={expected}");
        assert_eq!((status, headers["proxy-status"].to_str().unwrap()), (502, &*error), "{detail}");
        proxy.stop().await;
    }
}

/// An answer over HTTP/2 without a body, and with so many fields of 10 KB.
fn long_head(fields: usize) -> Vec<u8> {
    // Each of them written out (RFC 7541 §6.2.2), with a length of 10000 (§5.1).
    let field = [&[0, 1, b'x', 0x7f, 0x91, 0x4d][..], &[b'y'; 10_000]].concat();
    let block = [&[0x88], &*field.repeat(fields)].concat();
    let pieces: Vec<_> = block.chunks(16_384).collect();
    let framed = pieces.iter().enumerate().flat_map(|(at, piece)| {
        // END_STREAM is of the first, and END_HEADERS of the last.
        let (kind, ends) = if at == 0 { (HEADERS, 0x01) } else { (CONTINUATION, 0) };
        frame(kind, if at + 1 == pieces.len() { ends | END_HEADERS } else { ends }, 1, piece)
    });
    framed.collect()
}

#[tokio::test]
async fn over_http_2_a_head_may_be_as_long_as_over_http_1() {
    for (fields, expected) in [(40, 200), (45, 502)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Proxy::start(before(&origin).arg("--http2-prior-knowledge")).await;
        let url = proxy.url("/x");
        let vendor = async {
            let mut tcp = frames::asked(&listener).await;
            tcp.write_all(&long_head(fields)).await.unwrap();
            tcp
        };
        let (answer, _tcp) = tokio::join!(get(&url), vendor);
        assert_eq!(answer.status(), expected, "{answer:?}");
        match expected {
            200 => assert_eq!(answer.headers().get_all("x").iter().count(), fields),
            _ => assert_eq!(answer.headers()["proxy-status"], "tower-reauth; error=http_protocol_error"),
        }
        proxy.stop().await;
    }
}

/// A vendor that answers the first request of each connection, and closes it when the next one comes: as if it had closed it just before.
async fn closes_what_is_kept() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let requests = requests.clone();
            tokio::spawn(async move {
                for answer in [EMPTY, ""] {
                    let request = read_message(&mut tcp).await.unwrap_or_default();
                    let method = request.split(' ').next().unwrap_or_default().to_owned();
                    requests.lock().unwrap().push(method);
                    tcp.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (origin, seen)
}

#[tokio::test]
async fn a_kept_connection_that_the_vendor_has_closed_is_no_failure_of_what_changes_nothing() {
    let (origin, seen) = closes_what_is_kept().await;
    let proxy = Proxy::start(before(&origin)).await;
    for (head, expected) in [
        ("GET", 204),
        ("GET", 204),
        ("OPTIONS", 204),
        ("HEAD", 204),
        // Nobody knows whether it was done, and done again it is another answer.
        ("DELETE", 502),
        ("POST", 204),
        ("POST", 502),
        // Bodies aren't kept for that.
        ("GET", 204),
        ("GET with a body", 502),
    ] {
        let (method, length) = match head.split_once(' ') {
            Some((method, _)) => (method, "Content-Length: 2\r\n\r\nab"),
            None => (head, "\r\n"),
        };
        let answer = raw(&proxy.address, &format!("{method} /x HTTP/1.1\r\nHost: HOST\r\n{length}")).await;
        assert_eq!(status(&answer), expected, "{head}: {answer}");
    }
    let methods =
        ["GET", "GET", "GET", "OPTIONS", "OPTIONS", "HEAD", "HEAD", "DELETE", "POST", "POST", "GET", "GET"];
    assert_eq!(*seen.lock().unwrap(), methods);
    proxy.stop().await;

    // It is sent once more, and not for ever.
    let server = Raw::with(Manner::Closes, &[""]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let (status, _, headers) = problem(&proxy).await;
    assert_eq!(
        (status, headers["proxy-status"].to_str().unwrap()),
        (502, "tower-reauth; error=connection_terminated")
    );
    assert_eq!(server.seen().len(), 2);
    proxy.stop().await;
}
