//! The client with proxies and servers that others wrote. `tests/proxies/run` unpacks them.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

#[allow(dead_code, reason = "it is there for all tests")]
#[path = "../it/support/ca.rs"]
mod ca;
mod origin;
mod program;
mod wire;

use std::{error::Error, iter, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, Version, header};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_reauth::{
    AuthLayer, Client, Origin, StaticToken,
    client::{ClientBuilder, ClientError, ClientErrorKind, Identity, Roots},
};

use self::{
    ca::Ca,
    origin::Served,
    program::{Program, nghttpd, s_server, squid, tinyproxy},
    wire::Wire,
};

const TOKEN: &str = "t0ken-that-no-proxy-may-see";
/// The only user of proxies that want one.
const KNOWN: &str = "aladdin:opens3same@";

fn trusting(ca: &Ca) -> ClientBuilder {
    Client::builder().roots(Roots::Given).root_der(ca.der()).unwrap().connect_timeout(Duration::from_secs(10))
}

/// Sends one request with the token, and reads its answer.
async fn send(client: &Client, url: &str) -> Result<(Version, StatusCode, Bytes), ClientError> {
    let request = Request::post(url).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    let response = client.clone().oneshot(request.body(Full::<Bytes>::from("a body")).unwrap()).await?;
    let (head, body) = response.into_parts();
    Ok((head.version, head.status, body.collect().await.unwrap().to_bytes()))
}

/// What is printed of `error` and of all its sources.
fn chain(error: &(dyn Error + 'static)) -> String {
    let errors = iter::successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Both kinds of proxies, without and with credentials, and over TLS where it can.
fn proxies(ca: &Ca) -> Vec<(&'static str, Program, &'static str)> {
    vec![
        ("http", tinyproxy(""), ""),
        ("http", tinyproxy("BasicAuth aladdin opens3same\n"), KNOWN),
        ("http", squid(ca), KNOWN),
        ("https", squid(ca).over_tls(), KNOWN),
    ]
}

#[tokio::test]
async fn a_token_goes_through_a_proxy_that_never_sees_it() {
    let ca = Ca::new();
    for (scheme, proxy, userinfo) in proxies(&ca) {
        let wire = Wire::to(proxy.port()).await;
        let client = trusting(&ca).proxy(&format!("{scheme}://{userinfo}localhost:{}", wire.port())).unwrap();
        let client = client.build().unwrap();
        for offered in ["h2", "http/1.1"] {
            let server = Served::tls(&ca, "api.example.test", offered).await;
            let url = format!("https://api.example.test:{}", server.port());
            let layer = AuthLayer::new(Origin::parse(&url).unwrap(), StaticToken::new(TOKEN).unwrap());
            let service = layer.layer(client.clone());
            for _ in 0..2 {
                let request =
                    Request::post(format!("{url}/s3cret-path")).body(Full::<Bytes>::from("s3cret")).unwrap();
                let response = service.clone().oneshot(request).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK, "{proxy:?}");
            }
            assert_eq!(server.tokens(), [format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}")]);
            if scheme == "http" {
                let connect = format!(
                    "CONNECT api.example.test:{0} HTTP/1.1\r\nhost: api.example.test:{0}\r\n",
                    server.port()
                );
                assert!(wire.has_seen(&connect), "{proxy:?}");
            }
        }
        // Squid logs what has ended.
        drop(client);
        proxy.has_logged("api.example.test").await;
        for secret in [TOKEN, "s3cret"] {
            assert!(!wire.has_seen(secret), "{proxy:?}");
            assert!(!proxy.log().contains(secret), "{proxy:?}");
        }
        if scheme == "https" {
            assert!(!wire.has_seen("CONNECT") && !wire.has_seen("authorization"));
        }
    }
}

#[tokio::test]
async fn to_a_plain_server_the_proxy_is_asked_for_a_tunnel_as_well() {
    let ca = Ca::new();
    for (scheme, proxy, userinfo) in proxies(&ca) {
        let wire = Wire::to(proxy.port()).await;
        let client = trusting(&ca).proxy(&format!("{scheme}://{userinfo}localhost:{}", wire.port())).unwrap();
        let client = client.build().unwrap();
        let server = Served::plain().await;
        let url = format!("http://api.example.test:{}/s3cret-path", server.port());
        for _ in 0..2 {
            let (version, status, _) =
                send(&client, &url).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
            assert_eq!((version, status), (Version::HTTP_11, StatusCode::OK));
        }
        assert_eq!((server.tokens().len(), server.connections()), (2, 1));
        if scheme == "http" {
            // The head of CONNECT, and then the requests as the server gets them.
            let sent = wire.sent();
            let (connect, within) = sent.split_once("\r\n\r\n").unwrap();
            assert!(
                connect.starts_with("CONNECT api.example.test:") && !connect.contains(TOKEN),
                "{connect}"
            );
            assert!(within.starts_with("POST /s3cret-path HTTP/1.1\r\n"), "{within}");
        }
        drop(client);
        proxy.has_logged("api.example.test").await;
        // It passes the request on, and makes nothing of it.
        assert!(
            !proxy.log().contains("s3cret-path") && !proxy.log().contains(TOKEN),
            "{proxy:?}: {}",
            proxy.log()
        );
    }
}

#[tokio::test]
async fn credentials_that_a_proxy_refuses_are_said_to_be_the_proxys() {
    let ca = Ca::new();
    for (scheme, proxy, known) in proxies(&ca).into_iter().filter(|(_, _, known)| !known.is_empty()) {
        assert_eq!(known, KNOWN);
        for userinfo in ["", "aladdin:0p3n@", "stranger:opens3same@"] {
            let url = format!("{scheme}://{userinfo}localhost:{}", proxy.port());
            let client = trusting(&ca).proxy(&url).unwrap().build().unwrap();
            let error = send(&client, "https://api.example.test/").await.unwrap_err();
            assert_eq!(error.kind(), ClientErrorKind::Proxy, "{proxy:?}: {}", chain(&error));
            let text = |status: u16| {
                format!(
                    "no connection could be made: the proxy localhost:{} answered {status}: it wants another user name \
                     or password, which stand in its url as in http://name:password@host",
                    proxy.port()
                )
            };
            // tinyproxy answered 401 before 2024.
            assert!([text(407), text(401)].contains(&chain(&error)), "{proxy:?}: {}", chain(&error));
        }
        assert!(!proxy.log().contains("0p3n"));
    }
}

#[tokio::test]
async fn a_server_that_a_proxy_does_not_reach_is_not_the_servers_answer() {
    let ca = Ca::new();
    for (scheme, proxy, userinfo) in proxies(&ca) {
        let client =
            trusting(&ca).proxy(&format!("{scheme}://{userinfo}localhost:{}", proxy.port())).unwrap();
        let client = client.build().unwrap();
        // Nobody listens there, and nobody knows the other.
        for url in ["https://api.example.test:1/", "http://api.example.test:1/", "https://nobody.invalid/"] {
            let error = send(&client, url).await.unwrap_err();
            assert_eq!(error.kind(), ClientErrorKind::Proxy, "{proxy:?}, {url}: {}", chain(&error));
            let text =
                format!("no connection could be made: the proxy localhost:{} answered 5", proxy.port());
            assert!(chain(&error).starts_with(&text), "{proxy:?}, {url}: {}", chain(&error));
        }
    }
    // Only this port may be connected to.
    let proxy = tinyproxy("ConnectPort 443\n");
    let client = trusting(&ca).proxy(&format!("localhost:{}", proxy.port())).unwrap().build().unwrap();
    let error = send(&client, "https://api.example.test:1/").await.unwrap_err();
    let text = format!(
        "no connection could be made: the proxy localhost:{} answered 403: it allows no tunnel (CONNECT) to this host \
         and port",
        proxy.port()
    );
    assert_eq!(chain(&error), text);
}

#[tokio::test]
async fn http2_is_spoken_without_tls() {
    let ca = Ca::new();
    let server = nghttpd();
    let client = trusting(&ca).http2_prior_knowledge();
    let direct = client.clone().no_proxy().build().unwrap();
    let (version, status, body) =
        send(&direct, &format!("http://localhost:{}/page", server.port())).await.unwrap();
    assert_eq!((version, status, body.as_ref()), (Version::HTTP_2, StatusCode::OK, &b"a page"[..]));

    let proxy = tinyproxy("");
    let client = client.proxy(&format!("http://localhost:{}", proxy.port())).unwrap().build().unwrap();
    let url = format!("http://api.example.test:{}/page", server.port());
    let (version, status, body) = send(&client, &url).await.unwrap();
    assert_eq!((version, status, body.as_ref()), (Version::HTTP_2, StatusCode::OK, &b"a page"[..]));
    assert!(proxy.log().contains("api.example.test"));

    // OpenSSL's knows nothing of it, even over TLS.
    let other = s_server(&ca, &["-www"]);
    let error = send(&direct, &format!("https://localhost:{}/", other.port())).await.unwrap_err();
    let text = "no connection could be made: the server does not speak http/2; without http2_prior_knowledge http/1.1 \
                is tried";
    assert_eq!(chain(&error), text);
}

#[tokio::test]
async fn a_certificate_is_shown_to_a_server_that_wants_one() {
    let (ca, other) = (Ca::new(), Ca::new());
    for version in ["-tls1_2", "-tls1_3"] {
        let server = s_server(&ca, &["-www", "-Verify", "1", "-verify_return_error", version]);
        let url = format!("https://localhost:{}/", server.port());
        let get = async |client: Client| {
            let request = Request::get(&url).body(Full::<Bytes>::default()).unwrap();
            let response = client.oneshot(request).await?;
            Ok::<_, ClientError>(response.into_body().collect().await.unwrap().to_bytes())
        };
        let with = |ca: &Ca| {
            let (certificate, key) = ca.client_certificate(1975..4096);
            Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
        };
        let client = || trusting(&ca).no_proxy();
        let page = get(client().identity(with(&ca)).build().unwrap()).await;
        let page = page.unwrap_or_else(|error| panic!("{version}: {}", chain(&error)));
        assert!(String::from_utf8_lossy(&page).contains("Client certificate"), "{page:?}");

        let refused = get(client().identity(with(&other)).build().unwrap()).await.unwrap_err();
        let missing = get(client().build().unwrap()).await.unwrap_err();
        match version {
            "-tls1_2" => {
                let text = "no connection could be made: tls: the server does not trust the issuer of the client certificate";
                assert_eq!(chain(&refused), text);
                // OpenSSL has no word of its own for that before TLS 1.3.
                assert!(
                    chain(&missing)
                        .starts_with("no connection could be made: tls: the server gave up the handshake")
                );
            }
            // It comes after the client is done, and may get lost with the connection.
            _ => {
                for error in [refused, missing] {
                    assert_eq!(error.kind(), ClientErrorKind::Exchange, "{}", chain(&error));
                }
            }
        }
    }
}
