//! What a replica has that takes over, and what it hasn't.

use std::time::Duration;

use tokio::time::Instant;
use tower_reauth::store::{Claim, Claimed, Nonce, RedisStore, Revision, Saved, Store};

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
