//! Through proxies: which connections go there, what is said to them, and what is said when they fail.

use std::{error::Error, iter};

use tower_reauth::{AcquireErrorKind, AuthError, TokenCache, TokenEndpoint, TokenRequest};

use super::{
    proxy::{Manner, Proxy},
    *,
};

/// "Aladdin:open sesame", as in RFC 7617 §2.
const CREDENTIALS: &str = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";

/// A client that trusts `ca` alone, and goes through `proxy`.
fn by(ca: &Ca, proxy: &str) -> Client {
    trusting(ca).proxy(proxy).unwrap().build().unwrap()
}

fn trusting(ca: &Ca) -> ClientBuilder {
    given().root_der(ca.der()).unwrap().connect_timeout(Duration::from_millis(800))
}

/// What is printed of `error` and of all its sources.
fn lines(error: &(dyn Error + 'static)) -> Vec<String> {
    iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect()
}

#[tokio::test]
async fn https_and_http_go_through_a_tunnel_to_the_host_by_its_name() {
    let ca = Ca::new();
    let proxy = Proxy::start(Manner::Tunnels).await;
    let client = by(&ca, &proxy.url());
    for offered in [&["h2"][..], &["http/1.1"]] {
        let server = Server::start(Some(ca.acceptor("api.example.test", offered))).await;
        let url = format!("https://api.example.test:{}/s3cret-path", server.port);
        for _ in 0..2 {
            let (head, body) = post(&client, &url, "s3cret-body").await.unwrap();
            assert_eq!((head.status, body.as_ref()), (StatusCode::OK, &b"s3cret-body"[..]));
        }
        assert_eq!((server.accepted(), server.requests()), (1, 2));
        assert_eq!(proxy.targets().last().unwrap(), &format!("api.example.test:{}", server.port));
    }
    assert!(!proxy.has_seen("s3cret"));

    let server = Server::plain().await;
    let url = format!("http://api.example.test:{}/", server.port);
    let (head, _) = post(&client, &url, "in the tunnel").await.unwrap();
    assert_eq!((head.status, head.version), (StatusCode::OK, Version::HTTP_11));
    assert!(proxy.has_seen("in the tunnel"));
    // Nothing but CONNECT, and nothing of a request in it.
    for head in proxy.heads() {
        let lines: Vec<_> = head.lines().collect();
        let target =
            lines[0].strip_prefix("CONNECT ").and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap();
        assert_eq!(lines[1..], [&format!("host: {target}"), ""]);
    }
    assert_eq!(proxy.heads().len(), 3);
}

#[tokio::test]
async fn a_port_that_is_left_out_is_the_schemes() {
    let proxy = Proxy::start(Manner::Answers(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")).await;
    let client = by(&Ca::new(), &proxy.url());
    for url in ["http://api.example.test/", "https://api.example.test/", "http://[2001:db8::1]/"] {
        post(&client, url, "").await.unwrap_err();
    }
    assert_eq!(proxy.targets(), ["api.example.test:80", "api.example.test:443", "[2001:db8::1]:80"]);
}

#[tokio::test]
async fn credentials_are_those_in_the_url() {
    let ca = Ca::new();
    let proxy = Proxy::start(Manner::TunnelsFor(CREDENTIALS)).await;
    let server = Server::start(Some(ca.acceptor("api.example.test", &[]))).await;
    let url = format!("https://api.example.test:{}/", server.port);
    let with = |userinfo: &str| by(&ca, &format!("http://{userinfo}{}", proxy.name()));
    post(&with("Aladdin:open%20sesame@"), &url, "").await.unwrap();

    for userinfo in ["", "Aladdin:0p3n@"] {
        let error = post(&with(userinfo), &url, "").await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Proxy);
        let text = format!(
            "no connection could be made: the proxy {} answered 407: it wants another user name or password, which \
             stand in its url as in http://name:password@host",
            proxy.name()
        );
        assert_eq!(lines(&error), [text]);
        assert!(!format!("{error:?}").contains("0p3n"));
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_proxy_is_spoken_to_over_tls_where_its_url_says_so() {
    let ca = Ca::new();
    // HTTP/2 is not for it, even if it could.
    let tls = ca.acceptor("localhost", &["h2", "http/1.1"]);
    let proxy = Proxy::over(Manner::TunnelsFor(CREDENTIALS), Some(tls)).await;
    let server = Server::start(Some(ca.acceptor("api.example.test", &["h2"]))).await;
    let url = format!("https://api.example.test:{}/", server.port);
    let client = by(&ca, &format!("https://Aladdin:open%20sesame@{}", proxy.name()));
    let (head, body) = post(&client, &url, "through TLS in TLS").await.unwrap();
    assert_eq!((head.version, body.as_ref()), (Version::HTTP_2, &b"through TLS in TLS"[..]));

    let stranger = by(&Ca::new(), &format!("https://{}", proxy.name()));
    let error = post(&stranger, &url, "").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Proxy);
    let text = format!(
        "no connection could be made: the proxy {} could not be reached: tls: certificate from an authority that is \
         not trusted",
        proxy.name()
    );
    assert_eq!(lines(&error)[0], text);
    assert_eq!(proxy.heads().len(), 1);
}

#[tokio::test]
async fn loopback_has_no_proxy() {
    let proxy = Proxy::start(Manner::Tunnels).await;
    let client = by(&Ca::new(), &proxy.url());
    let server = Server::plain().await;
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        post(&client, &format!("http://{host}:{}/", server.port), "").await.unwrap();
    }
    assert_eq!((server.requests(), proxy.heads().len()), (3, 0));
}

#[tokio::test]
async fn what_a_proxy_does_instead_is_said_to_be_the_proxys() {
    let ca = Ca::new();
    for (manner, text) in [
        (
            Manner::Answers(
                b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n\r\n<html>s3cret</html>",
            ),
            "answered 502: it could not reach the server, or not find it",
        ),
        (
            Manner::Answers(b"HTTP/1.0 403 Filtered\r\nContent-Length: 3\r\n\r\nno!"),
            "answered 403: it allows no tunnel (CONNECT) to this host and port",
        ),
        (
            Manner::Answers(b"HTTP/1.1 302 Found\r\nlocation: http://login.test/?s3cret\r\n\r\n"),
            "answered 302: it was asked for a tunnel (CONNECT), and gave none",
        ),
        (
            Manner::Answers(b"<html>s3cret</html>\r\n\r\n"),
            "does not answer in http; look at the scheme and the port of its url",
        ),
        (Manner::Answers(b"HTTP/1.1 200 OK\r\n"), "closed the connection without an answer"),
        (Manner::HangsUp, "closed the connection without an answer"),
        (Manner::HangsAfter(b""), "gave no connection in time"),
        (Manner::HangsAfter(b"HTTP/1.1 200 OK\r\n"), "gave no connection in time"),
    ] {
        let proxy = Proxy::start(manner).await;
        let answer = post(&by(&ca, &proxy.url()), "https://api.example.test/", "").await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Proxy, "{error}");
        assert_eq!(
            lines(&error),
            [format!("no connection could be made: the proxy {} {text}", proxy.name())]
        );
        assert_eq!(proxy.heads().len(), 1, "it is asked once: {text}");
    }
}

#[tokio::test]
async fn what_comes_through_a_tunnel_is_said_to() {
    let ca = Ca::new();
    // What it sends is no TLS, or ends, or is nothing: it isn't the server that was called.
    for (manner, kind, text) in [
        (
            Manner::Answers(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>s3cret</html>"),
            ClientErrorKind::Proxy,
            ": tls: the server does not speak it",
        ),
        (Manner::Answers(b"HTTP/1.1 200 OK\r\n\r\n"), ClientErrorKind::Proxy, ""),
        (
            Manner::HangsAfter(b"HTTP/1.1 200 OK\r\n\r\n"),
            ClientErrorKind::ConnectTimedOut,
            ": timed out connecting",
        ),
    ] {
        let proxy = Proxy::start(manner).await;
        let error = post(&by(&ca, &proxy.url()), "https://api.example.test/", "").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{:?}", lines(&error));
        let words = format!("no connection could be made: through the proxy {}{text}", proxy.name());
        assert_eq!(lines(&error)[0], words);
    }
    // The server's own certificate is refused as it is without a proxy.
    let proxy = Proxy::start(Manner::Tunnels).await;
    let server = Server::start(Some(ca.acceptor("other.example.test", &[]))).await;
    let url = format!("https://api.example.test:{}/", server.port);
    let error = post(&by(&ca, &proxy.url()), &url, "").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Connect);
    assert!(lines(&error)[0].ends_with(": tls: certificate for another host"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = by(&Ca::new(), &format!("http://us3r:pa55@{address}"));
    let error = post(&client, "https://api.example.test/", "").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Proxy);
    let text =
        format!("no connection could be made: the proxy {address} could not be reached: connection refused");
    assert_eq!(lines(&error), [text]);
    let client = by(&Ca::new(), "http://us3r:pa55@no-such-proxy.invalid:3128");
    let error = post(&client, "https://api.example.test/", "").await.unwrap_err();
    let text =
        "no connection could be made: the proxy no-such-proxy.invalid:3128 could not be reached: dns: ";
    assert!(error.to_string().starts_with(text), "{error}");
    assert!(!format!("{error:?}").contains("pa55"));
}

#[tokio::test]
async fn an_acquisition_says_that_it_was_the_proxy() {
    for (answer, kind, words) in [
        (
            &b"HTTP/1.1 407 No\r\n\r\n"[..],
            AcquireErrorKind::ProxyRefused,
            "answered 407: it wants another user",
        ),
        (b"HTTP/1.1 401 No\r\n\r\n", AcquireErrorKind::ProxyRefused, "answered 401: it wants another user"),
        (b"HTTP/1.1 403 No\r\n\r\n", AcquireErrorKind::Blocked, "answered 403: it allows no tunnel"),
        (
            b"HTTP/1.1 502 No\r\n\r\n",
            AcquireErrorKind::Transient,
            "answered 502: it could not reach the server",
        ),
    ] {
        let proxy = Proxy::start(Manner::Answers(answer)).await;
        let client = by(&Ca::new(), &proxy.url());
        let endpoint = TokenEndpoint::new("Acme", "https://id.example.test", TokenRequest::post("/token"));
        let tokens = TokenCache::new(endpoint.build(client).unwrap());
        let error = tokens.get(Duration::ZERO).await.unwrap_err();
        let acquire = AuthError::acquire_error(&error).unwrap();
        assert_eq!((acquire.kind(), acquire.status()), (kind, None));
        let text = format!(
            "the token request to id.example.test could not be sent or was not answered: the proxy {} {words}",
            proxy.name()
        );
        assert!(acquire.to_string().starts_with(&text), "{acquire}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_first_is_heard_through_a_tunnel() {
    let proxy = Proxy::start(Manner::Tunnels).await;
    let server = http2::Server::plain().await;
    let client = trusting(&Ca::new()).http2_prior_knowledge().proxy(&proxy.url()).unwrap().build().unwrap();
    let (head, body) =
        post(&client, &format!("http://api.example.test:{}/", server.port), "h2").await.unwrap();
    assert_eq!((head.version, body.as_ref()), (Version::HTTP_2, &b"h2"[..]));
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_configuration_error() {
    for (url, words) in [
        (
            "socks5://us3r:pa55@proxy.test:1080",
            "the proxy's url names a proxy that speaks socks5, which this client doesn't",
        ),
        ("http://us3r:pa 55@proxy.test", "the proxy's url can't be read"),
        ("https://us3r:pa55@169.254.169.254", "the proxy's url leads to a machine's metadata service"),
    ] {
        let error = Client::builder().proxy(url).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Url);
        assert!(error.to_string().starts_with(words), "{error}");
        assert!(!format!("{error:?}").contains("us3r"), "{error:?}");
    }
    let builder = Client::builder().proxy("http://us3r:pa55@proxy.test:3128").unwrap();
    assert!(!format!("{builder:?}").contains("pa55"), "{builder:?}");
}
