//! What is Videsk's own: a key that nothing renews, and exports that want it in another header.

use http::{Method, StatusCode};
use tower::Layer;
use tower_reauth::{
    AccessToken, AuthErrorKind, TokenState, Verdict, Videsk, from_fn,
    testing::{FakeVidesk, On, Revoked, Times, VideskError},
};

use crate::support::{client, get, send, send_all};

#[tokio::test]
async fn with_a_fixed_key_an_expired_one_is_handed_over_and_marked() {
    let videsk = FakeVidesk::new();
    let served = videsk.serve().await.unwrap();
    let service = Videsk::new(videsk.key()).base_url(served.origin()).layer().unwrap().layer(client());
    let request = || get(&served.url("/users"));
    let tokens = service.tokens();
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(tokens.state().token(), TokenState::Fresh);

    videsk.controls().revoke(Revoked::Expired);
    let mut answers = send_all(&service, 10, request).await;
    for _ in 0..10 {
        answers.push(send(&service, request()).await);
    }
    for answer in answers {
        let answered = answer.unwrap();
        answered.assert_is(&VideskError::JwtExpired.into());
        let outcome = answered.outcome().unwrap();
        assert_eq!((outcome.verdict(), outcome.reason()), (Verdict::Expired, Some("jwt expired")));
        assert_eq!(outcome.error().unwrap().kind(), AuthErrorKind::NotRenewable);
        assert!(!outcome.refreshed() && !outcome.replayed());
    }
    assert_eq!((videsk.counts().token_calls(), videsk.counts().api_calls), (0, 21));
    videsk.assert_no_refusals();
    assert_eq!(tokens.state().token(), TokenState::Rejected);
}

#[tokio::test]
async fn with_a_fixed_key_everything_else_is_denied_as_it_is() {
    use VideskError as E;
    let videsk = FakeVidesk::new();
    let served = videsk.serve().await.unwrap();
    let service = Videsk::new(videsk.key()).base_url(served.origin()).layer().unwrap().layer(client());
    for error in E::ALL.iter().filter(|error| !matches!(error, E::JwtExpired | E::Html)) {
        videsk.controls().reset_counts();
        videsk.controls().fail(On::Api, Times::Next(1), *error);
        let answered = send(&service, get(&served.url("/users"))).await.unwrap();
        answered.assert_is(&(*error).into());
        let outcome = answered.outcome().unwrap();
        assert_eq!(outcome.verdict(), Verdict::Denied, "{error:?}");
        assert!(outcome.reason().is_some());
        assert_eq!((videsk.counts().token_calls(), videsk.counts().api_calls), (0, 1));
    }
    videsk.assert_no_refusals();
}

#[tokio::test]
async fn exports_carry_the_key_in_their_own_header_also_when_replayed() {
    let videsk = FakeVidesk::new();
    let served = videsk.serve().await.unwrap();
    let (minting, stale) = (videsk.clone(), videsk.key());
    let credential = from_fn(move |_, previous| {
        let key = if previous.is_some() { minting.mint() } else { stale.clone() };
        async { Ok(AccessToken::new(key)?) }
    });
    let layer = Videsk::minting(credential).exports().base_url(served.origin()).layer().unwrap();
    videsk.controls().revoke(Revoked::Expired);

    let mut export = get(&served.url("/reports/exports/calls"));
    *export.method_mut() = Method::POST;
    *export.body_mut() = r#"{"from":"2024-01-01"}"#.into();
    let answered = send(&layer.layer(client()), export).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!((videsk.counts().acquires, videsk.counts().api_calls), (1, 2));
    let keys: Vec<_> =
        videsk.requests().iter().map(|request| request.headers()["x-api-token"].clone()).collect();
    assert_eq!(
        keys,
        videsk.controls().tokens().iter().map(|key| format!("Bearer {key}")).collect::<Vec<_>>()
    );
    assert!(videsk.requests().iter().all(|request| !request.headers().contains_key("authorization")));
    videsk.assert_no_refusals();
}
