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

#[tokio::test(start_paused = true)]
async fn a_401_that_no_rule_knows_is_the_expiry_of_a_token_that_the_machine_has_slept_through() {
    // Rules that ask for the body, and none at all.
    for signatures in [signatures(), Signatures::new()] {
        let (calls, server) = (Arc::new(AtomicU64::new(0)), Server::default());
        let credential = crate::credential::from_fn_with_state(calls.clone(), |calls, _, _| async move {
            let call = calls.fetch_add(1, SeqCst) + 1;
            Ok(AccessToken::new(format!("t{call}"))?.with_lifetime(3600 * SECOND))
        });
        let service = AuthLayer::new(Origin::parse("https://api.test").unwrap(), credential)
            .signatures(signatures)
            .layer(server.service());
        let answered = async |status| {
            server.answers.lock().unwrap().push_back(answer_with(status, r#"{"message":"who are you?"}"#));
            let response = service.clone().oneshot(get()).await.unwrap();
            (response.status().as_u16(), calls.load(SeqCst))
        };
        assert_eq!(answered(401).await, (401, 1), "it is valid, by all clocks");
        crate::time::machine_sleeps(3599 * SECOND);
        assert_eq!(answered(401).await, (401, 1));
        crate::time::machine_sleeps(2 * SECOND);
        assert_eq!(answered(200).await, (200, 1), "nobody minds");
        assert_eq!(answered(403).await, (403, 1));
        assert_eq!(answered(401).await, (200, 2), "refreshed and replayed");
        assert_eq!(answered(401).await, (401, 2), "the new one has not expired");
        assert_eq!(server.sent(), ["t1", "t1", "t1", "t1", "t1", "t2", "t2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_says_of_a_401_stands_whatever_the_wall_clock_shows() {
    let server = Server::answering([answer_with(401, r#"{"message":"no such permission"}"#)]);
    let credential =
        crate::credential::from_fn(|_, _| async { Ok(AccessToken::new("t1")?.with_lifetime(3600 * SECOND)) });
    let layer = AuthLayer::new(Origin::parse("https://api.test").unwrap(), credential);
    let service = layer.signatures(signatures()).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    crate::time::machine_sleeps(7200 * SECOND);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!((outcome(&response).verdict(), server.sent().len()), (Verdict::Denied, 1));
}
