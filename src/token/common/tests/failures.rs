//! A store that fails.

use super::*;
use crate::observe::Reason;

#[tokio::test(start_paused = true)]
async fn a_token_in_memory_is_used_without_the_store() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    for mood in [Mood::Down, Mood::Hangs] {
        store.set(mood);
        let began = Instant::now();
        assert_eq!(text(&tokens).await, "token-1");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
    // Stale, with a store that hangs: still nobody waits.
    sleep(590 * SECOND).await;
    let began = Instant::now();
    assert_eq!(text(&tokens).await, "token-1");
    assert_eq!(began.elapsed(), Duration::ZERO);
    sleep(SECOND).await;
    assert!(tokens.state().store_lost_since().is_some());
    let why = tokens.state().store_error().expect("why").kind();
    assert_eq!(why, StoreErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_a_reusable_grant_goes_alone_and_is_saved_later() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    store.set(Mood::Down);
    let tokens = server.process(&store);
    assert_eq!(text(&tokens).await, "token-1");
    assert!(tokens.state().unsaved_since().is_some() && tokens.state().store_lost_since().is_some());
    assert_eq!(tokens.state().store_error().expect("why").to_string(), "down");
    sleep(30 * SECOND).await;
    store.set(Mood::Well);
    sleep(70 * SECOND).await;
    assert!(tokens.state().unsaved_since().is_none() && tokens.state().store_lost_since().is_none());
    assert!(tokens.state().store_error().is_none());
    assert_eq!(text(&server.process(&store)).await, "token-1");
    assert_eq!(server.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_the_other_grant_is_taken() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    sleep(601 * SECOND).await;
    store.set(Mood::Hangs);
    assert_eq!(text(&tokens).await, "token-2");
    assert_eq!(*server.0.spent.lock().expect("no panic"), Vec::<String>::new(), "no refresh token was sent");
}

#[tokio::test(start_paused = true)]
async fn without_the_store_the_only_grant_is_not_sent() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    store.set(Mood::Down);
    sleep(601 * SECOND).await;
    let error = get(&tokens).await.expect_err("nobody knows");
    assert_eq!(error.to_string(), "no server can be asked for a token for now; try again later");
    assert!(error.retry_at().is_none_or(|at| at <= Instant::now() + 2 * SECOND), "{error:?}");
    assert_eq!(server.calls(), 1);
    store.set(Mood::Well);
    // It was looked at a few times, and is left alone for longer each time.
    sleep(20 * SECOND).await;
    assert_eq!(text(&tokens).await, "token-2");
    assert_eq!(server.reused(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_waits_for_its_saving_for_a_second_and_is_saved_later() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { (text(&tokens).await, Instant::now()) }
    });
    sleep(SECOND / 2).await;
    let asked_at = Instant::now();
    store.set(Mood::Hangs);
    let (token, at) = caller.await.expect("no panic");
    assert_eq!(token, "token-1");
    assert!(at.duration_since(asked_at) < 2 * SECOND, "half a second for the server, and one for the store");
    assert!(tokens.state().unsaved_since().is_some());
    store.set(Mood::Well);
    sleep(65 * SECOND).await;
    assert!(tokens.state().unsaved_since().is_none());
    sleep(600 * SECOND).await;
    assert_eq!(text(&server.process(&store)).await, "token-2");
    assert_eq!(server.reused(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_without_an_answer_is_not_done_twice() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { text(&tokens).await }
    });
    sleep(SECOND / 2).await;
    store.set(Mood::Mute);
    assert_eq!(caller.await.expect("no panic"), "token-1");
    let revision = store.record().revision;
    store.set(Mood::Well);
    sleep(65 * SECOND).await;
    assert!(tokens.state().unsaved_since().is_none());
    assert_eq!(store.record().revision, revision);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_has_lost_what_it_had_gets_it_back_from_who_has_saved_it_just_now() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    store.flush();
    sleep(2 * SECOND).await;
    assert_eq!(text(&server.process(&store)).await, "token-1");
    assert_eq!((server.calls(), server.reused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_store_gets_back_may_have_been_sent_by_somebody_whose_note_it_has_lost() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    store.flush();
    sleep(2 * SECOND).await;
    let other = server.process(&store);
    assert_eq!(text(&other).await, "token-1");
    sleep(601 * SECOND).await;
    assert_eq!(text(&other).await, "token-2");
    assert_eq!(*server.0.spent.lock().expect("no panic"), Vec::<String>::new(), "no refresh token was sent");
    sleep(601 * SECOND).await;
    assert_eq!(text(&other).await, "token-3");
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["grant-2"], "and the next one is as good as any");
}

#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_is_not_sent_by_who_has_saved_it_just_now_if_there_is_another_grant() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(5 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    sleep(31 * SECOND).await;
    // Another process has adopted it, and sent the refresh token. Its note is lost, and so is what came of it.
    server.0.spent.lock().expect("no panic").push("grant-1".to_owned());
    store.flush();
    assert_eq!(text(&tokens).await, "token-2");
    assert_eq!((server.calls(), server.reused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_newest_any_more_is_not_given_back_to_a_store_that_has_lost_it() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(10 * SECOND)));
    let (tokens, other) = (server.process(&store), server.process(&store));
    text(&tokens).await;
    sleep(10 * SECOND).await;
    assert_eq!((text(&other).await, text(&tokens).await), ("token-2".into(), "token-2".into()));
    drop(other);
    store.flush();
    sleep(30 * SECOND).await;
    assert_eq!(store.record(), Record::default(), "grant-1 is spent");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_makes_no_sense_is_a_lost_store_and_left_as_it_is() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    store.change(|record| record.body = b"edited".as_slice().into());
    let error = get(&server.process(&store)).await.expect_err("nobody can read it");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert!(cause.is_some(), "{error:?}");
    assert_eq!(store.record().body.as_bytes(), "edited");
    assert_eq!(server.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_only_grant_is_sent_without_the_store_where_the_program_says_so() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = TokenCache::new(server.clone());
    let slot = store.slot().refreshing_without_lock_while_store_is_lost();
    tokens.share(slot).expect("shared");
    text(&tokens).await;
    store.set(Mood::Down);
    sleep(601 * SECOND).await;
    assert_eq!(text(&tokens).await, "token-2");
    // What was sent without a note is known to the others as soon as they can be told.
    store.set(Mood::Well);
    sleep(70 * SECOND).await;
    assert_eq!(text(&server.process(&store)).await, "token-2");
    assert_eq!((server.calls(), server.reused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_are_the_fleets_and_whoever_is_new_backs_off_as_far_as_the_others() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    let mut tokens = Vec::new();
    for row in 1..=6 {
        server.next([Act::Refuse]);
        let process = server.process(&store);
        get(&process).await.expect_err("refused");
        // Others hear of it after those who wait here.
        sleep(SECOND).await;
        let failure = store.record().failure.expect("it has failed");
        // 30 s at first, which doubles.
        let wait = failure.until.since(failure.at).as_secs_f64();
        let pause = (30.0 * f64::from(1 << (row - 1))).min(600.0);
        assert!((pause - 1.0..=pause + 1.0).contains(&wait), "{row}: {wait} s");
        assert_eq!((failure.in_a_row, server.calls()), (row, row as usize));
        tokens.push(server.process(&store));
        get(tokens.last().expect("one")).await.expect_err("told");
        sleep(Duration::from_secs_f64(pause + 2.0)).await;
    }
    text(&server.process(&store)).await;
    assert_eq!(store.record().failure, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_saved_yet_is_saved_before_it_is_renewed() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { get(&tokens).await.expect("a token").generation() }
    });
    sleep(SECOND / 2).await;
    store.set(Mood::Down);
    let first = caller.await.expect("no panic");
    // It tries to save ever more seldom.
    sleep(20 * SECOND).await;
    assert!(tokens.state().unsaved_since().is_some());
    store.set(Mood::Well);
    tokens.mark_rejected(first, Reason::Expired);
    while let Err(error) = tokens.replace(first).await {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert!(!cause.is_some_and(|cause| cause.contains("already")), "nobody is in doubt: {error:?}");
        sleep(SECOND / 10).await;
        // And asks at once.
        tokens.invalidate();
    }
    assert!(tokens.state().unsaved_since().is_none());
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["first", "grant-1"]);
    assert_eq!(text(&server.process(&store)).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_dropped_when_somebody_else_has_brought_a_token() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    server.next([Act::Hang]);
    let one = server.process(&store);
    let waits = tokio::spawn(async move { (text(&one).await, Instant::now()) });
    sleep(SECOND).await;
    // As somebody who went alone.
    store.set(Mood::Down);
    let other = server.process(&store);
    text(&other).await;
    store.set(Mood::Well);
    let began = Instant::now();
    let (text, at) = waits.await.expect("no panic");
    assert_eq!(text, "token-2");
    assert!(at.duration_since(began) < 8 * SECOND, "{:?}", at.duration_since(began));
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_got_alone_is_newer_than_what_the_store_had_before_it_lost_that() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    let (alone, other) = (server.process(&store), server.process(&store));
    store.set(Mood::Down);
    text(&alone).await;
    store.set(Mood::Well);
    sleep(70 * SECOND).await;
    // It was there, and it is gone.
    text(&other).await;
    store.flush();
    alone.invalidate();
    store.set(Mood::Down);
    assert_eq!(text(&alone).await, "token-2");
    store.set(Mood::Well);
    sleep(600 * SECOND).await;
    assert!(store.record().revision.number() > 1_700_000_000_000, "{:?}", store.record());
    assert_eq!(server.calls(), 2);
}
