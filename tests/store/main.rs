//! The store in Redis or Valkey against real ones. `tests/store/run` gets them.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

#[path = "../../src/store/redis/tests/server.rs"]
mod server;

mod cluster;
mod replicas;
mod sentinels;
mod way;

use std::time::Duration;

use server::Server;
use tower_reauth::{
    StoreError, StoreErrorKind,
    store::{Claim, Claimed, Digest, Draft, Nonce, Record, RedisStore, Revision, Save, Saved, Slot, Store},
    testing::store_conformance,
};
use way::Way;

/// What the docs say that an ACL needs.
const RIGHTS: &[&str] = &[
    "~tower-reauth:*",
    "+eval",
    "+evalsha",
    "+time",
    "+hgetall",
    "+hset",
    "+hdel",
    "+pexpireat",
    "+del",
    "+wait",
    "+ping",
];

/// As of all public types, in tests/it/auto_traits.rs.
const _: () = {
    const fn shared<T: Clone + Send + Sync + Unpin + 'static>() {}
    shared::<RedisStore>();
};

fn slot() -> Slot {
    Slot::new("billing", Digest::new([7; 32])).unwrap()
}

fn key() -> String {
    format!("tower-reauth:{}", slot())
}

fn save(than: u64, revision: u64) -> Save {
    Save::Draft(Draft::new(Nonce::random(), Revision::new(than), Revision::new(revision), &b"body"[..]))
}

async fn saved(store: &RedisStore) {
    assert_eq!(store.save(&slot(), save(0, 7)).await.unwrap(), Saved::Done);
}

async fn revision(store: &RedisStore) -> Result<u64, StoreErrorKind> {
    store.look(&slot()).await.map(|seen| seen.record.revision.number()).map_err(|error| error.kind())
}

/// What happens within five seconds.
async fn at_last(store: &RedisStore) -> u64 {
    for _ in 0..100 {
        if let Ok(revision) = revision(store).await {
            return revision;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it doesn't come back: {:?}", revision(store).await);
}

/// A primary, and a replica that has what it has.
async fn pair() -> (Server, Server) {
    let primary = Server::with(&["--repl-diskless-sync-delay", "0"]);
    let replica = replica(primary.port);
    online(&primary, &replica).await;
    (primary, replica)
}

/// A replica of what is at this port.
fn replica(port: u16) -> Server {
    Server::with(&["--replicaof", "127.0.0.1", &port.to_string(), "--repl-diskless-sync-delay", "0"])
}

/// Waits until a replica gets what its primary is given. Both say so up to a second earlier.
async fn online(primary: &Server, replica: &Server) {
    primary.does(&["SET", "first", ""]);
    for _ in 0..1000 {
        if replica.says(&["EXISTS", "first"]) == ":1" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{}", replica.says(&["INFO", "replication"]));
}

async fn refused(url: &str) -> StoreError {
    RedisStore::connect(url).await.expect_err("refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let server = Server::start();
    store_conformance(&RedisStore::connect(&server.url()).await.unwrap()).await.assert();
}

#[tokio::test]
async fn the_rights_that_the_docs_name_are_enough_and_all_are_needed() {
    let server = Server::start();
    let user = |name: &str, rights: &[&str]| {
        server.does(&[&["ACL", "SETUSER", name, "reset", "on", ">p@ss/w:rd%"], rights].concat());
        format!("redis://{name}:p%40ss%2Fw%3Ard%25@127.0.0.1:{}", server.port)
    };
    let url = user("tokens", RIGHTS);
    let store = RedisStore::connect(&url).await.unwrap();
    assert!(store.advice().is_empty(), "it may not be asked");
    store_conformance(&store).await.assert();
    for missing in ["+evalsha", "+hset", "+hgetall", "~tower-reauth:*"] {
        let rights: Vec<_> = RIGHTS.iter().copied().filter(|right| *right != missing).collect();
        let store = RedisStore::connect(&user(&format!("without{}", missing.len()), &rights)).await.unwrap();
        assert_eq!(
            store.save(&slot(), save(0, 7)).await.unwrap_err().kind(),
            StoreErrorKind::Denied,
            "{missing}"
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let server = Server::with(&["--requirepass", "the-right-one"]);
    for url in [
        format!("redis://:s3cret-pass@127.0.0.1:{}", server.port),
        format!("redis://nobody:s3cret-pass@127.0.0.1:{}", server.port),
        server.url(),
    ] {
        let error = refused(&url).await;
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{error:?}");
        assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
        let lazy = RedisStore::lazy(&url).unwrap();
        assert_eq!(revision(&lazy).await, Err(StoreErrorKind::Denied));
        assert!(!format!("{lazy:?}").contains("s3cret"), "{lazy:?}");
    }
    let url = format!("redis://:the-right-one@127.0.0.1:{}", server.port);
    let store = RedisStore::connect(&url).await.unwrap();
    assert_eq!(revision(&store).await, Ok(0));
}

#[tokio::test]
async fn urls_that_can_not_be_used_are_refused_without_showing_them() {
    for url in [
        "http://s3cret@127.0.0.1",
        "127.0.0.1:6379",
        "rediss://:s3cret@127.0.0.1/#insecure",
        "redis://:s3cret@127.0.0.1:port",
        "redis://:s3cret@127.0.0.1/database",
        "redis://",
        "redis+unix:///s3cret",
        "",
    ] {
        let error = RedisStore::lazy(url).expect_err(url);
        assert_eq!(error.kind(), StoreErrorKind::Config, "{url}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn who_is_killed_and_restarted_is_found_again_with_what_it_has_acknowledged() {
    let mut server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    server.kill();
    for _ in 0..3 {
        let began = tokio::time::Instant::now();
        assert_eq!(revision(&store).await, Err(StoreErrorKind::Unavailable));
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    assert_eq!(refused(&server.url()).await.kind(), StoreErrorKind::Unavailable);
    let lazy = RedisStore::lazy(&server.url()).unwrap();
    assert_eq!(revision(&lazy).await, Err(StoreErrorKind::Unavailable));
    server.restart();
    assert_eq!((at_last(&store).await, at_last(&lazy).await), (7, 7));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_no_failure() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    // As a proxy does, or `timeout`, when nothing was asked for a while.
    for _ in 0..3 {
        server.says(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert_eq!(revision(&store).await, Ok(7));
    }
}

#[tokio::test]
async fn those_who_ask_at_once_share_one_connection() {
    let server = Server::start();
    let connections = || {
        let stats = server.says(&["INFO", "stats"]);
        let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        count.unwrap().parse::<u32>().unwrap()
    };
    let store = RedisStore::lazy(&server.url()).unwrap();
    let before = connections();
    let looks: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { revision(&store).await })
        })
        .collect();
    for look in looks {
        assert_eq!(look.await.unwrap(), Ok(0));
    }
    assert_eq!(connections() - before, 2, "with the one that asks for the number");
}

#[tokio::test]
async fn who_stands_still_is_given_up_after_half_a_second() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    server.does(&["CLIENT", "PAUSE", "1500", "ALL"]);
    let began = tokio::time::Instant::now();
    assert_eq!(revision(&store).await, Err(StoreErrorKind::TimedOut));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(at_last(&store).await, 7);
}

#[tokio::test]
async fn a_connection_that_has_fallen_silent_is_given_up_for_a_new_one() {
    let server = Server::start();
    let way = Way::to(server.port);
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{}", way.port)).await.unwrap();
    saved(&store).await;
    way.silence();
    assert_eq!(revision(&store).await, Err(StoreErrorKind::TimedOut));
    assert_eq!(revision(&store).await, Ok(7));
}

#[tokio::test]
async fn a_flush_leaves_nothing_and_forgotten_scripts_are_sent_again() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    server.does(&["SCRIPT", "FLUSH", "SYNC"]);
    assert_eq!(revision(&store).await, Ok(7));
    server.does(&["FLUSHALL"]);
    assert_eq!(store.look(&slot()).await.unwrap().record, Record::default());
    let claimed = store.claim(&slot(), Claim::new(Nonce::random(), Revision::new(7))).await.unwrap();
    let Claimed::Yours { next, seen } = claimed else { panic!("{claimed:?}") };
    assert!(next.number() >= seen.now.millis() && seen.now.millis() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_replica_is_not_written_to_and_has_what_was_saved_when_it_takes_over() {
    let (primary, replica) = pair().await;
    let store = RedisStore::connect(&primary.url()).await.unwrap();
    assert!(store.advice().iter().any(|advice| advice.contains("min-replicas-to-write")));
    saved(&store).await;
    let other = RedisStore::connect(&replica.url()).await.unwrap();
    while revision(&other).await != Ok(7) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let error = other.save(&slot(), save(7, 8)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    replica.does(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(revision(&other).await, Ok(7));
    assert_eq!(other.save(&slot(), save(7, 8)).await.unwrap(), Saved::Done);
}

#[tokio::test]
async fn a_server_without_room_says_so() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    server.does(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = store.save(&slot(), save(7, 8)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
    server.does(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(revision(&store).await, Ok(7));
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_and_stays() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let step = async |kind: StoreErrorKind| {
        let claim = Claim::new(Nonce::random(), Revision::new(9));
        assert_eq!(store.look(&slot()).await.unwrap_err().kind(), kind);
        assert_eq!(store.claim(&slot(), claim).await.unwrap_err().kind(), kind);
        assert_eq!(store.save(&slot(), save(7, 8)).await.unwrap_err().kind(), kind);
    };
    server.does(&["SET", &key(), "something else"]);
    step(StoreErrorKind::Unreadable).await;
    assert_eq!(server.says(&["GET", &key()]), "$14\r\nsomething else");
    for (field, value, kind) in [
        ("format", "2", StoreErrorKind::NewerFormat),
        ("format", "", StoreErrorKind::Unreadable),
        ("revision", "0x7", StoreErrorKind::Unreadable),
        ("rejections", "-1", StoreErrorKind::Unreadable),
        ("author", "me", StoreErrorKind::Unreadable),
        ("standing", "offered", StoreErrorKind::Unreadable),
    ] {
        server.says(&["DEL", &key()]);
        saved(&store).await;
        server.says(&["HSET", &key(), field, value]);
        let before = server.says(&["HGETALL", &key()]);
        step(kind).await;
        assert_eq!(server.says(&["HGETALL", &key()]), before, "{field}");
    }
}

#[tokio::test]
async fn keys_have_the_prefix_and_go_when_the_record_does() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap().prefix("mine:");
    let draft = Draft::new(Nonce::random(), Revision::NONE, Revision::new(7), &b"body"[..]);
    store.save(&slot(), Save::Draft(draft.keep(Duration::from_secs(100)))).await.unwrap();
    let key = format!("mine:{}", slot());
    let left: u64 = server.says(&["PTTL", &key]).trim_start_matches(':').parse().unwrap();
    assert!((90_000..=100_000).contains(&left), "{left}");
    assert_eq!(server.says(&["DBSIZE"]), ":1");
    store.look(&Slot::new("other", slot().digest()).unwrap()).await.unwrap();
    let accepted =
        store.save(&Slot::new("other", slot().digest()).unwrap(), Save::Accepted(Revision::new(1))).await;
    assert_eq!(accepted.unwrap(), Saved::Done);
    assert_eq!(server.says(&["DBSIZE"]), ":1", "what is empty isn't kept");
}

#[tokio::test]
async fn a_server_that_loses_records_is_told_of() {
    let server =
        Server::with(&["--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let expected = [
        "redis throws records away when its memory is full: set `maxmemory-policy noeviction`",
        "redis loses what was saved last when it is restarted: set `appendonly yes`",
    ];
    assert_eq!(store.advice(), expected);
    assert!(RedisStore::connect(&Server::start().url()).await.unwrap().advice().is_empty());
}

/// Connects over TLS, in a process of its own: which certificates are trusted is asked of its environment.
#[tokio::test]
#[ignore = "another test's process runs it"]
async fn over_tls() {
    let url = std::env::var("STORE_URL").unwrap();
    let connected = match std::env::var("STORE_SENTINELS") {
        Ok(sentinels) => RedisStore::sentinel(sentinels.split(','), &url).await,
        Err(_) if std::env::var("STORE_CLUSTER").is_ok() => RedisStore::cluster([&url]).await,
        Err(_) => RedisStore::connect(&url).await,
    };
    match connected {
        Ok(store) => {
            store.save(&slot(), save(0, 7)).await.unwrap();
            println!("says: {:?}", revision(&store).await);
        }
        Err(error) => println!("says: {:?}", error.kind()),
    }
}

#[tokio::test]
async fn tls_is_by_the_systems_certificates_with_ring_and_without_openssl() {
    let directory = std::env::temp_dir().join(format!("tower-reauth-redis-tls-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    std::fs::write(&certificate, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let (port, second) = (server::free_port().to_string(), server::free_port().to_string());
    let files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"];
    let _server = Server::with(&[&files[..], &["--tls-port", &port]].concat());
    let monitor = format!("sentinel monitor mymaster 127.0.0.1 {port} 1");
    let _sentinel = Server::sentinel(&[monitor], &[&files[..], &["--tls-port", &second]].concat());
    let says = |trusted: &str, variables: &[(&str, &str)]| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["over_tls", "--exact", "--ignored", "--nocapture"])
            .envs(variables.iter().copied())
            .env("SSL_CERT_FILE", trusted)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find_map(|line| Some(line.split_once("says: ")?.1.to_owned())).expect(&text)
    };
    let other = rcgen::generate_simple_self_signed(names).unwrap();
    let elsewhere = directory.join("other.pem");
    std::fs::write(&elsewhere, other.cert.pem()).unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    let single = [("STORE_URL", &*format!("rediss://localhost:{port}"))];
    let found =
        [("STORE_URL", "rediss://mymaster"), ("STORE_SENTINELS", &format!("rediss://localhost:{second}"))];
    let (_cluster, url) = cluster::with_tls(&files).await;
    let sent_on = [("STORE_URL", &*url), ("STORE_CLUSTER", "")];
    for variables in [&single[..], &found, &sent_on] {
        assert_eq!(says(certificate, variables), "Ok(7)");
        assert_eq!(says(elsewhere, variables), "Unavailable", "nobody has vouched for it");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
