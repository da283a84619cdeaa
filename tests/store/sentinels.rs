//! A primary that sentinels look after.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use tokio::time::sleep;
use tower_reauth::{
    StoreErrorKind,
    store::{RedisStore, Saved, Store},
    testing::store_conformance,
};

use super::{RIGHTS, at_last, key, pair, revision, save, saved, server::Server, slot, way::Way};

/// As sentinels take it: letters of both kinds, and a line.
const NAME: &str = "My_Master";

/// A primary with a replica, and three sentinels. A busy machine doesn't make them believe that it is dead.
struct Watched {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
}

impl Watched {
    async fn start() -> Self {
        let (primary, replica) = pair().await;
        let sentinels: Vec<_> = (0..3).map(|_| sentinel(primary.port)).collect();
        let watched = Self { servers: vec![primary, replica], sentinels };
        for sentinel in &watched.sentinels {
            // They get to know each other sooner, where that can be set.
            sentinel.says(&["SENTINEL", "DEBUG", "info-period", "200", "publish-period", "200"]);
        }
        watched
            .until(|sentinel| {
                let says = sentinel.says(&["SENTINEL", "MASTER", NAME]);
                let says: Vec<_> = says.lines().collect();
                let is = |name: &str, value: &str| says.windows(3).any(|of| of[0] == name && of[2] == value);
                is("num-slaves", "1") && is("num-other-sentinels", "2") && is("flags", "master")
            })
            .await;
        watched
    }

    /// Waits until all sentinels are so far.
    async fn until(&self, is_so: impl Fn(&Server) -> bool) {
        for _ in 0..300 {
            if self.sentinels.iter().all(&is_so) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("{}", self.sentinels[0].says(&["SENTINEL", "MASTER", NAME]));
    }

    /// Waits until the replica has what was saved: on a busy machine that may take longer than is waited for it.
    async fn replicated(&self) {
        for _ in 0..100 {
            if self.servers[1].says(&["EXISTS", &key()]) == ":1" {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("it doesn't get there");
    }

    fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Server::url).collect()
    }

    async fn store(&self) -> RedisStore {
        RedisStore::sentinel(self.urls(), &format!("redis://{NAME}")).await.unwrap()
    }
}

fn sentinel(port: u16) -> Server {
    let lines = [
        format!("sentinel monitor {NAME} 127.0.0.1 {port} 2"),
        format!("sentinel down-after-milliseconds {NAME} 60000"),
        format!("sentinel failover-timeout {NAME} 5000"),
    ];
    Server::sentinel(&lines, &[])
}

/// Answers each sentinel's question with this place, and nothing else with anything but OK.
fn liar(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(stream, port));
        }
    });
    own
}

fn answer(mut stream: TcpStream, port: u16) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut bytes) {
        let asked = String::from_utf8_lossy(&bytes[..length]).into_owned();
        for command in asked.split('*').skip(1) {
            let port = port.to_string();
            let says = if command.contains("SENTINEL") {
                format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len())
            } else {
                "+OK\r\n".to_owned()
            };
            stream.write_all(says.as_bytes()).unwrap();
        }
    }
}

/// What is saved after a failover, and where.
async fn goes_on(store: &RedisStore, primary: &Server) {
    assert_eq!(at_last(store).await, 7, "the new primary has it");
    for _ in 0..300 {
        match store.save(&slot(), save(7, 8)).await {
            Ok(saved) => {
                assert_eq!(saved, Saved::Done);
                break;
            }
            // A look may still have been answered by the old one.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    assert!(primary.says(&["HGET", &key(), "revision"]).ends_with('8'), "it went to the new primary");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_with_a_user_at_the_sentinels_and_another_at_the_primary() {
    let server = Server::with(&[]);
    let sentinel = sentinel(server.port);
    server.does(&[&["ACL", "SETUSER", "tokens", "reset", "on", ">p@ss", "+role"], RIGHTS].concat());
    let right = "+sentinel|get-master-addr-by-name";
    sentinel.does(&["ACL", "SETUSER", "finder", "reset", "on", ">other", right]);
    sentinel.does(&["ACL", "SETUSER", "default", "off"]);
    let url = format!("redis://finder:other@127.0.0.1:{}", sentinel.port);
    let primary = format!("redis://tokens:p%40ss@{NAME}");
    let store = RedisStore::sentinel([&url], &primary).await.unwrap();
    store_conformance(&store).await.assert();
    let shown = format!("{store:?}");
    assert!(shown.contains(NAME) && shown.contains(&sentinel.port.to_string()), "{shown}");
    assert!(!shown.contains("ss@") && !shown.contains("other"), "{shown}");

    // Who may not ask for the role is answered all the same.
    server.does(&["ACL", "SETUSER", "tokens", "-role"]);
    saved(&RedisStore::sentinel([&url], &primary).await.unwrap()).await;
    for (sentinel, primary) in [(server.url(), &primary), (url, &format!("redis://tokens:s3cret@{NAME}"))] {
        let error = RedisStore::sentinel([sentinel], primary).await.unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_failover_that_was_asked_for_is_followed_at_once() {
    let watched = Watched::start().await;
    let store = watched.store().await;
    assert!(store.advice().iter().any(|advice| advice.contains("min-replicas-to-write")));
    // Or else who was the primary takes writes for some seconds more, and loses them.
    for server in &watched.servers {
        server.does(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    }
    saved(&store).await;
    watched.replicated().await;
    watched.sentinels[1].does(&["SENTINEL", "FAILOVER", NAME]);
    let replica = watched.servers[1].port.to_string();
    watched
        .until(|sentinel| sentinel.says(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).ends_with(&replica))
        .await;
    goes_on(&store, &watched.servers[1]).await;
}

/// What becomes of a primary that is gone in this way.
async fn replaced(gone: fn(&mut Server), seen: StoreErrorKind) -> (Watched, RedisStore) {
    let mut watched = Watched::start().await;
    let store = watched.store().await;
    saved(&store).await;
    watched.replicated().await;
    for sentinel in &watched.sentinels {
        sentinel.does(&["SENTINEL", "SET", NAME, "down-after-milliseconds", "500"]);
    }
    gone(&mut watched.servers[0]);
    assert_eq!(revision(&store).await, Err(seen));
    for _ in 0..200 {
        if revision(&store).await.is_ok() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    goes_on(&store, &watched.servers[1]).await;
    (watched, store)
}

#[tokio::test]
async fn a_primary_that_is_killed_is_replaced_and_left_alone_when_it_comes_back() {
    let (mut watched, store) = replaced(Server::kill, StoreErrorKind::Unavailable).await;
    // It comes back as the primary that it was, without what it had, until it is told.
    watched.servers[0].restart();
    assert_eq!((revision(&store).await, revision(&watched.store().await).await), (Ok(8), Ok(8)));
}

#[tokio::test]
async fn a_primary_that_stands_still_is_replaced() {
    let (watched, _) = replaced(Server::stop, StoreErrorKind::TimedOut).await;
    let lazy = RedisStore::sentinel_lazy(watched.urls(), &format!("redis://{NAME}")).unwrap();
    assert_eq!(revision(&lazy).await, Ok(8));
}

#[tokio::test]
async fn sentinels_that_are_gone_or_silent_delay_nobody() {
    let server = Server::with(&[]);
    let sentinel = sentinel(server.port);
    let gone = super::server::free_port();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().map(|_| silent).unwrap();
    let url = |port: u16| format!("redis://127.0.0.1:{port}");
    let silent_port = silent.local_addr().unwrap().port();
    let name = format!("redis://{NAME}");
    let store = RedisStore::sentinel([url(silent_port), url(gone), sentinel.url()], &name).await.unwrap();
    saved(&store).await;

    let kind = async |ports: &[u16], name: &str| {
        let began = tokio::time::Instant::now();
        let urls = ports.iter().map(|&port| url(port));
        let error = RedisStore::sentinel(urls, name).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(2), "{error}");
        (error.kind(), error.to_string())
    };
    let (refused, words) = kind(&[gone], &name).await;
    assert_eq!(refused, StoreErrorKind::Unavailable);
    assert!(words.contains("sentinel"), "{words}");
    let (late, _) = kind(&[gone, silent_port], &name).await;
    assert_eq!(late, StoreErrorKind::TimedOut);
    let (unknown, words) = kind(&[gone, sentinel.port], "redis://another").await;
    assert_eq!(unknown, StoreErrorKind::Config);
    assert!(words.contains("check the name"), "{words}");
    sentinel.does(&["ACL", "SETUSER", "default", "-sentinel"]);
    assert_eq!(kind(&[gone, sentinel.port], &name).await.0, StoreErrorKind::Denied);
}

#[tokio::test]
async fn a_search_that_takes_longer_than_a_step_goes_on_for_the_next_one() {
    let server = Server::with(&[]);
    let primary = Way::to(server.port);
    let sentinel = Way::to(liar(primary.port));
    for way in [&primary, &sentinel] {
        way.delay(Duration::from_millis(80));
    }
    // A greeting and a question, there and back, at each of them.
    let url = format!("redis://127.0.0.1:{}", sentinel.port);
    let store = RedisStore::sentinel_lazy([url], &format!("redis://{NAME}")).unwrap();
    assert_eq!(revision(&store).await, Err(StoreErrorKind::TimedOut));
    assert_eq!(at_last(&store).await, 0);
}

#[tokio::test]
async fn who_is_named_and_is_no_primary_is_not_asked() {
    let (primary, replica) = pair().await;
    let (wrong, gone) = (liar(replica.port), liar(super::server::free_port()));
    let sentinel = sentinel(primary.port);
    let url = |port: u16| format!("redis://127.0.0.1:{port}");
    let name = format!("redis://{NAME}");
    let error = RedisStore::sentinel([url(wrong)], &name).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains("is a replica"), "{error}");
    let error = RedisStore::sentinel([url(gone)], &name).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("wait for a failover"), "{error}");
    // One that is up to date is enough.
    let store = RedisStore::sentinel([url(wrong), url(gone), sentinel.url()], &name).await.unwrap();
    saved(&store).await;

    // It becomes a replica, and its connections live on.
    primary.does(&["REPLICAOF", "127.0.0.1", &replica.port.to_string()]);
    replica.does(&["REPLICAOF", "NO", "ONE"]);
    let store = RedisStore::sentinel([url(liar(replica.port))], &name).await.unwrap();
    replica.does(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
    let error = store.save(&slot(), save(7, 8)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    replica.does(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(store.save(&slot(), save(7, 8)).await.unwrap(), Saved::Done);
}

#[test]
fn urls_that_can_not_be_used_are_refused_and_sentinels_have_their_own_port() {
    let refused = |sentinels: &[&str], primary: &str, words: &str| {
        let error = RedisStore::sentinel_lazy(sentinels, primary).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    };
    refused(&[], "redis://mymaster", "no sentinel to ask");
    refused(&["redis://s1"], "mymaster", "write redis://NAME");
    refused(&["redis://s1"], "redis://:s3cret@mymaster:6379", "write redis://NAME");
    refused(&["redis://s1"], "http://:s3cret@mymaster", "redis:// or rediss://");
    refused(&["s1:26379"], "redis://mymaster", "redis:// or rediss://");
    refused(&["redis://s1", "redis://:s3cret@s2/1"], "redis://mymaster", "no databases");
    let sentinels = ["redis://:s3cret@s1", "redis://[::1]/", "rediss://s3:1", "valkeys://[::1]:2"];
    let store = RedisStore::sentinel_lazy(sentinels, "rediss://u:p@mymaster/1").unwrap();
    let shown = format!("{store:?}");
    assert!(
        shown.contains("mymaster by redis://s1:26379, redis://::1:26379, rediss://s3:1, rediss://::1:2"),
        "{shown}"
    );
}
