//! WebSocket and the like: the handshake has the token, and then bytes go both ways.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::*;
use crate::support::{PATIENCE, server::read_message};

const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn handshake(more: &str) -> String {
    format!(
        "GET /chat?a=b HTTP/1.1\r\nHost: HOST\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

/// A vendor whose connections are the test's to serve.
struct Vendor {
    listener: TcpListener,
    origin: String,
}

impl Vendor {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    /// The next connection, with the head that came over it.
    async fn next(&self) -> (TcpStream, String) {
        let (mut tcp, _) = soon(self.listener.accept()).await.unwrap();
        let head = soon(read_message(&mut tcp)).await.unwrap();
        (tcp, head)
    }
}

async fn begin(proxy: &Proxy, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(&proxy.address).await.unwrap();
    client.write_all(request.replace("HOST", &proxy.address).as_bytes()).await.unwrap();
    client
}

/// A head byte by byte, so that nothing is read of what comes after it.
async fn head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(tcp.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A client and a vendor that have agreed.
async fn agreed(proxy: &Proxy, vendor: &Vendor) -> (TcpStream, TcpStream) {
    let mut client = begin(proxy, &handshake("")).await;
    let (mut server, _) = vendor.next().await;
    server.write_all(AGREED.as_bytes()).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 101 "));
    (client, server)
}

async fn expect(tcp: &mut TcpStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    soon(tcp.read_exact(&mut got)).await.unwrap();
    assert_eq!(got, bytes);
}

/// Everything until the other side closes, which it must.
async fn rest(tcp: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, tcp.read_to_end(&mut rest)).await.expect("it is closed");
    rest
}

#[tokio::test]
async fn a_handshake_has_the_token_and_then_bytes_go_both_ways() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin)).await;
    let more =
        "Cookie: a=b\r\nAuthorization: Bearer mine\r\nSec-WebSocket-Protocol: chat\r\nTE: trailers\r\n";
    let mut client = begin(&proxy, &handshake(more)).await;
    let (mut server, request) = vendor.next().await;
    assert!(request.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{request}");
    for line in [
        "connection: Upgrade\r\n",
        "upgrade: WebSocket\r\n",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "sec-websocket-version: 13\r\n",
        "sec-websocket-protocol: chat\r\n",
        "authorization: Bearer a-key-that-nobody-may-see\r\n",
        "via: 1.1 tower-reauth\r\n",
    ] {
        assert!(request.contains(line), "{line}: {request}");
    }
    for gone in ["mine", "cookie", "keep-alive", "te:"] {
        assert!(!request.contains(gone), "{gone}: {request}");
    }
    // The vendor's first frame comes in one piece with its agreement.
    server.write_all([AGREED.as_bytes(), b"\x81\x02hi"].concat().as_slice()).await.unwrap();
    let answer = head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("connection: Upgrade\r\n"), "{answer}");
    assert!(
        answer.contains("upgrade: WebSocket\r\n") && answer.contains("sec-websocket-accept: s3p"),
        "{answer}"
    );
    expect(&mut client, b"\x81\x02hi").await;
    for number in 0..10_u8 {
        client.write_all(&[0x82, 0x81, 0, 0, 0, 0, number]).await.unwrap();
        expect(&mut server, &[0x82, 0x81, 0, 0, 0, 0, number]).await;
        server.write_all(&[0x82, 1, number]).await.unwrap();
        expect(&mut client, &[0x82, 1, number]).await;
    }
    drop(client);
    assert!(rest(&mut server).await.is_empty());
    drop(server);
    proxy.stop().await;
}

#[tokio::test]
async fn where_the_token_has_expired_the_handshake_is_made_once_more() {
    let token = |name: &str| {
        let body = format!(r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":3600}}"#);
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let tokens = Raw::start(&[&token("first"), &token("second"), &token("third")]).await;
    let vendor = Vendor::new().await;
    let program = Program::proxy().args("--vendor oauth2 --client-id me --client-secret env:KEY --token-url");
    let program = program.arg(format!("{}/token", tokens.origin)).arg("--base-url").arg(&vendor.origin);
    let proxy = Proxy::start(program.secret("KEY", KEY)).await;
    let expired = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n\
                   Content-Length: 0\r\nConnection: close\r\n\r\n";
    // A token that was accepted before, so that its rejection is an expiry.
    drop(agreed(&proxy, &vendor).await);

    let mut client = begin(&proxy, &handshake("")).await;
    for (expected, answer) in [("first", expired), ("second", AGREED)] {
        let (mut server, request) = vendor.next().await;
        assert!(request.contains(&format!("authorization: Bearer {expected}\r\n")), "{request}");
        assert!(
            request.contains("upgrade: WebSocket\r\n") && request.matches("via: ").count() == 1,
            "{request}"
        );
        server.write_all(answer.as_bytes()).await.unwrap();
        if answer == AGREED {
            assert!(head(&mut client).await.starts_with("HTTP/1.1 101 "));
            client.write_all(b"bytes").await.unwrap();
            expect(&mut server, b"bytes").await;
        }
    }
    assert_eq!(tokens.seen().len(), 2);
    drop(client);

    // Once, and not again and again.
    let mut client = begin(&proxy, &handshake("")).await;
    for _ in 0..2 {
        let (mut server, _) = vendor.next().await;
        server.write_all(expired.as_bytes()).await.unwrap();
    }
    assert!(head(&mut client).await.starts_with("HTTP/1.1 401 "));
    drop(client);
    proxy.stop().await;
}

#[tokio::test]
async fn pages_may_open_one_as_they_may_call() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin).args("--allow-origin http://localhost:3000")).await;
    for header in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: http://localhost:3000\r\nOrigin: https://evil.example\r\n",
        "Via: 1.1 tower-reauth\r\n",
    ] {
        let answer = raw(&proxy.address, &handshake(header)).await;
        assert!(matches!(status(&answer), 403 | 508), "{header}: {answer}");
    }
    let answer = raw(&proxy.address, &handshake("").replace("HOST", "evil.example")).await;
    assert_eq!(status(&answer), 403);
    let page = "Origin: http://localhost:3000\r\nSec-Fetch-Site: same-site\r\n";
    let mut client = begin(&proxy, &handshake(page)).await;
    let (mut server, request) = vendor.next().await;
    assert!(request.contains("origin: http://localhost:3000\r\n"), "the first that got through: {request}");
    server.write_all(AGREED.as_bytes()).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 101 "));
    drop((client, server));
    proxy.stop().await;
}

#[tokio::test]
async fn what_is_no_upgrade_that_was_allowed_for_is_refused() {
    let server = Raw::start(&[EMPTY]).await;
    let refused = [
        handshake("").replace(": WebSocket", ": websocket, h2c"),
        handshake("").replace("Upgrade: WebSocket", "Upgrade: websocket\r\nUpgrade: other"),
        handshake("").replace(": WebSocket", ": tls/1.0"),
        handshake("").replace("GET", "POST"),
        format!("{}x", handshake("Content-Length: 1\r\n")),
        format!("{}0\r\n\r\n", handshake("Transfer-Encoding: chunked\r\n")),
    ];
    let proxy = Proxy::start(before(&server.origin)).await;
    for request in &refused {
        let answer = raw(&proxy.address, request).await;
        assert_eq!(status(&answer), 501, "{request}: {answer}");
    }
    // HTTP/1.0 can't be upgraded, so there it asks for nothing.
    let answer = raw(&proxy.address, &handshake("").replace("HTTP/1.1", "HTTP/1.0")).await;
    assert_eq!(status(&answer), 204, "{answer}");
    proxy.stop().await;
    let proxy = Proxy::start(before(&server.origin).args("--upgrades none")).await;
    assert_eq!(status(&raw(&proxy.address, &handshake("")).await), 501);
    proxy.stop().await;
    assert_eq!(server.seen().len(), 1);
    before("http://127.0.0.1:9")
        .arg("--upgrades=a b")
        .run()
        .await
        .assert_status(2)
        .assert_says("names of protocols");
}

#[tokio::test]
async fn what_the_vendor_says_instead_is_an_answer() {
    let refusal = "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 2\r\n\r\nno";
    let server = Raw::start(&[
        refusal,
        &AGREED.replace("websocket", "other"),
        "HTTP/1.1 101 \r\nConnection: Upgrade\r\n\r\n",
    ])
    .await;
    let proxy = Proxy::start(before(&server.origin)).await;
    // What comes after it is a request, and no bytes for the vendor.
    let mut client = begin(&proxy, &handshake("")).await;
    let answer = soon(read_message(&mut client)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.ends_with("no"), "{answer}");
    client.write_all(b"GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n").await.unwrap();
    assert_eq!(status(&soon(read_message(&mut client)).await.unwrap()), 403);
    for _ in 0..2 {
        let answer = raw(&proxy.address, &handshake("")).await;
        assert_eq!(status(&answer), 502, "{answer}");
        assert!(answer.contains("another protocol than the one that was asked for"), "{answer}");
    }
    assert_eq!(server.seen().len(), 3);
    drop(client);
    proxy.stop().await;
}

#[tokio::test]
async fn each_side_can_end_its_own_direction() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin)).await;
    let (mut client, mut server) = agreed(&proxy, &vendor).await;
    client.write_all(b"last").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut server).await, b"last");
    server.write_all(b"\x81\x03and").await.unwrap();
    expect(&mut client, b"\x81\x03and").await;
    server.write_all(b"\x81\x02me").await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, b"\x81\x02me");

    let (mut client, mut server) = agreed(&proxy, &vendor).await;
    server.shutdown().await.unwrap();
    assert!(rest(&mut client).await.is_empty());
    client.write_all(b"still").await.unwrap();
    expect(&mut server, b"still").await;
    drop((client, server));
    proxy.stop().await;
}

#[tokio::test]
async fn where_nothing_moves_both_are_closed() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin).args("--upgrade-timeout 0.6 --idle-timeout 0.2")).await;
    let (mut client, mut server) = agreed(&proxy, &vendor).await;
    // As long as something moves, one way or the other, it may take long.
    for number in 0..6_u8 {
        sleep(Duration::from_millis(200)).await;
        let (from, to) =
            if number % 2 == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
        from.write_all(&[0x89, 0]).await.unwrap();
        expect(to, &[0x89, 0]).await;
    }
    assert!(rest(&mut client).await.is_empty() && rest(&mut server).await.is_empty());
    proxy.stop().await;
}

#[tokio::test]
async fn no_more_connections_are_upgraded_than_allowed() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin).args("--max-upgrades 1")).await;
    let (client, server) = agreed(&proxy, &vendor).await;
    let answer = raw(&proxy.address, &handshake("")).await;
    assert_eq!(status(&answer), 503, "{answer}");
    assert!(
        answer.contains("error=connection_limit_reached\r\n") && answer.contains("retry-after: 1\r\n"),
        "{answer}"
    );
    drop((client, server));
    let again = async {
        loop {
            let mut client = begin(&proxy, &handshake("")).await;
            let next = tokio::select! {
                (mut server, _) = vendor.next() => { server.write_all(AGREED.as_bytes()).await.unwrap(); Some(server) }
                _ = client.readable() => None,
            };
            if next.is_some() {
                break head(&mut client).await;
            }
        }
    };
    assert!(soon(again).await.starts_with("HTTP/1.1 101 "));
    proxy.stop().await;
}

#[tokio::test]
async fn when_the_proxy_ends_the_client_is_told_between_two_frames() {
    const CLOSE: &[u8] = b"\x88\x02\x03\xe9";
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin)).await;
    let (mut quiet, mut quiet_server) = agreed(&proxy, &vendor).await;
    let (mut client, mut server) = agreed(&proxy, &vendor).await;
    server.write_all(b"\x81\x01a\x82\x06half").await.unwrap();
    expect(&mut client, b"\x81\x01a\x82\x06half").await;
    proxy.signal("TERM").await;
    expect(&mut quiet, CLOSE).await;
    // What the vendor has begun comes to its end, and nothing more.
    server.write_all(b"ed\x81\x05never").await.unwrap();
    expect(&mut client, &[b"ed", CLOSE].concat()).await;
    for (client, server) in [(&mut client, &mut server), (&mut quiet, &mut quiet_server)] {
        let reply = b"\x88\x82\0\0\0\0\x03\xe9";
        client.write_all(reply).await.unwrap();
        expect(server, reply).await;
        server.write_all(CLOSE).await.unwrap();
        server.shutdown().await.unwrap();
        assert!(rest(client).await.is_empty());
    }
    drop((client, server, quiet, quiet_server));
    let (status, log) = proxy.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn when_the_proxy_ends_what_nobody_knows_is_cut_off() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin).args("--upgrades websocket,Echo")).await;
    let mut client = begin(&proxy, &handshake("").replace(": WebSocket", ": echo")).await;
    let (mut server, _) = vendor.next().await;
    server.write_all(AGREED.replace("websocket", "ECHO").as_bytes()).await.unwrap();
    assert!(head(&mut client).await.contains("upgrade: echo\r\n"));
    server.write_all(b"\x82").await.unwrap();
    expect(&mut client, b"\x82").await;
    proxy.signal("TERM").await;
    assert!(rest(&mut client).await.is_empty() && rest(&mut server).await.is_empty());
    let (status, log) = proxy.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn whoever_does_not_read_keeps_the_other_from_writing() {
    let vendor = Vendor::new().await;
    let proxy = Proxy::start(before(&vendor.origin)).await;
    let (client, mut server) = agreed(&proxy, &vendor).await;
    let much = vec![0; 1 << 20];
    let mut written = 0;
    while let Ok(Ok(more)) = tokio::time::timeout(Duration::from_secs(1), server.write(&much)).await {
        written += more;
        assert!(written < 100 << 20, "it is all somewhere");
    }
    let held = std::fs::read_to_string(format!("/proc/{}/status", proxy.id())).unwrap();
    let peak = held.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    assert!(peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() < 50_000, "{peak}");
    drop((client, server));
    proxy.stop().await;
}
