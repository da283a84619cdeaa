//! Tokens in a cookie, in the query, and in a header of a form of its own, over sockets: what a server gets by HTTP/1.1 and
//! HTTP/2, and what it gets the second time, when the token has expired.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{body::Body as AxumBody, response::Response};
use bytes::Bytes;
use http::{Request, StatusCode, Version, request::Parts};
use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::{Layer, service_fn};
use tower_reauth::{
    AccessToken, AuthError, AuthErrorKind, AuthLayer, AuthOutcome, Client, Origin, Passed, Placement,
    Signatures, StaticToken, from_fn,
};

use crate::support::{Body, Ca, Site, client, send, soon};

/// What a server that has the token in this place reads there.
type Reads = fn(&Parts) -> Option<String>;

/// The `number`th token, with characters that have a meaning somewhere.
fn token(number: usize) -> String {
    format!("t{number}+/=&%41'")
}

/// By a reader of URLs that isn't ours.
fn in_query(head: &Parts) -> Option<String> {
    let url = Url::parse("http://host").unwrap().join(&head.uri.path_and_query()?.to_string()).unwrap();
    let mut found = url.query_pairs().filter(|(name, _)| name == "access_token");
    let value = found.next().map(|(_, value)| value.into_owned());
    assert!(found.next().is_none(), "one alone");
    value
}

/// As servers read cookies: from one header, whose pairs a semicolon and a space divide (RFC 6265 §4.2.1).
fn in_cookies(head: &Parts) -> Option<String> {
    let headers: Vec<_> = head.headers.get_all("cookie").iter().collect();
    assert!(headers.len() <= 1, "one header alone");
    let pairs = headers.first()?.to_str().ok()?.split("; ").map(|pair| pair.split_once('=').expect("a pair"));
    let mut found = pairs.filter(|(name, _)| *name == "session");
    let value = found.next().map(|(_, value)| value.to_owned());
    assert!(found.next().is_none(), "one alone");
    value
}

fn in_quotes(head: &Parts) -> Option<String> {
    let value = head.headers.get("authorization")?.to_str().ok()?;
    Some(value.strip_prefix("Token token=\"")?.strip_suffix('"')?.to_owned())
}

fn placements() -> [(Placement, Reads); 3] {
    [
        (Placement::template("Authorization", "Token token=\"{token}\"").unwrap(), in_quotes),
        (Placement::cookie("session").unwrap(), in_cookies),
        (Placement::query_visible_in_logs("access_token").unwrap(), in_query),
    ]
}

/// Takes the `least`th token and later ones, wherever `reads` finds them.
fn taking(least: Arc<AtomicUsize>, reads: Reads) -> impl Fn(&Parts) -> Response + Clone + Send + Sync {
    move |head| {
        let found = reads(head);
        let is_good = (least.load(SeqCst)..10).any(|number| found.as_deref() == Some(&token(number)));
        let refused =
            Response::builder().status(401).header("www-authenticate", "Bearer error=\"invalid_token\"");
        let answer = if is_good { Response::builder() } else { refused };
        answer.body(AxumBody::from("read")).unwrap()
    }
}

/// A layer whose credential hands out the first token, the second and so on, and counts them.
fn layer(origin: &str, placement: Placement) -> (Arc<AtomicUsize>, AuthLayer) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let credential = from_fn(move |_, _| {
        let number = counted.fetch_add(1, SeqCst) + 1;
        async move { Ok(AccessToken::new(token(number))?) }
    });
    let layer = AuthLayer::new(Origin::parse(origin).unwrap(), credential);
    (calls, layer.placement(placement).signatures(Signatures::oauth2()))
}

fn post(url: &str) -> Request<Body> {
    Request::post(url)
        .header("cookie", "a=b; c=\"d\"")
        .header("x-own", "1")
        .header("cookie", "e=%20f")
        .body(Body::from("a body"))
        .unwrap()
}

async fn check(site: &Site, client: Client, version: Version, least: &AtomicUsize, placement: Placement) {
    let (calls, layer) = layer(&site.url(""), placement.clone());
    let service = layer.layer(client);
    for (expected_calls, replayed) in [(1, false), (1, false), (2, true), (2, false)] {
        if replayed {
            least.store(2, SeqCst);
        }
        let answered = send(&service, post(&site.url("/a/%41?b=c%2F&"))).await.unwrap();
        assert_eq!((answered.status(), &*answered.body), (StatusCode::OK, &b"read"[..]), "{placement:?}");
        assert_eq!(answered.outcome().is_some_and(AuthOutcome::replayed), replayed);
        assert_eq!(calls.load(SeqCst), expected_calls);
    }
    let requests = site.requests();
    assert_eq!(requests.len(), 5);
    for (head, number) in requests.iter().zip([1, 1, 1, 2, 2]) {
        assert_eq!(head.version, version);
        assert_eq!(head.headers["x-own"], "1");
        let (cookies, query) =
            (head.headers.get_all("cookie").iter().collect::<Vec<_>>(), head.uri.query().unwrap());
        let [_, by_cookie, by_query] = placements().map(|(other, _)| placement == other);
        let token = token(number);
        let expected: &[&str] = match by_cookie {
            true => &[&format!("a=b; c=\"d\"; e=%20f; session={token}")],
            false => &["a=b; c=\"d\"", "e=%20f"],
        };
        assert_eq!(cookies, expected);
        assert_eq!(head.uri.path(), "/a/%41");
        let expected = format!("b=c%2F&access_token=t{number}%2B%2F%3D%26%2541%27");
        assert_eq!(query, if by_query { &expected } else { "b=c%2F&" });
        assert_eq!(head.headers.get("cache-control").is_some_and(|value| value == "no-store"), by_query);
        assert_eq!(head.headers.contains_key("authorization"), !by_cookie && !by_query);
    }
}

#[tokio::test]
async fn a_token_that_has_expired_is_replaced_wherever_it_is() {
    for (placement, reads) in placements() {
        let least = Arc::new(AtomicUsize::new(1));
        let site = Site::start(taking(least.clone(), reads)).await;
        check(&site, client(), Version::HTTP_11, &least, placement).await;
    }
}

#[tokio::test]
async fn the_same_over_tls_by_both_versions_of_http() {
    for (offered, version) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
        for (placement, reads) in placements() {
            let ca = Ca::new();
            let least = Arc::new(AtomicUsize::new(1));
            let answer = taking(least.clone(), reads);
            let site = Site::start_with_tls(ca.acceptor("127.0.0.1", &[offered]), answer).await;
            check(&site, ca.client(), version, &least, placement).await;
        }
    }
}

#[tokio::test]
async fn what_the_caller_has_put_there_is_sent_as_it_is() {
    for (placement, target, header, value, why) in [
        (placements()[1].0.clone(), "/a?b", "cookie", "x=y; session=own", Passed::OwnCookie),
        (placements()[2].0.clone(), "/a?access%5Ftoken=own&b", "x-own", "1", Passed::OwnParameter),
    ] {
        let site = Site::start(|_| Response::builder().status(401).body(AxumBody::empty()).unwrap()).await;
        let (calls, layer) = layer(&site.url(""), placement);
        let request = Request::get(site.url(target)).header(header, value).body(Body::default()).unwrap();
        let answered = send(&layer.layer(client()), request).await.unwrap();
        assert_eq!(answered.outcome().and_then(AuthOutcome::passed), Some(why));
        let seen = &site.requests()[0];
        assert_eq!((&*seen.uri.to_string(), seen.headers[header].as_bytes()), (target, value.as_bytes()));
        assert_eq!((calls.load(SeqCst), seen.headers.contains_key("cache-control")), (0, false));
    }
}

#[tokio::test]
async fn in_plain_text_to_another_host_no_query_has_the_token_whatever_the_origin_allows() {
    let origin = Origin::parse_allowing_plaintext_tokens("http://api.test").unwrap();
    let layer =
        AuthLayer::new(origin, StaticToken::new("t0ken").unwrap()).placement(placements()[2].0.clone());
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let service = layer.layer(service_fn(move |request: Request<Body>| {
        counted.fetch_add(1, SeqCst);
        assert_eq!(request.uri(), "http://api.test/a?b");
        let refused = http::Response::builder().status(401).body(Body::default());
        std::future::ready(refused)
    }));
    let request = Request::get("http://api.test/a?b").body(Body::default()).unwrap();
    let answered = send(&service, request).await.unwrap();
    assert_eq!(answered.outcome().and_then(AuthOutcome::passed), Some(Passed::PlainHttp));
    assert_eq!(sent.load(SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_can_be_no_cookie_reaches_no_server() {
    let site = Site::that_agrees().await;
    let origin = Origin::parse(&site.url("")).unwrap();
    let layer =
        AuthLayer::new(origin, StaticToken::new("t0;ken").unwrap()).placement(placements()[1].0.clone());
    let error = send(&layer.layer(client()), post(&site.url("/"))).await.unwrap_err();
    assert_eq!(AuthError::find(&*error).unwrap().kind(), AuthErrorKind::NotPlaceable);
    assert_eq!(site.requests().len(), 0);
}

/// Byte for byte, as it goes over the wire by HTTP/1.1.
#[tokio::test]
async fn on_the_wire_there_is_one_header_of_cookies_and_one_query() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    for (placement, first_line, cookies) in [
        (placements()[1].0.clone(), "POST /a?b HTTP/1.1", "cookie: a=b; c=\"d\"; e=%20f; session=t1+/=&%41'"),
        (
            placements()[2].0.clone(),
            "POST /a?b&access_token=t1%2B%2F%3D%26%2541%27 HTTP/1.1",
            "cookie: a=b; c=\"d\"|cookie: e=%20f",
        ),
    ] {
        let server = async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"a body") {
                assert_ne!(tcp.read_buf(&mut read).await.unwrap(), 0);
            }
            tcp.write_all(b"HTTP/1.1 204 \r\n\r\n").await.unwrap();
            String::from_utf8(read).unwrap()
        };
        let service = layer(&origin, placement).1.layer(client());
        let (read, answered) =
            soon(futures_util::future::join(server, send(&service, post(&format!("{origin}/a?b"))))).await;
        assert_eq!(answered.unwrap().body, Bytes::new());
        assert_eq!(read.lines().next(), Some(first_line));
        let sent: Vec<_> =
            read.lines().filter(|line| line.to_ascii_lowercase().starts_with("cookie:")).collect();
        assert_eq!(sent.join("|"), cookies);
    }
}
