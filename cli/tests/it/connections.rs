//! How servers are reached, by both subcommands: proxies, client certificates, and HTTP/2 without TLS.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::{Router, extract::Request, serve::ListenerExt};
use futures_util::future::join_all;
use rcgen::{CertificateParams, KeyPair};
use tokio::{
    net::TcpListener,
    sync::Barrier,
    time::{Duration, sleep},
};

use crate::support::{
    client::get,
    process::{Program, Proxy},
    server::Raw,
    strict::Strict,
    temporary::Temporary,
    until,
};

const KEY: &str = "a-key-that-nobody-may-see";
const REFUSES: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nconnection: close\r\n\r\n";

/// A call of an API that is nowhere, or a proxy for it.
fn to(program: Program, base_url: &str) -> Program {
    program.args("--vendor videsk --key env:KEY --base-url").arg(base_url).secret("KEY", KEY)
}

fn name(server: &Raw) -> &str {
    server.origin.strip_prefix("http://").unwrap()
}

#[tokio::test]
async fn a_call_goes_through_the_proxy_that_it_is_told_of() {
    let proxy = Raw::start(&[REFUSES]).await;
    let call = || to(Program::call(), "https://api.example.test").args("GET /x");
    for call in [
        call().arg("--proxy").arg(&*proxy.origin),
        call().secret("HTTPS_PROXY", &proxy.origin.replace("://", "://us3r:pa55@")),
        call()
            .secret("no_proxy", "other.test")
            .secret("all_proxy", &proxy.origin.replace("://", "://us3r:pa55@")),
    ] {
        let ended = call.run().await;
        ended.assert_status(6).assert_says(&format!("the proxy {} answered 407: it wants", name(&proxy)));
    }
    let heads = proxy.seen();
    assert!(
        heads.iter().all(|head| head.starts_with("CONNECT api.example.test:443 HTTP/1.1\r\n")),
        "{heads:?}"
    );
    let with_credentials =
        heads.iter().filter(|head| head.contains("proxy-authorization: Basic dXMzcjpwYTU1\r\n"));
    assert_eq!((heads.len(), with_credentials.count()), (3, 2));
}

#[tokio::test]
async fn a_call_goes_through_none_if_it_is_told_so() {
    let (proxy, other) = (Raw::start(&[REFUSES]).await, Raw::start(&[REFUSES]).await);
    let call =
        || to(Program::call(), "https://api.invalid").args("GET /x").secret("ALL_PROXY", &proxy.origin);
    call().arg("--no-proxy").run().await.assert_status(6).assert_says("dns");
    let ended = call().arg("--proxy").arg(&*other.origin).secret("NO_PROXY", "*").run().await;
    ended.assert_status(6).assert_says(&format!("the proxy {} answered 407", name(&other)));
    assert_eq!((proxy.seen().len(), other.seen().len()), (0, 1));
    // Loopback has none anyway.
    let server = Raw::start(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    to(Program::call(), &server.origin)
        .args("GET /x")
        .secret("ALL_PROXY", &proxy.origin)
        .run()
        .await
        .assert_status(0);
    assert_eq!(proxy.seen().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_the_call() {
    let certificate = Temporary::new("certificate-alone", &identity().0);
    let path = certificate.path().display();
    let empty = Temporary::new("no-certificate", "");
    let empty = empty.path().display();
    for (args, says) in [
        ("--proxy http://us3r:pa55@proxy.test".to_owned(), "--proxy: leave the name and the password out"),
        ("--proxy socks5://proxy.test".to_owned(), "the proxy's url names a proxy that speaks socks5"),
        ("--proxy http://proxy.test --no-proxy".to_owned(), "cannot be used with"),
        (format!("--client-cert {path}"), "--client-key <FILE>"),
        (format!("--client-key {path}"), "--client-cert <FILE>"),
        ("--root-cert /nonexistent".to_owned(), "--root-cert: /nonexistent can't be read"),
        (format!("--root-cert {empty}"), "there is no certificate in the pem that can be used: it is empty"),
        (format!("--client-cert {path} --client-key {path}"), "there is no private key in the pem"),
        (
            format!("--client-cert {empty} --client-key {path}"),
            &*format!("--client-cert {empty}, --client-key {path}: there is no certificate in the pem"),
        ),
        (
            format!("--client-cert {path} --client-key /nonexistent"),
            "--client-key: /nonexistent can't be read",
        ),
    ] {
        let ended = to(Program::call(), "https://api.example.test").args("GET /x").args(&args).run().await;
        ended.assert_status(2).assert_says(says);
        let ended = to(Program::proxy(), "https://api.example.test").args(&args).run().await;
        ended.assert_status(2).assert_says(says);
    }
    let call = to(Program::call(), "https://api.example.test").args("GET /x");
    let ended = call.secret("HTTPS_PROXY", "socks5h://us3r:pa55@proxy.test").run().await;
    ended.assert_status(2).assert_says("HTTPS_PROXY names a proxy that speaks socks5h");
}

#[tokio::test]
async fn what_helps_is_called_as_the_option_is() {
    let call = to(Program::bare().args("call GET /x"), "https://api.example.test");
    let ended = call.variable("SSL_CERT_FILE", "/nonexistent").run().await;
    ended.assert_status(2).assert_says("or choose --roots bundled");
    let server = Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).await;
    let call = to(Program::call(), &server.origin).args("GET /x --http2-prior-knowledge");
    let ended = call.run().await;
    ended.assert_status(6).assert_says("without --http2-prior-knowledge http/1.1 is tried");
}

#[tokio::test]
async fn the_local_proxy_goes_through_another() {
    let other = Raw::start(&[REFUSES]).await;
    let program = to(Program::proxy(), "https://api.example.test").arg("--proxy").arg(&*other.origin);
    let proxy = Proxy::start(program).await;
    let response = get(&proxy.url("/x")).await;
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["proxy-status"], "tower-reauth; error=destination_unavailable");
    let body = String::from_utf8_lossy(response.body()).into_owned();
    assert!(body.contains(&format!("the proxy {} answered 407", name(&other))), "{body}");
    proxy.stop().await;
}

#[tokio::test]
async fn http2_is_spoken_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(async |request: Request| format!("{:?}", request.version()));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let call = || to(Program::call(), &origin).args("GET /x");
    assert_eq!(call().arg("--http2-prior-knowledge").run().await.stdout, "HTTP/2.0");
    assert_eq!(call().run().await.stdout, "HTTP/1.1");
    let proxy = Proxy::start(to(Program::proxy(), &origin).arg("--http2-prior-knowledge")).await;
    assert_eq!(get(&proxy.url("/x")).await.body(), "HTTP/2.0");
    proxy.stop().await;

    let server = Raw::start(&["HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"]).await;
    let ended = to(Program::call(), &server.origin).args("GET /x --http2-prior-knowledge").run().await;
    ended.assert_status(6).assert_says("the server does not speak http/2");
}

/// A certificate and its key.
fn identity() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["client.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_it() {
    let server = Strict::start("know").await;
    let authority = Temporary::new("authority", &server.authority);
    let (certificate, key) =
        (Temporary::new("client-cert", &server.certificate), Temporary::new("client-key", &server.key));
    let trusting = |program: Program| {
        to(program, &server.origin).secret("SSL_CERT_FILE", &authority.path().display().to_string())
    };
    let options =
        format!("--client-cert {} --client-key {}", certificate.path().display(), key.path().display());
    let ended = trusting(Program::bare().args("call")).args("GET /x").args(&options).run().await;
    ended.assert_status(0);
    assert_eq!(ended.stdout, "know");
    let ended = trusting(Program::bare().args("call")).args("GET /x").run().await;
    ended.assert_status(6).assert_says("tls: the server wants a client certificate");

    let program = trusting(Program::bare().args("proxy --listen 127.0.0.1:0")).args(&options);
    let proxy = Proxy::start(program).await;
    assert_eq!(get(&proxy.url("/x")).await.body(), "know");
    proxy.stop().await;
}

/// Of an authority that no system knows.
#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_as_well_or_alone() {
    let server = Strict::start("know").await;
    let file = Temporary::new("own-authority", &server.authority);
    let (certificate, key) =
        (Temporary::new("own-cert", &server.certificate), Temporary::new("own-key", &server.key));
    let options =
        format!("--client-cert {} --client-key {}", certificate.path().display(), key.path().display());
    let authority = format!("--root-cert {}", file.path().display());
    let bare = |subcommand: &str| Program::bare().args(subcommand);
    let call = |more: &str| to(bare("call"), &server.origin).args("GET /x").args(&options).args(more);
    let ended = call("--roots bundled").run().await;
    ended.assert_status(6).assert_says("from an authority that is not trusted");
    call("--roots given").run().await.assert_status(2).assert_says("--roots given: say by --root-cert which");
    for more in [format!("{authority} --roots given"), format!("{authority} --roots bundled")] {
        assert_eq!(call(&more).run().await.stdout, "know", "{more}");
    }
    let configured = Temporary::new(
        "own-authority.toml",
        &format!(
            "[credentials.us]\nvendor = \"videsk\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n\
             connections = {{ roots = \"given\", root-cert = \"{}\", client-cert = \"{}\", client-key = \"{}\" }}\n",
            server.origin,
            file.path().display(),
            certificate.path().display(),
            key.path().display(),
        ),
    );
    let as_us = |program: Program| program.args("--as us --file").arg(configured.path()).secret("KEY", KEY);
    assert_eq!(as_us(bare("call GET /x")).run().await.stdout, "know");
    // What it is told is read again, as all that the credential is made of.
    let proxy = Proxy::start(as_us(bare("proxy --listen 127.0.0.1:0"))).await;
    assert_eq!(get(&proxy.url("/x")).await.body(), "know");
    std::fs::write(file.path(), identity().0).unwrap();
    proxy.signal("HUP").await;
    until("it is read again", || proxy.log().contains("the configuration was read again")).await;
    assert_eq!(get(&proxy.url("/x")).await.status(), 502);
    proxy.stop().await;
}

/// Two hundred clients at once, who come again.
#[tokio::test]
async fn a_proxy_keeps_as_many_connections_as_its_clients_use() {
    const CLIENTS: usize = 200;
    let accepted = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let counted = Arc::clone(&accepted);
    let listener = listener.tap_io(move |_| {
        counted.fetch_add(1, Relaxed);
    });
    // None is answered before all are there.
    let all = Arc::new(Barrier::new(CLIENTS));
    let app = Router::new().fallback(move || {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
        }
    });
    tokio::spawn(axum::serve(listener, app).into_future());
    let proxy = Proxy::start(to(Program::proxy(), &origin)).await;
    let url = proxy.url("/x");
    for _ in 0..3 {
        for answer in join_all((0..CLIENTS).map(|_| get(&url))).await {
            assert_eq!(answer.status(), 200);
        }
        // Until the last is put aside.
        sleep(Duration::from_millis(200)).await;
    }
    let accepted = accepted.load(Relaxed);
    assert!((CLIENTS..CLIENTS + 50).contains(&accepted), "{accepted} connections for {CLIENTS} clients");
    proxy.stop().await;
}
