//! Servers that reject more than one token.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_server_that_rejects_everything_costs_few_token_calls_and_every_caller_gets_its_answer() {
    let endpoint = Endpoint::default();
    let sends = Arc::new(AtomicUsize::new(0));
    let count = sends.clone();
    let inner = service_fn(move |_: Sent| {
        count.fetch_add(1, SeqCst);
        async { Ok::<_, Infallible>(expired()) }
    });
    let service = layer(&endpoint).layer(inner);
    let mut calls = Vec::new();
    for _ in 0..6000 {
        calls.push(tokio::spawn(service.clone().oneshot(get())));
        sleep(SECOND / 100).await;
    }
    for call in calls {
        assert_eq!(text(call.await.unwrap().unwrap()).await, EXPIRED);
    }
    assert!(endpoint.calls.load(SeqCst) < 12, "{} token calls in a minute", endpoint.calls.load(SeqCst));
    assert!(sends.load(SeqCst) < 2 * 6000);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_a_server_accepts_may_be_replaced_at_once_when_it_is_rejected() {
    let tells = [(200, true), (204, true), (304, true), (101, true), (404, false), (500, false)];
    for (status, is_acceptance) in tells {
        for (to_the_replay, afterwards) in [(status, 500), (500, status)] {
            let (endpoint, server) = (Endpoint::default(), Server::default());
            let service = layer(&endpoint).layer(server.service());
            let [to_the_replay, afterwards] =
                [to_the_replay, afterwards].map(|status| answer_with(status, ""));
            let answers = [expired(), to_the_replay, afterwards, expired()];
            *server.answers.lock().unwrap() = answers.into();
            for _ in 0..2 {
                service.clone().oneshot(get()).await.unwrap();
            }
            let response = service.oneshot(get()).await.unwrap();
            assert_eq!(outcome(&response).replayed(), is_acceptance, "{status}");
            assert_eq!(outcome(&response).error().is_some(), !is_acceptance, "{status}: paused");
            assert_eq!(endpoint.calls.load(SeqCst), if is_acceptance { 3 } else { 2 });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_key_is_rejected_until_it_is_accepted_again() {
    let server =
        Server::answering([answer_with(200, ""), expired(), answer_with(500, ""), answer_with(200, "")]);
    let origin = Origin::parse("https://api.test").unwrap();
    let layer = AuthLayer::new(origin, StaticToken::new("key").unwrap()).signatures(signatures());
    let (tokens, service) = (layer.tokens(), layer.layer(server.service()));
    for state in [TokenState::Fresh, TokenState::Rejected, TokenState::Rejected, TokenState::Fresh] {
        service.clone().oneshot(get()).await.unwrap();
        assert_eq!(tokens.state().token(), state);
    }
    assert_eq!(server.sent(), ["key"; 4]);
}
