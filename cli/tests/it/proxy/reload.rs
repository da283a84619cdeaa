//! SIGHUP and SIGTERM, under load: not one request is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use super::*;
use crate::support::{server::read_message, temporary::Temporary};

/// A file with an upstream for each of these pairs of a path and a key, all of them at one server.
fn content(origin: &str, upstreams: &[(&str, &str)]) -> String {
    let one = |(index, (path, key)): (usize, &(&str, &str))| {
        format!(
            "[credentials.c{index}]\nvendor = \"videsk\"\nkey = \"env:{key}\"\nbase-url = \"{origin}\"\n\
             [[proxy.upstreams]]\nas = \"c{index}\"\npath = \"{path}\"\n"
        )
    };
    upstreams.iter().enumerate().map(one).collect()
}

fn program(file: &Temporary) -> Program {
    at("127.0.0.1:0", file)
}

fn at(listen: &str, file: &Temporary) -> Program {
    let program = Program::proxy_at(listen).args("--upstreams --file").arg(file.path());
    program.secret("KEY", KEY).secret("OTHER", "another-key-of-the-vendor")
}

/// Sends it SIGHUP, and waits until it has said so often what comes of it.
async fn reload(proxy: &Proxy, says: &str, times: usize) {
    proxy.signal("HUP").await;
    until(says, || proxy.log().matches(says).count() >= times).await;
}

const TAKEN: &str = "the configuration was read again";
const KEPT: &str = "the new configuration is not taken, the old one stays: ";

#[tokio::test]
async fn a_new_configuration_takes_the_place_of_the_old_one_and_a_wrong_one_does_not() {
    let server = Raw::start(&[EMPTY]).await;
    let file = Temporary::new("reload.toml", &content(&server.origin, &[("/a", "KEY")]));
    let proxy = Proxy::start(program(&file)).await;
    let statuses = async || {
        (get(&proxy.url("/a")).await.status().as_u16(), get(&proxy.url("/b")).await.status().as_u16())
    };
    assert_eq!(statuses().await, (204, 404));
    std::fs::write(file.path(), content(&server.origin, &[("/a", "KEY"), ("/b", "OTHER")])).unwrap();
    assert_eq!(statuses().await, (204, 404), "not before it is asked to");
    reload(&proxy, TAKEN, 1).await;
    assert_eq!(statuses().await, (204, 204));
    assert!(server.seen().pop().unwrap().contains("Bearer another-key-of-the-vendor"));
    for (number, wrong) in [
        "[proxy",
        "[proxy]\n",
        &content(&server.origin, &[("/a", "NONE")]),
        &content("ftp://x", &[("/a", "KEY")]),
        &format!("{}[proxy]\n", content(&server.origin, &[("/a", "KEY"), ("/a", "OTHER")])),
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(file.path(), wrong).unwrap();
        reload(&proxy, KEPT, number + 1).await;
        assert_eq!(statuses().await, (204, 204), "{wrong}");
    }
    std::fs::remove_file(file.path()).unwrap();
    reload(&proxy, KEPT, 6).await;
    std::fs::write(file.path(), content(&server.origin, &[("/b", "KEY")])).unwrap();
    reload(&proxy, TAKEN, 2).await;
    assert_eq!(statuses().await, (404, 204));
    assert!(server.seen().pop().unwrap().contains(&format!("Bearer {KEY}")));
    let page = get(&proxy.url("/.tower-reauth/metrics")).await;
    let page = String::from_utf8_lossy(page.body()).into_owned();
    assert!(page.contains("reauth_reloads_total{result=\"taken\"} 2\n"), "{page}");
    assert!(page.contains("reauth_reloads_total{result=\"refused\"} 6\n") && !page.contains("c1"), "{page}");
    proxy.stop().await;
}

#[tokio::test]
async fn credentials_that_are_the_same_keep_their_token_and_others_do_not() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let content = |more: &str| {
        format!(
            "[credentials.videos]\nvendor = \"api-video\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n{more}\
             [[proxy.upstreams]]\nas = \"videos\"\npath = \"/a\"\n",
            served.origin()
        )
    };
    let file = Temporary::new("reload-tokens.toml", &content(""));
    let proxy = Proxy::start(program(&file)).await;
    assert_eq!(get(&proxy.url("/a")).await.status(), 200);
    // Lines that come before it, or another path, are nothing that it is made of.
    std::fs::write(file.path(), format!("\n\n{}name = \"other\"\n", content(""))).unwrap();
    reload(&proxy, TAKEN, 1).await;
    assert_eq!(get(&proxy.url("/a")).await.status(), 200);
    assert_eq!(fake.counts().token_calls(), 1);
    std::fs::write(file.path(), content("connections = { no-proxy = true }\n")).unwrap();
    reload(&proxy, TAKEN, 2).await;
    assert_eq!(get(&proxy.url("/a")).await.status(), 200);
    assert_eq!(fake.counts().token_calls(), 2);
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn keys_of_clients_are_read_again_and_a_proxy_for_one_vendor_keeps_its_token() {
    let (fake, _served, program) = api_video().await;
    let key = Temporary::new("reload-key", "the-old-key-of-clients");
    let proxy = Proxy::start(program.arg("--allow-key").arg(key.reference())).await;
    let ask = async |key: &str| {
        let request = format!("GET /x HTTP/1.1\r\nHost: HOST\r\nProxy-Authorization: Bearer {key}\r\n\r\n");
        status(&raw(&proxy.address, &request).await)
    };
    assert_eq!((ask("the-old-key-of-clients").await, ask("the-new-key-of-clients").await), (200, 407));
    std::fs::write(key.path(), "the-new-key-of-clients").unwrap();
    reload(&proxy, TAKEN, 1).await;
    assert_eq!((ask("the-old-key-of-clients").await, ask("the-new-key-of-clients").await), (407, 200));
    std::fs::write(key.path(), "short").unwrap();
    reload(&proxy, KEPT, 1).await;
    assert_eq!((ask("the-new-key-of-clients").await, fake.counts().token_calls()), (200, 1));
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn a_request_that_has_begun_ends_with_the_old_configuration() {
    let (old, new) = (Raw::start(&[""]).await, Raw::start(&[EMPTY]).await);
    let file = Temporary::new("reload-begun.toml", &content(&old.origin, &[("/a", "KEY")]));
    let proxy = Proxy::start(program(&file).args("--timeout 2")).await;
    let mut client = TcpStream::connect(&proxy.address).await.unwrap();
    let request = format!("GET /a HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    client.write_all(request.as_bytes()).await.unwrap();
    old.until_seen(1).await;
    std::fs::write(file.path(), content(&new.origin, &[("/a", "KEY")])).unwrap();
    reload(&proxy, TAKEN, 1).await;
    assert_eq!(old.open_connections(), 1, "it still waits");
    assert_eq!(status(&soon(read_message(&mut client)).await.unwrap()), 504);
    // The same connection, and the next request of it.
    client.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(status(&soon(read_message(&mut client)).await.unwrap()), 204);
    assert_eq!((old.seen().len(), new.seen().len()), (1, 1));
    drop(client);
    proxy.stop().await;
}

/// Where no other test listens, so that no client meets another server when the proxy has gone.
#[cfg(target_os = "linux")]
const APART: &str = "127.0.0.77:0";

#[cfg(not(target_os = "linux"))]
const APART: &str = "127.0.0.1:0";

/// Clients that ask again and again, until the proxy tells them that it ends, or they are told to stop.
struct Load {
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Load {
    fn start(proxy: &Proxy) -> Self {
        let (answered, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for number in 0..6 {
            let (address, answered, stop) = (proxy.address.clone(), answered.clone(), stop.clone());
            match number {
                0..3 => clients.spawn(on_one_connection(address, answered, stop)),
                3 => clients.spawn(on_new_connections(address, answered, stop)),
                _ => clients.spawn(over_http_2(address, answered, stop)),
            };
        }
        Self { answered, stop, clients }
    }

    async fn until_answered(&self, more: usize) {
        let goal = self.answered.load(SeqCst) + more;
        until("answers", || self.answered.load(SeqCst) >= goal).await;
    }

    /// Waits for all of them. One that has lost a request has panicked.
    async fn ended(self) -> usize {
        soon(self.clients.join_all()).await;
        self.answered.load(SeqCst)
    }
}

async fn on_one_connection(address: String, answered: Arc<AtomicUsize>, stop: Arc<AtomicBool>) {
    let mut tcp = TcpStream::connect(&address).await.unwrap();
    let request = format!("POST /a HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\nbody");
    while !stop.load(SeqCst) {
        tcp.write_all(request.as_bytes()).await.expect("it is taken");
        let answer = soon(read_message(&mut tcp)).await.expect("an answer");
        assert_eq!(status(&answer), 204, "{answer}");
        answered.fetch_add(1, SeqCst);
        if answer.contains("connection: close\r\n") {
            return;
        }
    }
}

async fn on_new_connections(address: String, answered: Arc<AtomicUsize>, stop: Arc<AtomicBool>) {
    let request = format!("GET /a HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    while !stop.load(SeqCst) {
        // Refused, it isn't lost: the client knows that nobody has got it.
        let Ok(mut tcp) = TcpStream::connect(&address).await else { return };
        tcp.write_all(request.as_bytes()).await.expect("it is taken");
        let answer = soon(read_message(&mut tcp)).await.expect("an answer");
        assert_eq!(status(&answer), 204, "{answer}");
        answered.fetch_add(1, SeqCst);
        sleep(Duration::from_millis(20)).await;
    }
}

async fn over_http_2(address: String, answered: Arc<AtomicUsize>, stop: Arc<AtomicBool>) {
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .retry_canceled_requests(false)
        .build_http::<Full<Bytes>>();
    while !stop.load(SeqCst) {
        let request = Request::get(format!("http://{address}/a")).body(Full::default()).unwrap();
        match soon(client.request(request)).await {
            Ok(response) => assert_eq!(response.status(), 204),
            Err(error) if error.is_connect() => return,
            // It was told of the end before anybody looked at the request (RFC 9113 §6.8), which can be sent elsewhere.
            Err(error) => {
                let text = format!("{error:?}");
                assert!(
                    text.contains("Canceled") || text.contains("GoAway(b\"\", NO_ERROR, Remote)"),
                    "{text}"
                );
                continue;
            }
        }
        answered.fetch_add(1, SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_the_configuration_is_read_again() {
    let server = Raw::start(&[EMPTY]).await;
    let good = [
        content(&server.origin, &[("/a", "KEY")]),
        content(&server.origin, &[("/a", "OTHER"), ("/b", "KEY")]),
    ];
    let file = Temporary::new("reload-load.toml", &good[0]);
    let proxy = Proxy::start(at(APART, &file)).await;
    let load = Load::start(&proxy);
    for round in 0..6 {
        load.until_answered(50).await;
        std::fs::write(file.path(), &good[(round + 1) % 2]).unwrap();
        reload(&proxy, TAKEN, round + 1).await;
        load.until_answered(50).await;
        std::fs::write(file.path(), "wrong").unwrap();
        reload(&proxy, KEPT, round + 1).await;
    }
    load.stop.store(true, SeqCst);
    let answered = load.ended().await;
    assert_eq!(server.seen().len(), answered);
    let second = server.seen().iter().filter(|request| request.contains("Bearer another-key-of")).count();
    assert!(second > 100 && second < answered - 100, "{second} of {answered}");
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_when_it_ends() {
    for _ in 0..3 {
        let server = Raw::start(&[EMPTY]).await;
        let file = Temporary::new("reload-end.toml", &content(&server.origin, &[("/a", "KEY")]));
        let proxy = Proxy::start(at(APART, &file)).await;
        let load = Load::start(&proxy);
        load.until_answered(200).await;
        proxy.signal("TERM").await;
        let answered = load.ended().await;
        assert_eq!(server.seen().len(), answered);
        let (status, log) = proxy.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
    }
}
