#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    vec,
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{self, connect::dns::Name},
    rt::TokioExecutor,
};
use rustls::RootCertStore;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::service_fn;

use super::*;
use crate::transport::client::{
    error::{ClientError, ClientErrorKind},
    roots::Roots,
};

const BOUND: Duration = Duration::from_secs(5);

/// A server that agrees with everything, and how many connections it has had.
async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, SeqCst);
            let _ = tcp.read(&mut [0; 1024]).await.unwrap();
            tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    });
    (address, accepted)
}

/// Asks for `url`, where every name leads to `addresses`. Also, how often a name was looked up.
async fn get(
    url: &str,
    addresses: Vec<SocketAddr>,
    proxies: Proxies,
) -> (Result<http::StatusCode, ClientError>, usize) {
    get_within(Reach::Anywhere, url, addresses, proxies).await
}

/// The same with a client that connects to no more than this.
async fn get_within(
    reach: Reach,
    url: &str,
    addresses: Vec<SocketAddr>,
    proxies: Proxies,
) -> (Result<http::StatusCode, ClientError>, usize) {
    let lookups = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lookups);
    let resolver = service_fn(move |_: Name| {
        counted.fetch_add(1, SeqCst);
        ready(Ok::<vec::IntoIter<SocketAddr>, io::Error>(addresses.clone().into_iter()))
    });
    let tls = Tls::new(Roots::Bundled, RootCertStore::empty(), None, Versions::Negotiated).unwrap();
    let connector = Connector::resolving(resolver, tls, proxies, Versions::Negotiated, BOUND, reach);
    let client = legacy::Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    let answer = client.request(Request::get(url).body(Full::default()).unwrap()).await;
    (answer.map(|answer| answer.status()).map_err(ClientError::from), lookups.load(SeqCst))
}

#[track_caller]
fn assert_refused(answer: &Result<http::StatusCode, ClientError>) {
    let error = answer.as_ref().unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::MetadataHost, "{error:?}");
    let text = "no connection could be made: the host is a machine's metadata service, or its name leads to one; \
                nothing is sent there";
    assert_eq!(error.to_string(), text);
    assert!(std::error::Error::source(error).is_none());
}

#[tokio::test]
async fn a_name_that_leads_to_a_metadata_service_is_not_followed() {
    let (address, accepted) = server().await;
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), address.port());
    for addresses in [
        vec![at("169.254.169.254")],
        vec![at("fd00:ec2::254")],
        vec![at("::ffff:169.254.169.254")],
        vec![at("64:ff9b::a9fe:a9fe")],
        vec![at("100.100.100.200")],
        // Another address beside it makes it no better, wherever it stands.
        vec![address, at("169.254.169.254")],
        vec![at("169.254.169.254"), address],
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://rebound.test:{}/", address.port());
            let (answer, lookups) = get(&url, addresses.clone(), Proxies::none()).await;
            assert_refused(&answer);
            assert_eq!(lookups, 1);
        }
    }
    assert_eq!(accepted.load(SeqCst), 0);

    let url = format!("http://api.test:{}/", address.port());
    let (answer, lookups) = get(&url, vec![address], Proxies::none()).await;
    assert_eq!((answer.unwrap(), lookups), (http::StatusCode::OK, 1));
    assert_eq!(accepted.load(SeqCst), 1);
}

#[tokio::test]
async fn a_metadata_service_is_neither_looked_up_nor_asked_of_a_proxy() {
    let (address, accepted) = server().await;
    for host in
        ["169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "metadata.google.internal", "METADATA"]
    {
        for proxies in [Proxies::none(), Proxies::one(&format!("http://{address}")).unwrap()] {
            for scheme in ["http", "https"] {
                let (answer, lookups) =
                    get(&format!("{scheme}://{host}/"), vec![address], proxies.clone()).await;
                assert_refused(&answer);
                assert_eq!(lookups, 0, "{host}");
            }
        }
    }
    assert_eq!(accepted.load(SeqCst), 0);
}

#[tokio::test]
async fn a_proxy_that_is_a_metadata_service_is_not_asked() {
    let (address, accepted) = server().await;
    let proxies = Proxies::one("http://proxy.test:3128").unwrap();
    let metadata = SocketAddr::new([169, 254, 169, 254].into(), 3128);
    let (answer, lookups) = get("https://api.test/", vec![metadata, address], proxies).await;
    assert_eq!(answer.unwrap_err().kind(), ClientErrorKind::MetadataHost);
    assert_eq!((lookups, accepted.load(SeqCst)), (1, 0));
}

#[tokio::test]
async fn where_somebody_else_has_chosen_a_name_that_leads_inwards_is_not_followed() {
    let (address, accepted) = server().await;
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), address.port());
    let public = at("203.0.114.1");
    for inner in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.1.1",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
    ] {
        for addresses in [vec![at(inner)], vec![public, at(inner)]] {
            let (answer, lookups) =
                get_within(Reach::Outwards, "http://api.test/", addresses, Proxies::none()).await;
            assert_eq!(answer.unwrap_err().kind(), ClientErrorKind::InwardHost, "{inner}");
            assert_eq!(lookups, 1, "{inner}");
        }
    }
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "localhost",
        "localhost.",
        "127.0.0.1.",
    ] {
        let url = format!("http://{host}:{}/", address.port());
        for proxies in [Proxies::none(), Proxies::one(&format!("http://{address}")).unwrap()] {
            let (answer, lookups) = get_within(Reach::Outwards, &url, vec![address], proxies).await;
            assert_eq!(answer.unwrap_err().kind(), ClientErrorKind::InwardHost, "{host}");
            assert_eq!(lookups, 0, "{host}");
        }
    }
    assert_eq!(accepted.load(SeqCst), 0);
}
