//! Rejected once, refreshed once, sent once more.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refreshed_once_and_the_request_replayed_once() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let mut service = layer(&endpoint).layer(server.service());
    let response = service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((outcome(&response).verdict(), outcome(&response).replayed()), (Verdict::Accepted, true));
    assert!(outcome(&response).refreshed());
    assert_eq!(server.sent(), ["t1", "t2"]);
    assert_eq!(*endpoint.reasons.lock().unwrap(), [Reason::Cold, Reason::Expired]);
    let response = service.ready().await.unwrap().call(get()).await.unwrap();
    assert!(response.extensions().get::<AuthOutcome>().is_none(), "nothing to say about an ordinary answer");
    assert_eq!(server.sent(), ["t1", "t2", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_rejection_is_the_callers_and_there_is_no_third_send() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired(), expired(), expired()]));
    let service = layer(&endpoint).layer(server.service());
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((outcome(&response).verdict(), outcome(&response).replayed()), (Verdict::Expired, true));
    assert_eq!(outcome(&response).reason(), Some("jwt expired"));
    assert_eq!(response.headers()["x-kept"], "yes");
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(server.sent(), ["t1", "t2"]);
    // The new token was rejected as well: a pause, in which requests go out once.
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Paused));
    assert_eq!(outcome(&response).error().map(AuthError::kind), Some(AuthErrorKind::Paused));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(server.sent(), ["t1", "t2", "t2"]);
    assert_eq!(endpoint.calls.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_token_is_acquired_anew_and_a_denial_is_left_alone() {
    let answers = [answer_with(401, r#"{"message":"invalid token"}"#), answer_with(200, "fine")];
    let (endpoint, server) = (Endpoint::default(), Server::answering(answers));
    let service = layer(&endpoint).layer(server.service());
    assert_eq!(service.clone().oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(*endpoint.reasons.lock().unwrap(), [Reason::Cold, Reason::Rejected]);
    let denial = r#"{"message":"no such permission"}"#;
    server.answers.lock().unwrap().push_back(answer_with(401, denial));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).verdict(), Verdict::Denied);
    assert_eq!(text(response).await, denial);
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rejections_of_one_token_make_one_refresh() {
    let endpoint = Endpoint::default();
    let (seen, inner) = rejecting_old_tokens(1);
    let service = layer(&endpoint).layer(inner);
    service.clone().oneshot(get()).await.unwrap();
    seen.store(2, SeqCst);
    let responses = join_all((0..100).map(|_| service.clone().oneshot(get()))).await;
    assert!(responses.iter().all(|response| response.as_ref().unwrap().status() == 200));
    assert_eq!(endpoint.calls.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn the_replay_is_the_same_request_but_for_the_token() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let mut cookie = HeaderValue::from_bytes(b"caf\xe9").unwrap();
    cookie.set_sensitive(true);
    let request = Request::post("https://api.test/a%2Fb/../c?x=%41&y")
        .version(Version::HTTP_2)
        .header("x-many", "1")
        .header("cookie", cookie)
        .header("x-many", "2")
        .extension(Mark(7))
        .body(Full::from("body"))
        .unwrap();
    let response = layer(&endpoint).layer(server.service()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = mem::take(&mut *server.seen.lock().unwrap());
    let [first, second] = <[Sent; 2]>::try_from(seen).unwrap();
    assert_eq!(
        (first.method(), first.uri(), first.version()),
        (second.method(), second.uri(), second.version())
    );
    assert_eq!(second.uri(), "https://api.test/a%2Fb/../c?x=%41&y");
    assert_eq!(
        (second.extensions().get(), second.extensions().len()),
        (Some(&Mark(7)), first.extensions().len())
    );
    let headers = |request: &Sent| {
        let mut headers = request.headers().clone();
        let token = headers.remove(AUTHORIZATION).expect("a token");
        assert!(token.is_sensitive());
        headers.iter().map(|(n, v)| (n.clone(), v.clone(), v.is_sensitive())).collect::<Vec<_>>()
    };
    assert_eq!(headers(&first), headers(&second));
    assert!(second.headers()["cookie"].is_sensitive());
    let (first, second) = (first.into_body().collect(), second.into_body().collect());
    assert_eq!(first.await.unwrap().to_bytes(), second.await.unwrap().to_bytes());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_replayed_is_handed_over_and_refreshed_for_the_next() {
    let upgrade = || Request::get("https://api.test/ws").header("upgrade", "websocket").body(Full::default());
    let exempt = || Request::get("https://api.test/").extension(Exempt::FromReplay).body(Full::default());
    for (request, why) in [(upgrade(), NotReplayed::Upgrade), (exempt(), NotReplayed::Exempt)] {
        let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
        let service = layer(&endpoint).layer(server.service());
        let response = service.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(outcome(&response).not_replayed(), Some(why));
        assert!(outcome(&response).refreshed() && !outcome(&response).replayed());
        assert_eq!(text(response).await, EXPIRED);
        assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
        assert_eq!(server.sent(), ["t1", "t2"]);
    }
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let service = layer(&endpoint).no_replay().layer(server.service());
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Body));
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn when_the_refresh_fails_the_caller_gets_the_original_response_whole() {
    let trailers =
        || Ok(Frame::trailers([("x-sum".parse().unwrap(), "1".parse().unwrap())].into_iter().collect()));
    let body = || slow(vec![data("{\"message\":"), data("\"jwt expired\"}"), trailers()]);
    let rejection = |body| Response::builder().status(401).header("x-kept", "yes").body(body).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([rejection(body())]));
    let service = layer(&endpoint).peek(1024, 10 * SECOND).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    endpoint.down.store(1, SeqCst);
    let response = service.clone().oneshot(get()).await.unwrap();
    let error = outcome(&response).error().expect("why there is no replay");
    assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!(error.acquire_error().unwrap().to_string(), "wrong key");
    assert!(!outcome(&response).refreshed());
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-kept"]),
        (401, &HeaderValue::from_static("yes"))
    );
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "1");
    assert_eq!(body.to_bytes(), EXPIRED);
    // From now on there is no token at all: a typed error, and nothing is sent.
    let error = service.oneshot(get()).await.unwrap_err();
    assert_eq!(AuthError::find(&*error).unwrap().kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_fails_in_transport_returns_that_error() {
    #[derive(Debug, PartialEq)]
    struct Reset;
    impl fmt::Display for Reset {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("reset")
        }
    }
    impl std::error::Error for Reset {}
    let sends = Arc::new(AtomicUsize::new(0));
    let count = sends.clone();
    let inner = service_fn(move |_: Sent| {
        let send = count.fetch_add(1, SeqCst);
        async move { if send == 0 { Ok(expired()) } else { Err(Reset) } }
    });
    let error = layer(&Endpoint::default()).layer(inner).oneshot(get()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Reset));
    assert_eq!(sends.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_caller_between_refresh_and_replay_leaves_the_refresh_alone() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let service = layer(&endpoint).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    tokio::time::timeout(SECOND / 2, service.clone().oneshot(get())).await.unwrap_err();
    sleep(SECOND).await;
    assert_eq!(service.tokens().try_get().unwrap().token().expose_secret(), "t2");
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_replay_whose_token_is_rejected_before_it_is_sent_gives_way_to_the_original_response() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let inner = ConcurrencyLimitLayer::new(1).layer(server.service());
    let service = layer(&endpoint).layer(inner.clone());
    let tokens = service.tokens();
    tokens.get(Duration::ZERO).await.unwrap();
    let call = tokio::spawn(service.oneshot(get()));
    sleep(SECOND / 2).await;
    // Somebody else takes the one place while the refresh is under way.
    let mut other = inner;
    other.ready().await.unwrap();
    sleep(SECOND).await;
    tokens.mark_rejected(tokens.try_get().expect("refreshed").generation(), Reason::Expired);
    drop(other);
    let response = call.await.unwrap().unwrap();
    assert_eq!(outcome(&response).error().map(AuthError::kind), Some(AuthErrorKind::Paused));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(server.sent(), ["t1"]);
}
