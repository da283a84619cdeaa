#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

use std::{
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::service_fn;

use super::*;
use crate::{error::AcquireErrorKind, transport::outwards};

/// A server that answers everything with `answer`, and how many connections it has had.
async fn server(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, SeqCst);
            let _ = tcp.read(&mut [0; 1024]).await.unwrap();
            tcp.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, accepted)
}

const AGREES: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Asks `url` of a client for `authority`, where every name leads to `addresses`. Also, how often a name was looked up.
async fn ask(authority: &str, url: &str, addresses: Vec<SocketAddr>) -> (Read, usize) {
    let lookups = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lookups);
    let resolver = service_fn(move |_: Name| {
        counted.fetch_add(1, SeqCst);
        ready(Ok::<vec::IntoIter<SocketAddr>, io::Error>(addresses.clone().into_iter()))
    });
    let transport = Transport::reading(Near::new(authority.parse().unwrap(), resolver), Ok);
    let answer = transport.send(Request::get(url).body(Bytes::new()).unwrap()).await;
    (answer, lookups.load(SeqCst))
}

#[track_caller]
fn assert_refused(answer: &Read) {
    let error = answer.as_ref().unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Blocked, "{error:?}");
    let text = error.to_string();
    let (host, text) = text.split_once(" could not be sent").unwrap();
    assert!(host.starts_with("the token request to "), "{host}");
    assert_eq!(
        text,
        " or was not answered: the host of the metadata service is neither this \
         machine nor on a link of it, or its name leads elsewhere; nothing is sent there"
    );
}

#[tokio::test]
async fn what_is_near_is_asked_by_address_and_by_name() {
    let (address, accepted) = server(AGREES).await;
    let authority = address.to_string();
    let (answer, lookups) = ask(&authority, &format!("http://{authority}/"), vec![]).await;
    assert_eq!((answer.unwrap().status().as_u16(), lookups), (200, 0));
    let authority = format!("metadata.google.internal:{}", address.port());
    let (answer, lookups) = ask(&authority, &format!("http://{authority}/"), vec![address]).await;
    assert_eq!((answer.unwrap().status().as_u16(), lookups), (200, 1));
    assert_eq!(accepted.load(SeqCst), 2);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_not_followed() {
    let (address, accepted) = server(AGREES).await;
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), address.port());
    let authority = format!("metadata.google.internal:{}", address.port());
    for far in ["10.0.0.1", "203.0.113.1", "64:ff9b::a9fe:a9fe", "100.100.100.200", "fd00:ec2::254"] {
        for addresses in [vec![at(far)], vec![address, at(far)], vec![at(far), address]] {
            let (answer, lookups) = ask(&authority, &format!("http://{authority}/"), addresses).await;
            assert_refused(&answer);
            assert_eq!(lookups, 1, "{far}");
        }
    }
    for far in ["10.0.0.1", "8.8.8.8", "[2001:db8::1]", "[::169.254.169.254]"] {
        let (answer, lookups) = ask(far, &format!("http://{far}/"), vec![address]).await;
        assert_refused(&answer);
        assert_eq!(lookups, 0, "{far}");
    }
    assert_eq!(accepted.load(SeqCst), 0);
}

#[tokio::test]
async fn another_host_port_or_scheme_than_its_own_is_not_asked() {
    let (address, accepted) = server(AGREES).await;
    let authority = address.to_string();
    let localhost = format!("http://localhost:{}/", address.port());
    for url in [&*localhost, "http://127.0.0.1/", "http://169.254.169.254/", &format!("https://{authority}/")]
    {
        let (answer, lookups) = ask(&authority, url, vec![address]).await;
        assert_refused(&answer);
        assert_eq!(lookups, 0, "{url}");
    }
    assert_eq!(accepted.load(SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, asked) = server(AGREES).await;
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let (address, accepted) = server(answer.leak()).await;
    let (answer, _) = ask(&address.to_string(), &format!("http://{address}/"), vec![]).await;
    assert_eq!(answer.unwrap().status().as_u16(), 302);
    assert_eq!((accepted.load(SeqCst), asked.load(SeqCst)), (1, 0));
}

#[tokio::test]
async fn nothing_that_a_tenant_asks_for_goes_there() {
    let (address, accepted) = server(AGREES).await;
    let url = format!("http://{address}/");
    let (answer, _) = outwards(ask(&address.to_string(), &url, vec![])).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Blocked, "{error}");
    assert!(error.to_string().contains("for tenants nothing is sent there"), "{error}");
    assert_eq!(accepted.load(SeqCst), 0);
}
