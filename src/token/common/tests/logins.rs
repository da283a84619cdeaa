//! Tokens that a program brings, and what is seen of them in the store.

use super::*;
use crate::store::Note;

fn brought(token: &str, lifetime: u64) -> AccessToken {
    let token = AccessToken::new(token).expect("valid");
    token.with_refresh_token("brought").with_lifetime(Duration::from_secs(lifetime))
}

#[tokio::test(start_paused = true)]
async fn what_is_brought_is_everybodys_and_goes_on_with_its_own_refresh_token() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    let (one, two) = (server.process(&store), server.process(&store));
    assert_eq!(text(&two).await, "token-1");
    one.put(brought("login", 100)).await.expect("saved");
    assert_eq!((text(&one).await, server.calls()), ("login".to_owned(), 1));
    assert_eq!(text(&server.process(&store)).await, "login", "the next process takes it");
    // One that has another finds it when it looks for the next.
    two.invalidate();
    assert_eq!((text(&two).await, server.calls()), ("login".to_owned(), 1));
    sleep(101 * SECOND).await;
    assert_eq!((text(&two).await, server.calls()), ("token-2".to_owned(), 2));
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["brought"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_brought_ends_every_failure_and_replaces_what_was_revoked() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(3600 * SECOND)));
    let tokens = server.process(&store);
    server.next([Act::Refuse]);
    get(&tokens).await.expect_err("refused");
    tokens.put(brought("login", 100)).await.expect("saved");
    assert_eq!((text(&tokens).await, server.calls()), ("login".to_owned(), 1));
    assert!(store.record().failure.is_none() && store.record().note.is_none());
    tokens.revoke().await.expect("revoked");
    assert!(tokens.stored().await.expect("asked").is_none());
    tokens.put(brought("again", 100)).await.expect("saved");
    assert_eq!((text(&server.process(&store)).await, server.calls()), ("again".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_is_under_way_is_waited_for_and_its_token_is_not_the_one() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    let other = server.process(&store);
    let call = tokio::spawn(async move { text(&other).await });
    sleep(SECOND / 2).await;
    let tokens = server.process(&store);
    tokens.put(brought("login", 100)).await.expect("saved");
    assert_eq!(call.await.expect("no panic"), "token-1");
    assert_eq!(text(&server.process(&store)).await, "login");
    assert_eq!((text(&tokens).await, server.calls()), ("login".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn without_a_store_it_is_in_memory() {
    let server = Server::new(Grants::RefreshThenOther, Some(3600 * SECOND));
    let tokens = TokenCache::new(server.clone());
    tokens.put(brought("login", 100)).await.expect("taken");
    assert_eq!((text(&tokens).await, server.calls()), ("login".to_owned(), 0));
    assert!(tokens.stored().await.expect("nobody to ask").is_none());
    sleep(101 * SECOND).await;
    assert_eq!(text(&tokens).await, "token-1");
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["brought"]);
}

#[tokio::test(start_paused = true)]
async fn where_the_store_is_down_nothing_changes() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    let tokens = server.process(&store);
    assert_eq!(text(&tokens).await, "token-1");
    store.set(Mood::Down);
    tokens.put(brought("login", 100)).await.expect_err("not saved");
    assert_eq!(text(&tokens).await, "token-1");
    tokens.stored().await.expect_err("not asked");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_store_can_be_looked_at() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(3600 * SECOND)));
    let tokens = server.process(&store);
    assert!(tokens.stored().await.expect("asked").is_none());
    tokens.put(brought("login", 100)).await.expect("saved");
    let stored = tokens.stored().await.expect("asked").expect("there");
    assert!(stored.is_usable() && stored.has_refresh_token() && !stored.is_in_doubt() && !stored.is_dead());
    let left = stored.remaining().expect("known");
    assert!(left > 99 * SECOND && left <= 100 * SECOND, "{left:?}");
    sleep(100 * SECOND).await;
    let stored = tokens.stored().await.expect("asked").expect("there");
    assert!(!stored.is_usable() && stored.remaining() == Some(Duration::ZERO) && stored.failure().is_none());
    let now = store.record().saved_at;
    store.change(|record| record.note = Some(Note::new(record.revision, crate::store::Nonce::random(), now)));
    let stored = tokens.stored().await.expect("asked").expect("there");
    assert!(stored.is_in_doubt() && !stored.is_dead());
    store.change(|record| record.note = None);
    server.next([Act::Refuse]);
    get(&tokens).await.expect_err("refused");
    // Whoever has waited hears of it before the store does.
    sleep(SECOND).await;
    let stored = tokens.stored().await.expect("asked").expect("there");
    assert!(stored.is_dead() && !stored.is_in_doubt(), "{stored:?} {:?}", store.record());
    assert!(stored.failure().is_some_and(|why| why.contains("spent")), "{stored:?}");
    assert!(!format!("{stored:?}").contains("brought"));
}

#[tokio::test(start_paused = true)]
async fn a_login_ends_a_row_of_rejections_whether_there_was_a_logout_before_it() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    for leaves in [false, true] {
        // Each time another process, so that what one has in mind is no part of it.
        for _ in 0..3 {
            let tokens = server.process(&store);
            let lease = get(&tokens).await.expect("a token");
            sleep(120 * SECOND).await;
            tokens.reject(&lease).await.expect("after so long");
        }
        assert!(store.record().rejections >= 2, "{:?}", store.record());
        if leaves {
            server.process(&store).revoke().await.expect("revoked");
        }
        server.process(&store).put(brought("login", 3000)).await.expect("saved");
        assert_eq!(store.record().rejections, 0, "{:?}", store.record());
        let tokens = server.process(&store);
        let lease = get(&tokens).await.expect("a token");
        let (calls, began) = (server.calls(), Instant::now());
        tokens.reject(&lease).await.expect("another at once");
        assert_eq!(
            (server.calls(), began.elapsed().as_secs()),
            (calls + 1, 1),
            "what the call takes, and no pause"
        );
    }
}
