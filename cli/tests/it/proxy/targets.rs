//! No request target changes where a request goes. Path and query go there byte for byte.

use super::*;

/// What the vendor's server is asked for when the proxy is sent `line`, or the proxy's own status.
async fn target_of(proxy: &Proxy, server: &Raw, line: &str) -> Result<String, u16> {
    let line = line.replace("HOST", &proxy.address);
    let before = server.seen().len();
    let answer = raw(&proxy.address, &format!("{line} HTTP/1.1\r\nHost: HOST\r\n\r\n")).await;
    match &server.seen()[before..] {
        [] => Err(status(&answer)),
        [request] => {
            let host = format!("\r\nhost: {}\r\n", server.origin.trim_start_matches("http://"));
            assert!(request.contains(&host), "{request}");
            assert_eq!(status(&answer), 204, "{answer}");
            Ok(request.split(" HTTP/1.1\r\n").next().unwrap().to_owned())
        }
        more => panic!("{more:?}"),
    }
}

#[tokio::test]
async fn a_target_is_a_path_at_the_vendor_whatever_it_looks_like() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    for same in [
        "GET /",
        "GET /?",
        "GET /a//b/./c/../d?e=%41&f=http://evil.example/",
        "GET //evil.example/x",
        "GET ///evil.example/x",
        r"GET /\evil.example/x",
        r"GET /\\evil.example/x",
        "GET /%2e%2e/%2E%2e%2fx",
        "GET /../../x",
        "GET /@evil.example/x",
        "GET /:80/x",
        "GET /user:password@evil.example/x",
        "GET /http://evil.example/x",
        "GET /a%00b%0d%0aHost:%20evil.example",
        "GET /a;b=c?d;e",
        "OPTIONS /x",
        "OPTIONS *",
        "PROPFIND /x",
        "DELETE /x",
    ] {
        assert_eq!(target_of(&proxy, &server, same).await.as_deref(), Ok(same));
    }
    proxy.stop().await;
}

#[tokio::test]
async fn of_a_whole_url_only_the_path_is_used_and_only_if_it_is_the_proxys() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin)).await;
    let vendor = server.origin.clone();
    for (line, expected) in [
        ("GET http://HOST/x?y", Ok("GET /x?y")),
        ("GET http://HOST//evil.example/x", Ok("GET //evil.example/x")),
        ("GET http://HOST", Ok("GET /")),
        ("GET http://HOST?y", Ok("GET /?y")),
        ("GET http://evil.example/x", Err(403)),
        ("GET https://evil.example/x", Err(403)),
        (&*format!("GET {vendor}/x"), Err(403)),
        ("GET http://HOST@evil.example/x", Err(400)),
        ("GET http://user:password@HOST/x", Err(400)),
        ("GET evil.example:80", Err(403)),
        // What is spoken here is http (RFC 9110 §7.4).
        ("GET https://HOST/x", Err(421)),
        ("GET ftp://HOST/x", Err(421)),
        ("GET HTTP://HOST/x", Ok("GET /x")),
        ("GET *", Err(400)),
        ("GET evil.example/x", Err(400)),
        (r"GET \\evil.example\x", Err(400)),
        ("GET ?x", Err(400)),
        ("CONNECT evil.example:443", Err(501)),
        ("CONNECT HOST", Err(501)),
        ("TRACE /x", Err(501)),
    ] {
        let got = target_of(&proxy, &server, line).await;
        assert_eq!(got.as_deref().map_err(|status| *status), expected, "{line}");
    }
    let answer = raw(&proxy.address, "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert!(answer.contains("call it as if it were the vendor"), "{answer}");
    proxy.stop().await;
}

/// Something before the proxy has ended TLS, and over HTTP/2 may say so in each request.
#[tokio::test]
async fn https_is_for_a_gateway_that_has_a_name_for_the_proxy() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(before(&server.origin).args("--allow-host gateway.internal")).await;
    for (target, expected) in [
        ("https://gateway.internal/x", 204),
        ("http://gateway.internal/x", 204),
        ("ftp://gateway.internal/x", 421),
        ("https://HOST/x", 421),
    ] {
        let host = target.split('/').nth(2).unwrap();
        let answer = raw(&proxy.address, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{target}: {answer}");
    }
    assert_eq!(server.seen().len(), 2);
    proxy.stop().await;
}
