//! Limits, buffers and load shedding, above the layer and beneath it. `readiness.rs` has what must hold with one place.

use std::{pin::pin, time::Duration};

use http::StatusCode;
use tower::{
    Layer, ServiceBuilder, ServiceExt,
    limit::{ConcurrencyLimit, ConcurrencyLimitLayer},
    load_shed::error::Overloaded,
};
use tower_reauth::{
    AuthOutcome, Transport,
    testing::{On, Revoked, Times},
};

use crate::support::{Gate, api_video, client, gated, is_waiting, send, send_all, soon, vervoe};

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn above_the_layer_a_call_that_waits_for_its_token_takes_a_place_and_beneath_it_none() {
    for is_above in [true, false] {
        let (subject, answer) = (api_video().await, Gate::new());
        let layer = subject.layer_over(gated(&answer));
        let (place, client) = (ConcurrencyLimitLayer::new(1), client());
        let service = if is_above {
            ServiceBuilder::new().layer(place).layer(layer).service(client).map_err(Into::into).boxed_clone()
        } else {
            ServiceBuilder::new().layer(layer).layer(place).service(client).boxed_clone()
        };
        answer.hold(1);
        let waiting = tokio::spawn(send(&service, subject.request()));
        answer.held(1).await;
        let mut next = service.clone();
        assert_eq!(is_waiting(pin!(next.ready())).await, is_above);
        // It may have taken the place.
        drop(next);
        answer.release(1);
        assert_eq!(soon(waiting).await.unwrap().unwrap().status(), StatusCode::OK);
    }
}

/// tower's `RateLimit` can't be cloned. A buffer makes it so, for all clones together.
#[tokio::test]
async fn beneath_the_layer_a_rate_limit_counts_replays_and_above_it_calls() {
    for (is_above, calls) in [(true, 3), (false, 1)] {
        let subject = api_video().await;
        let layer = subject.layer();
        let builder = ServiceBuilder::new();
        let service = if is_above {
            builder.buffer(8).rate_limit(3, NEVER).layer(layer.clone()).service(client()).boxed_clone()
        } else {
            builder.layer(layer.clone()).buffer(8).rate_limit(3, NEVER).service(client()).boxed_clone()
        };
        soon(layer.tokens().get(Duration::ZERO)).await.unwrap();
        for _ in 0..calls {
            subject.controls.revoke(Revoked::Expired);
            let answered = send(&service, subject.request()).await.unwrap();
            assert!(answered.outcome().is_some_and(AuthOutcome::replayed));
        }
        if !is_above {
            // Two of three are spent, so the rejection is the last that gets through: its replay has to wait.
            subject.controls.revoke(Revoked::Expired);
        }
        let one_more = tokio::time::timeout(Duration::from_millis(200), send(&service, subject.request()));
        assert!(one_more.await.is_err());
        let sends = if is_above { 6 } else { 3 };
        assert_eq!(subject.counts().api_calls, sends);
        assert_eq!(subject.counts().refreshes, if is_above { 3 } else { 2 });
    }
}

/// A limit on all that goes to the vendor covers the token requests if these go through the same client.
#[tokio::test]
async fn a_rate_limit_that_token_requests_share_counts_them_too() {
    let subject = vervoe().await;
    let limited = ServiceBuilder::new().buffer(8).rate_limit(4, NEVER).service(client());
    let service = subject.layer_over(Transport::new(limited.clone())).layer(limited);
    send(&service, subject.request()).await.unwrap();
    send(&service, subject.request()).await.unwrap();
    send(&service, subject.request()).await.unwrap();
    let one_more = tokio::time::timeout(Duration::from_millis(200), send(&service, subject.request()));
    assert!(one_more.await.is_err());
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 3));
}

#[tokio::test]
async fn a_buffer_may_be_on_either_side() {
    for is_above in [true, false] {
        let subject = api_video().await;
        let builder = ServiceBuilder::new();
        let service = if is_above {
            builder.buffer(1).layer(subject.layer()).service(client()).boxed_clone()
        } else {
            builder.layer(subject.layer()).buffer(1).service(client()).boxed_clone()
        };
        for round in 1..=3 {
            let answers = send_all(&service, 30, || subject.request()).await;
            assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
            let counts = subject.counts();
            assert_eq!((counts.token_calls(), counts.api_accepted), (round, 30 * round));
            assert_eq!(counts.api_calls, 30 * round + counts.api_unauthorised);
            subject.controls.revoke(Revoked::Expired);
        }
    }
}

/// Above the layer it looks at the load before a call is taken on. Beneath it, calls that have waited for their token
/// meet the load when that comes, all at once. `readiness.rs` has the other order.
#[tokio::test]
async fn beneath_the_layer_load_shed_turns_calls_away_that_have_waited_for_their_token() {
    let (subject, token, api) = (api_video().await, Gate::new(), Gate::new());
    let service = ServiceBuilder::new()
        .layer(subject.layer_over(gated(&token)))
        .load_shed()
        .service(ConcurrencyLimit::new(api.guard(client()), 1));
    token.hold(1);
    api.hold(1);
    let waiting = send_all(&service, 10, || subject.request());
    let (answers, ()) = tokio::join!(waiting, async {
        token.held(1).await;
        token.release(1);
        api.held(1).await;
        api.release(1);
    });
    let (fine, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(shed.into_iter().all(|answer| answer.unwrap_err().is::<Overloaded>()));
    assert_eq!((fine.len(), subject.counts().api_calls), (1, 1));
}

/// The token is there for the next call.
#[tokio::test]
async fn a_replay_that_is_turned_away_is_the_clients_failure() {
    let (subject, token, api) = (api_video().await, Gate::new(), Gate::new());
    let limited = ConcurrencyLimit::new(api.guard(client()), 1);
    let layer = subject.layer_over(gated(&token));
    let service = ServiceBuilder::new().layer(layer.clone()).load_shed().service(limited.clone());
    send(&service, subject.request()).await.unwrap();
    subject.controls.fail(On::Api, Times::Next(1), subject.expired.clone());
    token.hold(1);
    let replaying = tokio::spawn(send(&service, subject.request()));
    token.held(1).await;
    // Somebody else takes the place in the meantime.
    let mut other = limited;
    soon(other.ready()).await.unwrap();
    token.release(1);
    assert!(soon(replaying).await.unwrap().unwrap_err().is::<Overloaded>());
    drop(other);
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (2, 3));
}
