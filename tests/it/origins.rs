//! The token goes to its own origin and nowhere else: two vendors in one stack, and redirects.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{body::Body as AxumBody, response::Response};
use http::{HeaderValue, StatusCode, header::LOCATION, request::Parts};
use tower::{Layer, ServiceBuilder};
use tower_http::follow_redirect::{FollowRedirectLayer, policy::SameOrigin};
use tower_reauth::{
    AccessToken, AuthErrorKind, AuthLayer, AuthOutcome, Exempt, Origin, Passed, Placement, Rule, Signatures,
    StaticToken, Transport, from_fn,
    testing::{Answer, Endpoint, Fault, On, Revoked, Times},
};

use crate::support::{
    Ca, Site, api_video, auth_error, bearers, client, get, requests_to, send, vervoe, vidizmo,
};

const TOKEN: &str = "t0ken-of-the-first-origin";

#[tokio::test]
async fn in_a_stack_for_two_vendors_each_gets_its_own_token_and_a_stranger_none() {
    let (video, jobs, stranger) = (api_video().await, vervoe().await, Site::that_agrees().await);
    let service = ServiceBuilder::new().layer(video.layer()).layer(jobs.layer()).service(client());
    for _ in 0..2 {
        for request in [video.request(), jobs.request(), get(&stranger.url("/"))] {
            assert_eq!(send(&service, request).await.unwrap().status(), StatusCode::OK);
        }
        video.controls.revoke(Revoked::Expired);
        jobs.controls.revoke(Revoked::Expired);
    }
    for subject in [&video, &jobs] {
        let counts = subject.counts();
        assert_eq!((counts.token_calls(), counts.api_accepted, counts.api_unauthorised), (2, 2, 1));
        let calls = requests_to(Endpoint::Api, subject.controls.requests());
        let (bearers, tokens) = (bearers(&calls), subject.controls.tokens());
        assert_eq!(bearers.len(), 3);
        assert!(bearers.iter().all(|bearer| tokens.contains(bearer)));
    }
    assert_eq!(stranger.seen("authorization"), [("/".to_owned(), None), ("/".to_owned(), None)]);
}

/// An answer that no rule knows is the vendor's own business, also for the layer that let the request pass.
#[tokio::test]
async fn in_a_stack_for_two_vendors_only_a_strangers_refusal_says_that_there_was_no_token() {
    let (video, jobs) = (api_video().await, vervoe().await);
    let stranger = Site::start(|_: &Parts| {
        let mut response = Response::new(AxumBody::empty());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response
    })
    .await;
    let service = ServiceBuilder::new().layer(video.layer()).layer(jobs.layer()).service(client());
    for subject in [&video, &jobs] {
        send(&service, subject.request()).await.unwrap();
        subject.controls.fail(On::Api, Times::Next(2), Fault::status(StatusCode::UNAUTHORIZED));
        let answered = send(&service, subject.request()).await.unwrap();
        assert_eq!(answered.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answered.outcome().and_then(AuthOutcome::passed), None);
    }
    let answered = send(&service, get(&stranger.url("/"))).await.unwrap();
    assert_eq!(answered.outcome().and_then(AuthOutcome::passed), Some(Passed::OtherOrigin));
}

#[tokio::test]
async fn requests_that_are_not_for_the_layer_pass_without_a_token_call() {
    let subject = api_video().await;
    let service = subject.service();
    let mut exempt = subject.request();
    exempt.extensions_mut().insert(Exempt::FromAuthentication);
    let mut own = subject.request();
    own.headers_mut().insert("authorization", "Bearer of-the-callers-own".parse().unwrap());
    let elsewhere = get(&subject.served.url(subject.target).replace("127.0.0.1", "localhost"));
    let why = [Passed::Exempt, Passed::OwnHeader, Passed::OtherOrigin];
    for (request, why) in [exempt, own, elsewhere].into_iter().zip(why) {
        let answered = send(&service, request).await.unwrap();
        assert_eq!(answered.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answered.outcome().and_then(AuthOutcome::passed), Some(why));
    }
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (0, 3));
    assert_eq!(bearers(&subject.controls.requests()), ["of-the-callers-own"]);
}

const REDIRECTS: [StatusCode; 5] = [
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::FOUND,
    StatusCode::SEE_OTHER,
    StatusCode::TEMPORARY_REDIRECT,
    StatusCode::PERMANENT_REDIRECT,
];

/// A server that redirects `/<status>` to wherever the query says, and agrees to everything else.
async fn redirecting() -> Site {
    Site::start(|head: &Parts| {
        let status = head.uri.path().trim_start_matches('/').parse().unwrap_or(200);
        let mut response = Response::new(AxumBody::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(target) = head.uri.query() {
            response.headers_mut().insert(LOCATION, target.parse().unwrap());
        }
        response
    })
    .await
}

fn layer(site: &Site, placement: Placement) -> AuthLayer {
    let origin = Origin::parse(&site.url("")).unwrap();
    AuthLayer::new(origin, StaticToken::new(TOKEN).unwrap()).placement(placement)
}

fn paths(site: &Site, path: &str, header: &str) -> Vec<Option<String>> {
    site.seen(header).into_iter().filter(|(seen, _)| seen == path).map(|(_, value)| value).collect()
}

/// Follows every kind of redirect, to another port and to another name of the same server, and checks that the
/// token stays where it belongs.
macro_rules! assert_pinned {
    ($header:expr, $value:expr, |$site:ident| $service:expr) => {
        for status in REDIRECTS {
            let ($site, other) = (redirecting().await, Site::that_agrees().await);
            let service = $service;
            let elsewhere = [other.url("/there"), $site.url_at("localhost", "/there")];
            for target in &elsewhere {
                let from = $site.url(&format!("/{}?{target}", status.as_u16()));
                assert_eq!(send(&service, get(&from)).await.unwrap().status(), StatusCode::OK);
            }
            let first = format!("/{}", status.as_u16());
            assert_eq!(paths(&$site, &first, $header), [Some($value.to_owned()), Some($value.to_owned())]);
            assert_eq!(paths(&other, "/there", $header), [None], "{status}");
            assert_eq!(paths(&$site, "/there", $header), [None], "{status}");

            let home = $site.url(&format!("/{}?{}", status.as_u16(), $site.url("/here")));
            assert_eq!(send(&service, get(&home)).await.unwrap().status(), StatusCode::OK);
            assert_eq!(paths(&$site, "/here", $header), [Some($value.to_owned())], "at home it is sent");
            for head in $site.requests().iter().chain(&other.requests()) {
                let is_token = |value: &&HeaderValue| value.as_bytes().ends_with(TOKEN.as_bytes());
                let carried = head.headers.values().filter(is_token).count();
                let strange = head.uri.path() == "/there";
                assert_eq!(carried, usize::from(!strange), "{head:?}");
            }
        }
    };
}

#[tokio::test]
async fn redirects_followed_outside_of_the_layer_take_no_token_to_another_origin() {
    assert_pinned!("authorization", format!("Bearer {TOKEN}"), |site| ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(layer(&site, Placement::bearer()))
        .service(client()));
}

#[tokio::test]
async fn redirects_followed_inside_of_the_layer_take_no_authorization_to_another_origin() {
    assert_pinned!("authorization", format!("Bearer {TOKEN}"), |site| ServiceBuilder::new()
        .layer(layer(&site, Placement::bearer()))
        .layer(FollowRedirectLayer::new())
        .service(client()));
}

#[tokio::test]
async fn redirects_to_another_scheme_take_no_token_along() {
    let ca = Ca::new();
    for status in REDIRECTS {
        let (site, secure) =
            (redirecting().await, Site::with_tls(ca.acceptor("localhost", &["http/1.1"])).await);
        let from = site.url(&format!("/{}?{}", status.as_u16(), secure.url_at("localhost", "/there")));
        let bearer = || layer(&site, Placement::bearer());
        let outside =
            ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(bearer()).service(ca.client());
        assert_eq!(send(&outside, get(&from)).await.unwrap().status(), StatusCode::OK);
        let inside =
            ServiceBuilder::new().layer(bearer()).layer(FollowRedirectLayer::new()).service(ca.client());
        assert_eq!(send(&inside, get(&from)).await.unwrap().status(), StatusCode::OK);
        let first = format!("/{}", status.as_u16());
        assert!(paths(&site, &first, "authorization").iter().all(Option::is_some));
        assert_eq!(paths(&secure, "/there", "authorization"), [None, None], "{status}");
    }
}

#[tokio::test]
async fn redirects_followed_outside_are_safe_for_every_placement() {
    assert_pinned!("x-api-token", format!("Bearer {TOKEN}"), |site| ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(layer(&site, Placement::with_scheme("X-API-Token", "Bearer").unwrap()))
        .service(client()));
    assert_pinned!("x-key", TOKEN, |site| ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(layer(&site, Placement::bare("X-Key").unwrap()))
        .service(client()));
}

#[tokio::test]
async fn a_token_for_several_origins_follows_redirects_among_them_and_leads_no_further() {
    for status in REDIRECTS {
        let (site, upload, stranger) =
            (redirecting().await, Site::that_agrees().await, Site::that_agrees().await);
        let origin =
            Origin::parse(&site.url("")).unwrap().with_other(Origin::parse(&upload.url("")).unwrap());
        let bearer = AuthLayer::new(origin, StaticToken::new(TOKEN).unwrap());
        let service = ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(bearer).service(client());
        let token = Some(format!("Bearer {TOKEN}"));
        for (target, seen_at, carried) in [
            (upload.url("/listed"), &upload, token.clone()),
            (stranger.url("/port"), &stranger, None),
            (upload.url_at("localhost", "/name"), &upload, None),
            (site.url_at("localhost", "/name"), &site, None),
            (site.url("/listed"), &site, token),
        ] {
            let from = site.url(&format!("/{}?{target}", status.as_u16()));
            assert_eq!(send(&service, get(&from)).await.unwrap().status(), StatusCode::OK);
            let path = target.rsplit_once('/').map(|(_, name)| format!("/{name}")).unwrap();
            assert_eq!(paths(seen_at, &path, "authorization"), [carried], "{status} to {target}");
        }
    }
}

#[tokio::test]
async fn a_token_that_another_origin_of_its_list_rejects_is_replaced_for_all_of_them() {
    let refuses_the_first = |head: &Parts| {
        let mut response = Response::new(AxumBody::empty());
        if head.headers.get("authorization").is_none_or(|value| value == "Bearer token-0") {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        response
    };
    let (api, upload) = (Site::that_agrees().await, Site::start(refuses_the_first).await);
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let credential = from_fn(move |_, _| {
        std::future::ready(Ok(AccessToken::new(format!("token-{}", counted.fetch_add(1, SeqCst))).unwrap()))
    });
    let origin = Origin::parse(&api.url("")).unwrap().with_other(Origin::parse(&upload.url("")).unwrap());
    let expired = Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED));
    let service = AuthLayer::new(origin, credential).signatures(expired).layer(client());
    for site in [&api, &upload, &api] {
        assert_eq!(send(&service, get(&site.url("/x"))).await.unwrap().status(), StatusCode::OK);
    }
    let carried = |site: &Site| {
        site.seen("authorization").into_iter().filter_map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert_eq!(carried(&api), ["Bearer token-0", "Bearer token-1"]);
    assert_eq!(carried(&upload), ["Bearer token-0", "Bearer token-1"], "replayed there");
    assert_eq!(made.load(SeqCst), 2);
}

/// tower-http strips `Authorization`, and knows of no other header that holds a token.
#[tokio::test]
async fn inside_of_the_layer_other_placements_need_redirects_that_stay_on_the_origin() {
    for status in REDIRECTS {
        let (site, other) = (redirecting().await, Site::that_agrees().await);
        let service = ServiceBuilder::new()
            .layer(layer(&site, Placement::bare("X-Key").unwrap()))
            .layer(FollowRedirectLayer::with_policy(SameOrigin::new()))
            .service(client());
        let away = site.url(&format!("/{}?{}", status.as_u16(), other.url("/there")));
        assert_eq!(send(&service, get(&away)).await.unwrap().status(), status);
        assert!(other.requests().is_empty());
        let home = site.url(&format!("/{}?{}", status.as_u16(), site.url("/here")));
        assert_eq!(send(&service, get(&home)).await.unwrap().status(), StatusCode::OK);
        assert_eq!(paths(&site, "/here", "x-key"), [Some(TOKEN.to_owned())]);
    }
}

/// The secret in a token request would go wherever the redirect points.
#[tokio::test]
async fn token_requests_do_not_follow_redirects() {
    for status in REDIRECTS {
        let (video, other) = (api_video().await, Site::that_agrees().await);
        let redirect =
            Answer::new(status).header(LOCATION, HeaderValue::try_from(other.url("/auth/api-key")).unwrap());
        video.controls.fail(On::Tokens, Times::Next(1), redirect);
        let error = send(&video.service(), video.request()).await.unwrap_err();
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::EndpointUnusable);
        assert!(other.requests().is_empty());
        assert_eq!((video.counts().token_calls(), video.counts().api_calls), (1, 0));
    }
}

/// The fake refuses a second `Authorization`, and any where there must be none.
#[tokio::test]
async fn token_requests_through_an_authenticated_client_carry_none_of_its_tokens() {
    for subject in [api_video().await, vervoe().await, vidizmo().await] {
        let authenticated = subject.service();
        send(&authenticated, subject.request()).await.unwrap();
        let service = subject.layer_over(Transport::new(authenticated.clone())).layer(authenticated);
        subject.controls.revoke(Revoked::Expired);
        for _ in 0..2 {
            assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
            subject.controls.revoke(Revoked::Expired);
        }
        assert_eq!(subject.counts().acquires, 2 + usize::from(subject.renewed_at == Endpoint::Acquire));
    }
}

#[tokio::test]
async fn a_layer_reused_over_another_client_still_knows_its_origin() {
    let (site, other) = (redirecting().await, Site::that_agrees().await);
    let layer = layer(&site, Placement::bearer());
    for service in [layer.layer(client()), layer.clone().layer(client())] {
        send(&service, get(&other.url("/"))).await.unwrap();
        send(&service, get(&site.url("/"))).await.unwrap();
    }
    assert!(other.seen("authorization").iter().all(|(_, value)| value.is_none()));
    let expected = Some(format!("Bearer {TOKEN}"));
    assert!(site.seen("authorization").iter().all(|(_, value)| *value == expected));
}
