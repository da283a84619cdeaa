//! Which requests get a token, and where.

use super::*;

/// The endpoint's tokens, which live for 100 s.
struct Short(Endpoint);

impl Credential for Short {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Ok(self.0.acquire(request).await?.with_lifetime(100 * SECOND))
    }
}

#[tokio::test(start_paused = true)]
async fn other_requests_than_ours_pass_through_without_token_and_inspection() {
    let own = |request: Sent| (request, "own");
    let with = |name: &str, value: &str| {
        Request::get("https://api.test/").header(name, value).body(Full::default()).unwrap()
    };
    let to = |uri: &str| Request::get(uri).body(Full::<Bytes>::default()).unwrap();
    let exempt =
        Request::get("https://api.test/").extension(Exempt::FromAuthentication).body(Full::default());
    for (request, sent) in [
        own(with("authorization", "own")),
        (to("https://other.test/"), "none"),
        (to("http://api.test/"), "none"),
        (to("https://api.test:8443/"), "none"),
        (to("/path/only"), "none"),
        (exempt.unwrap(), "none"),
    ] {
        let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
        let response = layer(&endpoint).layer(server.service()).oneshot(request).await.unwrap();
        assert_eq!(outcome(&response).verdict(), Verdict::Accepted);
        assert_eq!(text(response).await, EXPIRED);
        assert_eq!(server.sent(), [sent]);
        assert_eq!(endpoint.calls.load(SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_with_a_token_of_its_own_is_no_use_of_the_cached_one() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let layer = AuthLayer::new(Origin::parse("https://api.test").unwrap(), Short(endpoint.clone()));
    let (tokens, service) = (layer.tokens(), layer.layer(server.service()));
    service.clone().oneshot(get()).await.unwrap();
    sleep(97 * SECOND).await;
    assert_eq!(tokens.state().token(), TokenState::Stale);
    let mut request = get();
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer own"));
    service.clone().oneshot(request).await.unwrap();
    assert!(!tokens.state().acquiring());
    service.oneshot(get()).await.unwrap();
    assert!(tokens.state().acquiring(), "whereas one of ours begins to renew it");
    assert_eq!(server.sent(), ["t1", "own", "t1"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_room_for_one_more_header_passes_through() {
    let mut request = get();
    for number in 0.. {
        let name: http::HeaderName = format!("x-{number}").parse().unwrap();
        if request.headers_mut().try_insert(name, HeaderValue::from_static("")).is_err() {
            break;
        }
    }
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let mut service = layer(&endpoint).layer(server.service());
    for _ in 0..2 {
        server.answers.lock().unwrap().push_back(expired());
        let response = service.ready().await.unwrap().call(request.clone()).await.unwrap();
        assert_eq!(outcome(&response).passed(), Some(Passed::NoRoom));
        service.ready().await.unwrap().call(get()).await.unwrap();
    }
    assert_eq!(server.sent(), ["none", "t1", "none", "t1"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_kept_sends_the_newest_token_and_none_that_is_no_good() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let layer = AuthLayer::new(Origin::parse("https://api.test").unwrap(), Short(endpoint.clone()));
    let layer = layer.signatures(signatures());
    let (tokens, mut service) = (layer.tokens(), layer.layer(server.service()));
    let mut send = async |times: usize| {
        for _ in 0..times {
            let response = service.ready().await.unwrap().call(get()).await.unwrap();
            assert_eq!(response.status(), 200);
        }
        mem::take(&mut *server.seen.lock().unwrap()).iter().map(token).collect::<Vec<_>>()
    };
    assert_eq!(send(4).await, ["t1", "t1", "t1", "t1"]);
    tokens.invalidate();
    assert_eq!(send(3).await, ["t2", "t2", "t2"], "forgotten");
    server.answers.lock().unwrap().push_back(expired());
    assert_eq!(send(2).await, ["t2", "t3", "t3"], "rejected");
    tokens.reject(&tokens.try_get().unwrap()).await.unwrap();
    assert_eq!(send(2).await, ["t4", "t4"], "replaced by somebody else");
    sleep(100 * SECOND).await;
    assert_eq!(send(2).await, ["t5", "t5"], "expired");
}

#[tokio::test(start_paused = true)]
async fn a_uri_without_authority_gets_the_token_if_the_origin_is_implied() {
    let origin = Origin::parse("https://api.test").unwrap().implied();
    let server = Server::default();
    let service = AuthLayer::new(origin, Endpoint::default()).layer(server.service());
    let request = Request::get("/path/only").header("host", "evil.test").body(Full::default()).unwrap();
    service.oneshot(request).await.unwrap();
    assert_eq!(server.sent(), ["t1"]);
}

#[tokio::test(start_paused = true)]
async fn the_authenticated_client_as_transport_does_not_recurse() {
    let endpoint = Endpoint::default();
    let server = Server::default();
    let service = layer(&endpoint).layer(server.service());
    let transport = Transport::new::<_, Full<Bytes>, _>(service);
    let request = Request::post("https://api.test/token").body(Bytes::new()).unwrap();
    assert_eq!(transport.send(request).await.unwrap().status(), 200);
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["none".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_token_in_another_place() {
    let server = Server::default();
    let placement = Placement::with_scheme("X-API-Token", "Bearer").unwrap();
    let service = layer(&Endpoint::default()).placement(placement).layer(server.service());
    service.clone().oneshot(get()).await.unwrap();
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].headers()["x-api-token"], "Bearer t1");
    assert!(seen[0].headers()["x-api-token"].is_sensitive());
    assert!(!seen[0].headers().contains_key(AUTHORIZATION));
}

#[tokio::test(start_paused = true)]
async fn layers_that_share_a_cache_share_its_token() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let tokens = TokenCache::new(endpoint.clone());
    let origin = Origin::parse("https://api.test").unwrap();
    let exports = AuthLayer::with_tokens(origin.clone(), tokens.clone())
        .placement(Placement::bare("x-api-token").unwrap())
        .layer(server.service());
    let calls = AuthLayer::with_tokens(origin, tokens).layer(server.service());
    exports.oneshot(get()).await.unwrap();
    calls.oneshot(get()).await.unwrap();
    assert_eq!(endpoint.calls.load(SeqCst), 1);
    assert_eq!(server.sent(), ["none", "t1"]);
}

#[tokio::test(start_paused = true)]
async fn an_early_renewal_and_a_policy_are_the_layers_too() {
    #[derive(Clone, Default)]
    struct Short(Endpoint);
    impl Credential for Short {
        async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(self.0.acquire(request).await?.with_lifetime(10 * SECOND))
        }
    }
    let (short, server) = (Short::default(), Server::default());
    let origin = Origin::parse("https://api.test").unwrap();
    let policy = RefreshPolicy::default().early(0.5, 100 * SECOND);
    let service: Auth<_> = AuthLayer::new(origin, short.clone()).policy(policy).layer(server.service());
    for _ in 0..40 {
        service.clone().oneshot(get()).await.unwrap();
        sleep(SECOND).await;
    }
    let reasons = short.0.reasons.lock().unwrap();
    assert!(reasons[1..].iter().all(|reason| *reason == Reason::Expiring), "{reasons:?}");
    assert!((4..=8).contains(&reasons.len()), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_that_of_older_handles_and_services_as_well() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let layer = layer(&endpoint);
    let (tokens, service) = (layer.tokens(), layer.layer(server.service()));
    endpoint.down.store(1, SeqCst);
    let newest = layer.clone().policy(RefreshPolicy::default().fail_fast(70 * SECOND, 70 * SECOND));
    // The older service pauses by it, and the newer one knows of that failure.
    let error = service.clone().oneshot(get()).await.unwrap_err();
    let retry_at = error.downcast_ref::<AuthError>().unwrap().retry_at().unwrap();
    assert_eq!(retry_at - Instant::now(), 70 * SECOND);
    newest.layer(server.service()).oneshot(get()).await.unwrap_err();
    tokens.get(Duration::ZERO).await.unwrap_err();
    assert_eq!(endpoint.calls.load(SeqCst), 1);

    endpoint.down.store(0, SeqCst);
    sleep(71 * SECOND).await;
    newest.layer(server.service()).oneshot(get()).await.unwrap();
    // What one of them has, all of them have, also after another policy.
    let lease = tokens.try_get().unwrap();
    let newest = newest.policy(RefreshPolicy::default());
    service.oneshot(get()).await.unwrap();
    newest.layer(server.service()).oneshot(get()).await.unwrap();
    assert_eq!(newest.tokens().try_get().unwrap().generation(), lease.generation());
    assert_eq!(
        (endpoint.calls.load(SeqCst), server.sent()),
        (2, vec!["t2".into(), "t2".into(), "t2".into()])
    );
}
