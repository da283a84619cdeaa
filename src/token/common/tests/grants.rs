//! Refresh tokens that are used up by their use.

use super::*;
use crate::{error::AuthErrorKind, token::RefreshPolicy};

#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_is_stored_before_its_access_token_is_used() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    assert_eq!(text(&tokens).await, "token-1");
    let record = store.record();
    assert!(record.claim.is_none() && record.note.is_none(), "{record:?}");
    let body = String::from_utf8(record.body.as_bytes().to_vec()).expect("plain");
    assert!(body.contains("grant-1"), "{body}");
    assert!(tokens.state().unsaved_since().is_none());
    // The next process begins with it.
    sleep(601 * SECOND).await;
    assert_eq!(text(&server.process(&store)).await, "token-2");
    assert_eq!(server.reused(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_note_is_there_before_the_refresh_token_is_sent_and_outlives_its_process() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(601 * SECOND).await;
    server.next([Act::Hang]);
    let runtime = tokio::spawn({
        let tokens = server.process(&store);
        async move { get(&tokens).await.map(drop) }
    });
    sleep(SECOND / 2).await;
    let record = store.record();
    assert_eq!(record.note.as_ref().expect("noted").revision, record.revision);
    runtime.abort();
}

#[tokio::test(start_paused = true)]
async fn a_grant_of_unknown_fate_is_not_sent_where_there_is_another() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(601 * SECOND).await;
    // As a process that was killed has left it.
    store.change(|record| {
        record.note =
            Some(crate::store::Note::new(record.revision, crate::store::Nonce::random(), record.saved_at));
    });
    assert_eq!(text(&server.process(&store)).await, "token-2");
    assert_eq!((server.calls(), server.reused()), (2, 0));
    assert!(store.record().note.is_none(), "a saved token ends it");
    assert_eq!(*server.0.spent.lock().expect("no panic"), Vec::<String>::new(), "it asked anew");
}

#[tokio::test(start_paused = true)]
async fn where_it_is_the_only_one_it_is_sent_again_once_and_not_soon() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(595 * SECOND).await;
    store.change(|record| {
        let now = record.saved_at.after(595 * SECOND);
        record.note = Some(crate::store::Note::new(record.revision, crate::store::Nonce::random(), now));
    });
    let tokens = server.process(&store);
    assert_eq!(text(&tokens).await, "token-1", "it is valid");
    sleep(6 * SECOND).await;
    let error = get(&tokens).await.expect_err("in doubt");
    assert_eq!(error.to_string(), "no server can be asked for a token for now; try again later");
    assert!(error.retry_at().is_some_and(|at| at <= Instant::now() + 12 * SECOND), "{error:?}");
    assert_eq!(server.calls(), 1);
    sleep(12 * SECOND).await;
    assert_eq!(text(&tokens).await, "token-2");
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_for_want_of_a_secret_is_in_nobodys_doubt() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(601 * SECOND).await;
    server.next([Act::Mislay]);
    let error = get(&server.process(&store)).await.expect_err("no secret");
    assert_eq!(error.kind(), AuthErrorKind::NoSecret);
    sleep(SECOND / 10).await;
    assert!(store.record().note.is_none(), "nobody has sent it");
    assert_eq!(text(&server.process(&store)).await, "token-3");
    assert_eq!(server.reused(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_grant_is_told_to_those_who_would_send_it_too() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let (one, other) = (server.process(&store), server.process(&store));
    text(&one).await;
    text(&other).await;
    sleep(601 * SECOND).await;
    server.next([Act::Refuse]);
    get(&one).await.expect_err("refused");
    sleep(60 * SECOND).await;
    get(&other).await.expect_err("told");
    assert_eq!(server.calls(), 2);
    assert!(store.record().note.is_some_and(|note| note.refused));
}

#[tokio::test(start_paused = true)]
async fn a_superseded_flight_that_has_sent_it_saves_what_it_gets_and_hands_nothing_over() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    sleep(601 * SECOND).await;
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { text(&tokens).await }
    });
    sleep(SECOND / 2).await;
    tokens.invalidate();
    assert_eq!(caller.await.expect("no panic"), "token-3", "by the refresh token that the lost one brought");
    assert_eq!(server.reused(), 0);
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["grant-1", "grant-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_flight_as_short_as_an_attempt_sends_it_nevertheless() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let policy = RefreshPolicy::default().flight_deadline(4 * SECOND);
    let tokens = TokenCache::with_policy(server.clone(), policy);
    tokens.share(store.slot()).expect("shared");
    assert_eq!(text(&tokens).await, "token-1");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_whose_successor_was_sent_is_known_to_be_spent() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(601 * SECOND).await;
    // The store has lost a revision, and somebody who knew that has begun to renew it.
    store.change(|record| {
        let newer = record.revision.next();
        record.note = Some(crate::store::Note::new(newer, crate::store::Nonce::random(), record.saved_at));
    });
    let error = get(&server.process(&store)).await.expect_err("it is spent");
    assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!(server.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_the_other_grant_says_nothing_of_a_refresh_token_that_was_sent() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(601 * SECOND).await;
    server.next([Act::Lose, Act::Throttle]);
    get(&server.process(&store)).await.expect_err("busy");
    assert!(store.record().note.is_some(), "nobody knows what has become of it");
    sleep(60 * SECOND).await;
    assert_eq!(text(&server.process(&store)).await, "token-4");
    assert_eq!(server.reused(), 0);
}
