//! [`Case`]: what is tried of each entry, as far as it is recorded.

use std::time::Duration;

use tower_reauth::{
    AcquireErrorKind, AuthError,
    AuthErrorKind::{CredentialsRejected, Unavailable},
    AuthOutcome, Verdict,
};

use crate::{
    recording::{Answer, Place, Recording, Written},
    world::{World, chain},
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Case {
    /// The first call, and the second one with the same token.
    Success,
    /// The token's time is over.
    Clock,
    /// The API refuses a token, in the way of this number.
    Expiry(usize),
    /// It says something else with the status of that.
    Other(usize),
    /// Two renewals, so that the newest refresh token has to be used.
    Refresh,
    Refusal,
    Throttling,
    /// An answer of the API that no new token helps, of this number.
    Passed(usize),
}

/// All cases that `recording` has something for.
pub(crate) fn of(recording: &Recording) -> Vec<Case> {
    let mut cases = vec![Case::Success];
    if recording.lifetime.written != Written::Nowhere {
        cases.push(Case::Clock);
    }
    cases.extend((0..recording.expired.len()).map(Case::Expiry));
    let narrow = recording.expired.iter().enumerate().filter(|(_, answer)| !answer.any);
    cases.extend(narrow.map(|(index, _)| Case::Other(index)));
    cases.extend(recording.refresh.as_ref().map(|_| Case::Refresh));
    cases.extend(recording.refused.as_ref().map(|_| Case::Refusal));
    cases.extend(recording.throttled.as_ref().map(|_| Case::Throttling));
    cases.extend((0..recording.passed.len()).map(Case::Passed));
    cases
}

impl Case {
    pub(crate) async fn run(self, recording: &Recording) {
        match self {
            Self::Success => success(recording).await,
            Self::Clock => clock(recording).await,
            Self::Expiry(index) => expiry(recording, index).await,
            Self::Other(index) => other(recording, index).await,
            Self::Refresh => refresh(recording).await,
            Self::Refusal => refusal(recording).await,
            Self::Throttling => throttling(recording).await,
            Self::Passed(index) => passed(recording, recording.passed[index].clone()).await,
        }
    }
}

/// When a token has expired that lives for two seconds. A moment is compared with the answer's `Date`, which may be nearly a
/// second earlier than it was sent.
const EXPIRED: Duration = Duration::from_millis(3_100);

async fn success(recording: &Recording) {
    let world = World::of(recording).await;
    for _ in 0..3 {
        world.succeed().await;
    }
    for line in &recording.api.also {
        let answer = world.call_at(line).await.unwrap();
        assert_eq!(answer.status(), 200, "{line}: {:?}", world.fake.state().complaints);
    }
    world.assert_as_documented();
    let (state, calls) = (world.fake.state(), 3 + recording.api.also.len());
    assert_eq!((state.asked(), state.calls.len()), (usize::from(!recording.is_static()), calls));
    let lease = world.tokens.try_get().expect("a token is there");
    let remaining = lease.remaining().map(|remaining| remaining.as_secs());
    match recording.lifetime.seconds {
        Some(seconds) => {
            let remaining = remaining.expect("how long it lives is known");
            assert!((seconds - 30..=seconds).contains(&remaining), "{remaining} s of {seconds} s are left");
        }
        None => assert_eq!(remaining, None, "nothing says how long it lives"),
    }
    for (name, value) in recording.token.iter().flat_map(|token| &token.members) {
        assert_eq!(lease.token().member(name), Some(&**value), "{name}");
    }
}

async fn clock(recording: &Recording) {
    let world = World::of(recording).await;
    world.fake.state().lifetime = 2;
    world.succeed().await;
    tokio::time::sleep(EXPIRED).await;
    world.fake.state().expire();
    world.succeed().await;
    world.assert_as_documented();
    let state = world.fake.state();
    assert_eq!(state.calls.len(), 2, "the API was never asked with the old token");
    assert_ne!(state.calls[0], state.calls[1]);
    assert_eq!(state.refreshes > 0, recording.refresh.is_some(), "it is renewed as it can be");
}

async fn expiry(recording: &Recording, index: usize) {
    let world = World::of(recording).await;
    world.succeed().await;
    let answer = &recording.expired[index];
    {
        let mut state = world.fake.state();
        state.expired = Some(answer.clone());
        state.expire();
    }
    if recording.is_static() {
        let found = world.call().await.unwrap();
        assert_eq!(found.status(), answer.status);
        assert_eq!(*found.body(), answer.body);
        let outcome = found.extensions().get::<AuthOutcome>().expect("the layer has something to say");
        assert_ne!(outcome.verdict(), Verdict::Accepted, "{outcome:?}");
        assert_eq!(outcome.reason(), answer.says.as_deref());
        return world.assert_as_documented();
    }
    world.succeed().await;
    world.assert_as_documented();
    {
        let mut state = world.fake.state();
        assert_eq!(state.calls.len(), 3, "refused once, and sent once more");
        assert_eq!(state.calls[0], state.calls[1]);
        assert_ne!(state.calls[1], state.calls[2]);
        let refreshes = usize::from(recording.refresh.is_some() && !answer.anew);
        assert_eq!((state.logins, state.refreshes), (2 - refreshes, refreshes));
        state.down = true;
        state.expire();
    }
    let found = world.call().await.unwrap();
    assert_eq!(found.status(), answer.status, "without another token the caller has what the API says");
    let outcome = found.extensions().get::<AuthOutcome>().expect("the layer has something to say");
    assert_eq!(outcome.reason(), answer.says.as_deref());
}

async fn refresh(recording: &Recording) {
    let world = World::of(recording).await;
    let expired = recording.expired.iter().find(|answer| !answer.anew);
    if expired.is_none() {
        world.fake.state().lifetime = 2;
    }
    world.succeed().await;
    for round in 1..=2 {
        match expired {
            Some(answer) => {
                let mut state = world.fake.state();
                state.expired = Some(answer.clone());
                state.expire();
            }
            None => tokio::time::sleep(EXPIRED).await,
        }
        world.succeed().await;
        let state = world.fake.state();
        assert_eq!((state.logins, state.refreshes), (1, round), "{:?}", state.complaints);
    }
    world.assert_as_documented();
}

async fn refusal(recording: &Recording) {
    let world = World::with_wrong_secrets(recording).await;
    let error = world.fail().await;
    world.assert_as_documented();
    let auth = AuthError::find(&*error).unwrap();
    assert_eq!(auth.kind(), CredentialsRejected, "{}", chain(&error));
    assert_eq!(auth.acquire_error().unwrap().kind(), AcquireErrorKind::Rejected);
    if let Some(says) = recording.refused.as_ref().and_then(|answer| answer.says.as_deref()) {
        assert!(chain(&error).contains(says), "{}", chain(&error));
    }
    for secret in recording.wrong.values() {
        assert!(!chain(&error).contains(secret), "{}", chain(&error));
    }
    for _ in 0..5 {
        world.fail().await;
    }
    let state = world.fake.state();
    assert_eq!((state.asked(), state.calls.len()), (1, 0), "a wrong secret isn't sent again and again");
}

async fn throttling(recording: &Recording) {
    let world = World::of(recording).await;
    let throttled = recording.throttled.as_ref().unwrap();
    let (place, answer) = (throttled.at, &throttled.answer);
    if place == Place::Api {
        world.succeed().await;
        world.fake.state().instead = Some((place, answer.clone()));
        let found = world.call().await.unwrap();
        assert_eq!((found.status().as_u16(), found.body().as_ref()), (answer.status, answer.body.as_bytes()));
        world.succeed().await;
        world.assert_as_documented();
        let state = world.fake.state();
        return assert_eq!((state.asked(), state.calls.len()), (1, 3), "it is the caller's to wait");
    }
    world.fake.state().instead = Some((place, answer.clone()));
    let error = world.fail().await;
    world.assert_as_documented();
    let auth = AuthError::find(&*error).unwrap();
    assert_eq!(auth.kind(), Unavailable, "{}", chain(&error));
    let acquire = auth.acquire_error().unwrap();
    assert_eq!(acquire.kind(), AcquireErrorKind::Transient, "{}", chain(&error));
    assert_eq!(acquire.retry_after(), throttled.after.map(Duration::from_secs));
    if throttled.after.is_some() {
        world.fail().await;
        assert_eq!(world.fake.state().asked(), 1, "it is left alone for as long as it asks");
    }
}

async fn other(recording: &Recording, index: usize) {
    let body = r#"{"said":"something else","errors":[{"said":"else"}]}"#.to_owned();
    let answer = Answer { status: recording.expired[index].status, body, ..Answer::default() };
    passed(recording, answer).await;
}

async fn passed(recording: &Recording, answer: Answer) {
    let world = World::of(recording).await;
    world.succeed().await;
    world.fake.state().instead = Some((Place::Api, answer.clone()));
    let found = world.call().await.unwrap();
    assert_eq!((found.status().as_u16(), found.body().as_ref()), (answer.status, answer.body.as_bytes()));
    let verdict = found.extensions().get::<AuthOutcome>().map(AuthOutcome::verdict);
    assert!(!matches!(verdict, Some(Verdict::Expired | Verdict::Invalid)), "{verdict:?}");
    world.assert_as_documented();
    let state = world.fake.state();
    let logins = usize::from(!recording.is_static());
    assert_eq!((state.asked(), state.calls.len()), (logins, 2), "no new token would help");
}
