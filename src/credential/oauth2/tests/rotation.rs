//! Refresh tokens that change (RFC 6749 §6).

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::{
    credential::oauth2::refresh_token::RefreshToken,
    error::{AcquireErrorKind, ErrorCode},
};

/// Where refresh tokens are saved, and whether that works.
#[derive(Clone, Default)]
struct Shelf {
    tokens: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Shelf {
    fn saves(&self, builder: RefreshToken) -> RefreshToken {
        let shelf = self.clone();
        builder.persist(move |token: SecretString| {
            let shelf = shelf.clone();
            async move {
                shelf.calls.fetch_add(1, SeqCst);
                if shelf.broken.load(SeqCst) {
                    return Err("disk full".into());
                }
                shelf.tokens.lock().unwrap().push(token.expose_secret().to_owned());
                Ok(())
            }
        })
    }

    fn tokens(&self) -> Vec<String> {
        self.tokens.lock().unwrap().clone()
    }
}

fn sent(server: &Server) -> Vec<String> {
    server.seen().iter().map(|seen| seen.field("refresh_token").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_refresh_token_is_saved_and_used_from_then_on() {
    let (server, shelf) = (
        Server::answering([
            (200, with_refresh("a1", "r1")),
            (200, with_refresh("a2", "r2")),
            (200, token("a3")),
            (200, with_refresh("a4", "r2")),
        ]),
        Shelf::default(),
    );
    let credential = shelf.saves(RefreshToken::new(URL, basic(), "r0")).build(server.transport()).unwrap();
    for _ in 0..4 {
        acquire(&credential).await.unwrap();
        assert!(credential.unsaved().is_none());
    }
    assert_eq!(sent(&server), ["r0", "r1", "r2", "r2"], "the old one is kept when none comes back");
    assert_eq!(shelf.tokens(), ["r1", "r2"], "what is saved isn't saved again");
    assert_eq!(credential.refresh_token().unwrap().expose_secret(), "r2");
    assert!(!format!("{credential:?}").contains("r2"));
}

#[tokio::test]
async fn what_cannot_be_saved_is_used_from_memory_shown_and_tried_again() {
    let (server, shelf) =
        (Server::answering([(200, with_refresh("a1", "r1")), (200, token("a2"))]), Shelf::default());
    shelf.broken.store(true, SeqCst);
    let credential = shelf.saves(RefreshToken::new(URL, basic(), "r0")).build(server.transport()).unwrap();
    assert_eq!(acquire(&credential).await.unwrap().expose_secret(), "a1");
    let unsaved = credential.unsaved().expect("it is shown");
    assert_eq!(unsaved.error().unwrap().to_string(), "disk full");
    let cache = crate::token::TokenCache::new(credential.clone());
    assert_eq!(cache.state().unsaved_since(), Some(unsaved.since()));
    acquire(&credential).await.unwrap();
    assert_eq!(sent(&server), ["r0", "r1"]);
    assert!(credential.unsaved().is_some());
    shelf.broken.store(false, SeqCst);
    credential.save().await;
    assert!(credential.unsaved().is_none() && cache.state().unsaved_since().is_none());
    assert_eq!(shelf.tokens(), ["r1"]);
    let calls = shelf.calls.load(SeqCst);
    acquire(&credential).await.unwrap();
    assert_eq!(shelf.calls.load(SeqCst), calls);
}

#[tokio::test]
async fn a_new_refresh_token_beside_an_unusable_access_token_is_saved_and_used() {
    let (server, shelf) = (
        Server::answering([
            (200, with_refresh("tökén", "r1")),
            (200, json!({"refresh_token": "r2", "token_type": "Bearer"})),
            (200, json!({"access_token": "a3", "refresh_token": "r3", "token_type": "mac"})),
            (200, token("a4")),
        ]),
        Shelf::default(),
    );
    let credential = shelf.saves(RefreshToken::new(URL, basic(), "r0")).build(server.transport()).unwrap();
    for _ in 0..3 {
        let error = acquire(&credential).await.unwrap_err();
        assert!(!crate::credential::scripted::printed(&error).contains("\"r"), "{error:?}");
    }
    assert_eq!(acquire(&credential).await.unwrap().expose_secret(), "a4");
    assert_eq!(sent(&server), ["r0", "r1", "r2", "r3"]);
    assert_eq!(shelf.tokens(), ["r1", "r2", "r3"]);
}

#[tokio::test]
async fn it_is_saved_before_the_access_token_is_handed_out() {
    let server = Server::answering([(200, with_refresh("a1", "r1"))]);
    let (saving, may_end) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (began, end) = (saving.clone(), may_end.clone());
    let credential = RefreshToken::new(URL, basic(), "r0")
        .persist(move |_| {
            let (began, end) = (began.clone(), end.clone());
            async move {
                began.notify_one();
                end.notified().await;
                Ok(())
            }
        })
        .build(server.transport())
        .unwrap();
    let asking = tokio::spawn({
        let credential = credential.clone();
        async move { acquire(&credential).await }
    });
    saving.notified().await;
    tokio::task::yield_now().await;
    assert!(!asking.is_finished());
    assert!(credential.unsaved().expect("not yet").error().is_none());
    may_end.notify_one();
    asking.await.unwrap().unwrap();
    assert!(credential.unsaved().is_none());
}

#[tokio::test(start_paused = true)]
async fn saving_that_hangs_keeps_the_token_waiting_for_five_seconds_at_most() {
    let server = Server::answering([(200, with_refresh("a1", "r1"))]);
    let credential = RefreshToken::new(URL, basic(), "r0")
        .persist(|_| std::future::pending())
        .build(server.transport())
        .unwrap();
    let began = tokio::time::Instant::now();
    acquire(&credential).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert!(credential.unsaved().unwrap().error().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_while_saving_has_not_lost_the_new_one() {
    let server = Server::answering([(200, with_refresh("a1", "r1")), (200, token("a2"))]);
    let credential = RefreshToken::new(URL, basic(), "r0")
        .persist(|_| std::future::pending())
        .build(server.transport())
        .unwrap();
    tokio::time::timeout(Duration::from_secs(1), acquire(&credential)).await.unwrap_err();
    acquire(&credential).await.unwrap();
    assert_eq!(sent(&server), ["r0", "r1"]);
}

#[tokio::test]
async fn on_invalid_grant_the_source_is_read_again_and_tried_if_it_differs() {
    let server = Server::answering([
        (200, with_refresh("a1", "r1")),
        (400, json!({"error": "invalid_grant"})),
        (200, token("a2")),
        (200, token("a3")),
    ]);
    let login = Arc::new(Mutex::new("r0"));
    let source = login.clone();
    let source = SecretSource::from_fn(move || {
        let token = *source.lock().unwrap();
        async move { Ok(token.into()) }
    });
    let credential = RefreshToken::new(URL, basic(), source).build(server.transport()).unwrap();
    acquire(&credential).await.unwrap();
    *login.lock().unwrap() = "n0";
    acquire(&credential).await.unwrap();
    assert_eq!(sent(&server), ["r0", "r1", "n0"]);
    acquire(&credential).await.unwrap();
    assert_eq!(sent(&server)[3], "n0", "the refused one is forgotten");
}

#[tokio::test]
async fn on_invalid_grant_with_nothing_new_to_try_the_credentials_are_rejected() {
    for source in [SecretSource::fixed("r0"), SecretSource::from_fn(|| async { Ok("r0".into()) })] {
        let server = Server::answering([(400, json!({"error": "invalid_grant"}))]);
        let credential = RefreshToken::new(URL, basic(), source).build(server.transport()).unwrap();
        let previous = AccessToken::new("a0").unwrap();
        let error = renew(&credential, &previous).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (AcquireErrorKind::Rejected, Some(ErrorCode::InvalidGrant)));
        server.only();
    }
}

#[tokio::test]
async fn caches_that_share_the_credential_take_turns() {
    let server = Server::answering([(200, with_refresh("a1", "r1")), (200, with_refresh("a2", "r2"))]);
    let credential = RefreshToken::new(URL, basic(), "r0").build(server.transport()).unwrap();
    let (one, other) = tokio::join!(acquire(&credential), acquire(&credential));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(sent(&server), ["r0", "r1"]);
}

#[tokio::test]
async fn all_caches_of_a_credential_send_the_newest_refresh_token() {
    let answers = (1..=5).map(|n| (200, with_refresh(&format!("a{n}"), &format!("r{n}"))));
    let server = Server::answering(answers);
    let credential = RefreshToken::new(URL, basic(), "r0").build(server.transport()).unwrap();
    let (one, other) = (
        crate::token::TokenCache::new(credential.clone()),
        crate::token::TokenCache::with_policy(credential.clone(), crate::token::RefreshPolicy::default()),
    );
    for cache in [&one, &other, &one, &other] {
        cache.get(Duration::ZERO).await.unwrap();
        cache.invalidate();
    }
    assert_eq!(sent(&server), ["r0", "r1", "r2", "r3"]);
    assert_eq!(credential.refresh_token().unwrap().expose_secret(), "r4");
    // Whoever else learns of a newer one puts it where all of them look.
    let kept = credential.describe().refresh_tokens.expect("it keeps its own");
    kept.replace("r9");
    one.get(Duration::ZERO).await.unwrap();
    assert_eq!(sent(&server).last().unwrap(), "r9");
}
