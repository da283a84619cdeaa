//! Servers that have the keys together.

use std::{net::TcpListener, time::Duration};

use tokio::time::sleep;
use tower_reauth::{
    StoreError, StoreErrorKind,
    store::{Digest, RedisStore, Saved, Slot, Store},
    testing::store_conformance,
};

use super::{
    RIGHTS, at_last, key, revision, save, saved,
    server::{Server, free_port},
    slot,
};

/// Three primaries with a third of the slots each. The first has the slot of the tests, and a replica if it is to have one.
struct Cluster {
    primaries: Vec<Server>,
    replica: Option<Server>,
}

impl Cluster {
    async fn start() -> Self {
        Self::of((0..3).map(|_| Server::of_cluster(&[])).collect()).await
    }

    async fn with_replica() -> Self {
        // The replica takes over however long a busy machine has kept it from that.
        let arguments = ["--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0"];
        let mut cluster = Self::of((0..3).map(|_| Server::of_cluster(&arguments)).collect()).await;
        let replica = Server::of_cluster(&arguments);
        let first = cluster.primaries[0].port.to_string();
        replica.does(&["CLUSTER", "MEET", "127.0.0.1", &first]);
        let id = id(&cluster.primaries[0]);
        // They have to have met.
        for _ in 0..100 {
            if replica.says(&["CLUSTER", "REPLICATE", &id]) == "+OK" {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let hers = format!("{{{}}}", key());
        cluster.primaries[0].does(&["SET", &hers, ""]);
        until(&replica, || replica.says(&["INFO", "keyspace"]).contains("keys=1")).await;
        let port = format!(":{}@", replica.port);
        until(&replica, || {
            cluster.primaries.iter().all(|node| is_known(&node.says(&["CLUSTER", "NODES"]), &port))
        })
        .await;
        cluster.replica = Some(replica);
        cluster
    }

    async fn of(primaries: Vec<Server>) -> Self {
        let ports: Vec<_> = primaries.iter().map(|primary| primary.port).collect();
        Self::joined(primaries, &ports).await
    }

    /// The same, of servers that know each other by these ports.
    async fn joined(primaries: Vec<Server>, ports: &[u16]) -> Self {
        let slot = slot_of_key(&primaries[0]);
        let mine: Vec<u32> = (0..16_384).map(|number| (number + slot) % 16_384).collect();
        for (primary, slots) in primaries.iter().zip(mine.chunks(16_384 / primaries.len() + 1)) {
            let slots: Vec<_> = slots.iter().map(u32::to_string).collect();
            let slots = slots.iter().map(String::as_str);
            primary.does(&["CLUSTER", "ADDSLOTS"].into_iter().chain(slots).collect::<Vec<_>>());
        }
        for (number, primary) in primaries.iter().enumerate() {
            primary.does(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        for port in &ports[1..] {
            primaries[0].does(&["CLUSTER", "MEET", "127.0.0.1", &port.to_string()]);
        }
        until(&primaries[0], || {
            primaries.iter().all(|node| node.says(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
        })
        .await;
        Self { primaries, replica: None }
    }

    /// The servers take each other for dead after so long. A busy machine doesn't make them do so before.
    fn hurry(&self) {
        for node in self.primaries.iter().chain(&self.replica) {
            node.does(&["CONFIG", "SET", "cluster-node-timeout", "1000"]);
        }
    }

    /// The URL of one that hasn't got the slot of the tests.
    fn other(&self) -> String {
        self.primaries[2].url()
    }

    fn replica(&self) -> &Server {
        self.replica.as_ref().unwrap()
    }
}

/// Whether a server is known as a replica that is well.
fn is_known(nodes: &str, port: &str) -> bool {
    nodes.lines().any(|line| line.contains(port) && line.contains("slave") && line.contains(" connected"))
}

fn id(server: &Server) -> String {
    server.says(&["CLUSTER", "MYID"]).lines().nth(1).unwrap().to_owned()
}

fn slot_of_key(server: &Server) -> u32 {
    server.says(&["CLUSTER", "KEYSLOT", &key()]).trim_start_matches(':').parse().unwrap()
}

/// Waits until it is so; what this server knows of the others is told if it never is.
async fn until(server: &Server, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("it never is:\n{}", server.says(&["CLUSTER", "NODES"]));
}

/// Waits for what can be saved as revision 8.
async fn saved_again(store: &RedisStore) {
    for _ in 0..200 {
        match store.save(&slot(), save(7, 8)).await {
            Ok(saved) => return assert_eq!(saved, Saved::Done),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("{:?}", store.save(&slot(), save(7, 8)).await);
}

fn has(server: &Server) -> String {
    // Over a connection of its own, which is told who has it otherwise.
    server.says(&["HGET", &key(), "revision"]).lines().last().unwrap().to_owned()
}

/// Two servers with TLS, also between them, and the URL of the one that has to send on.
pub(super) async fn with_tls(files: &[&str]) -> (impl Sized, String) {
    let ports = [free_port(), free_port()];
    let one = |port: &u16| {
        let port = port.to_string();
        let own = ["--tls-cluster", "yes", "--tls-ca-cert-file", files[1], "--tls-port", &port];
        Server::of_cluster(&[files, &own].concat())
    };
    let cluster = Cluster::joined(ports.iter().map(one).collect(), &ports).await;
    (cluster, format!("rediss://localhost:{}", ports[1]))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_with_the_rights_that_the_docs_name() {
    let cluster = Cluster::start().await;
    for primary in &cluster.primaries {
        primary.does(&[&["ACL", "SETUSER", "tokens", "reset", "on", ">p@ss", "+asking"], RIGHTS].concat());
        primary.does(&["ACL", "SETUSER", "default", "-eval", "-evalsha"]);
    }
    let url = format!("redis://tokens:p%40ss@127.0.0.1:{}", cluster.primaries[2].port);
    let store = RedisStore::cluster([&url]).await.unwrap();
    store_conformance(&store).await.assert();
    // Each has its share, and whoever was learnt of was asked with the same password.
    for number in 0..64 {
        let slot = Slot::new("billing", Digest::new([number; 32])).unwrap();
        assert_eq!(store.save(&slot, save(0, 7)).await.unwrap(), Saved::Done);
    }
    for primary in &cluster.primaries {
        let keys: u32 = primary.says(&["DBSIZE"]).trim_start_matches(':').parse().unwrap();
        assert!(keys >= 8, "{keys}");
    }
    let shown = format!("{store:?}");
    assert!(
        shown.contains(&format!("cluster of redis://127.0.0.1:{}", cluster.primaries[2].port)),
        "{shown}"
    );
    assert!(!shown.contains("ss@"), "{shown}");
}

#[tokio::test]
async fn a_key_is_followed_while_it_moves_and_when_it_has_moved() {
    let cluster = Cluster::start().await;
    let (from, to) = (&cluster.primaries[0], &cluster.primaries[1]);
    let store = RedisStore::cluster([cluster.other()]).await.unwrap();
    saved(&store).await;
    assert_eq!(has(from), "7");
    let number = slot_of_key(from).to_string();
    to.does(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &id(from)]);
    from.does(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &id(to)]);
    assert_eq!(revision(&store).await, Ok(7), "it is still there");
    from.does(&["MIGRATE", "127.0.0.1", &to.port.to_string(), &key(), "0", "5000"]);
    assert!(has(from).starts_with("-ASK"));
    assert_eq!(revision(&store).await, Ok(7), "it isn't any more");
    assert_eq!(store.save(&slot(), save(7, 8)).await.unwrap(), Saved::Done);
    for node in [to, from, &cluster.primaries[2]] {
        node.does(&["CLUSTER", "SETSLOT", &number, "NODE", &id(to)]);
    }
    assert_eq!(revision(&store).await, Ok(8));
    assert_eq!(store.save(&slot(), save(8, 9)).await.unwrap(), Saved::Done);
    assert_eq!(has(to), "9");
    assert!(has(from).starts_with("-MOVED"));
}

#[tokio::test]
async fn connections_that_were_closed_meanwhile_are_no_failure() {
    let cluster = Cluster::start().await;
    let store = RedisStore::cluster([cluster.other()]).await.unwrap();
    saved(&store).await;
    for _ in 0..3 {
        for node in &cluster.primaries {
            node.says(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        }
        assert_eq!(revision(&store).await, Ok(7));
    }
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found() {
    let cluster = Cluster::with_replica().await;
    let store = RedisStore::cluster([cluster.other()]).await.unwrap();
    saved(&store).await;
    let replica = cluster.replica();
    for _ in 0..10 {
        // It gives up after five seconds.
        replica.says(&["CLUSTER", "FAILOVER"]);
        for _ in 0..60 {
            if replica.says(&["ROLE"]).contains("master") {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    assert!(replica.says(&["ROLE"]).contains("master"), "{}", replica.says(&["CLUSTER", "NODES"]));
    assert_eq!(at_last(&store).await, 7);
    saved_again(&store).await;
    assert_eq!(has(replica), "8");
}

/// What becomes of a key whose server is gone in this way, until its replica has taken over, and then.
async fn taken_over(gone: fn(&mut Server), seen: StoreErrorKind) {
    let mut cluster = Cluster::with_replica().await;
    let store = RedisStore::cluster([cluster.primaries[0].url(), cluster.other()]).await.unwrap();
    let advice = store.advice();
    assert!(advice.iter().any(|advice| advice.contains("min-replicas-to-write")), "{advice:?}");
    saved(&store).await;
    until(cluster.replica(), || cluster.replica().says(&["INFO", "keyspace"]).contains("keys=2")).await;
    cluster.hurry();
    gone(&mut cluster.primaries[0]);
    assert_eq!(revision(&store).await, Err(seen));
    let replica = cluster.replica();
    until(replica, || replica.says(&["ROLE"]).contains("master")).await;
    assert_eq!(at_last(&store).await, 7);
    saved_again(&store).await;
    assert_eq!(has(replica), "8");
}

#[tokio::test]
async fn a_server_that_is_killed_takes_its_keys_away_until_its_replica_has_them() {
    taken_over(Server::kill, StoreErrorKind::Unavailable).await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_left_when_its_replica_has_taken_over() {
    taken_over(Server::stop, StoreErrorKind::TimedOut).await;
}

#[tokio::test]
async fn a_cluster_that_lacks_a_server_is_down_and_one_that_is_silent_is_given_up() {
    let mut cluster = Cluster::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = free_port();
    let url = |port: u16| format!("redis://127.0.0.1:{port}");
    let urls = [url(silent.local_addr().unwrap().port()), url(gone), cluster.other()];
    let store = RedisStore::cluster_lazy(&urls).unwrap();
    saved(&store).await;
    assert_eq!(RedisStore::cluster(&urls[1..2]).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(RedisStore::cluster(&urls[..1]).await.unwrap_err().kind(), StoreErrorKind::TimedOut);

    // Two of three are no longer there: whoever is left says that the cluster is down.
    cluster.hurry();
    for number in [0, 1] {
        cluster.primaries[number].kill();
    }
    until(&cluster.primaries[2], || {
        cluster.primaries[2].says(&["CLUSTER", "INFO"]).contains("cluster_state:fail")
    })
    .await;
    let error: StoreError = store.look(&slot()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    cluster.primaries[0].restart();
    cluster.primaries[1].restart();
    assert!(revision_when_up(&store).await.is_ok(), "it is up again");
}

/// What there is as soon as the cluster is up again: nothing, as these servers write nothing to their disks.
async fn revision_when_up(store: &RedisStore) -> Result<u64, StoreErrorKind> {
    for _ in 0..200 {
        if let Ok(revision) = revision(store).await {
            return Ok(revision);
        }
        sleep(Duration::from_millis(50)).await;
    }
    revision(store).await
}

#[tokio::test]
async fn a_cluster_is_no_single_server_but_a_single_server_is_one() {
    let cluster = Cluster::start().await;
    let store = RedisStore::connect(&cluster.other()).await.unwrap();
    let error = store.look(&slot()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Config);
    assert!(error.to_string().contains("RedisStore::cluster"), "{error}");
    let server = Server::with(&[]);
    saved(&RedisStore::cluster([server.url()]).await.unwrap()).await;
}

#[test]
fn urls_that_can_not_be_used_are_refused() {
    for (urls, words) in [
        (&[][..], "no server of the cluster"),
        (&["redis://:s3cret@n1/1"], "no databases but 0"),
        (&["redis://n1", "redis-cluster://:s3cret@n2"], "redis:// or rediss://"),
        (&["redis://n1", "rediss://:s3cret@n2/#insecure"], "redis:// or rediss://"),
    ] {
        let error = RedisStore::cluster_lazy(urls).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}
