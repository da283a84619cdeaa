//! What goes through of headers and trailers, and what stays.

use super::*;

/// What the vendor's server gets of these header lines, in which `x-` headers are the client's own.
async fn forwarded(program: Program, server: &Raw, lines: &str) -> Vec<String> {
    let proxy = Proxy::start(program).await;
    let answer = raw(&proxy.address, &format!("GET /x HTTP/1.1\r\nHost: HOST\r\n{lines}\r\n")).await;
    assert_eq!(status(&answer), 204, "{answer}");
    proxy.stop().await;
    let request = server.seen().pop().unwrap();
    let head = request.strip_suffix("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.split("\r\n").skip(1).map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("host: "));
    lines.sort();
    lines
}

const OURS: [&str; 3] =
    ["accept-encoding: identity", "authorization: Bearer a-key-that-nobody-may-see", "via: 1.1 tower-reauth"];

#[tokio::test]
async fn what_is_for_one_connection_only_stays_there() {
    let server = Raw::start(&[EMPTY]).await;
    let lines = "Connection: keep-alive, X-Named,x-other\r\nX-Named: 1\r\nX-Other: 2\r\nX-Kept: 3\r\n\
                 Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\n\
                 Proxy-Authenticate: Basic\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\
                 Expect: 100-continue\r\n";
    let mut expected = OURS.to_vec();
    expected.push("x-kept: 3");
    assert_eq!(forwarded(before(&server.origin), &server, lines).await, expected);
}

/// A list with a byte that isn't ASCII is one all the same.
#[tokio::test]
async fn no_byte_hides_what_connection_names_or_that_a_request_was_here_before() {
    let server = Raw::start(&[EMPTY]).await;
    let lines = "Connection: x-named, \u{fc}\r\nX-Named: 1\r\nX-Kept: 2\r\n";
    let mut expected = OURS.to_vec();
    expected.push("x-kept: 2");
    assert_eq!(forwarded(before(&server.origin), &server, lines).await, expected);

    let proxy = Proxy::start(before(&server.origin)).await;
    let request = "GET /x HTTP/1.1\r\nHost: HOST\r\nVia: 1.1 \u{fc}, 1.1  tower-reauth\r\n\r\n";
    assert_eq!(status(&raw(&proxy.address, request).await), 508);
    proxy.stop().await;
}

/// Without the field that says so, they would pass for the body.
#[tokio::test]
async fn an_answer_with_another_transfer_coding_is_502() {
    for coding in ["gzip, chunked", "chunked, chunked", "gzip"] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n2\r\nab\r\n0\r\n\r\n");
        let server = Raw::start(&[&answer]).await;
        let proxy = Proxy::start(before(&server.origin)).await;
        let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        assert_eq!(status(&answer), 502, "{coding}: {answer}");
        assert!(answer.contains("error=http_response_transfer_coding"), "{coding}: {answer}");
        proxy.stop().await;
    }
}

#[tokio::test]
async fn what_comes_or_is_named_several_times_stays_here_whole() {
    let fields = "Connection: X-Named, ,X-Other,X-Absent\r\nX-Named: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 2\r\n\
                  X-Other: 3\r\nConnection: KEEP-ALIVE,x-named, X-Last\r\nX-Named: 4\r\nKeep-Alive: max=6\r\n\
                  Upgrade: h2c\r\nX-Kept: 7\r\nX-Last: 8\r\nProxy-Connection: a\r\nProxy-Connection: b\r\n";
    let answer =
        format!("HTTP/1.1 200 OK\r\n{fields}Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n");
    let server = Raw::start(&[EMPTY, &answer]).await;
    let lines = format!("{fields}Cookie: a=b\r\nCookie: c=d\r\nAuthorization: 9\r\nAuthorization: 10\r\n");
    let mut expected = OURS.to_vec();
    expected.extend(["x-kept: 2", "x-kept: 7"]);
    assert_eq!(forwarded(before(&server.origin), &server, &lines).await, expected);

    let proxy = Proxy::start(before(&server.origin)).await;
    let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    let lines = answer.split("\r\n").filter(|line| line.contains(": ") && !line.starts_with("date: "));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    assert_eq!(lines, ["content-length: 0", "via: 1.1 tower-reauth", "x-kept: 2", "x-kept: 7"]);
    proxy.stop().await;
}

#[tokio::test]
async fn keep_alive_stays_here_whether_connection_names_it_or_not() {
    let fields = ["Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", "Keep-Alive: timeout=5\r\n"];
    let answers = fields.map(|fields| format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"));
    for (fields, answer) in fields.iter().zip(&answers) {
        let server = Raw::start(&[answer]).await;
        let proxy = Proxy::start(before(&server.origin)).await;
        let request = format!("GET /x HTTP/1.1\r\nHost: HOST\r\n{fields}\r\n");
        let answer = raw(&proxy.address, &request).await.to_lowercase();
        assert!(answer.starts_with("http/1.1 200") && !answer.contains("keep-alive"), "{answer}");
        let seen = server.seen().pop().unwrap().to_lowercase();
        assert!(!seen.contains("keep-alive"), "{seen}");
        proxy.stop().await;
    }
}

#[tokio::test]
async fn the_clients_own_credentials_and_cookies_stay_here_unless_that_is_asked_for() {
    let server = Raw::start(&[EMPTY]).await;
    let lines = "Authorization: Bearer mine\r\nX-API-Token: Bearer mine\r\nCookie: a=b\r\n";
    let mut expected = OURS.to_vec();
    expected.push("x-api-token: Bearer mine");
    assert_eq!(forwarded(before(&server.origin), &server, lines).await, expected);

    let exports = forwarded(before(&server.origin).arg("--exports"), &server, lines).await;
    let token = format!("x-api-token: Bearer {KEY}");
    assert_eq!(exports, [OURS[0], OURS[2], &token]);

    let credentials = forwarded(before(&server.origin).arg("--forward-credentials"), &server, lines).await;
    assert_eq!(credentials, [OURS[0], "authorization: Bearer mine", OURS[2], "x-api-token: Bearer mine"]);

    let cookies =
        forwarded(before(&server.origin).arg("--forward-cookies"), &server, "Cookie: a=b\r\n").await;
    assert_eq!(cookies, [OURS[0], OURS[1], "cookie: a=b", OURS[2]]);
}

/// RFC 9113 §8.2.3: as many servers of HTTP/1.1 read the first field alone.
#[tokio::test]
async fn cookies_that_http_2_has_in_pieces_are_one_field_to_a_vendor() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).arg("--forward-cookies")).await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    for (cookies, expected) in [(&["a=b"][..], "a=b"), (&["a=b", "c=d", "e=f; g=h"], "a=b; c=d; e=f; g=h")] {
        let request = cookies
            .iter()
            .fold(Request::get(proxy.url("/x")), |request, cookie| request.header("cookie", *cookie));
        soon(client.request(request.body(Full::default()).unwrap())).await.unwrap();
        let seen = server.seen().pop().unwrap();
        assert!(seen.contains(&format!("\r\ncookie: {expected}\r\n")), "{seen}");
        assert_eq!(seen.matches("cookie: ").count(), 1, "{seen}");
    }
    drop(client);
    proxy.stop().await;
}

#[tokio::test]
async fn of_an_answer_what_is_for_one_connection_only_stays_there() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: X-Named, keep-alive\r\nX-Named: 1\r\nX-Kept: 2\r\n\
                  X-Kept: 3\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\n\
                  Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}";
    let server = Raw::start(&[answer]).await;
    for (arg, cookie) in [("", false), ("--forward-cookies", true)] {
        let proxy = Proxy::start(before(&server.origin).args(arg)).await;
        let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        for gone in ["connection:", "x-named", "keep-alive", "proxy-authenticate", "upgrade"] {
            assert!(!answer.contains(gone), "{gone}: {answer}");
        }
        for kept in ["x-kept: 2\r\n", "x-kept: 3\r\n", "via: 1.1 tower-reauth\r\n", "content-length: 2\r\n"] {
            assert!(answer.contains(kept), "{kept}: {answer}");
        }
        assert_eq!(answer.contains("set-cookie: a=b"), cookie, "{answer}");
        assert!(answer.ends_with("\r\n\r\n{}"), "{answer}");
        proxy.stop().await;
    }
}

#[tokio::test]
async fn upgrades_to_what_nobody_knows_are_refused_and_offers_of_http_2_ignored() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (lines, expected) in [
        ("Connection: Upgrade\r\nUpgrade: unknown\r\n", 501),
        ("Connection: keep-alive, upgrade\r\nUpgrade: h2c, unknown\r\n", 501),
        ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", 204),
        ("Upgrade: websocket\r\n", 204),
    ] {
        let answer = raw(&proxy.address, &format!("GET /x HTTP/1.1\r\nHost: HOST\r\n{lines}\r\n")).await;
        assert_eq!(status(&answer), expected, "{lines}: {answer}");
        assert_eq!(answer.contains("connections aren't upgraded"), expected == 501);
    }
    assert_eq!(server.seen().len(), 2);
    assert!(server.seen().iter().all(|request| !request.to_lowercase().contains("upgrade")));
    proxy.stop().await;
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_no_answer() {
    let server = Raw::start(&["HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    assert_eq!(status(&answer), 502, "{answer}");
    proxy.stop().await;
}

#[tokio::test]
async fn trailers_go_both_ways_without_what_stays_here() {
    let answer = "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n\
                  2\r\n{}\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n";
    let server = Raw::start(&[answer]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let request = "POST /x HTTP/1.1\r\nHost: HOST\r\nTE: trailers\r\nConnection: TE\r\n\
                   Trailer: X-Mine, Authorization, Cookie\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n0\r\nX-Mine: 1\r\nAuthorization: Bearer mine\r\nCookie: a=b\r\n\r\n";
    let answer = raw(&proxy.address, request).await;
    assert!(answer.ends_with("\r\n0\r\nx-sum: 7\r\n\r\n"), "{answer}");
    let seen = server.seen().pop().unwrap();
    assert!(seen.contains("te: trailers\r\n") && seen.contains("connection: TE\r\n"), "{seen}");
    assert!(seen.ends_with("3\r\nabc\r\n0\r\nx-mine: 1\r\n\r\n"), "{seen}");
    proxy.stop().await;
}

#[tokio::test]
async fn redirects_within_the_vendors_origin_lead_back_here() {
    let locations = [
        ("ORIGIN/a?b#c", "/a?b#c"),
        ("ORIGIN", "/"),
        ("ORIGIN//evil.example/", "ORIGIN//evil.example/"),
        (r"ORIGIN/\evil.example/", r"ORIGIN/\evil.example/"),
        ("https://elsewhere.example/a", "https://elsewhere.example/a"),
        ("/relative", "/relative"),
    ];
    let answers = locations.map(|(location, _)| {
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
    });
    let server = Raw::start(&answers.each_ref().map(|answer| &**answer)).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (location, expected) in locations {
        let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        let expected = format!("location: {}\r\n", expected.replace("ORIGIN", &server.origin));
        assert!(answer.contains(&expected), "{location}: {answer}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn options_go_as_far_as_they_are_meant_to() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (method, left, forwarded) in [
        ("OPTIONS", "2", Some("1")),
        ("OPTIONS", "0", None),
        ("OPTIONS", "x", Some("x")),
        ("GET", "0", Some("0")),
    ] {
        let before = server.seen().len();
        let request = format!("{method} /x HTTP/1.1\r\nHost: HOST\r\nMax-Forwards: {left}\r\n\r\n");
        assert_eq!(status(&raw(&proxy.address, &request).await), 204);
        let seen = server.seen()[before..].to_vec();
        let expected = forwarded.map(|left| format!("max-forwards: {left}\r\n"));
        assert_eq!(seen.len(), usize::from(expected.is_some()), "{method} {left}");
        assert!(expected.is_none_or(|expected| seen[0].contains(&expected)), "{seen:?}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn a_proxy_that_calls_itself_notices() {
    let server = Raw::start(&[EMPTY]).await;
    let inner = Proxy::start(before(&server.origin)).await;
    let outer = Proxy::start(before(&inner.url(""))).await;
    let answer = raw(&outer.address, "GET /x HTTP/1.1\r\nHost: HOST\r\nVia: 1.1 elsewhere\r\n\r\n").await;
    assert_eq!(status(&answer), 508, "{answer}");
    assert!(answer.contains("check --base-url"), "{answer}");
    assert_eq!(server.seen().len(), 0);
    outer.stop().await;
    inner.stop().await;
}

#[tokio::test]
async fn a_call_of_grpc_says_to_its_server_that_it_takes_trailers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(async |request: axum::extract::Request| {
        format!("{:?} {:?}", request.version(), request.headers().get("te"))
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let proxy = Proxy::start(before(&origin).arg("--http2-prior-knowledge")).await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    for kind in ["application/grpc", "application/grpc+proto"] {
        let request = Request::post(proxy.url("/x")).header("content-type", kind).header("te", "trailers");
        let response = soon(client.request(request.body(Full::default()).unwrap())).await.unwrap();
        let said = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(said, "HTTP/2.0 Some(\"trailers\")", "{kind}");
    }
    drop(client);
    proxy.stop().await;
    // Nothing else differs: over HTTP/1.1 it is named where it belongs to one connection.
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for (kind, named) in [("application/grpc-web", true), ("text/plain", true), ("application/grpc", false)] {
        let request = format!(
            "POST /x HTTP/1.1\r\nHost: HOST\r\nTE: trailers\r\nConnection: TE\r\nContent-Type: {kind}\r\n\
             Content-Length: 0\r\n\r\n"
        );
        assert_eq!(status(&raw(&proxy.address, &request).await), 204);
        let seen = server.seen().pop().unwrap();
        assert!(seen.contains("te: trailers\r\n"), "{seen}");
        assert_eq!(seen.contains("connection: TE\r\n"), named, "{seen}");
    }
    proxy.stop().await;
}
