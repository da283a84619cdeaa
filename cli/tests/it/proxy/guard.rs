//! Who may ask: programs of this machine, and no web page.

use super::*;

/// The statuses of requests with these headers, in which `HOST` and `PORT` are the proxy's.
async fn assert_statuses(proxy: &Proxy, cases: &[(&str, u16)]) {
    for (headers, expected) in cases {
        let headers = headers.replace("PORT", proxy.port());
        let answer = raw(&proxy.address, &format!("GET /x HTTP/1.1\r\n{headers}\r\n")).await;
        assert_eq!(status(&answer), *expected, "{headers:?}: {answer}");
        if *expected >= 400 {
            assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
            assert!(answer.contains("proxy-status: tower-reauth; error=http_request_"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_host_that_is_not_the_proxys_is_refused() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let cases = [
        ("Host: 127.0.0.1:PORT\r\n", 204),
        ("Host: localhost:PORT\r\n", 204),
        ("Host: LocalHost:PORT\r\n", 204),
        ("Host: 127.9.9.9:PORT\r\n", 204),
        ("Host: [::1]:PORT\r\n", 204),
        ("Host: 127.255.255.254:PORT\r\n", 204),
        ("Host: 127.0.0.1:0PORT\r\n", 204),
        ("Host: [::ffff:127.0.0.1]:PORT\r\n", 403),
        ("Host: [::2]:PORT\r\n", 403),
        ("Host: 127.1:PORT\r\n", 403),
        ("Host: 127.0.0.01:PORT\r\n", 403),
        ("Host: 127.0.0.1.:PORT\r\n", 403),
        ("Host: 128.0.0.1:PORT\r\n", 403),
        ("Host: 2130706433:PORT\r\n", 403),
        ("Host: :PORT\r\n", 403),
        // A page's own name that means this machine now.
        ("Host: evil.example:PORT\r\n", 403),
        ("Host: evil.example\r\n", 403),
        ("Host: localhost.evil.example:PORT\r\n", 403),
        ("Host: localhost.:PORT\r\n", 403),
        ("Host: 127.0.0.1.evil.example:PORT\r\n", 403),
        ("Host: 0.0.0.0:PORT\r\n", 403),
        ("Host: 192.0.2.1:PORT\r\n", 403),
        ("Host: api.videsk.io\r\n", 403),
        // Other servers of this machine.
        ("Host: localhost\r\n", 403),
        ("Host: localhost:1\r\n", 403),
        ("Host: localhost:\r\n", 403),
        ("Host: 127.0.0.1:99999\r\n", 403),
        ("Host: 127.0.0.1\r\n", 403),
        ("Host: 127.0.0.1:\r\n", 403),
        // No host, or not one.
        ("", 400),
        ("Host: \r\n", 400),
        ("Host: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\n", 400),
        ("Host: 127.0.0.1:PORT\r\nHost: evil.example\r\n", 400),
        ("Host: user@127.0.0.1:PORT\r\n", 400),
        ("Host: user@localhost:PORT\r\n", 400),
        ("Host: localhost@evil.example:PORT\r\n", 400),
        ("Host: ::1:PORT\r\n", 400),
        ("Host: 127.0.0.1:PORT:PORT\r\n", 400),
        ("Host: evil.example:localhost:PORT\r\n", 400),
        ("Host: localhost:PORT/\r\n", 400),
        ("Host: localhost : PORT\r\n", 400),
        ("Host: a b\r\n", 400),
    ];
    assert_statuses(&proxy, &cases).await;
    assert_eq!(server.seen().len(), cases.iter().filter(|(_, status)| *status == 204).count());
    let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert!(answer.contains("perhaps from a web page; --allow-host allows for other names"), "{answer}");
    proxy.stop().await;
}

#[tokio::test]
async fn requests_of_web_pages_are_refused() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let own = "Host: 127.0.0.1:PORT\r\n";
    let cases = [
        ("Origin: https://evil.example\r\n", 403),
        ("Origin: http://127.0.0.1:PORT\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: \r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Sec-Fetch-Site: \r\n", 403),
        ("Sec-Fetch-Site: anything\r\n", 403),
        ("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Origin: https://evil.example\r\nSec-Fetch-Site: same-origin\r\n", 403),
        ("Sec-Fetch-Site: same-origin\r\n", 204),
        ("Sec-Fetch-Site: none\r\n", 204),
        ("Referer: https://example.com/\r\n", 204),
    ]
    .map(|(headers, status)| (format!("{own}{headers}"), status));
    let cases: Vec<_> = cases.iter().map(|(headers, status)| (&**headers, *status)).collect();
    assert_statuses(&proxy, &cases).await;
    assert_eq!(server.seen().len(), 3);
    // A page may ask before it sends something.
    let preflight = "OPTIONS /x HTTP/1.1\r\nHost: HOST\r\nOrigin: https://evil.example\r\n\
                     Access-Control-Request-Method: POST\r\n\r\n";
    let answer = raw(&proxy.address, preflight).await;
    assert_eq!(status(&answer), 403);
    assert!(answer.contains("comes from a web page; --allow-origin"), "{answer}");
    assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
    assert_eq!(server.seen().len(), 3);
    proxy.stop().await;
}

#[tokio::test]
async fn what_is_allowed_for_passes_and_nothing_else() {
    let server = Raw::start(&[EMPTY]).await;
    let program = before(&server.origin).args("--allow-host vendor.internal --allow-host other.internal:9");
    let program = program.args("--allow-origin http://localhost:3000 --allow-cross-site");
    let proxy = Proxy::start(program).await;
    let own = "Host: 127.0.0.1:PORT\r\n";
    assert_statuses(
        &proxy,
        &[
            ("Host: vendor.internal\r\n", 204),
            ("Host: Vendor.Internal:77\r\n", 204),
            ("Host: other.internal:9\r\n", 204),
            ("Host: other.internal\r\n", 403),
            ("Host: a.vendor.internal\r\n", 403),
            (&format!("{own}Origin: http://localhost:3000\r\nSec-Fetch-Site: same-site\r\n"), 204),
            (&format!("{own}Origin: http://localhost:3001\r\n"), 403),
            (&format!("{own}Origin: http://localhost:3000\r\nOrigin: https://evil.example\r\n"), 403),
            (&format!("{own}Sec-Fetch-Site: cross-site\r\n"), 204),
            ("Host: evil.example\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ],
    )
    .await;
    assert_eq!(server.seen().len(), 5);
    proxy.stop().await;
}

#[tokio::test]
async fn an_allowed_origin_needs_no_other_permission() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--allow-origin http://localhost:3000")).await;
    let page = "Host: 127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site\r\n";
    let origin = format!("{page}Origin: http://localhost:3000\r\n");
    assert_statuses(&proxy, &[(&origin, 204), (page, 403)]).await;
    proxy.stop().await;
}

#[tokio::test]
async fn the_same_holds_over_http_2() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (authority, header, expected) in [
        (&*proxy.address, ("x-a", "1"), 204),
        ("evil.example", ("x-a", "1"), 403),
        (&proxy.address, ("host", "evil.example"), 403),
        (&proxy.address, ("origin", "https://evil.example"), 403),
        (&proxy.address, ("sec-fetch-site", "cross-site"), 403),
    ] {
        let tcp = tokio::net::TcpStream::connect(&proxy.address).await.unwrap();
        let executor = hyper_util::rt::TokioExecutor::new();
        let io = hyper_util::rt::TokioIo::new(tcp);
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get(format!("http://{authority}/x")).header(header.0, header.1);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = soon(sender.send_request(request)).await.unwrap();
        assert_eq!(response.status(), expected, "{authority} {header:?}");
        connection.abort();
    }
    assert_eq!(server.seen().len(), 1);
    proxy.stop().await;
}

#[tokio::test]
async fn other_machines_can_reach_it_only_if_that_is_asked_for() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ended = with_key(Program::proxy_at(listen), "https://api.videsk.io").run().await;
        ended.assert_status(2).assert_says("other machines could reach").assert_says("--allow-remote");
    }
    let server = Raw::start(&[EMPTY]).await;
    let program = with_key(Program::proxy_at("0.0.0.0:0"), &server.origin).arg("--allow-remote");
    let proxy = Proxy::start(program).await;
    let address = proxy.address.replace("0.0.0.0", "127.0.0.1");
    for (host, expected) in [(&*address, 204), (&proxy.address, 403), ("192.0.2.1", 403)] {
        let answer = raw(&address, &format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{host}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn a_host_is_said_once_and_its_port_is_a_number() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let port = proxy.address.rsplit_once(':').unwrap().1;
    for (target, host, expected) in [
        ("/x".to_owned(), format!("localhost:{port}"), 204),
        ("/x".to_owned(), format!("localhost:+{port}"), 400),
        ("/x".to_owned(), format!("[::1]:+{port}"), 400),
        (format!("http://localhost:{port}/x"), format!("LocalHost:{port}"), 204),
        (format!("http://localhost:{port}/x"), format!("127.0.0.1:{port}"), 400),
    ] {
        let answer = raw(&proxy.address, &format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{target} {host}: {answer}");
    }
    proxy.stop().await;
}
