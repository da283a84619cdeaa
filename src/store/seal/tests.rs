use std::collections::HashSet;

use super::*;
use crate::{secret::SecretSource, store::Keys};

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

fn seal(keys: &Keys) -> Seal {
    Seal::new(keys.read().expect("keys"))
}

fn slot(name: &str) -> Slot {
    Slot::new(name, Digest::new([0; 32])).expect("a slot")
}

fn hex(body: &Body) -> String {
    body.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_sealed_body_is_this_for_ever() {
    let seal = seal(&Keys::new(MASTER));
    let (slot, revision, body) =
        (slot("billing"), Revision::new(1_700_000_000_123), Body::from(&b"the token"[..]));
    let sealed = seal.seal([0x5a; SALT], &slot, revision, &body).expect("sealed");
    // From another implementation of RFC 5869 and of AES-GCM (Python's `cryptography`).
    let expected = "018862bba716e3f1635a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5ae0430b87dd0c6b16596000f9\
                    61705c4f0188d4792b55c5673f";
    assert_eq!(hex(&sealed), expected);
    assert_eq!(seal.unwrap(&slot, revision, &sealed).expect("opened"), body);
}

#[test]
fn what_stands_for_secrets_and_credentials_is_this_for_ever() {
    let seal = seal(&Keys::new(MASTER));
    let of_secret =
        |seal: &Seal, name| seal.secret_digest(&slot(name), b"s3cret").expect("a key").to_string();
    assert_eq!(
        of_secret(&seal, "billing"),
        "61c001e8f7065ff25b5b2947056eec0f7ec5512b6f7320aec962b45a4249b975"
    );
    assert_ne!(of_secret(&seal, "billing"), of_secret(&seal, "other"));
    let other = self::seal(&Keys::new(OTHER).accept(MASTER));
    assert_ne!(of_secret(&seal, "billing"), of_secret(&other, "billing"));
    let parts: &[(&str, &[u8])] = &[("endpoint", b"https://example.com/token"), ("client", b"me")];
    let expected = "7f8f2da432cccb16c64c0c0920a611b58508d0d6b2cdcc3206473f142333ab71";
    for seal in [seal, other] {
        assert_eq!(seal.digest(parts).to_string(), expected, "it doesn't depend on the keys");
    }
    let alike: &[&[(&str, &[u8])]] = &[&[("a", b"bc")], &[("ab", b"c")], &[("a", b"b"), ("c", b"")], &[]];
    let digests: HashSet<_> = alike.iter().map(|parts| digest_of(parts)).collect();
    assert_eq!(digests.len(), alike.len());
}

#[test]
fn each_sealing_has_a_salt_of_its_own() {
    let seal = seal(&Keys::new(MASTER));
    let (slot, body) = (slot("billing"), Body::from(&b"the token"[..]));
    let all: HashSet<_> =
        (0..100).map(|_| hex(&seal.wrap(&slot, Revision::new(1), &body).expect("sealed"))).collect();
    assert_eq!(all.len(), 100);
    assert!(all.iter().all(|sealed| !sealed.contains(&hex(&body))));
}

#[test]
fn what_was_moved_damaged_or_cut_is_unreadable() {
    let seal = seal(&Keys::new(MASTER));
    let (home, revision) = (slot("billing"), Revision::new(7));
    let sealed = seal.wrap(&home, revision, &Body::from(&b"the token"[..])).expect("sealed");
    let kind = |slot: &Slot, revision, body: &Body| {
        seal.unwrap(slot, revision, body).expect_err("it isn't opened").kind()
    };
    assert_eq!(kind(&slot("other"), revision, &sealed), StoreErrorKind::Unreadable);
    assert_eq!(kind(&home, Revision::new(8), &sealed), StoreErrorKind::Unreadable);
    for at in 0..sealed.as_bytes().len() {
        let mut damaged = sealed.as_bytes().to_vec();
        damaged[at] ^= 0x40;
        let expected = match at {
            0 => StoreErrorKind::NewerFormat,
            1..=8 => StoreErrorKind::UnknownKey,
            _ => StoreErrorKind::Unreadable,
        };
        assert_eq!(kind(&home, revision, &damaged.into()), expected, "at {at}");
        let cut = sealed.as_bytes().slice(..at).into();
        assert_eq!(kind(&home, revision, &cut), StoreErrorKind::Unreadable, "cut at {at}");
    }
}

#[test]
fn keys_are_changed_by_accepting_the_new_one_first() {
    let (slot, revision, body) = (slot("billing"), Revision::new(1), Body::from(&b"the token"[..]));
    let old = seal(&Keys::new(MASTER));
    let both = seal(&Keys::new(MASTER).accept(OTHER));
    let turned = seal(&Keys::new(OTHER).accept(MASTER));
    let new = seal(&Keys::new(OTHER));
    for (writer, readers, others) in [
        (&old, vec![&old, &both, &turned], vec![&new]),
        (&both, vec![&old, &both, &turned], vec![&new]),
        (&turned, vec![&both, &turned, &new], vec![&old]),
    ] {
        let sealed = writer.wrap(&slot, revision, &body).expect("sealed");
        for reader in readers {
            assert_eq!(reader.unwrap(&slot, revision, &sealed).expect("opened"), body);
        }
        for other in others {
            let error = other.unwrap(&slot, revision, &sealed).expect_err("an unknown key");
            assert_eq!(error.kind(), StoreErrorKind::UnknownKey);
        }
    }
}

#[test]
fn a_key_is_32_bytes_in_base64_and_nothing_else() {
    let words = |key: SecretSource| Keys::new(MASTER).accept(key).read().err().expect("refused").to_string();
    let ours = "the key to seal with is not 32 bytes in base64; `openssl rand -base64 32` prints one";
    for wrong in [
        "a password",
        &"ab".repeat(32),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=\n",
        "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83v",
        "_-__q83vq83vq83vq83vq83vq83vq83vq83vq83vq80=",
    ] {
        assert_eq!(words(wrong.into()), ours, "{wrong}");
    }
    assert_eq!(words("".into()), "the key to seal with is empty; check where it comes from");
    let asked = SecretSource::from_fn(|| async { Ok(MASTER.into()) });
    assert_eq!(
        words(asked),
        "a key to seal with can't come from a closure that is waited for; read it first"
    );
    let looked_at = SecretSource::from_sync_fn(|| Ok("s3cret".into()));
    assert_eq!(words(looked_at), format!("{ours}: [closure]"));
    let missing = SecretSource::env("TOWER_REAUTH_NO_SUCH_KEY");
    assert!(words(missing).starts_with("the key to seal with in env:TOWER_REAUTH_NO_SUCH_KEY can't be read"));
    assert!(!format!("{:?}", Keys::new(MASTER)).contains("AAEC"));
}

#[test]
fn what_is_not_sealed_is_not_taken_for_sealed_nor_the_other_way_round() {
    use crate::store::plain::Plain;

    let (seal, slot, revision) = (seal(&Keys::new(MASTER)), slot("billing"), Revision::new(1));
    let body = Body::from(&b"the token"[..]);
    let (sealed, plain) = (seal.wrap(&slot, revision, &body), Plain.wrap(&slot, revision, &body));
    let (sealed, plain) = (sealed.expect("sealed"), plain.expect("plain"));
    assert_eq!(Plain.unwrap(&slot, revision, &plain).expect("plain"), body);
    let kind = |opened: Result<Body, StoreError>| opened.expect_err("refused").kind();
    assert_eq!(kind(seal.unwrap(&slot, revision, &plain)), StoreErrorKind::Unreadable);
    assert_eq!(kind(Plain.unwrap(&slot, revision, &sealed)), StoreErrorKind::UnknownKey);
    assert_eq!(kind(Plain.unwrap(&slot, revision, &Body::from(&b"\x07"[..]))), StoreErrorKind::NewerFormat);
    assert_eq!(Plain.secret_digest(&slot, b"s3cret"), None);
}
