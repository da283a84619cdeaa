//! What looking at answers costs: rules that have nothing to say, bodies that are read and don't match, a rejection with
//! all that it causes, and a token endpoint's longest answers.
//!
//! The token is cached, and each answer is read to its end. Making requests is part of no figure.

mod support;
#[path = "support/timing.rs"]
mod timing;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{Response, StatusCode};
use http_body::Body;
use support::{Answering, Counted, Work, call, floor, layer, warmed};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_reauth::{
    Acquire, AuthLayer, BoxError, Credential, Reason, RefreshPolicy, Rule, Signatures, TokenEndpoint,
    TokenRequest, Transport, signature::json,
};

use crate::timing::{Group, Posted, batches};

const BARE: &str = "bare inner service";
const FLOOR: &str = "AddAuthorization (can't refresh)";

fn rules(criterion: &mut Criterion) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let client = answering(StatusCode::OK, 100);
    let mut group = criterion.benchmark_group("rules");
    add(&mut group, BARE, "a 200", client.clone());
    add(&mut group, FLOOR, "a 200", floor(client.clone()));
    for count in [0, 1, 16] {
        let auth = auth(&runtime, 401, count);
        add(&mut group, &format!("Auth, {count} rules"), "a 200", auth.layer(client.clone()));
    }
}

fn bodies(criterion: &mut Criterion) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let auth = auth(&runtime, 400, 1);
    let mut group = criterion.benchmark_group("bodies");
    for (what, bytes) in
        [("a 400 of 1 KB that doesn't match", 1_000), ("a 400 of 16 KB that doesn't match", 16_000)]
    {
        let client = answering(StatusCode::BAD_REQUEST, bytes);
        add(&mut group, BARE, what, client.clone());
        add(&mut group, FLOOR, what, floor(client.clone()));
        add(&mut group, "Auth", what, auth.layer(client));
    }
}

/// Every request is rejected, the token refreshed, and the request replayed: two sends, one token call, one task.
fn rejection(criterion: &mut Criterion) {
    let runtime = runtime();
    let credential = Counted::default();
    // Each token is accepted before the next one is rejected, as when tokens are revoked one after the other.
    let policy = RefreshPolicy::default().unlimited_budget();
    let auth = warmed(&runtime, layer(credential.clone()).policy(policy));
    let sends = Arc::new(AtomicUsize::new(0));
    let client = {
        let (sends, rejected, accepted) = (sends.clone(), rejected(), Response::new(Bytes::new().into()));
        service_fn(move |_: Posted| {
            let response = if sends.fetch_add(1, Relaxed) % 2 == 0 { &rejected } else { &accepted };
            std::future::ready(Ok::<Response<http_body_util::Full<Bytes>>, BoxError>(response.clone()))
        })
    };
    let mut service = auth.layer(client);
    let (work, mut requests) = (Work::new(), 0);
    let mut group = criterion.benchmark_group("rejection");
    group.bench_function(BenchmarkId::new("Auth", "a 401 that matches: refreshed and replayed"), |b| {
        b.iter_custom(|count| {
            requests += usize::try_from(count).expect("few");
            let mut elapsed = Duration::ZERO;
            runtime.block_on(async {
                for _ in 0..count {
                    let request = work.request();
                    let started = Instant::now();
                    let response = service.ready().await.expect("ready").call(request).await;
                    elapsed += started.elapsed();
                    assert_eq!(response.expect("an answer").status(), StatusCode::OK);
                }
            });
            elapsed
        });
    });
    assert_eq!((credential.calls(), sends.load(Relaxed)), (1 + requests, 2 * requests));
}

/// An answer of 1 MiB to a token request, which is written, sent, answered and read; beside what it takes to read the
/// answer as a `serde_json::Value` alone.
fn token_answers(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("token answers");
    for (what, answer) in [
        ("one long member", long_answer(&"x".repeat(ANSWER))),
        ("a long member with escapes", long_answer(&r"x\n\u00e9yz ".repeat(ANSWER / 13))),
        ("many small members", answer_of_members(|i| format!(r#""member{i}":"value","#))),
        ("many numbers", answer_of_members(|i| format!(r#""{i}":1,"#))),
        ("nested members", answer_of_members(|i| format!(r#""{i}":{{"b":[1,{{"c":"d"}}]}},"#))),
    ] {
        assert!(answer.len() > ANSWER * 9 / 10 && answer.len() <= ANSWER, "{what}: {}", answer.len());
        group.bench_function(BenchmarkId::new("serde_json::Value", what), |b| {
            b.iter(|| serde_json::from_slice::<serde_json::Value>(&answer).expect("json"));
        });
        let response = Response::new(http_body_util::Full::<Bytes>::from(answer.clone()));
        let server = service_fn(move |_: Posted| std::future::ready(Ok::<_, BoxError>(response.clone())));
        let endpoint = TokenEndpoint::new("Acme", "https://api.example.com", TokenRequest::post("/token"));
        let credential = endpoint.build(Transport::new(server)).expect("a credential");
        group.bench_function(BenchmarkId::new("TokenEndpoint", what), |b| {
            b.iter(|| {
                let token = runtime.block_on(credential.acquire(Acquire::new(Reason::Cold, None)));
                assert_eq!(token.expect("a token").expose_secret(), "abc");
            });
        });
    }
}

/// As much as is read of an answer.
const ANSWER: usize = 1 << 20;
const TOKEN: &str = r#""access_token":"abc","expires_in":3600,"token_type":"Bearer""#;

fn long_answer(text: &str) -> Bytes {
    let rest = format!(r#"{{"long":"",{TOKEN}}}"#).len();
    let mut end = text.len().min(ANSWER - rest);
    while text[..end].ends_with(['\\', 'u', '0', 'e', '9', 'n']) {
        end -= 1;
    }
    format!(r#"{{"long":"{}",{TOKEN}}}"#, &text[..end]).into()
}

fn answer_of_members(member: impl Fn(usize) -> String) -> Bytes {
    let mut answer = String::from("{");
    for member in (0..).map(member) {
        if answer.len() + member.len() + TOKEN.len() + 1 > ANSWER {
            break;
        }
        answer += &member;
    }
    format!("{answer}{TOKEN}}}").into()
}

fn add<S, R>(group: &mut Group<'_>, who: &str, what: &str, mut service: S)
where
    S: Service<Posted, Response = Response<R>>,
    R: Body + Unpin,
{
    let work = Work::new();
    batches(
        group,
        BenchmarkId::new(who, what),
        || work.request(),
        |request| read(call(&mut service, request)),
    );
}

/// Reads an answer that is there already.
fn read<R: Body>(response: Response<R>) -> usize {
    let mut body = pin!(response.into_body());
    let mut cx = Context::from_waker(Waker::noop());
    let mut frames = 0;
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
        drop(frame);
        frames += 1;
    }
    frames
}

/// A layer with so many rules for bodies, the first of them for this status, and none that matches.
fn auth(runtime: &Runtime, status: u16, rules: u16) -> AuthLayer {
    let rule = |i| {
        let status = StatusCode::from_u16(status + i).expect("a status");
        Rule::expired().status(status).when(json("/name").is("ExpiredAccessTokenException"))
    };
    let signatures = (0..rules).map(rule).fold(Signatures::new(), Signatures::rule);
    warmed(runtime, layer(Counted::default()).signatures(signatures))
}

/// JSON of so many bytes, which is an error's but says nothing of the token.
fn answering(status: StatusCode, bytes: usize) -> Answering {
    let head = r#"{"name":"ValidationException","message":""#;
    let filler = "x".repeat(bytes - head.len() - 2);
    Answering { status, json: format!(r#"{head}{filler}"}}"#).into() }
}

fn rejected() -> Response<http_body_util::Full<Bytes>> {
    let mut response = Response::new(Bytes::from_static(br#"{"message":"jwt expired"}"#).into());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

criterion_group!(benches, rules, bodies, rejection, token_answers);
criterion_main!(benches);
