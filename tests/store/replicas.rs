//! What a replica has that takes over, and what it hasn't.

use std::time::Duration;

use tokio::time::Instant;
use tower_reauth::store::{Claim, Claimed, Fate, Nonce, Record, RedisStore, Release, Revision, Saved, Store};

use super::{at_last, key, online, replica, revision, save, saved, server::Server, slot, way::Way};

/// As long as is waited for a replica, less than what a command takes.
const WAITED: Duration = Duration::from_millis(90);

/// A primary, and a replica that it reaches by a way.
struct Pair {
    primary: Server,
    way: Way,
    replica: Server,
    store: RedisStore,
}

impl Pair {
    /// Revision 7 is in both.
    async fn start() -> Self {
        let primary = Server::with(&["--repl-diskless-sync-delay", "0"]);
        let way = Way::to(primary.port);
        let replica = replica(way.port);
        online(&primary, &replica).await;
        let store = RedisStore::connect(&primary.url()).await.unwrap();
        saved(&store).await;
        // On a busy machine that may take longer than is waited for it.
        while replica.says(&["EXISTS", &key()]) != ":1" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { primary, way, replica, store }
    }

    /// The primary is gone at once, with what is under way from it. The replica takes over.
    async fn fail_over(mut self) -> (Server, RedisStore) {
        self.way.cut();
        self.primary.kill();
        self.replica.does(&["REPLICAOF", "NO", "ONE"]);
        let store = RedisStore::connect(&self.replica.url()).await.unwrap();
        (self.replica, store)
    }
}

#[tokio::test]
async fn what_was_saved_is_there_after_a_failover_if_the_replica_was_a_little_behind() {
    let pair = Pair::start().await;
    pair.way.delay(Duration::from_millis(15));
    // Where the machine is so busy that the replica is given up, the next one is as good.
    let mut last = 7;
    loop {
        let began = Instant::now();
        assert_eq!(pair.store.save(&slot(), save(last, last + 1)).await.unwrap(), Saved::Done);
        last += 1;
        if began.elapsed() < WAITED {
            break;
        }
    }
    let (_replica, store) = pair.fail_over().await;
    assert_eq!(revision(&store).await, Ok(last));
}

#[tokio::test]
async fn a_note_is_there_after_a_failover_if_the_replica_was_a_little_behind() {
    let pair = Pair::start().await;
    pair.way.delay(Duration::from_millis(15));
    let nonce = Nonce::random();
    loop {
        // Only the last of them may be under way.
        let claim = Claim::new(nonce, Revision::new(7));
        assert!(matches!(pair.store.claim(&slot(), claim).await.unwrap(), Claimed::Yours { .. }));
        let began = Instant::now();
        let claim = Claim::new(nonce, Revision::new(7)).sending(Revision::new(7), None);
        assert!(matches!(pair.store.claim(&slot(), claim).await.unwrap(), Claimed::Yours { .. }));
        if began.elapsed() < WAITED {
            break;
        }
    }
    let (_replica, store) = pair.fail_over().await;
    let record = store.look(&slot()).await.unwrap().record;
    assert_eq!(record.note.map(|note| note.by), Some(nonce));
}

/// Has a flight say that it is about to send revision 7's refresh token.
async fn noted(store: &RedisStore) -> Nonce {
    let nonce = Nonce::random();
    let claim = Claim::new(nonce, Revision::new(7)).sending(Revision::new(7), None);
    let Ok(Claimed::Yours { seen, .. }) = store.claim(&slot(), claim).await else { panic!("not granted") };
    assert!(seen.record.is_noted_by(nonce, Revision::new(7)), "{seen:?}");
    nonce
}

/// What another flight's claim is told, which knows of revision 7.
async fn claimed(store: &RedisStore, nonce: Nonce) -> Record {
    match store.claim(&slot(), Claim::new(nonce, Revision::new(7))).await {
        Ok(Claimed::Yours { seen, .. }) => seen.record,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn after_a_failover_a_refresh_token_counts_as_sent_though_the_note_is_lost() {
    let pair = Pair::start().await;
    pair.way.delay(Duration::from_secs(5));
    let first = noted(&pair.store).await;
    let (_replica, store) = pair.fail_over().await;
    let looked = store.look(&slot()).await.unwrap().record;
    assert_eq!((looked.revision, looked.note), (Revision::new(7), None), "it is lost");

    let second = Nonce::random();
    let note = claimed(&store, second).await.note.expect("in doubt");
    assert!(note.by != first && note.by != second && !note.refused, "{note:?}");
    assert_eq!(note.revision, Revision::new(7));
    let sending = Claim::new(second, Revision::new(7)).sending(Revision::new(7), None);
    let Ok(Claimed::Yours { seen, .. }) = store.claim(&slot(), sending).await else { panic!("not granted") };
    assert!(!seen.record.is_noted_by(second, Revision::new(7)), "{seen:?}");
    assert!(seen.record.note.unwrap().age(seen.now) < Duration::from_secs(5), "that is when it took over");
    // The next one is as good as any.
    assert_eq!(store.save(&slot(), save(7, 8)).await.unwrap(), Saved::Done);
    let claim = Claim::new(second, Revision::new(8)).sending(Revision::new(8), None);
    let Ok(Claimed::Yours { seen, .. }) = store.claim(&slot(), claim).await else { panic!("not granted") };
    assert!(seen.record.is_noted_by(second, Revision::new(8)), "{seen:?}");
}

#[tokio::test]
async fn of_two_primaries_the_new_one_takes_a_refresh_token_for_sent_that_the_old_one_has_a_note_of() {
    let pair = Pair::start().await;
    pair.replica.does(&["REPLICAOF", "NO", "ONE"]);
    let new = RedisStore::connect(&pair.replica.url()).await.unwrap();
    noted(&pair.store).await;
    let second = Nonce::random();
    let claim = Claim::new(second, Revision::new(7)).sending(Revision::new(7), None);
    let Ok(Claimed::Yours { seen, .. }) = new.claim(&slot(), claim).await else { panic!("not granted") };
    assert!(!seen.record.is_noted_by(second, Revision::new(7)), "{seen:?}");
}

#[tokio::test]
async fn what_is_saved_again_after_a_failover_may_have_been_sent() {
    let pair = Pair::start().await;
    pair.way.delay(Duration::from_secs(5));
    let late = save(7, 8);
    assert_eq!(pair.store.save(&slot(), late.clone()).await.unwrap(), Saved::Done);
    let (_replica, store) = pair.fail_over().await;
    // Whoever hasn't heard that it was saved saves it again.
    assert_eq!(store.save(&slot(), late).await.unwrap(), Saved::Done);
    let record = store.look(&slot()).await.unwrap().record;
    assert_eq!(record.note.map(|note| note.revision), Some(Revision::new(8)));
}

#[tokio::test]
async fn after_a_restart_a_refresh_token_counts_as_sent_before_it() {
    let mut server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    let first = Nonce::random();
    assert_eq!(claimed(&store, first).await.note, None);
    store.release(&slot(), Release::new(first, Fate::Unspent)).await.unwrap();
    server.kill();
    server.restart();
    // The server counts whole seconds.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(at_last(&store).await, 7);
    let claim = Claim::new(Nonce::random(), Revision::new(7));
    let Ok(Claimed::Yours { seen, .. }) = store.claim(&slot(), claim).await else { panic!("not granted") };
    let age = seen.record.note.expect("in doubt").age(seen.now);
    assert!(age >= Duration::from_secs(1), "{age:?}: nothing was lost since");
}

#[tokio::test]
async fn a_first_replica_is_no_other_primary() {
    let server = Server::with(&["--repl-diskless-sync-delay", "0"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    let id = || {
        server
            .says(&["INFO", "replication"])
            .lines()
            .find(|line| line.starts_with("master_replid:"))
            .unwrap()
            .to_owned()
    };
    let before = id();
    let replica = replica(server.port);
    online(&server, &replica).await;
    assert_ne!(id(), before, "though it says so");
    assert_eq!(claimed(&store, Nonce::random()).await.note, None);
}

#[tokio::test]
async fn who_may_not_ask_which_primary_it_is_goes_on_as_if_it_were_the_same() {
    let mut server = Server::start();
    let user = ["ACL", "SETUSER", "default", "-info"];
    server.does(&user);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    saved(&store).await;
    server.kill();
    server.restart();
    server.does(&user);
    assert_eq!(at_last(&store).await, 7);
    assert_eq!(claimed(&store, Nonce::random()).await.note, None);
}

#[tokio::test]
async fn what_was_saved_is_lost_with_a_failover_if_no_replica_had_it_in_time() {
    let pair = Pair::start().await;
    pair.way.delay(Duration::from_secs(5));
    let began = Instant::now();
    assert_eq!(pair.store.save(&slot(), save(7, 8)).await.unwrap(), Saved::Done);
    let took = began.elapsed();
    assert!(took >= WAITED && took < Duration::from_secs(2), "it waited, and not for ever: {took:?}");
    assert_eq!(revision(&pair.store).await, Ok(8));
    let (_replica, store) = pair.fail_over().await;
    assert_eq!(revision(&store).await, Ok(7), "that is what remains");
}

#[tokio::test]
async fn a_primary_that_must_have_replicas_takes_nothing_without_one() {
    let pair = Pair::start().await;
    pair.primary.does(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    pair.primary.does(&["CONFIG", "SET", "min-replicas-max-lag", "1"]);
    assert_eq!(pair.store.save(&slot(), save(7, 8)).await.unwrap(), Saved::Done);
    pair.way.delay(Duration::from_secs(60));
    for last in 8..108 {
        match pair.store.save(&slot(), save(last, last + 1)).await {
            Ok(saved) => assert_eq!(saved, Saved::Done),
            Err(error) => {
                assert!(error.to_string().contains("fewer replicas than it must have"), "{error}");
                assert_eq!(revision(&pair.store).await, Ok(last), "it is as it was");
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it takes writes for ever");
}

#[tokio::test]
async fn a_primary_that_did_not_say_in_time_how_many_replicas_it_has_is_asked_again() {
    let pair = Pair::start().await;
    let way = Way::to(pair.primary.port);
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{}", way.port)).await.unwrap();
    // Long enough for that question, and not for a step.
    way.delay(Duration::from_millis(120));
    let _ = store.save(&slot(), save(7, 8)).await;
    way.delay(Duration::ZERO);
    pair.way.delay(Duration::from_secs(5));
    let last = at_last(&store).await;
    let began = Instant::now();
    assert_eq!(store.save(&slot(), save(last, 9)).await.unwrap(), Saved::Done);
    assert!(began.elapsed() >= WAITED, "{:?}", began.elapsed());
}
