//! Vendors behind a gateway whose path comes before their own, on a server that says which paths it got.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Body as AxumBody, extract::Request, response::Response};
use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;
use tower_reauth::{
    AccessToken, ApiVideo, AuthLayer, AuthOutcome, Declaration, Origin, Passed, StaticToken, Vervoe, Videsk,
    Vidizmo, from_fn,
    testing::{Controls, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Revoked},
};

use crate::support::{KEYS, Serving, Site, client, declared, get, send};

const PATH: &str = "/gw/vendor";

/// A server that has a vendor beneath [`PATH`], and nothing anywhere else.
struct Gateway {
    serving: Serving,
    seen: Arc<Mutex<Vec<(Uri, bool)>>>,
}

impl Gateway {
    async fn before<S>(vendor: S) -> Self
    where
        S: Service<Request, Response = http::Response<Full<Bytes>>, Error = io::Error>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let recorded = seen.clone();
        let router = Router::new().fallback(async move |mut request: Request| {
            let has_token = request.headers().contains_key("authorization");
            recorded.lock().unwrap().push((request.uri().clone(), has_token));
            let target = request.uri().path_and_query().unwrap().as_str();
            match target.strip_prefix(PATH).filter(|rest| rest.starts_with('/')).map(str::to_owned) {
                Some(target) => {
                    *request.uri_mut() = target.parse().unwrap();
                    vendor.oneshot(request).await.unwrap().map(AxumBody::new)
                }
                None => {
                    let mut response = Response::new(AxumBody::empty());
                    *response.status_mut() = StatusCode::UNAUTHORIZED;
                    response
                }
            }
        });
        Self { serving: Serving::of(router).await, seen }
    }

    /// The base URL of the vendor.
    fn base_url(&self) -> String {
        format!("{}{PATH}", self.serving.origin)
    }

    /// The paths since this was asked last, and whether `Authorization` was there.
    fn seen(&self) -> Vec<(String, bool)> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.into_iter().map(|(uri, has_token)| (uri.to_string(), has_token)).collect()
    }
}

/// Calls, has the token expire, calls again, and calls what is none of the vendor's. `calls` are the paths of token
/// requests: of the first one, and of the one that replaces the token.
async fn assert_stays_beneath(
    gateway: &Gateway,
    controls: &Controls,
    layer: AuthLayer,
    target: &str,
    calls: [Option<(&str, bool)>; 2],
) {
    let service = layer.layer(client());
    let url = |path: &str| format!("{}{path}", gateway.serving.origin);
    let (target, beneath) = (format!("{PATH}{target}"), |path: &str| format!("{PATH}{path}"));
    let token_call = |call: Option<(&str, bool)>| call.map(|(path, has_token)| (beneath(path), has_token));
    let [first, again] = calls.map(token_call);

    assert_eq!(send(&service, get(&url(&target))).await.unwrap().status(), StatusCode::OK, "{target}");
    let mut expected = Vec::from_iter(first);
    expected.push((target.clone(), true));
    assert_eq!(gateway.seen(), expected);

    controls.revoke(Revoked::Expired);
    assert_eq!(send(&service, get(&url(&target))).await.unwrap().status(), StatusCode::OK, "{target}");
    let mut expected = vec![(target.clone(), true)];
    expected.extend(again);
    expected.push((target.clone(), true));
    assert_eq!(gateway.seen(), expected);

    for other in ["/", "/gw", "/gw/vendorx", "/other", "/GW/vendor/x"] {
        let answered = send(&service, get(&url(other))).await.unwrap();
        assert_eq!(answered.outcome().and_then(AuthOutcome::passed), Some(Passed::OtherOrigin), "{other}");
        assert_eq!(gateway.seen(), [(other.to_owned(), false)]);
    }
    controls.assert_no_refusals();
}

#[tokio::test]
async fn api_video_is_beneath_the_gateways_path() {
    let fake = FakeApiVideo::new(KEYS.api_video);
    let gateway = Gateway::before(fake.clone()).await;
    let calls = [Some(("/auth/api-key", false)), Some(("/auth/refresh", false))];
    for base_url in [gateway.base_url(), format!("{}/", gateway.base_url())] {
        let layer = ApiVideo::sandbox(KEYS.api_video).base_url(base_url).layer(client()).unwrap();
        assert_stays_beneath(&gateway, fake.controls(), layer, "/videos?page=1&tags%5B%5D=a%20b", calls)
            .await;
    }
}

#[tokio::test]
async fn a_declared_vendor_is_beneath_the_path_that_its_file_says() {
    let fake = FakeApiVideo::new(KEYS.api_video);
    let gateway = Gateway::before(fake.clone()).await;
    let file = declared("api-video.toml").replace("https://sandbox.api.video", &gateway.base_url());
    let layer = toml::from_str::<Declaration>(&file).unwrap().layer(client()).unwrap();
    let calls = [Some(("/auth/api-key", false)), Some(("/auth/refresh", false))];
    assert_stays_beneath(&gateway, fake.controls(), layer, "/videos", calls).await;
}

#[tokio::test]
async fn vidizmo_is_beneath_the_gateways_path() {
    let (email, password) = KEYS.vidizmo;
    let fake = FakeVidizmo::password(email, password);
    let gateway = Gateway::before(fake.clone()).await;
    let vidizmo = Vidizmo::password("portal.invalid", email, password).base_url(gateway.base_url());
    let calls =
        [Some(("/api/v1/user/authenticate", false)), Some(("/api/v1/user/refresh-access-token", true))];
    let layer = vidizmo.layer(client()).unwrap();
    assert_stays_beneath(&gateway, fake.controls(), layer, "/api/v1/user/esther.fray%40gmail.com", calls)
        .await;
}

#[tokio::test]
async fn vervoe_is_beneath_the_gateways_path() {
    let (key, secret) = KEYS.vervoe;
    let fake = FakeVervoe::new(key, secret);
    let gateway = Gateway::before(fake.clone()).await;
    let layer = Vervoe::new(key, secret).base_url(gateway.base_url()).layer(client()).unwrap();
    let call = Some(("/api/public/ats-api/token", true));
    assert_stays_beneath(&gateway, fake.controls(), layer, "/api/jobs?status=open", [call, call]).await;
}

#[tokio::test]
async fn videsk_is_beneath_the_gateways_path() {
    let fake = FakeVidesk::new();
    let gateway = Gateway::before(fake.clone()).await;
    let minting = fake.clone();
    let credential = from_fn(move |_, _| {
        let key = AccessToken::new(minting.mint());
        async move { Ok(key?) }
    });
    let layer = Videsk::minting(credential).base_url(gateway.base_url()).layer().unwrap();
    let target = "/public/video-contact-center/segments";
    assert_stays_beneath(&gateway, fake.controls(), layer, target, [None, None]).await;
}

/// As paths that a client sends without resolving them.
#[tokio::test]
async fn what_may_lead_out_of_the_path_has_no_token() {
    let site = Site::that_agrees().await;
    let origin = Origin::parse(&site.url(PATH)).unwrap();
    let service = AuthLayer::new(origin, StaticToken::new("t0ken").unwrap()).layer(client());
    let out = [
        "/..",
        "/../other",
        "/./..",
        "//..",
        "/%2e%2e/other",
        "/.%2E/",
        r"\..",
        r"/\..\other",
        "/..%2fother",
        "/..%5cother",
        "%2f..",
        "/%252e%252e/other",
        "/..;/other",
    ];
    for rest in out {
        send(&service, get(&site.url(&format!("{PATH}{rest}")))).await.unwrap();
    }
    for rest in ["", "/", "?x=/../y", "/a%2Fb", "//a"] {
        send(&service, get(&site.url(&format!("{PATH}{rest}")))).await.unwrap();
    }
    let seen = site.seen("authorization");
    assert_eq!(seen.len(), out.len() + 5);
    for (at, (path, token)) in seen.into_iter().enumerate() {
        assert_eq!(token.is_some(), at >= out.len(), "{path}");
    }
}

#[tokio::test]
async fn a_redirect_out_of_the_path_goes_without_token() {
    let site = Site::start(|head| {
        let mut response = Response::new(AxumBody::empty());
        if let Some(location) = head.uri.query() {
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert("location", location.parse().unwrap());
        }
        response
    })
    .await;
    let origin = Origin::parse(&site.url(PATH)).unwrap();
    let auth = AuthLayer::new(origin, StaticToken::new("t0ken").unwrap());
    let service = ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(auth).service(client());
    for (location, has_token) in [("/gw/vendor/there", true), ("/there", false), ("../there", false)] {
        send(&service, get(&site.url(&format!("{PATH}/a?{location}")))).await.unwrap();
        let (path, token) = site.seen("authorization").pop().unwrap();
        assert_eq!((path.ends_with("/there"), token.is_some()), (true, has_token), "{location}");
    }
}
