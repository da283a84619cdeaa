//! Any body through the whole layer, in paused time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_LENGTH};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{script::ScriptBody, *};
use crate::{
    auth::{AuthLayer, AuthOutcome, Origin},
    error::AcquireError,
    keep::NotReplayed,
    signature::{Rule, Signatures, Verdict, body, header, json},
    token::{AccessToken, Acquire, Credential},
};

const SECOND: Duration = Duration::from_secs(1);

/// What becomes of the response.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// No rule is for it.
    Unconcerned,
    /// A rule wants the body, and doesn't match.
    Judged,
    /// A rule matches whatever the body is, and there is no other token.
    RejectedByStatus,
    /// A rule matches if it gets to see the body, and there is no other token.
    RejectedByBody,
    /// It is the answer to a replay, and a rule wants its body.
    Replayed,
}

use Fate::{Judged, RejectedByBody, RejectedByStatus, Replayed, Unconcerned};

impl Fate {
    fn rule(self) -> Rule {
        let rule = match self {
            Unconcerned => Rule::expired().when(header("x-other").is("yes")),
            Judged => Rule::expired().when(json("/code").is("expired")),
            RejectedByStatus => Rule::expired(),
            RejectedByBody => Rule::from_fn(|answer| answer.body().map(|_| Verdict::Expired)),
            Replayed => Rule::expired().when(body().contains("{expired}")),
        };
        rule.status(StatusCode::UNAUTHORIZED)
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn the_caller_gets_every_body_as_the_server_sent_it(
        script in script(),
        cap in cap(),
        time in time_cap(),
        fate in prop::sample::select(vec![Unconcerned, Judged, RejectedByStatus, RejectedByBody, Replayed]),
    ) {
        let limits = limits(&script, cap, time);
        paused().block_on(async {
            let rejection = Script::of([Piece::data("{expired}")]);
            let (answers, tokens) = match fate {
                // The first answer has to fit, or it is the last.
                Replayed if limits.bytes < 9 => return,
                Replayed => (vec![rejection, script.clone()], 2),
                _ => (vec![script.clone()], 1),
            };
            let server = Server::answering(answers);
            let auth = layer(fate.rule(), tokens).peek(limits.bytes, limits.time);
            let response = auth.layer(server.service()).oneshot(get()).await.expect("a response");

            let outcome = response.extensions().get::<AuthOutcome>();
            match fate {
                Unconcerned => assert!(outcome.is_none()),
                Judged => assert!(outcome.is_none_or(|outcome| outcome.unread().is_some())),
                RejectedByStatus => assert_eq!(outcome.expect("an outcome").verdict(), Verdict::Expired),
                RejectedByBody => {
                    let outcome = outcome.expect("an outcome");
                    assert!((outcome.verdict() == Verdict::Expired) != outcome.unread().is_some());
                }
                Replayed => assert!(outcome.expect("an outcome").replayed()),
            }
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(response.headers()["x-kept"], "yes");
            assert_eq!(response.extensions().get(), Some(&Mark));
            assert_gives(response.into_body(), &script.pieces(), script.lost > 0).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_second_is_waited_for_two_seconds_and_comes_on_time_after_that() {
    let text = r#"{"message":"jwt expired"}"#;
    let byte = |byte: u8| [Step::Wait(SECOND), Step::Give(Piece::data(vec![byte]))];
    let mut script = Script::of([]);
    script.steps = text.bytes().flat_map(byte).collect();
    for fate in [Judged, RejectedByStatus] {
        let server = Server::answering([script.clone()]);
        let service = layer(fate.rule(), 9).layer(server.service());
        service.tokens().get(Duration::ZERO).await.expect("a token");
        let start = Instant::now();
        let response = service.oneshot(get()).await.expect("a response");
        let late = start.elapsed() - 2 * SECOND;
        assert!(late <= TICK, "each byte made it wait on");
        let outcome = response.extensions().get::<AuthOutcome>().expect("an outcome");
        match fate {
            Judged => assert_eq!(outcome.unread(), Some(Unread::TooSlow)),
            _ => assert_eq!(outcome.not_replayed(), Some(NotReplayed::Response)),
        }
        let mut body = response.into_body();
        for (second, byte) in (1..).zip(text.bytes()) {
            assert_eq!(next(&mut body).await, Some(Piece::data(vec![byte])));
            let late = start.elapsed().saturating_sub(second * SECOND);
            assert!(second <= 2 || late <= 2 * TICK, "byte {second} is {late:?} late");
        }
        assert_eq!(next(&mut body).await, None);
        assert_eq!(server.sends(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_cap_of_a_replays_answer_counts_for_itself() {
    let mut rejection = Script::of([Piece::data("{expired}")]);
    rejection.steps.insert(0, Step::Wait(3 * SECOND / 2));
    let mut answer = Script::of([Piece::data("other")]);
    answer.steps.insert(0, Step::Wait(3 * SECOND / 2));
    let server = Server::answering([rejection, answer.clone()]);
    let response =
        layer(Replayed.rule(), 2).layer(server.service()).oneshot(get()).await.expect("a response");
    let outcome = response.extensions().get::<AuthOutcome>().expect("an outcome");
    assert_eq!((outcome.replayed(), outcome.unread()), (true, None));
    assert_gives(response.into_body(), &answer.pieces(), false).await;
}

/// A body that would be waited for shows whether it is.
#[tokio::test(start_paused = true)]
async fn no_body_is_expected_where_there_is_none_by_nature() {
    let endless = Script { steps: vec![Step::Wait(1000 * SECOND)], ..Script::of([]) };
    let rule = || Rule::expired().read_success_bodies().when(body().contains("expired"));
    let (get, zero) = (Method::GET, Some("0"));
    for (method, status, length) in [
        (Method::HEAD, 401, Some("25")),
        (get.clone(), 101, None),
        (get.clone(), 204, None),
        (get.clone(), 304, Some("25")),
        (get.clone(), 401, zero),
        (get, 200, zero),
    ] {
        let server = Server::answering([endless.clone()]).with_head(status, length);
        let service = layer(rule(), 1).layer(server.service());
        let start = Instant::now();
        let request = Request::builder().method(&method).uri("https://api.test/").body(String::new());
        let response = service.oneshot(request.expect("a request")).await.expect("a response");
        assert_eq!(start.elapsed(), Duration::ZERO, "{method} {status}");
        assert_eq!(response.status(), status);
        assert!(response.extensions().get::<AuthOutcome>().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_without_a_body_is_replayed_without_a_wait() {
    for (method, length) in [(Method::HEAD, "25"), (Method::GET, "0")] {
        let server = Server::answering([Script::of([])]).with_head(401, Some(length));
        let service = layer(RejectedByStatus.rule(), 2).layer(server.service());
        let start = Instant::now();
        let request = Request::builder().method(method).uri("https://api.test/").body(String::new());
        service.oneshot(request.expect("a request")).await.expect("a response");
        assert_eq!((start.elapsed(), server.sends()), (Duration::ZERO, 2));
    }
}

/// An extension of every answer, as hyper's `OnUpgrade` is.
#[derive(Clone, Debug, PartialEq)]
struct Mark;

/// A server that gives its answers in turn, the last one again and again.
#[derive(Clone)]
struct Server {
    answers: Arc<Vec<Script>>,
    status: u16,
    length: Option<&'static str>,
    sends: Arc<AtomicUsize>,
}

impl Server {
    fn answering(answers: impl Into<Vec<Script>>) -> Self {
        Self { answers: Arc::new(answers.into()), status: 401, length: None, sends: Arc::default() }
    }

    fn with_head(self, status: u16, length: Option<&'static str>) -> Self {
        Self { status, length, ..self }
    }

    fn service(
        &self,
    ) -> impl Service<
        Request<String>,
        Response = Response<ScriptBody<Bytes>>,
        Error = BoxError,
        Future: Future + Send,
    > + Clone
    + Send
    + 'static {
        let server = self.clone();
        service_fn(move |_: Request<String>| {
            let send = server.sends.fetch_add(1, SeqCst);
            let script = &server.answers[send.min(server.answers.len() - 1)];
            let mut response = Response::new(script.body(|data| data));
            *response.status_mut() = StatusCode::from_u16(server.status).expect("a status");
            response.headers_mut().insert("x-kept", HeaderValue::from_static("yes"));
            if let Some(length) = server.length {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(length));
            }
            response.extensions_mut().insert(Mark);
            std::future::ready(Ok(response))
        })
    }

    fn sends(&self) -> usize {
        self.sends.load(SeqCst)
    }
}

/// A credential that has so many tokens and no more.
struct Tokens {
    left: AtomicU64,
}

impl Credential for Tokens {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        match self.left.load(SeqCst) {
            0 => Err(AcquireError::rejected("no more tokens")),
            left => {
                self.left.store(left - 1, SeqCst);
                Ok(AccessToken::new(format!("t{left}"))?)
            }
        }
    }
}

fn layer(rule: Rule, tokens: u64) -> AuthLayer {
    let origin = Origin::parse("https://api.test").expect("an origin");
    AuthLayer::new(origin, Tokens { left: AtomicU64::new(tokens) }).signatures(Signatures::new().rule(rule))
}

fn get() -> Request<String> {
    Request::get("https://api.test/").body(String::new()).expect("a request")
}
