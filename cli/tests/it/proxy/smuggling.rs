//! Requests that could be read in two ways: nothing of them gets to the vendor as a request of its own.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::support::{
    frames::{self, PREFACE, SETTINGS},
    temporary::Temporary,
};

/// What a second request would look like.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n";

/// Everything that is answered to these bytes until the connection is closed.
async fn conversation(proxy: &Proxy, bytes: &str) -> String {
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    tcp.write_all(bytes.replace("HOST", &proxy.address).as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    let _ = soon(tcp.read_to_end(&mut answers)).await;
    String::from_utf8(answers).unwrap()
}

#[tokio::test]
async fn a_request_that_could_be_read_in_two_ways_is_refused_and_the_connection_closed() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (what, head) in [
        ("lengths that differ", "Content-Length: 0\r\nContent-Length: 44\r\n"),
        ("a list of lengths that differ", "Content-Length: 0, 44\r\n"),
        ("a signed length", "Content-Length: +0\r\n"),
        ("a length in another base", "Content-Length: 0x2c\r\n"),
        ("a length beyond all bounds", "Content-Length: 99999999999999999999999\r\n"),
        ("an empty length", "Content-Length: \r\n"),
        ("chunks that aren't the last coding", "Transfer-Encoding: chunked, gzip\r\n"),
        ("a coding that nobody knows", "Transfer-Encoding: xchunked\r\n"),
        ("a coding beside chunks", "Transfer-Encoding: gzip, chunked\r\n"),
        ("a coding that is none beside chunks", "Transfer-Encoding: identity, chunked\r\n"),
        ("chunks within chunks", "Transfer-Encoding: chunked, chunked\r\n"),
        (
            "chunks within chunks, in two lines",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ),
        ("a coding with a parameter beside chunks", "Transfer-Encoding: foo;chunked, chunked\r\n"),
        ("a coding beside a length", "Transfer-Encoding: identity\r\nContent-Length: 0\r\n"),
        ("space before the colon", "Transfer-Encoding : chunked\r\n"),
        ("a folded line", "X-A: 1\r\n Transfer-Encoding: chunked\r\n"),
        ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n"),
        ("NUL in a value", "X-A: a\0b\r\n"),
        ("NUL in a name", "X\0A: a\r\n"),
        ("CR in a value", "X-A: a\rTransfer-Encoding: chunked\r\n"),
        ("a line without a colon", "X-A\r\n"),
        ("a line without a name", ": a\r\n"),
        ("two hosts", "Host: HOST\r\n"),
    ] {
        let answers =
            conversation(&proxy, &format!("POST /x HTTP/1.1\r\nHost: HOST\r\n{head}\r\n{HIDDEN}")).await;
        let statuses = answers.matches("HTTP/1.1 ").count();
        if what == "two hosts" {
            // It is clear where it ends, so the next one is one, and answered.
            assert!(answers.starts_with("HTTP/1.1 400 ") && statuses == 2, "{what}: {answers}");
            continue;
        }
        assert!(answers.starts_with("HTTP/1.1 400 ") && statuses == 1, "{what}: {answers}");
    }
    let seen = server.seen();
    assert!(seen.len() == 1 && seen[0].starts_with("GET /hidden "), "{seen:?}");
    for request_line in
        ["GET /x HTTP/1.1 HTTP/1.1", "GET  /x HTTP/1.1", "GET /x\0 HTTP/1.1", "GET /x HTTP/1.2"]
    {
        let answers = conversation(&proxy, &format!("{request_line}\r\nHost: HOST\r\n\r\n{HIDDEN}")).await;
        assert!(answers.starts_with("HTTP/1.1 400 ") || answers.is_empty(), "{request_line}: {answers}");
        assert!(answers.matches("HTTP/1.1 ").count() < 2, "{request_line}: {answers}");
    }
    let coding_in_1_0 =
        format!("POST /x HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}");
    assert!(conversation(&proxy, &coding_in_1_0).await.starts_with("HTTP/1.1 400 "));
    assert_eq!(server.seen().len(), 1);
    proxy.stop().await;
}

/// RFC 9112 §6.3 lets chunks win. The vendor sees them alone, and what comes after them isn't a request.
#[tokio::test]
async fn of_chunks_and_a_length_the_chunks_alone_go_on_and_the_connection_is_closed() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for head in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n",
    ] {
        let answers = conversation(
            &proxy,
            &format!("POST /x HTTP/1.1\r\nHost: HOST\r\n{head}\r\n2\r\nab\r\n0\r\n\r\n{HIDDEN}"),
        )
        .await;
        assert!(
            answers.starts_with("HTTP/1.1 204 ") && answers.matches("HTTP/1.1 ").count() == 1,
            "{answers}"
        );
        let seen = server.seen().pop().unwrap();
        assert!(
            seen.contains("transfer-encoding: chunked\r\n") && !seen.contains("content-length"),
            "{seen}"
        );
        assert!(seen.ends_with("\r\n\r\n2\r\nab\r\n0\r\n\r\n"), "{seen}");
    }
    assert_eq!(server.seen().len(), 3);
    proxy.stop().await;
}

#[tokio::test]
async fn a_body_whose_chunks_are_none_never_comes_to_its_end_at_the_vendor() {
    let silent = Raw::start(&[""]).await;
    let proxy = Proxy::start(before(&silent.origin)).await;
    for chunks in [
        "x\r\nab\r\n0\r\n\r\n",
        "-1\r\n",
        "2 2\r\nab\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nab\r\n",
        "2\nab\r\n0\r\n\r\n",
        "2\r\nabc\r\n0\r\n\r\n",
        "2\r\nab0\r\n\r\n",
        "\r\n\r\n",
    ] {
        let bytes =
            format!("POST /x HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{HIDDEN}");
        let answers = conversation(&proxy, &bytes).await;
        assert!(
            !answers.contains("HTTP/1.1 2") && answers.matches("HTTP/1.1 ").count() < 2,
            "{chunks:?}: {answers}"
        );
    }
    // What has come of them until they went wrong is broken off.
    for part in silent.seen() {
        assert!(
            part.starts_with("POST /x ") && !part.ends_with("0\r\n\r\n") && !part.contains("hidden"),
            "{part}"
        );
    }
    proxy.stop().await;
}

/// RFC 9112 §7.1.2 has CRLF there. What comes behind isn't taken for a request, whatever it looks like.
#[tokio::test]
async fn trailers_that_do_not_come_to_their_end_hide_no_request_and_keep_no_connection() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--idle-timeout 0.5")).await;
    for end in ["0\r\nX-A: 1\n\n", "0\r\nX-A: 1\r\n\n", "0\r\n\n"] {
        let head = "POST /x HTTP/1.1\r\nHost: HOST\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answers = conversation(&proxy, &format!("{head}2\r\nab\r\n{end}{HIDDEN}")).await;
        assert!(answers.matches("HTTP/1.1 ").count() < 2, "{end:?}: {answers}");
    }
    assert!(server.seen().iter().all(|request| !request.contains("hidden")), "{:?}", server.seen());
    proxy.stop().await;
}

/// RFC 9112 §3.2.2: the target's host counts. Both must be the proxy's, though, so that nobody can read them in two ways.
#[tokio::test]
async fn a_whole_url_with_another_host_is_refused() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (target, host, expected) in [
        ("http://HOST/x", "HOST", 204),
        ("http://evil.example/x", "HOST", 403),
        ("http://HOST/x", "evil.example", 403),
        ("http://user@HOST/x", "HOST", 400),
    ] {
        let answer = raw(&proxy.address, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{target} {host}: {answer}");
    }
    assert_eq!(server.seen().len(), 1);
    proxy.stop().await;
}

/// RFC 9112 §2.2 lets a line end with LF alone; hyper does. What goes on has the lines that were read, and no others.
#[tokio::test]
async fn lines_that_end_with_lf_alone_go_on_as_lines() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let answer = raw(&proxy.address, "GET /x HTTP/1.1\nHost: HOST\nX-A: 1\n\n").await;
    assert_eq!(status(&answer), 204);
    let seen = server.seen().pop().unwrap();
    assert!(seen.contains("\r\nx-a: 1\r\n") && !seen.replace("\r\n", "").contains('\n'), "{seen:?}");
    proxy.stop().await;
}

/// RFC 9110 §10.1.1: after a final answer, whoever waits to be told to go on may send the body, or leave it out.
#[tokio::test]
async fn a_refusal_of_whoever_waits_to_go_on_closes_the_connection() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let body = "Expect: 100-continue\r\nContent-Length: 9";
    let refused = format!("POST /x HTTP/1.1\r\nHost: HOST\r\nOrigin: https://page\r\n{body}\r\n\r\n{HIDDEN}");
    let answers = conversation(&proxy, &refused).await;
    assert!(answers.starts_with("HTTP/1.1 403 ") && answers.matches("HTTP/1.1 ").count() == 1, "{answers}");
    assert!(answers.contains("\r\nconnection: close\r\n"), "{answers}");
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    proxy.stop().await;
}

/// Nobody here knows of it, and to leave it out in silence would be a promise.
#[tokio::test]
async fn what_else_is_expected_is_refused() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let ask = async |expected: &str| {
        let head = "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\nExpect: ";
        status(&raw(&proxy.address, &format!("{head}{expected}\r\n\r\n")).await)
    };
    assert_eq!(ask("payment").await, 417);
    assert_eq!(ask("100-continue, payment").await, 417);
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    assert_eq!(ask("100-Continue").await, 100);
    proxy.stop().await;
}

/// What has an end of its own in HTTP/2 gets one by a length in HTTP/1.1, and upstreams may be known by their hosts.
#[tokio::test]
async fn over_http_2_too_a_request_has_one_host_one_scheme_and_one_length() {
    let (first, second) = (Raw::start(&[EMPTY]).await, Raw::start(&[EMPTY]).await);
    let upstream = |name: &str, server: &Raw| {
        format!(
            "[credentials.{name}]\nvendor = 'videsk'\nkey = 'env:KEY'\nbase-url = '{}'\n\
             [[proxy.upstreams]]\nas = '{name}'\nhost = '{name}.internal'\n",
            server.origin
        )
    };
    let config = [upstream("first", &first), upstream("second", &second)].concat();
    let file = Temporary::new("one-host", &config);
    let proxy = Program::proxy().args("--upstreams --file").arg(file.path()).secret("KEY", KEY);
    let proxy = Proxy::start(proxy).await;
    let (method, path, scheme) = ((":method", "GET"), (":path", "/x"), (":scheme", "http"));
    let (is_first, is_second) = ((":authority", "first.internal"), (":authority", "second.internal"));
    let (host_first, host_second) = (("host", "first.internal"), ("host", "second.internal"));
    let nothing = ("content-length", "0");
    // None is a reset of the stream.
    for (fields, expected) in [
        (vec![method, path, scheme, is_first], Some("204")),
        (vec![method, path, scheme, host_first], Some("204")),
        (vec![method, path, scheme, is_first, host_first], Some("204")),
        (vec![method, path, scheme, is_first, host_second], Some("400")),
        (vec![method, path, scheme, is_first, is_second], None),
        (vec![method, path, scheme, host_first, host_second], Some("400")),
        (vec![method, path, scheme], Some("400")),
        (vec![method, path, (":scheme", "https"), is_first], Some("204")),
        (vec![method, path, (":scheme", "ftp"), is_first], Some("421")),
        (vec![method, path, (":scheme", ""), is_first], Some("421")),
        (vec![method, (":path", "*"), scheme, is_first], Some("400")),
        (vec![method, path, scheme, is_first, nothing, nothing], Some("204")),
        (vec![method, path, scheme, is_first, nothing, ("content-length", "30")], None),
        (vec![method, path, scheme, is_first, ("transfer-encoding", "chunked")], None),
        (vec![method, path, scheme, is_first, ("connection", "x")], None),
    ] {
        let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
        let sent = [PREFACE, &SETTINGS, &frames::request(1, &fields)].concat();
        tcp.write_all(&sent).await.unwrap();
        let mut seen = Vec::new();
        let answer = loop {
            let answer = frames::split(&seen).into_iter().find(|frame| frame.stream == 1);
            match answer {
                Some(answer) if answer.kind != frames::WINDOW_UPDATE => break answer,
                _ => assert!(soon(tcp.read_buf(&mut seen)).await.unwrap() > 0, "{fields:?}"),
            }
        };
        // The table of RFC 7541, appendix A, has some statuses; others are written out, here without Huffman's code.
        let status = match (answer.kind, &*answer.payload) {
            (frames::RST_STREAM, _) => None,
            (_, [0x89, ..]) => Some("204"),
            (_, [0x8c, ..]) => Some("400"),
            (_, payload) => Some(if payload.starts_with(&[0x48]) { "421" } else { "?" }),
        };
        assert_eq!(status, expected, "{fields:?}");
    }
    assert!(second.seen().is_empty(), "{:?}", second.seen());
    let seen = first.seen();
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[4].matches("content-length: 0\r\n").count(), 1, "{}", seen[4]);
    proxy.stop().await;
}

/// RFC 9110 §8.6.
#[tokio::test]
async fn a_length_that_a_vendor_says_twice_goes_on_once() {
    let server = Raw::start(&["HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab"]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let answer = raw(&proxy.address, "HEAD /x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("\r\ncontent-length: 2\r\n"), "{answer}");
    proxy.stop().await;
}
