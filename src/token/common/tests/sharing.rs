//! One token for all.

use futures_util::future::join_all;
use tokio::time::sleep_until;

use super::*;
use crate::{
    error::AuthErrorKind,
    observe::Reason,
    store::{Revision, Standing},
};

#[tokio::test(start_paused = true)]
async fn a_cold_start_of_many_processes_is_one_call() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(3600 * SECOND)));
    let fleet: Vec<_> = (0..20).map(|_| server.process(&store)).collect();
    let texts = join_all(fleet.iter().map(text)).await;
    assert!(texts.iter().all(|text| text == "token-1"), "{texts:?}");
    assert_eq!(server.calls(), 1);
    assert!(fleet.iter().all(|tokens| tokens.state().is_shared()));
}

#[tokio::test(start_paused = true)]
async fn a_start_with_a_stored_token_is_no_call_and_one_command() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    text(&server.process(&store)).await;
    sleep(600 * SECOND).await;
    let before = store.calls();
    let tokens = server.process(&store);
    assert_eq!(text(&tokens).await, "token-1");
    assert_eq!((server.calls(), store.calls() - before), (1, 1));
    let left = tokens.try_get().expect("valid").remaining().expect("known");
    assert!(left <= 3000 * SECOND && left > 2990 * SECOND, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn an_expiry_is_one_refresh_for_all() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    let fleet: Vec<_> = (0..10).map(|_| server.process(&store)).collect();
    for lifetime in 1..=3 {
        let texts = join_all(fleet.iter().map(text)).await;
        assert!(texts.iter().all(|text| *text == format!("token-{lifetime}")), "{texts:?}");
        sleep(3601 * SECOND).await;
    }
    assert_eq!((server.calls(), server.reused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn an_early_renewal_is_one_refresh_for_all_and_nobody_waits() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    let fleet: Vec<_> = (0..10).map(|_| server.process(&store)).collect();
    join_all(fleet.iter().map(text)).await;
    sleep(3590 * SECOND).await;
    let texts = join_all(fleet.iter().map(text)).await;
    assert!(texts.iter().all(|text| text == "token-1"), "the token is still valid: {texts:?}");
    sleep(4 * SECOND).await;
    let texts = join_all(fleet.iter().map(text)).await;
    assert!(texts.iter().all(|text| text == "token-2"), "{texts:?}");
    assert_eq!((server.calls(), server.reused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_the_fleets_and_costs_one_call() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    let fleet: Vec<_> = (0..10).map(|_| server.process(&store)).collect();
    let leases = join_all(fleet.iter().map(get)).await;
    let newer =
        fleet.iter().zip(&leases).map(|(tokens, lease)| tokens.reject(lease.as_ref().expect("a token")));
    for lease in join_all(newer).await {
        assert_eq!(lease.expect("a newer one").token().expose_secret(), "token-2");
    }
    assert_eq!((server.calls(), server.reused()), (2, 0));
    // A late one of the first, by somebody who hasn't seen the second.
    let late = server.process(&store);
    assert_eq!(text(&late).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_rejects_everything_costs_a_fleet_what_it_costs_one() {
    async fn calls_in_a_minute(processes: usize) -> usize {
        let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
        let fleet: Vec<_> = (0..processes).map(|_| server.process(&store)).collect();
        for _ in 0..240 {
            for (tokens, lease) in fleet.iter().zip(join_all(fleet.iter().map(get)).await) {
                let lease = lease.expect("there is always one to try");
                tokens.mark_rejected(lease.generation(), Reason::Expired);
            }
            sleep(SECOND / 4).await;
        }
        assert_eq!(server.reused(), 0);
        server.calls()
    }
    let (one, many) = (calls_in_a_minute(1).await, calls_in_a_minute(30).await);
    assert!(one > 3, "{one}");
    assert!(many <= one + 1, "{many} for a fleet, {one} for one");
}

#[tokio::test(start_paused = true)]
async fn a_failure_answers_all_who_waited_in_all_processes() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, None));
    server.next([Act::Fail; 3]);
    let fleet: Vec<_> = (0..10).map(|_| server.process(&store)).collect();
    let results = join_all(fleet.iter().map(get)).await;
    assert!(results.iter().all(Result::is_err), "{results:?}");
    assert_eq!(server.calls(), 3, "the attempts of one flight");
}

#[tokio::test(start_paused = true)]
async fn who_is_to_stay_away_stays_away_in_all_processes() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, None));
    server.next([Act::Throttle]);
    let fleet: Vec<_> = (0..10).map(|_| server.process(&store)).collect();
    for tokens in &fleet {
        let error = get(tokens).await.expect_err("busy");
        assert!(error.retry_at().is_some_and(|at| at > Instant::now() + 15 * SECOND), "{error:?}");
    }
    assert_eq!(server.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_holds_back_a_call_does_not_hold_back_a_look() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, None));
    server.next([Act::Throttle]);
    let (one, other) = (server.process(&store), server.process(&store));
    get(&one).await.expect_err("busy");
    get(&other).await.expect_err("so it is told");
    // It comes back a little later than others, as each of them does.
    let third = server.process(&store);
    while get(&third).await.is_err() {
        sleep(SECOND / 10).await;
    }
    assert!(get(&one).await.is_ok() && get(&other).await.is_ok(), "whatever they wait for by themselves");
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_invalidated_is_not_taken_from_others_again() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(3600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    tokens.invalidate();
    assert_eq!(text(&tokens).await, "token-2");
    assert_eq!(text(&server.process(&store)).await, "token-2");
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_is_taken_by_nobody_any_more() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    let (one, other) = (server.process(&store), server.process(&store));
    text(&one).await;
    text(&other).await;
    one.revoke().await.expect("revoked");
    assert_eq!(*server.0.revoked.lock().expect("no panic"), ["token-1"]);
    assert_eq!(text(&server.process(&store)).await, "token-2", "a new one starts without it");
    sleep(601 * SECOND).await;
    // The other one has the refresh token in mind, which is dead too, and learns it.
    assert_eq!(text(&other).await, "token-3");
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["grant-2"]);
    assert_eq!(server.reused(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_process_without_the_token_can_revoke_it_too() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    server.process(&store).revoke().await.expect("revoked");
    assert_eq!(*server.0.revoked.lock().expect("no panic"), ["token-1"]);
    assert_eq!(text(&server.process(&store)).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_under_way_when_a_cache_has_settled() {
    let (store, server) = (Shelves::new(), Server::new(Grants::SingleUse, Some(600 * SECOND)));
    let tokens = server.process(&store);
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { get(&tokens).await.map(drop) }
    });
    sleep(SECOND / 2).await;
    caller.abort();
    tokens.settled().await;
    assert!(!tokens.state().acquiring() && tokens.state().unsaved_since().is_none());
    assert!(!store.record().body.as_bytes().is_empty(), "it is saved");
    assert_eq!(text(&server.process(&store)).await, "token-1");
}

#[tokio::test(start_paused = true)]
async fn whoever_ends_when_a_cache_has_settled_has_told_others_of_its_failure() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    for _ in 0..3 {
        let tokens = server.process(&store);
        server.next([Act::WrongKey]);
        assert!(get(&tokens).await.is_err());
        tokens.settled().await;
        assert!(store.record().claim.is_none(), "nobody has to wait for a process that has ended");
    }
    assert_eq!(server.calls(), 1, "a wrong key is sent once");
    // Nobody waits for what is looked at later, after a token was saved.
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    let tokens = server.process(&store);
    text(&tokens).await;
    let since = Instant::now();
    tokens.settled().await;
    assert!(since.elapsed() < SECOND, "{:?}", since.elapsed());
}

/// Programs that end after a request or two, and whose token is revoked before each.
#[tokio::test(start_paused = true)]
async fn short_programs_whose_tokens_are_accepted_begin_no_row_together() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(3600 * SECOND)));
    for _ in 0..10 {
        let tokens = server.process(&store);
        let lease = get(&tokens).await.expect("a token");
        let newer = tokens.reject(&lease).await.expect("another at once");
        assert_ne!(newer.generation(), lease.generation());
        tokens.mark_accepted(newer.generation());
        tokens.settled().await;
        assert_eq!(store.record().rejections, 0);
    }
    assert_eq!(server.calls(), 11);
    // Who has nothing to tell asks the store for nothing.
    let tokens = server.process(&store);
    let lease = get(&tokens).await.expect("a token");
    tokens.mark_accepted(lease.generation());
    let calls = store.calls();
    tokens.settled().await;
    assert_eq!(store.calls(), calls);
    // Of one that nobody has accepted there is nothing to tell.
    tokens.reject(&lease).await.expect("another at once");
    tokens.settled().await;
    assert_eq!(store.record().rejections, 1);
}

#[tokio::test(start_paused = true)]
async fn the_budget_for_rejections_is_the_fleets() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(86_400 * SECOND)));
    let fleet: Vec<_> = (0..5).map(|_| server.process(&store)).collect();
    // Accepted on one path, rejected on another, at once.
    for _ in 0..60 {
        for tokens in &fleet {
            let lease = get(tokens).await.expect("one to try");
            tokens.mark_accepted(lease.generation());
            tokens.mark_rejected(lease.generation(), Reason::Expired);
        }
    }
    let calls = server.calls();
    assert!((11..=40).contains(&calls), "ten at once and one for each 5 s, in about {calls} s: {calls}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_again_after_its_rejection_pauses_all() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(3600 * SECOND)));
    let fleet: Vec<_> = (0..5).map(|_| server.process(&store)).collect();
    join_all(fleet.iter().map(text)).await;
    server.next([Act::Again; 100]);
    for _ in 0..20 {
        for tokens in &fleet {
            let lease = get(tokens).await.expect("one to try");
            tokens.mark_rejected(lease.generation(), Reason::Expired);
            assert_eq!(lease.token().expose_secret(), "token-1");
        }
        sleep(SECOND / 10).await;
    }
    assert!((2..=4).contains(&server.calls()), "{} in two seconds and what the calls take", server.calls());
}

#[tokio::test(start_paused = true)]
async fn a_refused_secret_is_refused_once_for_all_until_somebody_has_another() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, None));
    server.next([Act::WrongKey; 2]);
    let fleet: Vec<_> = (0..10).map(|_| server.process(&store)).collect();
    for tokens in &fleet {
        let error = get(tokens).await.expect_err("refused");
        assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected, "{error:?}");
    }
    assert_eq!(server.calls(), 1, "no account is locked by a fleet");
    // The program of one of them has another one, which is as wrong.
    fleet[3].invalidate();
    get(&fleet[3]).await.expect_err("refused");
    assert_eq!(server.calls(), 2);
    fleet[5].invalidate();
    assert_eq!(text(&fleet[5]).await, "token-3", "it doesn't wait for what others were told");
    assert_eq!(text(&fleet[0]).await, "token-3", "and all have what it got");
    assert_eq!(server.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_lives_as_long_for_others_as_for_who_has_got_it() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(600 * SECOND)));
    // The claim is renewed while the call runs.
    server.next([Act::Slow]);
    let one = server.process(&store);
    text(&one).await;
    let other = server.process(&store);
    text(&other).await;
    let ends = [&one, &other].map(|tokens| tokens.state().expires_at().expect("known"));
    assert!(ends[1] <= ends[0] && ends[1] + SECOND / 10 > ends[0], "{:?}", ends[0] - ends[1]);
}

#[tokio::test(start_paused = true)]
async fn who_starts_in_a_pause_is_told_of_it_and_asks_the_store_no_more() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(3600 * SECOND)));
    text(&server.process(&store)).await;
    store.change(|record| (record.standing, record.rejections) = (Standing::Rejected, 3));
    let (calls, before) = (server.calls(), store.calls());
    let other = server.process(&store);
    let error = get(&other).await.expect_err("there is no other");
    assert_eq!(error.kind(), AuthErrorKind::Paused);
    let over = error.retry_at().expect("a pause has an end");
    for _ in 0..10 {
        get(&other).await.expect_err("it isn't over");
    }
    assert_eq!((server.calls(), store.calls() - before), (calls, 4), "two claims, a release, and a look");
    sleep_until(over).await;
    assert_eq!(text(&other).await, format!("token-{}", calls + 1));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_keeps_nobody_waiting_for_the_budget() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(3600 * SECOND)));
    text(&server.process(&store)).await;
    store.change(|record| {
        (record.standing, record.rejections) = (Standing::Rejected, 1);
        record.full_at = record.saved_at.after(7 * 3600 * SECOND);
    });
    let tokens = server.process(&store);
    let error = get(&tokens).await.expect_err("the budget is empty at worst");
    let over = error.retry_at().expect("it fills up");
    assert!(over <= Instant::now() + 5 * SECOND, "{error:?}");
    sleep_until(over).await;
    assert_eq!(text(&tokens).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn who_tries_a_token_in_a_pause_does_not_wait_for_the_look_that_this_begins() {
    let (store, server) = (Shelves::new(), Server::new(Grants::Reusable, Some(3600 * SECOND)));
    let tokens = server.process(&store);
    let lease = loop {
        let lease = get(&tokens).await.expect("one to try");
        if lease.is_rejected() {
            break lease;
        }
        tokens.mark_rejected(lease.generation(), Reason::Expired);
    };
    assert!(tokens.state().acquiring(), "it looks");
    assert!(tokens.still_stands(&lease).is_some_and(|lease| lease.is_rejected()));
}

#[tokio::test(start_paused = true)]
async fn what_was_on_its_way_when_all_was_revoked_is_used_by_nobody() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    text(&server.process(&store)).await;
    let tokens = server.process(&store);
    text(&tokens).await;
    sleep(601 * SECOND).await;
    let caller = tokio::spawn(async move { text(&tokens).await });
    sleep(SECOND / 2).await;
    // As `revoke` leaves it which has waited for long enough.
    store.change(|record| {
        record.revision = record.revision.next();
        (record.standing, record.body) = (Standing::Revoked, Vec::new().into());
        (record.claim, record.note) = (None, None);
    });
    assert_eq!(caller.await.expect("no panic"), "token-3");
    assert_eq!(*server.0.spent.lock().expect("no panic"), ["grant-1"], "nor what came with it");
}

#[tokio::test(start_paused = true)]
async fn what_is_overtaken_by_what_others_asked_for_is_not_to_be_saved_any_more() {
    let (store, server) = (Shelves::new(), Server::new(Grants::RefreshThenOther, Some(600 * SECOND)));
    let tokens = server.process(&store);
    let caller = tokio::spawn({
        let tokens = tokens.clone();
        async move { text(&tokens).await }
    });
    sleep(SECOND / 2).await;
    store.set(Mood::Hangs);
    assert_eq!(caller.await.expect("no panic"), "token-1");
    assert!(tokens.state().unsaved_since().is_some());
    store.set(Mood::Well);
    store.change(|record| {
        let kept = r#"{"format":1,"access_token":"x","mark":"other"}"#;
        record.revision = Revision::new(record.goes_at.millis());
        record.body = [&[0], kept.as_bytes()].concat().into();
    });
    sleep(65 * SECOND).await;
    assert!(tokens.state().unsaved_since().is_none());
}
