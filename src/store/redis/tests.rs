//! The scripts beside the steps in Rust, one by one. `tests/store/run` has the server.

use std::time::Duration;

use ::redis::{cmd, pipe};

use super::*;
use crate::store::{
    Claim, Claimed, Digest, Draft, Fate, Moment, Nonce, Record, Rejection, Release, Revision, Save, Slot,
    Standing,
};

#[allow(dead_code, reason = "other tests use the rest")]
mod server;

fn nonce(rng: &mut fastrand::Rng) -> Nonce {
    Nonce::new([rng.u8(1..4); 16])
}

fn revision(rng: &mut fastrand::Rng) -> Revision {
    Revision::new(rng.u64(0..5))
}

fn claim(rng: &mut fastrand::Rng) -> Claim {
    let mut claim = Claim::new(nonce(rng), revision(rng)).lasting(Duration::from_millis(rng.u64(0..12)));
    if rng.bool() {
        claim = claim.with_secret(Digest::new([rng.u8(1..3); 32]));
    }
    claim = match rng.u8(0..7) {
        0 => claim.rejected(Rejection::Early),
        1 => claim.rejected(Rejection::Natural),
        2 => claim.without_waiting(),
        3 => claim.full_at(Moment::from_millis(rng.u64(0..9))),
        4 => claim.after_a_loss(Moment::from_millis(rng.u64(0..9))),
        _ => claim,
    };
    match rng.u8(0..3) {
        0 => claim.sending(revision(rng), None),
        1 => claim.sending(revision(rng), Some(nonce(rng))),
        _ => claim,
    }
}

fn save(rng: &mut fastrand::Rng) -> Save {
    let draft =
        Draft::new(nonce(rng), revision(rng), revision(rng), vec![rng.u8(..); usize::from(rng.u8(0..4))]);
    match rng.u8(0..6) {
        0 => Save::Accepted(revision(rng)),
        1 => Save::Draft(draft.standing(Standing::Rejected)),
        2 => Save::Draft(draft.standing(Standing::Revoked)),
        3 => Save::Draft(draft.keep(Duration::from_millis(rng.u64(1..20)))),
        4 => Save::Draft(draft.in_doubt()),
        _ => Save::Draft(draft),
    }
}

fn release(rng: &mut fastrand::Rng) -> Release {
    let fate = [Fate::Unspent, Fate::Unknown, Fate::Refused][rng.usize(0..3)];
    let release = Release::new(nonce(rng), fate).wait(Duration::from_millis(rng.u64(0..12)));
    match rng.u8(0..4) {
        0 => release,
        1 => release.failed("näh\n", 2),
        2 => release.failed("", 1).wait(Duration::MAX),
        _ => release.failed("refused", 1).refused_secret(Digest::new([rng.u8(1..3); 32])),
    }
}

/// The record, as it would be if the clock had been set back by so long.
fn ahead(record: &mut Record, time: Duration) {
    record.saved_at = record.saved_at.after(time);
    if let Some(held) = &mut record.claim {
        held.until = held.until.after(time);
    }
    if let Some(note) = &mut record.note {
        note.at = note.at.after(time);
    }
    if let Some(failure) = &mut record.failure {
        (failure.at, failure.until) = (failure.at.after(time), failure.until.after(time));
    }
}

/// What a claim does, if the record is another primary's: that was lost which it had acknowledged by some whole number of seconds
/// ago, as the server has never been a replica.
fn claimed(record: &Record, now: Moment, claim: &Claim, seen: Option<&Record>) -> (Record, Claimed) {
    let done = |claim: &Claim| {
        let mut record = record.clone();
        let claimed = record.claim(now, claim);
        (record, claimed)
    };
    let Some(seen) = seen else { return done(claim) };
    let lost = (0..60).map(|second| Moment::from_millis(now.millis() - second * 1000));
    let lost = lost.map(|lost_at| claim.clone().after_a_loss(lost_at.max(claim.lost_at.unwrap_or(lost_at))));
    let found = lost.map(|claim| done(&claim)).find(|(record, _)| record.look(now).record == *seen);
    found.unwrap_or_else(|| done(&claim.clone().after_a_loss(now)))
}

#[tokio::test]
#[ignore = "it needs a redis: tests/store/run"]
async fn each_script_does_what_the_step_does() {
    let server = server::Server::with(&[]);
    let store = RedisStore::connect(&server.url()).await.expect("a store");
    let client = ::redis::Client::open(server.url()).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut words = std::collections::HashMap::<Vec<u8>, u32>::new();
    for number in 0..400 {
        let slot = Slot::new("billing", Digest::new([(number % 256) as u8; 32])).expect("a slot");
        let key = format!("tower-reauth:{slot}");
        let _: u32 = cmd("DEL").arg(&key).query_async(&mut connection).await.expect("deleted");
        let mut record = Record::default();
        let mut trace = format!("seed {seed}");
        // It says that another primary has written it.
        let mut is_others = false;
        for _ in 0..25 {
            match rng.u8(0..12) {
                0 => tokio::time::sleep(Duration::from_millis(rng.u64(0..15))).await,
                1 if record != Record::default() => {
                    ahead(&mut record, Duration::from_millis(rng.u64(0..10_000)));
                    let mut write = pipe();
                    for (name, value) in record.to_fields() {
                        write.cmd("HSET").arg(&key).arg(name).arg(&value[..]).ignore();
                    }
                    let _: () = write.query_async(&mut connection).await.expect("written");
                }
                2 => {
                    // It may have gone by itself.
                    let code = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSET', KEYS[1], 'primary', 'f')";
                    let mut write = cmd("EVAL");
                    write.arg(code).arg(1).arg(&key);
                    let _: Option<u32> = write.query_async(&mut connection).await.expect("written");
                    is_others = true;
                }
                _ => {}
            }
            let (asked, reply) = match rng.u8(0..4) {
                0 => (String::from("look"), store.ask_look(&slot).await),
                1 => {
                    let claim = claim(&mut rng);
                    let reply = store.ask_claim(&slot, &claim).await.expect("an answer");
                    let now = reply.seen.now;
                    trace += &format!("\n{now:?} {claim:?}");
                    is_others &= record.look(now).record != Record::default();
                    let (done, expected) =
                        claimed(&record, now, &claim, is_others.then_some(&reply.seen.record));
                    record = done;
                    *words.entry(reply.word.to_vec()).or_default() += 1;
                    if matches!(expected, Claimed::Yours { .. }) && std::mem::take(&mut is_others) {
                        *words.entry(b"lost".to_vec()).or_default() += 1;
                    }
                    assert_eq!(reply.seen.record, record.look(now).record, "{trace}");
                    assert_eq!(reply.claimed(claim.whom).expect("an answer"), expected, "{trace}");
                    continue;
                }
                2 => {
                    let save = save(&mut rng);
                    let reply = store.ask_save(&slot, &save).await.expect("an answer");
                    let now = reply.seen.now;
                    trace += &format!("\n{now:?} {save:?}");
                    is_others &= record.look(now).record != Record::default();
                    let save = match save {
                        Save::Draft(draft) if is_others => {
                            let is_there =
                                record.revision == draft.revision && record.author == Some(draft.nonce);
                            is_others = is_there || record.revision > draft.than;
                            Save::Draft(draft.in_doubt())
                        }
                        save => save,
                    };
                    let expected = record.save(now, &save);
                    *words.entry(reply.word.to_vec()).or_default() += 1;
                    assert_eq!(reply.seen.record, record.look(now).record, "{trace}");
                    assert_eq!(reply.saved().expect("an answer"), expected, "{trace}");
                    continue;
                }
                _ => {
                    let release = release(&mut rng);
                    let reply = store.ask_release(&slot, &release).await;
                    let now = reply.as_ref().expect("an answer").seen.now;
                    is_others &= record.look(now).record != Record::default();
                    record.release(now, &release);
                    (format!("{release:?}"), reply)
                }
            };
            let reply = reply.expect("an answer");
            trace += &format!("\n{:?} {asked}", reply.seen.now);
            assert_eq!(reply.seen.record, record.look(reply.seen.now).record, "{trace}");
        }
    }
    for word in ["newer", "yours", "held", "wait", "done", "lost"] {
        assert!(words.get(word.as_bytes()).is_some_and(|&times| times > 20), "{word} comes up: {words:?}");
    }
}
