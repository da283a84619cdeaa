//! Client certificates, with rustls on both sides.

use rcgen::KeyPair;
use tokio_rustls::rustls::{
    ProtocolVersion, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use tower_reauth::client::Identity;

use super::{
    proxy::{Manner, Proxy},
    *,
};

/// The RFCs' own keys, which the tests of JWTs have, too.
macro_rules! keys {
    () => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/credential/oauth2/tests/keys/")
    };
}

const RSA: &str = include_str!(concat!(keys!(), "rfc7515-a2-pkcs8.pem"));
const P256: &str = include_str!(concat!(keys!(), "rfc7515-a3-pkcs8.pem"));
const ED25519: &str = include_str!(concat!(keys!(), "rfc8037-a-pkcs8.pem"));

fn client(ca: &Ca, identity: Option<Identity>) -> ClientBuilder {
    let builder = given().root_der(ca.der()).unwrap();
    match identity {
        Some(identity) => builder.identity(identity),
        None => builder,
    }
}

/// A server that wants a certificate from `ca`, and echoes. When a handshake fails it reads on, so that its alert isn't
/// lost with the connection.
async fn strict(ca: &Ca, version: &'static SupportedProtocolVersion, offered: &[&str]) -> String {
    let acceptor = ca.strict_acceptor("localhost", offered, &[version]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor.accept(tcp).into_fallible().await {
                    Ok(stream) => {
                        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        converse(stream, http2, Arc::default()).await;
                    }
                    Err((_, mut tcp)) => {
                        let _ = tcp.shutdown().await;
                        let _ = tcp.read_to_end(&mut Vec::new()).await;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_it() {
    let ca = Ca::new();
    for version in [&TLS12, &TLS13] {
        for offered in [&["h2"][..], &["http/1.1"]] {
            let url = strict(&ca, version, offered).await;
            let (certificate, key) = ca.client_certificate(1975..4096);
            let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
            let client = client(&ca, Some(identity)).build().unwrap();
            let (head, body) = post(&client, &url, "with a certificate").await.unwrap();
            assert_eq!((head.status, body.as_ref()), (StatusCode::OK, &b"with a certificate"[..]));
        }
    }
}

#[tokio::test]
async fn keys_of_each_form_and_kind_are_taken() {
    let ca = Ca::new();
    let url = strict(&ca, &TLS13, &[]).await;
    let made = |key: &KeyPair| key.serialize_pem();
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    for (pkcs8, key, label) in [
        (RSA, RSA.to_owned(), "PRIVATE KEY"),
        (RSA, include_str!(concat!(keys!(), "rfc7515-a2-pkcs1.pem")).to_owned(), "RSA PRIVATE KEY"),
        (P256, P256.to_owned(), "PRIVATE KEY"),
        (P256, include_str!(concat!(keys!(), "rfc7515-a3-sec1.pem")).to_owned(), "EC PRIVATE KEY"),
        (ED25519, ED25519.to_owned(), "PRIVATE KEY"),
        (&made(&p384), made(&p384), "PRIVATE KEY"),
    ] {
        assert!(key.contains(&format!("-----BEGIN {label}-----")));
        let certificate = ca.certificate_for("client.test", &KeyPair::from_pem(pkcs8).unwrap());
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        post(&client(&ca, Some(identity)).build().unwrap(), &url, "").await.unwrap();
    }
}

#[tokio::test]
async fn what_a_server_has_against_a_certificate_is_said() {
    let (ca, other) = (Ca::new(), Ca::new());
    let identity = |ca: &Ca, years| {
        let (certificate, key) = ca.client_certificate(years);
        Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    };
    for (version, offered) in [(&TLS12, "http/1.1"), (&TLS13, "http/1.1"), (&TLS13, "h2")] {
        let url = strict(&ca, version, &[offered]).await;
        let is_early = version.version == ProtocolVersion::TLSv1_2;
        let (before, kind) = match is_early {
            true => ("no connection could be made", ClientErrorKind::Connect),
            // The client is done with the handshake before the server has looked at its certificate.
            false => ("the request could not be sent, or its answer was lost", ClientErrorKind::Exchange),
        };
        let (stranger, early) = (identity(&other, 1975..4096), identity(&ca, 3000..4096));
        for (identity, words) in [
            (None, "tls: the server wants a client certificate; give it one with ClientBuilder::identity"),
            (Some(stranger), "tls: the server does not trust the issuer of the client certificate"),
            // rustls has no other alert for one that is not valid yet.
            (Some(early), "tls: the server says that the client certificate has expired"),
        ] {
            let client = client(&ca, identity).build().unwrap();
            let error = post(&client, &url, "").await.unwrap_err();
            assert_eq!(chain(&error), format!("{before}: {words}"), "{offered} {version:?}");
            assert_eq!(error.kind(), kind);
        }
    }
}

#[tokio::test]
async fn a_proxy_is_not_shown_the_certificate() {
    let ca = Ca::new();
    let (certificate, key) = ca.client_certificate(1975..4096);
    let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    // One that would take a certificate, and demands it.
    let tls = ca.strict_acceptor("localhost", &[], &[&TLS12]);
    let proxy = Proxy::over(Manner::Tunnels, Some(tls)).await;
    let client =
        client(&ca, Some(identity)).proxy(&format!("https://{}", proxy.name())).unwrap().build().unwrap();
    let error = post(&client, "https://api.example.test/", "").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Proxy, "{error}");
    assert!(proxy.heads().is_empty());
}
