//! Requests that pass without a token, and what is said of them.

use http::Extensions;

use super::*;

const UNMATCHED: &str = r#"{"message":"no such user"}"#;

fn to(uri: &str) -> Sent {
    Request::get(uri).body(Full::default()).unwrap()
}

fn said<B>(response: &Response<B>) -> Option<Passed> {
    response.extensions().get().and_then(AuthOutcome::passed)
}

/// For another vendor than [`layer`], whose token goes where that one's goes.
fn other_layer() -> AuthLayer {
    let credential = StaticToken::new("other").unwrap();
    AuthLayer::new(Origin::parse("https://other.test").unwrap(), credential).signatures(signatures())
}

#[tokio::test(start_paused = true)]
async fn a_401_says_why_its_request_passed_and_no_other_status_does() {
    let own = Request::get("https://api.test/").header("authorization", "own").body(Full::default()).unwrap();
    let exempt =
        Request::get("https://other.test/").extension(Exempt::FromAuthentication).body(Full::default());
    for (request, why) in [
        (to("https://localhost/"), Passed::OtherOrigin),
        (to("http://api.test/"), Passed::OtherOrigin),
        (to("https://api.test:8443/"), Passed::OtherOrigin),
        (to("/path/only"), Passed::OtherOrigin),
        (own, Passed::OwnHeader),
        (exempt.unwrap(), Passed::Exempt),
    ] {
        for (status, expected) in [(401, Some(why)), (200, None), (400, None), (403, None), (407, None)] {
            let server = Server::answering([answer_with(status, EXPIRED)]);
            let service = layer(&Endpoint::default()).layer(server.service());
            let response = service.oneshot(request.clone()).await.unwrap();
            assert_eq!(said(&response), expected, "{status} to {:?}", request.uri());
            assert_eq!(response.extensions().len(), usize::from(status == 401));
            if status == 401 {
                let outcome = outcome(&response);
                assert_eq!((outcome.verdict(), outcome.replayed()), (Verdict::Accepted, false));
            }
            assert_eq!(response.headers()["x-kept"], "yes");
            assert_eq!(text(response).await, EXPIRED);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_a_credentials_own_request_wherever_it_goes() {
    for uri in ["https://api.test/token", "https://other.test/token"] {
        let server = Server::answering([expired()]);
        let transport = Transport::new::<_, Full<Bytes>, _>(other_layer().layer(server.service()));
        let mut request = Request::post(uri).body(Bytes::new()).unwrap();
        request.extensions_mut().insert(Exempt::FromAuthentication);
        let response = transport.send(request).await.unwrap();
        assert_eq!((response.status(), response.extensions().len()), (StatusCode::UNAUTHORIZED, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_layers_the_one_whose_token_was_sent_has_the_last_word() {
    for (uri, answer, token, passed, verdict) in [
        ("https://api.test/", UNMATCHED, "t1", None, None),
        ("https://other.test/", UNMATCHED, "other", None, None),
        ("https://stranger.test/", UNMATCHED, "none", Some(Passed::OtherOrigin), Some(Verdict::Accepted)),
        ("https://other.test/", EXPIRED, "other", None, Some(Verdict::Expired)),
        ("https://stranger.test/", EXPIRED, "none", Some(Passed::OtherOrigin), Some(Verdict::Accepted)),
    ] {
        for ours_is_above in [true, false] {
            let server = Server::answering([answer_with(401, answer)]);
            let (ours, other) = (layer(&Endpoint::default()), other_layer());
            let (above, beneath) = if ours_is_above { (ours, other) } else { (other, ours) };
            let response = above.layer(beneath.layer(server.service())).oneshot(to(uri)).await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(said(&response), passed, "{uri} {ours_is_above}");
            let outcome = response.extensions().get::<AuthOutcome>();
            assert_eq!(outcome.map(AuthOutcome::verdict), verdict, "{uri} {ours_is_above}");
            assert_eq!(server.sent(), [token]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_through_a_layer_that_it_passes_is_told_as_if_that_were_not_there() {
    let server = Server::answering([expired(), expired()]);
    let service = layer(&Endpoint::default()).layer(other_layer().layer(server.service()));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!((outcome(&response).verdict(), outcome(&response).replayed()), (Verdict::Expired, true));
    assert_eq!(said(&response), None);
    assert_eq!(server.sent(), ["t1", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_without_rules_has_the_last_word_as_well() {
    let server = Server::answering([expired()]);
    let origin = Origin::parse("https://api.test").unwrap();
    let above = AuthLayer::new(origin, StaticToken::new("abc").unwrap());
    let response = above.layer(other_layer().layer(server.service())).oneshot(get()).await.unwrap();
    assert!(response.extensions().get::<AuthOutcome>().is_none());
    assert_eq!(server.sent(), ["abc"]);
}

#[tokio::test(start_paused = true)]
async fn what_others_say_of_a_response_is_left_alone() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);
    let marked = || {
        let mut answer = answer_with(401, UNMATCHED);
        answer.extensions_mut().insert(Mark(7));
        answer
    };
    let mark = |extensions: &Extensions| extensions.get::<Mark>().cloned();
    let server = Server::answering([marked(), marked()]);
    let service = layer(&Endpoint::default()).layer(server.service());
    for uri in ["https://api.test/", "https://stranger.test/"] {
        let response = service.clone().oneshot(to(uri)).await.unwrap();
        assert_eq!(mark(response.extensions()), Some(Mark(7)), "{uri}");
    }
}
