//! Looking at bodies.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_body_past_the_caps_streams_through_unread() {
    let long = |text: &'static str| {
        let mut answer = answer_with(401, text);
        answer.headers_mut().remove("x-kept");
        answer
    };
    let filler: &'static str = Box::leak(format!("{{\"pad\":\"{}\"}}", "x".repeat(40)).into_boxed_str());
    let (endpoint, server) = (Endpoint::default(), Server::answering([long(filler)]));
    let service = layer(&endpoint).peek(16, SECOND).layer(server.service());
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).unread(), Some(Unread::TooLong));
    assert_eq!(outcome(&response).verdict(), Verdict::Accepted);
    assert_eq!(response.body().size_hint().exact(), Some(filler.len() as u64));
    assert_eq!(text(response).await, filler);

    let frames = || vec![data("{\"message\":"), data("\"jwt "), data("expired\"}")];
    let answer = Response::builder().status(401).body(slow(frames())).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let service = layer(&endpoint).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    let start = Instant::now();
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!((outcome(&response).unread(), start.elapsed()), (Some(Unread::TooSlow), 2 * SECOND));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(endpoint.calls.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_is_no_match_and_its_error_reaches_the_caller() {
    let frames = vec![data(EXPIRED), Err("reset by peer".into())];
    let answer = Response::builder().status(401).body(slow(frames)).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let service = layer(&endpoint).peek(1024, 10 * SECOND).layer(server.service());
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).unread(), Some(Unread::BrokenOff));
    let mut body = response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), EXPIRED);
    assert!(!body.is_end_stream());
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "reset by peer");
    assert!(body.frame().await.is_none());
    assert_eq!(endpoint.calls.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_encoded_body_is_not_looked_at_and_identity_is_no_encoding() {
    let mut answer = expired();
    answer.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let response = layer(&endpoint).layer(server.service()).oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).unread(), Some(Unread::Encoded));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(endpoint.calls.load(SeqCst), 1);

    let mut answer = expired();
    answer.headers_mut().insert("content-encoding", HeaderValue::from_static("Identity "));
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let response = layer(&endpoint).layer(server.service()).oneshot(get()).await.unwrap();
    assert!(outcome(&response).replayed());
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned(), "t2".to_owned()], 2));
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_body_are_not_waited_for() {
    let never =
        || BodyExt::boxed(SyncBody(Mutex::new(Box::pin(StreamBody::new(futures_util::stream::pending())))));
    let rule = Rule::expired().when(body().contains("expired"));
    for (method, status, length) in [("HEAD", 401, None), ("GET", 304, None), ("GET", 401, Some("0"))] {
        let mut answer: Answer = Response::builder().status(status).body(never()).unwrap();
        if let Some(length) = length {
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        let server = Server::answering([answer]);
        let service = layer(&Endpoint::default())
            .signatures(Signatures::new().rule(rule.clone()))
            .layer(server.service());
        service.tokens().get(Duration::ZERO).await.unwrap();
        let start = Instant::now();
        let request =
            Request::builder().method(method).uri("https://api.test/").body(Full::default()).unwrap();
        service.oneshot(request).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "{method} {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_head_is_replayed_if_a_rule_lets_the_status_decide() {
    let head = || Request::head("https://api.test/").body(Full::<Bytes>::default()).unwrap();
    let refused = |encoding: Option<&'static str>| {
        let mut answer = answer_with(401, "");
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("25"));
        if let Some(coding) = encoding {
            answer.headers_mut().insert("content-encoding", HeaderValue::from_static(coding));
        }
        answer
    };
    let rule = || Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"));
    for encoding in [None, Some("gzip")] {
        let (endpoint, server) = (Endpoint::default(), Server::answering([refused(encoding)]));
        let service = layer(&endpoint).layer(server.service());
        let response = service.oneshot(head()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.extensions().get::<AuthOutcome>().is_none(), "no body is left unread");
        assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned()], 1));

        let (endpoint, server) = (Endpoint::default(), Server::answering([refused(encoding)]));
        let by_status = Signatures::new().rule(rule().head_requests_by_status());
        let service = layer(&endpoint).signatures(by_status).layer(server.service());
        let response = service.clone().oneshot(head()).await.unwrap();
        assert_eq!((response.status(), outcome(&response).replayed()), (StatusCode::OK, true));
        assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned(), "t2".to_owned()], 2));
        // With another method the body still decides.
        server.answers.lock().unwrap().push_back(answer_with(401, "{}"));
        assert!(service.oneshot(get()).await.unwrap().extensions().get::<AuthOutcome>().is_none());
        assert_eq!(endpoint.calls.load(SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn heads_that_are_refused_for_another_reason_cost_few_refreshes() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let rule = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"));
    let signatures = Signatures::new().rule(rule.head_requests_by_status());
    let service = layer(&endpoint).signatures(signatures).layer(server.service());
    for _ in 0..100 {
        server.answers.lock().unwrap().extend([answer_with(401, ""), answer_with(401, "")]);
        let request = Request::head("https://api.test/").body(Full::default()).unwrap();
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), StatusCode::UNAUTHORIZED);
        server.answers.lock().unwrap().clear();
    }
    assert_eq!((endpoint.calls.load(SeqCst), server.sent().len()), (2, 101));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_too_long_to_set_aside_is_handed_over_and_refreshed_behind() {
    let frames = || vec![data("an HTML page"), data(" that goes on"), data(" and on")];
    let answer = Response::builder().status(401).body(slow(frames())).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let any_401 = Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED));
    let service = layer(&endpoint).signatures(any_401).layer(server.service());
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Response));
    assert!(outcome(&response).refreshed());
    assert_eq!(text(response).await, "an HTML page that goes on and on");
    service.oneshot(get()).await.unwrap();
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned(), "t2".to_owned()], 2));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_caller_while_a_body_is_looked_at_drops_the_body_and_rejects_nothing() {
    /// Says when it is gone.
    struct Watched(BoxBody<Bytes, BoxError>, Arc<AtomicUsize>);
    impl Body for Watched {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Pin::new(&mut self.0).poll_frame(cx)
        }
    }
    impl Drop for Watched {
        fn drop(&mut self) {
            self.1.fetch_add(1, SeqCst);
        }
    }
    let gone = Arc::new(AtomicUsize::new(0));
    let body = Watched(slow(vec![data("{\"message\":"), data("\"jwt expired\"}")]), gone.clone());
    let answer = Response::builder().status(401).body(BodyExt::boxed(body)).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let service = layer(&endpoint).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    tokio::time::timeout(SECOND / 2, service.clone().oneshot(get())).await.unwrap_err();
    assert_eq!(gone.load(SeqCst), 1);
    sleep(10 * SECOND).await;
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned(); 2], 1));
}
