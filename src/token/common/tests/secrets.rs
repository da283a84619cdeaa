//! Processes of which not all have the same secret, as when a new one is being deployed.

use secrecy::SecretString;

use super::*;
use crate::{
    error::AuthErrorKind,
    store::{Keys, SealedStore},
};

const KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

/// A process's credential, with a password that may be wrong.
struct Keyed {
    server: Server,
    password: &'static str,
}

impl Credential for Keyed {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        if self.password == "right" {
            return self.server.acquire(request).await;
        }
        self.server.0.calls.fetch_add(1, SeqCst);
        sleep(SECOND).await;
        Err(AcquireError::rejected("wrong password"))
    }

    fn current_secret(&self) -> Option<SecretString> {
        Some(self.password.into()).filter(|_| self.password != "unknown")
    }

    fn describe(&self) -> Description {
        self.server.describe()
    }
}

fn process(server: &Server, store: &Shelves, password: &'static str) -> TokenCache {
    let cache = TokenCache::new(Keyed { server: server.clone(), password });
    let sealed = SealedStore::new(store.clone(), &Keys::new(KEY)).expect("a key");
    cache.share(sealed.slot("test").expect("a name").subject("somebody")).expect("shared");
    cache
}

async fn refused(tokens: &TokenCache) {
    assert_eq!(get(tokens).await.expect_err("a wrong password").kind(), AuthErrorKind::CredentialsRejected);
}

#[tokio::test(start_paused = true)]
async fn a_new_password_need_not_wait_for_what_an_old_one_has_earned() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    let (old, same) = (process(&server, &store, "wrong"), process(&server, &store, "wrong"));
    refused(&old).await;
    refused(&same).await;
    refused(&process(&server, &store, "unknown")).await;
    assert_eq!(server.calls(), 1, "they wait together");
    assert_eq!(text(&process(&server, &store, "right")).await, "token-2");
    sleep(SECOND).await;
    assert_eq!((text(&old).await, text(&same).await), ("token-2".into(), "token-2".into()));
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn two_wrong_passwords_are_sent_once_each() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    refused(&process(&server, &store, "wrong")).await;
    refused(&process(&server, &store, "bad")).await;
    for password in ["wrong", "bad", "wrong", "right"] {
        refused(&process(&server, &store, password)).await;
    }
    assert_eq!(server.calls(), 2, "the user would be locked out");
    sleep(31 * SECOND).await;
    assert_eq!(text(&process(&server, &store, "right")).await, "token-3");
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_for_another_password_tries_its_own() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    let (old, new) = (process(&server, &store, "wrong"), process(&server, &store, "right"));
    let asked = tokio::spawn(async move { refused(&old).await });
    sleep(SECOND / 10).await;
    assert_eq!(text(&new).await, "token-2");
    asked.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn only_a_refusal_names_a_password_and_never_in_the_open() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    server.next([Act::Fail; 9]);
    get(&process(&server, &store, "right")).await.expect_err("down");
    // Whoever waits here is told first.
    sleep(SECOND / 10).await;
    assert_eq!(store.record().failure.expect("a failure").whom, None);
    sleep(60 * SECOND).await;
    refused(&process(&server, &store, "wrong")).await;
    sleep(SECOND / 10).await;
    let record = store.record();
    let whom = record.failure.as_ref().expect("a failure").whom.expect("the password's digest");
    let other = SealedStore::new(Shelves::new(), &Keys::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    let shelf = other.expect("a key").slot("test").expect("a name").subject("somebody");
    let digest = server.describe().shelf(&shelf).expect("shared").secret_digest(&"wrong".into());
    assert_ne!(digest, Some(whom), "it needs the key");
}
