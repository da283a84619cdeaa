//! The server that the requests go to, and the way there and back. It is beneath the layer, as its inner service.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Sleep, sleep};
use tower::Service;
use tower_reauth::{
    BoxError, Rule, Signatures,
    signature::{header, json},
};

use crate::{
    credential::pause,
    endpoint::Standing,
    event::Event,
    plan::{Kind, ServerFault, Sign, chance, draw, millis},
    world::{Answer, Inner, World},
};

/// The server as a client sees it.
#[derive(Clone)]
pub(crate) struct Server(World);

impl Server {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }
}

/// How the server says that a token is bad, in rules.
pub(crate) fn signatures(sign: Sign) -> Signatures {
    let (invalid, expired) = match sign {
        Sign::Head => (header("x-bad").is("dead"), header("x-bad").is("expired")),
        Sign::Body => (json("/error").is("dead"), json("/error").is("expired")),
    };
    Signatures::new()
        .rule(Rule::invalid().status(StatusCode::UNAUTHORIZED).when(invalid))
        .rule(Rule::expired().status(StatusCode::UNAUTHORIZED).when(expired))
}

impl<B> Service<Request<B>> for Server
where
    B: Body<Data = Bytes>,
{
    type Response = Response<AnswerBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<AnswerBody>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let body = body.collect().now_or_never().and_then(Result::ok).map(|body| body.to_bytes());
        let mut headers = head.headers;
        let token = headers.remove(AUTHORIZATION);
        let token = token.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("Bearer none");
        let token = token.trim_start_matches("Bearer ").to_owned();
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        let op = number("x-op").unwrap_or_default();
        let path = head.uri.path().to_owned();
        let likeness = format!("{} {} {:?} {headers:?} {body:?}", head.method, head.uri, head.version);
        let is_impatient = headers.contains_key("x-impatient");

        let world = self.0.clone();
        let (sent, fault, there, back) = world.with(|world| {
            let sent = world.request_is_sent(op, &token, likeness);
            let most = if world.healthy { 50 } else { world.plan.latency };
            let fault = draw(&mut world.rng, &world.plan.server).filter(|_| !world.healthy);
            (sent, fault, millis(&mut world.rng, 0, most), millis(&mut world.rng, 0, most))
        });
        async move {
            pause(there).await;
            let (answer, frames) = world.with(|world| world.server_answers(&token, &path, fault));
            if fault == Some(ServerFault::Hangs) && is_impatient {
                world.with(|world| world.saw(Event::ServerHung));
                pending::<()>().await;
            }
            pause(back).await;
            if fault == Some(ServerFault::BreaksConnection) {
                world.with(|world| world.connection_breaks(sent));
                return Err("the connection broke".into());
            }
            let (status, word) = (answer.status, answer.word);
            world.with(|world| world.answer_arrives(sent, answer));
            let body = AnswerBody { world, sent, frames, sleep: None, ended: false };
            let mut response = Response::new(body);
            *response.status_mut() = status;
            response.headers_mut().insert("x-sent", sent.into());
            response.headers_mut().insert("x-bad", HeaderValue::from_static(word));
            Ok(response)
        }
        .boxed()
    }
}

type Frames = VecDeque<(Duration, Result<Frame<Bytes>, BoxError>)>;

impl Inner {
    /// The request has arrived at the server, which looks at the token, and writes an answer.
    fn server_answers(&mut self, token: &str, path: &str, fault: Option<ServerFault>) -> (Answer, Frames) {
        let (now, at) = (self.now(), self.elapsed());
        let mut standing = self.endpoint.standing(token, now);
        if self.plan.kind == Kind::StaticKey {
            standing = Standing::Good;
        }
        match standing {
            Standing::Good => {}
            Standing::Expired => self.saw(Event::TokenExpired),
            Standing::Dead => self.saw(Event::TokenRevoked),
        }
        if self.plan.rejects_everything.covers(at) && !self.healthy {
            self.saw(Event::RejectedEverything);
            standing = if self.rng.bool() { Standing::Dead } else { Standing::Expired };
        } else if path == "/always-rejected" {
            self.saw(Event::PathAlwaysRejects);
            standing = Standing::Expired;
        }
        let word = match standing {
            Standing::Good => "none",
            Standing::Expired => "expired",
            Standing::Dead => "dead",
        };
        let status = match standing {
            Standing::Good if fault == Some(ServerFault::Fails) => {
                self.saw(Event::ServerFailed);
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Standing::Good if path == "/forbidden" => StatusCode::FORBIDDEN,
            Standing::Good => StatusCode::OK,
            _ => StatusCode::UNAUTHORIZED,
        };
        let padding = if fault == Some(ServerFault::LongBody) { self.rng.usize(200..6000) } else { 0 };
        if fault == Some(ServerFault::LongBody) {
            self.saw(Event::LongBody);
        }
        let body = format!(
            r#"{{"error":"{word}","number":{},"padding":"{}"}}"#,
            self.rng.u32(..),
            "x".repeat(padding)
        );
        let (frames, mut answer) = self.frames(body, status, fault);
        answer.word = word;
        (answer, frames)
    }

    /// Cuts a body into frames.
    fn frames(&mut self, body: String, status: StatusCode, fault: Option<ServerFault>) -> (Frames, Answer) {
        let body = Bytes::from(body);
        let cut = if self.rng.bool() { body.len() } else { self.rng.usize(1..body.len()) };
        let (is_slow, breaks_off) =
            (fault == Some(ServerFault::SlowBody), fault == Some(ServerFault::BrokenBody));
        let delay = if is_slow { millis(&mut self.rng, 25, 1500) } else { Duration::ZERO };
        let mut frames = Frames::new();
        frames.push_back((Duration::ZERO, Ok(Frame::data(body.slice(..cut)))));
        if breaks_off {
            frames.push_back((delay, Err("the body broke off".into())));
            self.saw(Event::BrokenBody);
        } else if cut < body.len() || is_slow {
            frames.push_back((delay, Ok(Frame::data(body.slice(cut..)))));
        }
        if is_slow {
            self.saw(Event::SlowBody);
        }
        let trailers = (!breaks_off && chance(&mut self.rng, 0.2)).then(|| {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-checksum", self.rng.u32(..).into());
            trailers
        });
        if let Some(trailers) = &trailers {
            frames.push_back((Duration::ZERO, Ok(Frame::trailers(trailers.clone()))));
        }
        (frames, Answer { status, word: "", body: body.to_vec(), trailers, breaks_off, is_slow })
    }

    fn connection_breaks(&mut self, sent: usize) {
        self.say(format_args!("the connection of request {sent} breaks"));
        self.saw(Event::ConnectionBroke);
        self.sends[sent].broke = true;
        let (op, now) = (self.sends[sent].op, self.now());
        self.ops[op].waiting_since = Some(now);
    }

    fn answer_arrives(&mut self, sent: usize, answer: Answer) {
        let text = self.sends[sent].text.clone();
        self.say(format_args!("answer {sent} arrives: {} for {text}", answer.status));
        if self.sends[sent + 1..].iter().any(|later| later.answer.is_some()) {
            self.saw(Event::Overtaken);
        }
        self.sends[sent].answer = Some(answer);
    }
}

/// An answer's body, which tells when it has been read.
pub(crate) struct AnswerBody {
    world: World,
    sent: usize,
    frames: Frames,
    sleep: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some((delay, _)) = this.frames.front_mut() {
            if !delay.is_zero() {
                let delay = std::mem::take(delay);
                this.sleep = Some(Box::pin(sleep(delay)));
            }
            if let Some(sleep) = &mut this.sleep {
                ready!(sleep.as_mut().poll(cx));
                this.sleep = None;
            }
        }
        let frame = this.frames.pop_front().map(|(_, frame)| frame);
        let whole = match &frame {
            Some(Ok(_)) => return Poll::Ready(frame),
            Some(Err(_)) => false,
            None => true,
        };
        if !std::mem::replace(&mut this.ended, true) {
            this.world.with(|world| world.body_is_read(this.sent, whole));
        }
        Poll::Ready(frame)
    }
}
