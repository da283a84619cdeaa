//! What is held, and what is not, while a request waits.

use super::*;

#[tokio::test(start_paused = true)]
async fn no_place_in_the_inner_service_is_held_while_waiting() {
    let endpoint = Endpoint::default();
    let server = Server::answering([answer_with(200, "fine"), expired()]);
    let limited = ConcurrencyLimitLayer::new(1).layer(server.service());
    let mut service = layer(&endpoint).layer(limited.clone());
    // One long-lived instance, readied and called in turn, as a client's owner would.
    for place in ["cold", "expired and replayed", "cached"] {
        let call = service.ready().await.unwrap().call(get());
        let free = async {
            // Half-way through the token request the one place is free for somebody else.
            sleep(SECOND / 2).await;
            limited.clone().ready().await.unwrap().call(get()).await.unwrap()
        };
        let (response, other) = tokio::time::timeout(30 * SECOND, async { tokio::join!(call, free) })
            .await
            .unwrap_or_else(|_| panic!("{place}: stuck"));
        assert_eq!((response.unwrap().status(), other.status()), (StatusCode::OK, StatusCode::OK), "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_send_takes_exactly_one_readiness() {
    #[derive(Clone, Default)]
    struct Counting {
        server: Server,
        readied: Arc<AtomicUsize>,
        ready: bool,
    }
    impl Service<Sent> for Counting {
        type Response = Answer;
        type Error = BoxError;
        type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            self.readied.fetch_add(1, SeqCst);
            self.ready = true;
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, request: Sent) -> Self::Future {
            assert!(mem::take(&mut self.ready), "called without being ready");
            Box::pin(self.server.service().oneshot(request))
        }
    }
    let inner =
        Counting { server: Server::answering([answer_with(200, ""), expired()]), ..Counting::default() };
    let mut service = layer(&Endpoint::default()).layer(inner.clone());
    service.tokens().get(Duration::ZERO).await.unwrap();
    service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!((inner.readied.load(SeqCst), inner.server.sent().len()), (1, 1), "with a usable token");
    service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!((inner.readied.load(SeqCst), inner.server.sent().len()), (3, 3), "with a replay");
}

#[tokio::test(start_paused = true)]
async fn the_inner_future_is_gone_as_soon_as_it_is_done() {
    /// Holds its place as long as it lives, done or not, as the future of a concurrency limit does.
    struct Held(Arc<AtomicUsize>, u16);
    impl Future for Held {
        type Output = Result<Answer, BoxError>;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(answer_with(self.1, EXPIRED)))
        }
    }
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    let held = Arc::new(AtomicUsize::new(0));
    for status in [401, 200] {
        let held = held.clone();
        let count = held.clone();
        let inner = service_fn(move |_: Sent| {
            count.fetch_add(1, SeqCst);
            Held(count.clone(), status)
        });
        let mut service = layer(&Endpoint::default()).layer(inner);
        service.tokens().get(Duration::ZERO).await.unwrap();
        let mut call = std::pin::pin!(service.ready().await.unwrap().call(get()));
        assert_eq!(held.load(SeqCst), 1);
        let polled = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        assert_eq!(polled.is_ready(), status == 200);
        assert_eq!(held.load(SeqCst), 0, "while a refresh is waited for, and after the end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_rejected_while_the_inner_service_gets_ready_is_not_sent() {
    let (endpoint, server, gate) = (Endpoint::default(), Server::default(), Arc::new(Notify::new()));
    #[derive(Clone)]
    struct Gated<S> {
        gate: Arc<Notify>,
        inner: S,
        wait: Arc<Mutex<Option<Wait>>>,
    }
    type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;
    impl<S: Service<Sent>> Service<Sent> for Gated<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;
        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            let gate = self.gate.clone();
            let mut wait = self.wait.lock().unwrap();
            let wait = wait.get_or_insert_with(|| Box::pin(async move { gate.notified().await }));
            ready!(wait.as_mut().poll(cx));
            *wait = Box::pin(std::future::ready(()));
            self.inner.poll_ready(cx)
        }
        fn call(&mut self, request: Sent) -> S::Future {
            self.inner.call(request)
        }
    }
    let inner = Gated { gate: gate.clone(), inner: server.service(), wait: Arc::default() };
    let mut service = layer(&endpoint).layer(inner);
    // Called without being ready: our layer needs no place of its own to begin with.
    let call = tokio::spawn(service.call(get()));
    sleep(2 * SECOND).await;
    let tokens = service.tokens();
    let lease = tokens.try_get().expect("acquired, and waiting for a place");
    tokens.mark_accepted(lease.generation());
    tokens.mark_rejected(lease.generation(), Reason::Expired);
    gate.notify_one();
    call.await.unwrap().unwrap();
    assert_eq!(server.sent(), ["t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_forgotten_while_a_request_waits_for_a_place_is_not_sent() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let mut inner = ConcurrencyLimitLayer::new(1).layer(server.service());
    // Somebody else has the one place.
    inner.ready().await.unwrap();
    let service = layer(&endpoint).layer(inner.clone());
    let tokens = service.tokens();
    let mut ours = service.clone();
    // Called without being ready: our layer needs no place of its own to begin with.
    let call = tokio::spawn(ours.call(get()));
    sleep(2 * SECOND).await;
    let old = tokens.try_get().expect("acquired, and waiting for a place");
    tokens.mark_rejected(old.generation(), Reason::Expired);
    tokens.replace(old.generation()).await.unwrap();
    tokens.invalidate();
    drop(inner);
    call.await.unwrap().unwrap();
    assert_eq!(server.sent(), ["t3"], "neither the rejected token nor the forgotten one");
}

#[test]
fn the_service_and_its_future_are_send_for_a_client_that_is() {
    fn is_send<T: Send + 'static>(_: &T) {}
    let server = Server::default();
    let mut service = layer(&Endpoint::default()).layer(tower::util::BoxCloneService::new(server.service()));
    is_send(&service);
    is_send(&service.call(get()));
}

#[test]
fn the_future_is_small() {
    type Inner = tower::util::BoxCloneService<Sent, Answer, BoxError>;
    type Future = <Inner as Service<Sent>>::Future;
    let own =
        size_of::<ResponseFuture<Inner, crate::keep::CloneBodies, Full<Bytes>, BoxBody<Bytes, BoxError>>>();
    assert!(own <= size_of::<Future>() + 128, "{own} bytes around {}", size_of::<Future>());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_its_renewal_has_killed_when_it_is_used_again_is_replaced_by_that_renewal() {
    /// Hands out `t1` and so on for a minute each. The second takes five seconds, and kills the first after one.
    #[derive(Clone, Default)]
    struct Killing {
        calls: Arc<AtomicU64>,
        least: Arc<AtomicU64>,
    }
    impl Credential for Killing {
        async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            let call = self.calls.fetch_add(1, SeqCst) + 1;
            if call > 1 {
                sleep(SECOND).await;
                self.least.store(call, SeqCst);
                sleep(4 * SECOND).await;
            }
            Ok(AccessToken::new(format!("t{call}"))?.with_lifetime(60 * SECOND))
        }

        fn describe(&self) -> crate::token::Description {
            crate::token::Description::new("killing").renewal(crate::token::Renewal::RevokesPrevious)
        }
    }
    let (least, server) = rejecting_old_tokens(0);
    let killing = Killing { least, ..Killing::default() };
    let service = AuthLayer::new(Origin::parse("https://api.test").unwrap(), killing.clone())
        .signatures(signatures())
        .layer(server);
    service.clone().oneshot(get()).await.unwrap();
    sleep(58 * SECOND).await;
    let start = Instant::now();
    let calls = (0..100).map(|n| {
        let service = service.clone();
        tokio::spawn(async move {
            sleep(SECOND * n / 100).await;
            service.oneshot(get()).await.unwrap()
        })
    });
    for response in join_all(calls).await {
        let response = response.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(outcome(&response).replayed(), "it went out with the first token after a second");
    }
    assert!((5 * SECOND..6 * SECOND).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(killing.calls.load(SeqCst), 2);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(
        (response.status(), response.extensions().get::<AuthOutcome>().is_some()),
        (StatusCode::OK, false)
    );
}
