//! The layer over an in-memory server whose answers have trailers.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::stream;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::{
    auth::{AuthLayer, Origin},
    body::PeekBody,
    credential::from_fn,
    signature::{Rule, trailer},
    token::AccessToken,
};

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;
type Given = Response<PeekBody<UnsyncBoxBody<Bytes, BoxError>>>;

/// A layer over a server, and what both have counted.
struct Setup {
    layer: AuthLayer,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    sent: Arc<Mutex<Vec<HeaderValue>>>,
    acquired: Arc<AtomicU64>,
}

impl Setup {
    fn new(signatures: Signatures) -> Self {
        let acquired = Arc::new(AtomicU64::new(0));
        let count = acquired.clone();
        let credential = from_fn(move |_, _| {
            let number = count.fetch_add(1, SeqCst) + 1;
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(AccessToken::new(format!("t{number}"))?)
            }
        });
        let origin = Origin::parse("https://grpc.test").unwrap();
        Self {
            layer: AuthLayer::new(origin, credential).signatures(signatures),
            answers: Arc::default(),
            sent: Arc::default(),
            acquired,
        }
    }

    async fn call(&self, answer: Answer) -> Given {
        self.answers.lock().unwrap().push_back(answer);
        let (answers, sent) = (self.answers.clone(), self.sent.clone());
        let server = service_fn(move |request: Request<Full<Bytes>>| {
            sent.lock().unwrap().push(request.headers()["authorization"].clone());
            let answer = answers.lock().unwrap().pop_front().unwrap();
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        let request = Request::post("https://grpc.test/echo").body(Full::default()).unwrap();
        self.layer.layer(server).oneshot(request).await.unwrap()
    }

    fn sent(&self) -> Vec<String> {
        let token = |value: &HeaderValue| value.to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        self.sent.lock().unwrap().iter().map(token).collect()
    }
}

fn answer(frames: Vec<Result<Frame<Bytes>, BoxError>>) -> Answer {
    let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn status(code: &'static str) -> Result<Frame<Bytes>, BoxError> {
    let fields = [("grpc-status", code), ("grpc-message", "over")];
    let fields = fields.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    Ok(Frame::trailers(HeaderMap::from_iter(fields)))
}

fn late(response: &Given) -> Option<TrailersOutcome> {
    response.extensions().get().cloned()
}

#[tokio::test(start_paused = true)]
async fn a_rejection_in_the_trailers_is_marked_and_the_next_request_has_a_new_token() {
    for before in [vec![], vec![data("a message")]] {
        let setup = Setup::new(Signatures::grpc());
        let frames = before.iter().map(|_| data("a message")).chain([status("16")]).collect();
        let response = setup.call(answer(frames)).await;
        assert!(response.extensions().get::<AuthOutcome>().is_none(), "nothing is known yet");
        let late = late(&response).unwrap();
        assert!(late.outcome().is_none());
        let body = response.into_body().collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()["grpc-status"], "16", "it is handed on");

        let outcome = late.outcome().unwrap();
        assert_eq!((outcome.verdict(), outcome.reason()), (Verdict::Expired, Some("over")));
        assert_eq!(outcome.not_replayed(), Some(NotReplayed::Trailers));
        assert!(outcome.refreshed() && !outcome.replayed());
        // It has been begun already, by the trailers.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(setup.acquired.load(SeqCst), 2);
        let fine = setup.call(answer(vec![data("fine"), status("0")])).await;
        fine.into_body().collect().await.unwrap();
        assert_eq!((setup.sent(), setup.acquired.load(SeqCst)), (vec!["t1".into(), "t2".into()], 2));
    }
}

#[tokio::test(start_paused = true)]
async fn trailers_that_accept_the_token_say_so() {
    let setup = Setup::new(Signatures::grpc());
    let permission_denied = answer(vec![status("7")]);
    let no_trailers = answer(vec![data("a message"), data("")]);
    for answer in [answer(vec![data("a message"), status("0")]), permission_denied, no_trailers] {
        let response = setup.call(answer).await;
        let late = late(&response).unwrap();
        response.into_body().collect().await.unwrap();
        let outcome = late.outcome().unwrap();
        assert_eq!((outcome.verdict(), outcome.not_replayed()), (Verdict::Accepted, None));
    }
    assert_eq!(setup.acquired.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_trailers_nothing_is_said() {
    let setup = Setup::new(Signatures::grpc());
    let broken = setup.call(answer(vec![data("a message"), Err("broken".into()), status("16")])).await;
    let outcome = late(&broken).unwrap();
    assert!(broken.into_body().collect().await.is_err());
    assert!(outcome.outcome().is_none());
    let dropped = setup.call(answer(vec![data("a message"), status("16")])).await;
    let outcome = late(&dropped).unwrap();
    let mut body = dropped.into_body();
    assert!(body.frame().await.unwrap().unwrap().is_data());
    drop(body);
    assert!(outcome.outcome().is_none());
    assert_eq!(setup.acquired.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_in_the_headers_is_still_replayed_and_only_answers_that_go_on_are_watched() {
    let setup = Setup::new(Signatures::grpc());
    let mut rejection = answer(vec![]);
    rejection.headers_mut().insert("grpc-status", HeaderValue::from_static("16"));
    setup.answers.lock().unwrap().push_back(rejection);
    let response = setup.call(answer(vec![data("a message"), status("16")])).await;
    assert!(response.extensions().get::<AuthOutcome>().unwrap().replayed());
    assert_eq!(setup.sent(), ["t1", "t2"]);
    let outcome = late(&response).unwrap();
    response.into_body().collect().await.unwrap();
    // A second rejection is the caller's.
    let outcome = outcome.outcome().unwrap();
    assert_eq!((outcome.verdict(), outcome.replayed()), (Verdict::Expired, true));

    let other = Setup::new(Signatures::grpc());
    let mut json = answer(vec![data("{}"), status("16")]);
    json.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    let full = answer(vec![]).map(|_| Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync());
    assert!(full.body().is_end_stream());
    for answer in [json, full] {
        assert!(late(&other.call(answer).await).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_only_trailers_reject_are_no_progress() {
    let setup = Setup::new(Signatures::grpc());
    for _ in 0..20 {
        let response = setup.call(answer(vec![status("16")])).await;
        let outcome = late(&response).unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(outcome.outcome().unwrap().verdict(), Verdict::Expired);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Twenty rejections within a second: the first refreshes at once, then there is a pause.
    assert_eq!(setup.acquired.load(SeqCst), 2);
    let response = setup.call(answer(vec![status("16")])).await;
    let outcome = late(&response).unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(outcome.outcome().unwrap().not_replayed(), Some(NotReplayed::Paused));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hands_out_data_or_ends_without_a_word_has_accepted_the_token() {
    let rejection = || answer(vec![status("16")]);
    for (accepting, more) in [
        (vec![data("a message"), status("16")], None),
        (vec![data("")], Some(rejection())),
        (vec![status("0")], Some(rejection())),
    ] {
        let setup = Setup::new(Signatures::grpc());
        // The second token is rejected too. Had nobody accepted it, there would be a pause.
        for answer in [rejection(), answer(accepting)].into_iter().chain(more) {
            setup.call(answer).await.into_body().collect().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(setup.acquired.load(SeqCst), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_reads_success_bodies_replays_what_the_trailers_reject() {
    let rule = Rule::expired().read_success_bodies().when(trailer("grpc-status").is("16"));
    let setup = Setup::new(Signatures::new().rule(rule));
    setup.answers.lock().unwrap().push_back(answer(vec![data("half"), status("16")]));
    let response = setup.call(answer(vec![data("whole"), status("0")])).await;
    assert!(response.extensions().get::<AuthOutcome>().unwrap().replayed());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "whole");
    assert_eq!(setup.sent(), ["t1", "t2"]);

    // What is too long to be held up is watched instead.
    let setup = Setup { layer: setup.layer.peek(4, Duration::from_secs(1)), ..setup };
    let response = setup.call(answer(vec![data("too long"), status("16")])).await;
    let outcome = late(&response).unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "too long");
    assert_eq!(outcome.outcome().unwrap().not_replayed(), Some(NotReplayed::Trailers));
}

#[tokio::test(start_paused = true)]
async fn the_token_is_taken_out_of_what_the_trailers_say() {
    let setup = Setup::new(Signatures::grpc());
    let mut trailers = status("16").unwrap().into_trailers().unwrap();
    trailers.insert("grpc-message", HeaderValue::from_static("t1%20has expired"));
    let response = setup.call(answer(vec![Ok(Frame::trailers(trailers))])).await;
    let late = late(&response).unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(late.outcome().unwrap().reason(), Some("[redacted] has expired"));
}
