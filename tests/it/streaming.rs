//! Response bodies over sockets: what streams keeps streaming, whatever the layer has seen of it.

mod raw;
mod server;

use std::{
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
    header::{TRAILER, UPGRADE},
};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::{Layer, ServiceExt};
use tower_reauth::{
    AccessToken, AcquireError, AuthLayer, AuthOutcome, NotReplayed, Origin, Rule, Signatures, StaticToken,
    Unread, Verdict, from_fn, signature::json,
};

use self::server::{BOTH, Body, Server, Speaks, answer, full, live, soon};

const EXPIRED: &str = r#"{"message":"jwt expired"}"#;
/// The caps, where a test doesn't want to meet them.
const FAR: Duration = Duration::from_secs(60);
/// A time cap to wait for.
const NEAR: Duration = Duration::from_millis(100);
const KIB_16: usize = 16 * 1024;

#[tokio::test]
async fn an_event_stream_delivers_each_event_before_the_next_is_sent() {
    for speaks in BOTH {
        for (status, cap, unread) in [(200, FAR, None), (400, NEAR, Some(Unread::TooSlow))] {
            let (events, body) = live();
            let send = |number| events.send(Frame::data(event(number))).unwrap();
            let server = Server::start(speaks, [answer(status, body)]).await;
            let service = auth(&server, judging(), 1).peek(KIB_16, cap).layer(speaks.client());
            send(0);
            let response = soon(service.oneshot(get(&server))).await.unwrap();
            assert_eq!(outcome(&response).and_then(AuthOutcome::unread), unread, "{speaks:?} {status}");
            let mut body = response.into_body();
            for number in 0..20 {
                let data = soon(body.frame()).await.unwrap().unwrap().into_data().unwrap();
                assert_eq!(data, event(number), "{speaks:?} {status}");
                assert!(!body.is_end_stream());
                send(number + 1);
            }
            drop(events);
            assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), event(20));
        }
    }
}

#[tokio::test]
async fn a_rejection_whose_body_never_ends_is_handed_over_with_its_live_rest() {
    for speaks in BOTH {
        let (rest, body) = live();
        let send = |text: &'static str| rest.send(Frame::data(text.into())).unwrap();
        let server = Server::start(speaks, [answer(401, body)]).await;
        let service = auth(&server, by_status(), 2).peek(KIB_16, NEAR).layer(speaks.client());
        send("<html>");
        let response = soon(service.clone().oneshot(get(&server))).await.unwrap();
        let said = outcome(&response).unwrap();
        assert_eq!((said.verdict(), said.not_replayed()), (Verdict::Expired, Some(NotReplayed::Response)));
        assert!(said.refreshed());
        let mut body = response.into_body();
        for text in ["<html>", "<p>", "<p>"] {
            assert_eq!(soon(body.frame()).await.unwrap().unwrap().into_data().unwrap(), text);
            send("<p>");
        }
    }
}

#[tokio::test]
async fn a_replay_goes_out_on_the_connection_that_the_rejection_came_on() {
    for speaks in BOTH {
        for in_pieces in [false, true] {
            let rejection =
                if in_pieces { pieces(&["{\"message\":", "\"jwt expired\"}"]) } else { full(EXPIRED) };
            let server = Server::start(speaks, [answer(401, rejection), answer(200, full("fine"))]).await;
            let service = auth(&server, judging(), 2).layer(speaks.client());
            let response = soon(service.oneshot(get(&server))).await.unwrap();
            assert!(outcome(&response).unwrap().replayed());
            assert_eq!(soon(response.into_body().collect()).await.unwrap().to_bytes(), "fine");
            assert_eq!(server.accepted(), 1, "{speaks:?}");
        }
    }
}

#[tokio::test]
async fn a_rejection_that_was_set_aside_holds_no_connection() {
    for speaks in BOTH {
        let server = Server::start(speaks, [answer(401, full(EXPIRED)), answer(200, full("fine"))]).await;
        let client = speaks.client();
        let service = auth(&server, by_status(), 1).layer(client.clone());
        let rejection = soon(service.oneshot(get(&server))).await.unwrap();
        assert!(outcome(&rejection).unwrap().error().is_some());
        // The caller hasn't read it yet, and may never.
        assert_eq!(soon(client.oneshot(get(&server))).await.unwrap().status(), 200);
        assert_eq!(server.accepted(), 1, "{speaks:?}");
        assert_eq!(soon(rejection.into_body().collect()).await.unwrap().to_bytes(), EXPIRED);
    }
}

#[tokio::test]
async fn trailers_reach_the_caller() {
    let sum = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("7"))]);
    for speaks in BOTH {
        for (status, cap, rule) in [
            (200, KIB_16, judging()),
            (400, KIB_16, judging()),
            // Past the cap.
            (400, 3, judging()),
            // Set aside, and handed out after the refresh failed.
            (401, KIB_16, by_status()),
        ] {
            let (frames, body) = live();
            frames.send(Frame::data("a body".into())).unwrap();
            frames.send(Frame::trailers(sum.clone())).unwrap();
            drop(frames);
            let mut answer = answer(status, body);
            answer.headers_mut().insert(TRAILER, HeaderValue::from_static("x-sum"));
            let server = Server::start(speaks, [answer]).await;
            let service = auth(&server, rule, 1).peek(cap, FAR).layer(speaks.client());
            let mut request = get(&server);
            request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
            let response = soon(service.oneshot(request)).await.unwrap();
            assert_eq!(response.status(), status);
            let body = soon(response.into_body().collect()).await.unwrap();
            assert_eq!(body.trailers(), Some(&sum), "{speaks:?} {status}");
            assert_eq!(body.to_bytes(), "a body");
        }
    }
}

#[tokio::test]
async fn a_connection_can_be_upgraded_through_the_layer() {
    let any_status = || Rule::expired().read_success_bodies().when(json("/code").is("expired"));
    for rule in [judging(), any_status()] {
        let server = Server::start(Speaks::Http1, []).await;
        let service = auth(&server, rule, 1).peek(KIB_16, FAR).layer(Speaks::Http1.client());
        let mut request = get(&server);
        request.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
        let response = soon(service.oneshot(request)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        let mut upgraded = TokioIo::new(soon(hyper::upgrade::on(response)).await.unwrap());
        upgraded.write_all(b"hello").await.unwrap();
        let mut echo = [0; 5];
        soon(upgraded.read_exact(&mut echo)).await.unwrap();
        assert_eq!(&echo, b"hello");
    }
}

/// Answers in JSON are looked at, and reject the token with a 401 alone.
fn judging() -> Rule {
    Rule::expired()
        .statuses([StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED])
        .when(json("/message").is("jwt expired"))
}

fn by_status() -> Rule {
    Rule::expired().status(StatusCode::UNAUTHORIZED)
}

/// A layer for the server, with so many tokens to be had.
fn auth(server: &Server, rule: Rule, tokens: u64) -> AuthLayer {
    let given = AtomicU64::new(0);
    let credential = from_fn(move |_, _| {
        let number = given.fetch_add(1, SeqCst);
        async move {
            // As a token endpoint does, it takes its time; long enough for a connection to go back to its pool.
            tokio::time::sleep(Duration::from_millis(50)).await;
            if number == tokens {
                return Err(AcquireError::rejected("no more tokens"));
            }
            Ok(AccessToken::new(format!("t{number}"))?)
        }
    });
    let origin = Origin::parse(server.origin()).unwrap();
    AuthLayer::new(origin, credential).signatures(Signatures::new().rule(rule))
}

fn get(server: &Server) -> Request<Full<Bytes>> {
    Request::get(format!("{}/", server.origin())).body(Full::default()).unwrap()
}

fn outcome<B>(response: &Response<B>) -> Option<&AuthOutcome> {
    response.extensions().get()
}

fn event(number: usize) -> Bytes {
    format!("id: {number}\ndata: {{}}\n\n").into()
}

fn pieces(texts: &[&'static str]) -> Body {
    let (sender, body) = live();
    for text in texts {
        sender.send(Frame::data(Bytes::from_static(text.as_bytes()))).unwrap();
    }
    body
}
