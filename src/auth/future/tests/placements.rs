//! Tokens that are joined with what the caller sends: among its cookies, in its query; and those in a header of a form of
//! its own.

use http::{HeaderMap, header::COOKIE};

use super::*;

/// Hands out these tokens, one after the other, after a second.
#[derive(Clone)]
struct Listed(Arc<Mutex<VecDeque<&'static str>>>);

impl Listed {
    fn new<const N: usize>(tokens: [&'static str; N]) -> Self {
        Self(Arc::new(Mutex::new(tokens.into())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Credential for Listed {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        sleep(SECOND).await;
        let token = self.0.lock().unwrap().pop_front();
        Ok(AccessToken::new(token.expect("no more tokens than that"))?)
    }
}

fn placed(origin: &str, placement: Placement, credential: impl Credential) -> AuthLayer {
    let origin = Origin::parse_allowing_plaintext_tokens(origin).unwrap();
    AuthLayer::new(origin, credential).signatures(signatures()).placement(placement)
}

fn cookie() -> Placement {
    Placement::cookie("session").unwrap()
}

fn query() -> Placement {
    Placement::query_visible_in_logs("access_token").unwrap()
}

fn quoted() -> Placement {
    Placement::template("Authorization", r#"Token token="{token}""#).unwrap()
}

/// A request with two headers of cookies, and a query.
fn post() -> Sent {
    Request::post("https://api.test/things?a=%41&")
        .version(Version::HTTP_2)
        .header("cookie", "a=b; c=d")
        .header("x-own", "1")
        .header("cookie", "e=\"f\"")
        .body(Full::from("body"))
        .unwrap()
}

/// What is sent of `post()` besides the token.
fn others(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    let fields = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    fields.filter(|(name, _)| !["cookie", "authorization", "cache-control"].contains(name)).collect()
}

/// URI, cookies and `Authorization` of each request that was sent.
fn seen(server: &Server) -> Vec<[String; 3]> {
    let all = |headers: &HeaderMap, name| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
        values.collect::<Vec<_>>().join(" | ")
    };
    let seen = server.seen.lock().unwrap();
    let of = |sent: &Sent| {
        [sent.uri().to_string(), all(sent.headers(), COOKIE), all(sent.headers(), AUTHORIZATION)]
    };
    seen.iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn wherever_the_token_goes_it_is_sent_cached_and_replaced_and_the_rest_is_the_callers() {
    const COOKIES: &str = "a=b; c=d | e=\"f\"";
    const URI: &str = "https://api.test/things?a=%41&";
    type Expected = fn(&str) -> [String; 3];
    let cases: [(Placement, Expected); 3] = [
        (quoted(), |token| {
            [URI.into(), COOKIES.into(), format!("Token token=\"{}\"", token.replace('"', "\\\""))]
        }),
        (cookie(), |token| [URI.into(), format!("a=b; c=d; e=\"f\"; session={token}"), String::new()]),
        (query(), |token| {
            let token = token.replace('+', "%2B").replace('"', "%22");
            [format!("{URI}access_token={token}"), COOKIES.into(), String::new()]
        }),
    ];
    for (placement, expected) in cases {
        let tokens = if placement == cookie() { ["t1", "t+2", "t3"] } else { ["t1", "t\"2+", "t3"] };
        let (listed, server) = (Listed::new(tokens), Server::default());
        let layer = placed("https://api.test", placement.clone(), listed.clone());
        let (handle, mut service) = (layer.tokens(), layer.layer(server.service()));
        let mut call = async || {
            let response = service.ready().await.unwrap().call(post()).await.unwrap();
            assert_eq!((response.status(), text(response).await), (StatusCode::OK, "fine".to_owned()));
        };
        call().await;
        call().await;
        server.answers.lock().unwrap().push_back(expired());
        call().await;
        call().await;
        handle.reject(&handle.try_get().unwrap()).await.unwrap();
        call().await;
        let sent = [tokens[0], tokens[0], tokens[0], tokens[1], tokens[1], tokens[2]];
        assert_eq!(seen(&server), sent.map(expected), "{placement:?}");
        assert_eq!(listed.left(), 0);
        let requests = mem::take(&mut *server.seen.lock().unwrap());
        for request in requests {
            assert_eq!(others(request.headers()), [("x-own", &b"1"[..])]);
            let has_token = |name: &str| placement.header().is_some_and(|header| header == name);
            for (name, value) in request.headers() {
                assert_eq!(value.is_sensitive(), has_token(name.as_str()), "{name}");
            }
            let no_store = request.headers().get("cache-control").map(|value| value == "no-store");
            assert_eq!(no_store, (placement == query()).then_some(true));
            assert_eq!((request.method().as_str(), request.version()), ("POST", Version::HTTP_2));
            assert_eq!(request.body().clone().collect().await.unwrap().to_bytes(), "body");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_anything_of_the_callers_the_token_stands_alone() {
    for (placement, expected) in [
        (cookie(), ["https://api.test/", "session=t1", ""]),
        (query(), ["https://api.test/?access_token=t1", "", ""]),
    ] {
        let server = Server::answering([expired()]);
        let service =
            placed("https://api.test", placement, Listed::new(["t1", "t2"])).layer(server.service());
        for _ in 0..2 {
            let request = Request::get("https://api.test/").body(Full::default()).unwrap();
            assert_eq!(service.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
        }
        let expected = [expected, expected, expected].map(|sent| sent.map(str::to_owned));
        let mut expected = expected.to_vec();
        expected[1..].iter_mut().flatten().for_each(|text| *text = text.replace("t1", "t2"));
        assert_eq!(seen(&server), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_relative_uri_gets_the_token_in_its_query_if_the_origin_is_implied() {
    for (uri, status, sent) in [
        ("/a", 200, "/a?access_token=t1"),
        ("/a?", 200, "/a?access_token=t1"),
        ("/a?b", 200, "/a?b&access_token=t1"),
        ("*", 401, "*"),
    ] {
        let server = Server::answering(if status == 401 { [expired()] } else { [answer_with(200, "fine")] });
        let origin = Origin::parse("https://api.test").unwrap().implied();
        let layer = AuthLayer::new(origin, Listed::new(["t1"])).placement(query());
        let request = Request::options(uri).body(Full::default()).unwrap();
        let response = layer.layer(server.service()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        let passed = response.extensions().get().and_then(AuthOutcome::passed);
        assert_eq!(passed, (status == 401).then_some(Passed::NoRoom));
        assert_eq!(seen(&server)[0][0], sent);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_has_put_there_wins() {
    let own = |uri: &str, name: &str, value: &str| {
        Request::get(uri).header("cookie", "a=b").header(name, value).body(Full::<Bytes>::default()).unwrap()
    };
    let exempt = |mut request: Sent| {
        request.extensions_mut().insert(Exempt::FromAuthentication);
        request
    };
    let (plain, tls) = ("http://api.test", "https://api.test");
    for (origin, placement, request, why) in [
        (tls, quoted(), own("https://api.test/", "authorization", "own"), Passed::OwnHeader),
        (tls, cookie(), own("https://api.test/", "cookie", "b=c; session=own"), Passed::OwnCookie),
        (tls, query(), own("https://api.test/?a&access%5Ftoken=own", "x", "y"), Passed::OwnParameter),
        (tls, cookie(), exempt(own("https://api.test/", "x", "y")), Passed::Exempt),
        (tls, query(), exempt(own("https://api.test/", "x", "y")), Passed::Exempt),
        (tls, query(), own("https://other.test/", "x", "y"), Passed::OtherOrigin),
        (plain, query(), own("http://api.test/", "x", "y"), Passed::PlainHttp),
    ] {
        let (server, listed) = (Server::default(), Listed::new(["t1"]));
        let layer = placed(origin, placement.clone(), listed.clone());
        let service = layer.layer(server.service());
        // Before there is a token, and with one.
        for _ in 0..2 {
            server.answers.lock().unwrap().push_back(expired());
            let response = service.clone().oneshot(request.clone()).await.unwrap();
            let outcome = outcome(&response);
            assert_eq!((outcome.passed(), outcome.refreshed()), (Some(why), false), "{placement:?}");
            assert_eq!(text(response).await, EXPIRED);
            layer.tokens().get(Duration::ZERO).await.unwrap();
        }
        for sent in &*server.seen.lock().unwrap() {
            assert_eq!((sent.uri(), sent.headers()), (request.uri(), request.headers()));
        }
        assert_eq!(server.seen.lock().unwrap().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn cookies_of_others_and_a_bearer_token_of_ones_own_are_no_reason_to_pass() {
    let request = Request::get("https://api.test/?Access_token=1")
        .header("cookie", "sessions=1")
        .header("authorization", "own")
        .body(Full::<Bytes>::default())
        .unwrap();
    for (placement, expected) in [
        (cookie(), ["https://api.test/?Access_token=1", "sessions=1; session=t1", "own"]),
        (query(), ["https://api.test/?Access_token=1&access_token=t1", "sessions=1", "own"]),
    ] {
        let server = Server::default();
        let layer = placed("https://api.test", placement, Listed::new(["t1"]));
        layer.layer(server.service()).oneshot(request.clone()).await.unwrap();
        assert_eq!(seen(&server), [expected.map(str::to_owned)]);
    }
}

#[tokio::test(start_paused = true)]
async fn in_plain_text_a_cookie_or_header_goes_where_the_program_has_said_so() {
    for (placement, expected) in [(cookie(), "session=t1"), (quoted(), "Token token=\"t1\"")] {
        let header = placement.header().cloned().unwrap();
        let server = Server::default();
        let service = placed("http://api.test", placement, Listed::new(["t1"])).layer(server.service());
        let request = Request::get("http://api.test/").body(Full::default()).unwrap();
        service.oneshot(request).await.unwrap();
        assert_eq!(server.seen.lock().unwrap()[0].headers()[header], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_be_no_cookie_is_an_error_and_nothing_is_sent() {
    let (server, listed) = (Server::default(), Listed::new(["s3;cret", "fine"]));
    let layer = placed("https://api.test", cookie(), listed.clone());
    let mut service = layer.layer(server.service());
    for _ in 0..2 {
        let error = service.ready().await.unwrap().call(post()).await.unwrap_err();
        assert_eq!(AuthError::find(&*error).unwrap().kind(), AuthErrorKind::NotPlaceable);
        assert!(error.to_string().contains("cookie") && !format!("{error} {error:?}").contains("s3"));
    }
    assert_eq!((server.sent().len(), listed.left()), (0, 1));
    layer.tokens().invalidate();
    assert_eq!(service.call(post()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(seen(&server)[0][1], "a=b; c=d; e=\"f\"; session=fine");
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_can_be_no_cookie_leaves_the_rejection_as_it_is() {
    let server = Server::answering([expired()]);
    let service = placed("https://api.test", cookie(), Listed::new(["t1", "t,2"])).layer(server.service());
    let response = service.oneshot(post()).await.unwrap();
    assert_eq!((response.status(), server.sent().len()), (StatusCode::UNAUTHORIZED, 1));
    let error = outcome(&response).error().expect("no new token can be sent");
    assert_eq!((error.kind(), outcome(&response).replayed()), (AuthErrorKind::NotPlaceable, false));
    assert_eq!(text(response).await, EXPIRED);
}

#[tokio::test(start_paused = true)]
async fn a_uri_without_room_for_the_token_passes() {
    let long = || {
        let uri = format!("https://api.test/?{}", "x".repeat(65_534 - 33));
        Request::get(uri).body(Full::<Bytes>::default()).unwrap()
    };
    let server = Server::answering([expired(), expired()]);
    let layer = placed("https://api.test", query(), Listed::new(["t1"]));
    let mut service = layer.layer(server.service());
    // Once it is found when the token comes, once before.
    for _ in 0..2 {
        let response = service.ready().await.unwrap().call(long()).await.unwrap();
        assert_eq!(outcome(&response).passed(), Some(Passed::NoRoom));
        assert_eq!(
            (outcome(&response).verdict(), outcome(&response).refreshed()),
            (Verdict::Accepted, false)
        );
        assert_eq!(text(response).await, EXPIRED);
    }
    let response = service.call(long()).await.unwrap();
    assert_eq!((response.status(), response.extensions().len()), (StatusCode::OK, 0));
    assert!(
        server
            .seen
            .lock()
            .unwrap()
            .iter()
            .all(|sent| sent.uri() == long().uri() && sent.headers().is_empty())
    );
    assert_eq!(server.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_is_too_long_for_the_uri_leaves_the_rejection_as_it_is() {
    let uri = format!("https://api.test/?{}", "x".repeat(65_534 - 34));
    let server = Server::answering([expired()]);
    let layer = placed("https://api.test", query(), Listed::new(["t1", "t22"]));
    let request = Request::get(uri).body(Full::default()).unwrap();
    let response = layer.layer(server.service()).oneshot(request).await.unwrap();
    let said = outcome(&response);
    assert_eq!(
        (said.not_replayed(), said.refreshed(), said.replayed()),
        (Some(NotReplayed::NoRoom), true, false)
    );
    assert_eq!((text(response).await, server.sent().len()), (EXPIRED.to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn the_token_is_taken_out_of_the_vendors_words_as_it_was_sent_and_as_it_is() {
    const TOKEN: &str = "abc\"def/ghi+jkl=mno";
    for (placement, words, shown) in [
        (query(), "no /?access_token=abc%22def%2Fghi%2Bjkl%3Dmno", "no /?access_token=[redacted]"),
        (query(), "no abc%22def%2fghi%2bjkl%3dmno!", "no [redacted]!"),
        (query(), r#"no abc\"def/ghi+jkl=mno!"#, "no [redacted]!"),
        (quoted(), r#"no token=\"abc\\\"def/ghi+jkl=mno\""#, "no token=\"[redacted]\""),
        (quoted(), r#"no abc\"def/ghi+jkl=mno!"#, "no [redacted]!"),
        (Placement::bearer(), r#"no abc\"def/ghi+jkl=mno!"#, "no [redacted]!"),
    ] {
        let answer = format!(r#"{{"message":"expired","why":"{words}"}}"#);
        let answer =
            Response::builder().status(401).body(Full::from(answer).map_err(|never| match never {}).boxed());
        let server = Server::answering([answer.unwrap()]);
        let rule = Rule::denied().when(json("/message").is("expired")).reason("/why");
        let layer = placed("https://api.test", placement.clone(), Listed::new([TOKEN]));
        let layer = layer.signatures(Signatures::new().rule(rule));
        let response = layer.layer(server.service()).oneshot(get()).await.unwrap();
        assert_eq!(outcome(&response).reason(), Some(shown), "{placement:?} {words}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_joined_token_holds_no_place_in_the_inner_service_while_it_is_waited_for() {
    for placement in [cookie(), query()] {
        let server = Server::answering([expired()]);
        let inner =
            tower::ServiceBuilder::new().layer(ConcurrencyLimitLayer::new(1)).service(server.service());
        let layer = placed("https://api.test", placement, Listed::new(["t1", "t2"]));
        let service = layer.layer(inner.clone());
        let mut waiting = Box::pin(service.clone().oneshot(get()));
        assert!(futures_util::FutureExt::now_or_never(&mut waiting).is_none());
        let free = inner.oneshot(get());
        assert_eq!(free.await.unwrap().status(), StatusCode::UNAUTHORIZED, "the first answer");
        assert_eq!(waiting.await.unwrap().status(), StatusCode::OK);
        assert_eq!(join_all((0..3).map(|_| service.clone().oneshot(get()))).await.len(), 3);
        assert_eq!(server.sent().len(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_recorded_or_not_kept_go_with_any_placement() {
    for placement in [cookie(), query()] {
        let server = Server::answering([expired()]);
        let layer = placed("https://api.test", placement, Listed::new(["t1", "t2", "t3"]));
        let inner = server.service();
        let recorded = tower::ServiceBuilder::new()
            .layer(layer.clone().record_bodies(1024))
            .map_request(|request: Request<_>| {
                request.map(|body: crate::keep::ReplayBody<Full<Bytes>>| {
                    let read = BodyExt::collect(body);
                    Full::new(futures_util::FutureExt::now_or_never(read).unwrap().unwrap().to_bytes())
                })
            })
            .service(inner.clone());
        let response = recorded.oneshot(post()).await.unwrap();
        assert!(outcome(&response).replayed());
        server.answers.lock().unwrap().push_back(expired());
        let response = layer.no_replay().layer(inner).oneshot(post()).await.unwrap();
        let said = outcome(&response);
        assert_eq!(
            (response.status(), said.not_replayed()),
            (StatusCode::UNAUTHORIZED, Some(NotReplayed::Body))
        );
        let sent: Vec<_> = server.seen.lock().unwrap().iter().map(|sent| sent.body().clone()).collect();
        for body in sent {
            assert_eq!(body.collect().await.unwrap().to_bytes(), "body");
        }
    }
}
