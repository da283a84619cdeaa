//! What is VIDIZMO's own: URIs that must stay as they are, a refresh with the token itself, and a logout.

use http::StatusCode;
use tower::Layer;
use tower_reauth::{
    AuthErrorKind, Verdict, Vidizmo,
    testing::{Endpoint, FakeVidizmo, Fault, FinalSlash, On, Revoked, Times, TokenText, VidizmoError},
};

use crate::support::{KEYS, auth_error, bearers, client, get, requests_to, send, vervoe, vidizmo};

#[tokio::test]
async fn a_replay_has_the_uri_of_its_original_byte_for_byte() {
    let vidizmo = FakeVidizmo::client_secret("esther.fray@gmail.com", "examplesecret");
    let served = vidizmo.serve().await.unwrap();
    let credential = Vidizmo::client_secret("portal.invalid", "esther.fray@gmail.com", "examplesecret");
    let service = credential.base_url(served.origin()).layer(client()).unwrap().layer(client());
    let target = "/api/v1/user/esther.fray%40gmail.com?userPartsToFetch=BasicInfo";
    send(&service, get(&served.url(target))).await.unwrap();
    vidizmo.controls().revoke(Revoked::Expired);
    vidizmo.controls().reset_counts();

    let answered = send(&service, get(&served.url(target))).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    assert!(answered.outcome().unwrap().replayed());
    let requests = vidizmo.requests();
    let seen: Vec<_> = requests.iter().map(|request| (request.endpoint(), request.target())).collect();
    let refresh = (Endpoint::Refresh, "/api/v1/user/refresh-access-token");
    assert_eq!(seen, [(Endpoint::Api, target), refresh, (Endpoint::Api, target)]);
    assert_eq!(requests[0].uri(), requests[2].uri());
    vidizmo.assert_no_refusals();
}

#[tokio::test]
async fn a_base_url_replaces_the_domain_which_no_request_names() {
    let (email, password) = KEYS.vidizmo;
    let vidizmo = FakeVidizmo::password(email, password);
    let served = vidizmo.serve().await.unwrap();
    let credential = Vidizmo::password("portal.invalid", email, password).base_url(served.origin());
    let layer = credential.layer(client()).unwrap();
    let service = layer.layer(client());
    send(&service, get(&served.url("/api/v1/things"))).await.unwrap();
    vidizmo.controls().revoke(Revoked::Expired);
    send(&service, get(&served.url("/api/v1/things"))).await.unwrap();
    layer.tokens().revoke().await.unwrap();
    let host = served.origin().strip_prefix("http://").unwrap();
    let requests = vidizmo.requests();
    assert_eq!(requests.len(), 6, "login, call, call, refresh, replay, logout");
    for request in &requests {
        assert_eq!(request.headers()["host"], host);
        assert!(!format!("{:?} {:?}", request.headers(), request.body()).contains("portal"), "{request:?}");
    }
    let login: serde_json::Value = serde_json::from_slice(requests[0].body()).unwrap();
    assert_eq!(login, serde_json::json!({ "emailAddress": email, "password": password }));
    vidizmo.assert_no_refusals();
}

#[tokio::test]
async fn a_refresh_that_fails_ends_in_a_login_of_the_same_flight() {
    for fault in [VidizmoError::InvalidAccessToken.into(), Fault::AnswerLost, Fault::Malformed] {
        let subject = vidizmo().await;
        let service = subject.service();
        send(&service, subject.request()).await.unwrap();
        subject.controls.revoke(Revoked::Expired);
        subject.controls.fail(On::Refresh, Times::Next(1), fault);
        assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
        assert_eq!((subject.counts().acquires, subject.counts().refreshes), (2, 1));
        let refreshes = requests_to(Endpoint::Refresh, subject.controls.requests());
        assert_eq!(bearers(&refreshes), subject.controls.tokens()[..1]);
    }
}

#[tokio::test]
async fn tokens_without_quotes_and_a_refresh_path_with_a_slash_work_too() {
    let (email, password) = KEYS.vidizmo;
    let vidizmo = FakeVidizmo::password(email, password);
    vidizmo.set_token_text(TokenText::Raw);
    vidizmo.set_refresh_path(FinalSlash::With);
    let served = vidizmo.serve().await.unwrap();
    let service = Vidizmo::password("portal.invalid", email, password)
        .base_url(served.origin())
        .refresh_path("/api/v1/user/refresh-access-token/")
        .layer(client())
        .unwrap()
        .layer(client());
    send(&service, get(&served.url("/api/v1/media"))).await.unwrap();
    vidizmo.controls().revoke(Revoked::Expired);
    assert_eq!(send(&service, get(&served.url("/api/v1/media"))).await.unwrap().status(), StatusCode::OK);
    assert_eq!((vidizmo.counts().acquires, vidizmo.counts().refreshes), (1, 1));
    vidizmo.assert_no_refusals();
}

#[tokio::test]
async fn the_incidents_id_is_told() {
    let subject = vidizmo().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    subject.controls.fail(On::Api, Times::UntilCleared, VidizmoError::InvalidAccessToken);
    let answered = send(&service, subject.request()).await.unwrap();
    let outcome = answered.outcome().unwrap();
    assert_eq!(outcome.verdict(), Verdict::Invalid);
    let body: serde_json::Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!(outcome.reason(), body["incidentId"].as_str());
    assert!(outcome.reason().is_some());
}

#[tokio::test]
async fn a_logout_carries_the_token_and_the_next_call_logs_in_again() {
    let subject = vidizmo().await;
    let layer = subject.layer();
    let service = layer.layer(client());
    layer.tokens().revoke().await.unwrap();
    assert_eq!(subject.counts().logouts, 0, "there is nothing to log out of");

    send(&service, subject.request()).await.unwrap();
    layer.tokens().revoke().await.unwrap();
    assert!(layer.tokens().try_get().is_none());
    let logouts = requests_to(Endpoint::Logout, subject.controls.requests());
    assert_eq!(bearers(&logouts), subject.controls.tokens());
    assert_eq!(logouts[0].target(), "/api/v1/user/logout");

    let answered = send(&service, subject.request()).await.unwrap();
    assert_eq!((answered.status(), answered.outcome().is_none()), (StatusCode::OK, true));
    let counts = subject.counts();
    assert_eq!((counts.acquires, counts.refreshes, counts.logouts), (2, 0, 1));
    assert_eq!((counts.api_calls, counts.api_unauthorised), (2, 0));
}

#[tokio::test]
async fn a_logout_that_fails_is_told_and_the_token_is_gone_all_the_same() {
    let subject = vidizmo().await;
    let layer = subject.layer();
    let service = layer.layer(client());
    send(&service, subject.request()).await.unwrap();
    subject.controls.fail(On::Logout, Times::Next(1), Fault::status(StatusCode::BAD_GATEWAY));
    let error = layer.tokens().revoke().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Unavailable);
    subject.secrets().assert_not_in(&error);
    assert!(layer.tokens().try_get().is_none());
    send(&service, subject.request()).await.unwrap();
    assert_eq!((subject.counts().acquires, subject.counts().logouts), (2, 1));

    let vervoe = vervoe().await;
    let layer = vervoe.layer();
    send(&layer.layer(client()), vervoe.request()).await.unwrap();
    assert_eq!(layer.tokens().revoke().await.unwrap_err().kind(), AuthErrorKind::NotRevocable);
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_twice() {
    let (email, password) = KEYS.vidizmo;
    let subject = vidizmo().await;
    let wrong =
        Vidizmo::password("portal.invalid", email, "wrong-password").base_url(subject.served.origin());
    let service = wrong.layer(client()).unwrap().layer(client());
    for _ in 0..20 {
        let error = send(&service, subject.request()).await.unwrap_err();
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::CredentialsRejected);
        subject.secrets().and([password, "wrong-password"]).assert_not_in(&*error);
    }
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 0));
}
