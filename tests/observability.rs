//! What the features `tracing` and `metrics` tell of a token's life, and of requests that pass, in paused time on one
//! thread, and of proxies.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::{Layer, ServiceExt, service_fn};
use tower_reauth::{
    AuthLayer, BoxError, Client, Exempt, Origin, Placement, StaticToken, Transport, Vervoe,
    client::Roots,
    testing::{FakeVervoe, Fault, On, Revoked, Times, VervoeError},
};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// A token that is acquired, expires, is rejected twice in a row, can't be acquired, and is refused.
async fn a_tokens_life() {
    let vervoe = FakeVervoe::new("key", "secret");
    let controls = vervoe.controls();
    controls.delay(On::Tokens, Times::UntilCleared, Duration::from_secs(1));
    let transport = Transport::new::<_, Full<Bytes>, _>(vervoe.clone());
    let service = Vervoe::new("key", "secret").layer(transport).expect("valid").layer(vervoe.clone());
    let call = async || -> Result<StatusCode, BoxError> {
        let request = Request::get("https://api.vervoe.com/jobs").body(Full::<Bytes>::default())?;
        Ok(service.clone().oneshot(request).await?.status())
    };
    let ok = |result: Result<StatusCode, BoxError>| assert_eq!(result.expect("an answer"), StatusCode::OK);
    let unauthorized = |result: Result<StatusCode, BoxError>| {
        assert_eq!(result.expect("an answer"), StatusCode::UNAUTHORIZED)
    };

    ok(call().await);
    ok(call().await);
    controls.revoke(Revoked::Expired);
    ok(call().await);
    controls.fail(On::Api, Times::Next(3), VervoeError::InvalidCredentials);
    unauthorized(call().await);
    unauthorized(call().await);
    service.tokens().invalidate();
    controls.fail(On::Tokens, Times::Next(1), Fault::status(StatusCode::UNAUTHORIZED));
    call().await.expect_err("rejected credentials");
    call().await.expect_err("fails fast");
}

/// Requests that pass, through a client that is authenticated for one vendor, and for whose token requests another's
/// credential has it.
async fn requests_that_pass() {
    let inner = service_fn(async |request: Request<Full<Bytes>>| {
        assert_ne!(request.headers().get("authorization"), Some(&HeaderValue::from_static("Bearer key")));
        Ok::<_, BoxError>(Response::builder().status(401).body(Full::<Bytes>::default())?)
    });
    let origin = Origin::parse("https://api.test").expect("an origin");
    let layer = AuthLayer::new(origin, StaticToken::new("key").expect("a token"));
    let service = layer.layer(inner);
    let to = |uri: &str| Request::get(uri).body(Full::<Bytes>::default()).expect("a request");
    let mut own = to("https://api.test/");
    own.headers_mut().insert("authorization", HeaderValue::from_static("own"));
    let mut exempt = to("https://api.test/login");
    exempt.extensions_mut().insert(Exempt::FromAuthentication);
    let mut full = to("https://api.test/");
    for number in 0.. {
        let name: HeaderName = format!("x-{number}").parse().expect("a name");
        if full.headers_mut().try_insert(name, HeaderValue::from_static("")).is_err() {
            break;
        }
    }
    let elsewhere = to("http://pa55word@api.test:8080/s3cret-path?s3cret=query");
    for request in [elsewhere, to("/s3cret-path"), own, exempt, full] {
        let answer = service.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    for (origin, placement, mut request) in [
        ("https://api.test", Placement::cookie("session"), to("https://api.test/")),
        (
            "https://api.test",
            Placement::query_visible_in_logs("key"),
            to("https://api.test/s3cret-path?key=s3cret"),
        ),
        ("http://api.test", Placement::query_visible_in_logs("key"), to("http://api.test/")),
    ] {
        let origin = Origin::parse_allowing_plaintext_tokens(origin).expect("an origin");
        request.headers_mut().insert("cookie", HeaderValue::from_static("session=s3cret"));
        let layer = AuthLayer::new(origin, StaticToken::new("key").expect("a token"));
        let service = layer.placement(placement.expect("valid")).layer(inner);
        let answer = service.oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    let vervoe = Vervoe::new("key", "secret").layer(Transport::new::<_, Full<Bytes>, _>(service));
    let tokens = vervoe.expect("valid").tokens();
    tokens.get(Duration::ZERO).await.expect_err("rejected credentials");
}

/// One test: whether anybody listens to a log line is remembered for all threads.
#[test]
fn logs_and_metrics_tell_what_happened_to_which_credential() {
    let (log, recorder) = (Log::default(), DebuggingRecorder::new());
    let snapshotter = recorder.snapshotter();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(log.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let all = async {
        a_tokens_life().await;
        requests_that_pass().await;
    };
    let run = || runtime.expect("a runtime").block_on(all);
    tracing::subscriber::with_default(subscriber, || metrics::with_local_recorder(&recorder, run));
    check_metrics(&snapshotter);
    check_logs(&String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text"));
}

/// Not in paused time, which runs past what happens on sockets.
#[test]
fn a_connection_through_a_proxy_is_told_without_its_userinfo() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(log.clone())
        .finish();
    // Nobody listens there: what is told is told before.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = listener.local_addr().expect("an address");
    drop(listener);
    let client = Client::builder().roots(Roots::Bundled).proxy(&format!("http://us3r:pa55word@{proxy}"));
    let client = client.expect("a proxy").build().expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            for uri in ["http://api.test/s3cret", "https://api.test:8443/?s3cret", "http://localhost:1/"] {
                let request = Request::get(uri).body(Full::<Bytes>::default()).expect("a request");
                client.clone().oneshot(request).await.expect_err("nobody is there");
            }
        });
    });
    let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    let told: Vec<_> = text.lines().filter(|line| line.contains("tower_reauth")).collect();
    let prefix = "DEBUG tower_reauth::observe::tunnel: connecting through a proxy";
    assert_eq!(
        told,
        [
            format!("{prefix} proxy=\"{proxy}\" scheme=\"http\" host=\"api.test\""),
            format!("{prefix} proxy=\"{proxy}\" scheme=\"https\" host=\"api.test\" port=8443"),
        ]
    );
    for secret in ["us3r", "pa55word", "dXMzcjpwYTU1", "s3cret"] {
        assert!(!text.contains(secret), "{secret:?} in:\n{text}");
    }
}

fn check_metrics(snapshotter: &Snapshotter) {
    let mut counts = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<_> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(values) => values.len() as u64,
            DebugValue::Gauge(_) => panic!("there are no gauges"),
        };
        counts.insert(format!("{}{{{}}}", key.key().name(), labels.join(",")), value);
    }
    let expected = [
        ("tower_reauth_acquisition_seconds{credential=Vervoe}", 5),
        ("tower_reauth_acquisitions_total{credential=Vervoe,outcome=acquired}", 3),
        ("tower_reauth_acquisitions_total{credential=Vervoe,outcome=credentials_rejected}", 2),
        ("tower_reauth_failed_fast_total{credential=Vervoe,reason=credentials_rejected}", 1),
        ("tower_reauth_passed_total{origin=https://api.test:443,reason=exempt}", 1),
        ("tower_reauth_passed_total{origin=https://api.test:443,reason=no_room}", 1),
        ("tower_reauth_passed_total{origin=https://api.test:443,reason=other_origin}", 2),
        ("tower_reauth_passed_total{origin=https://api.test:443,reason=own_header}", 1),
        ("tower_reauth_passed_total{origin=https://api.test:443,reason=own_cookie}", 1),
        ("tower_reauth_passed_total{origin=https://api.test:443,reason=own_parameter}", 1),
        ("tower_reauth_passed_total{origin=http://api.test:80,reason=plain_http}", 1),
        // Once when the request goes out in the pause, once when its answer would call for a refresh.
        ("tower_reauth_paused_total{credential=Vervoe}", 2),
        ("tower_reauth_rejections_total{credential=Vervoe,verdict=expired}", 3),
        ("tower_reauth_remaining_lifetime_seconds{credential=Vervoe}", 6),
        ("tower_reauth_replays_total{credential=Vervoe}", 2),
        ("tower_reauth_wait_seconds{credential=Vervoe}", 5),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(counts, expected);
}

fn check_logs(text: &str) {
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let known = [
                "acquired",
                "token rejected",
                "replaying",
                "acquiring is paused",
                "acquiring was superseded",
                "acquiring failed",
                "failing without asking",
                "waited for a token",
                "passed without a token",
            ];
            line.contains("tower_reauth")
                .then(|| *known.iter().find(|known| line.contains(*known)).expect(line))
        })
        .collect();
    assert_eq!(
        told,
        [
            "acquired",
            "waited for a token",
            "token rejected",
            "acquired",
            "waited for a token",
            "replaying",
            "token rejected",
            "acquired",
            "waited for a token",
            "replaying",
            "token rejected",
            "acquiring is paused",
            "acquiring is paused",
            "acquiring failed",
            "waited for a token",
            "failing without asking",
            "passed without a token",
            "passed without a token",
            "passed without a token",
            "passed without a token",
            "passed without a token",
            "passed without a token",
            "passed without a token",
            "passed without a token",
            "acquiring failed",
            "waited for a token",
        ]
    );
    for detail in [
        "acquire{credential=\"Vervoe\" reason=Cold}: tower_reauth",
        "generation=1 took=1s remaining=599s",
        "reason=Expired",
        "the token endpoint rejected the credentials",
        "retry_in=30s",
        "passed without a token origin=\"https://api.test:443\" reason=OtherOrigin scheme=\"http\" host=\"api.test\" port=8080\n",
        "passed without a token origin=\"https://api.test:443\" reason=OtherOrigin\n",
        "reason=OwnHeader scheme=\"https\" host=\"api.test\"\n",
        "reason=Exempt",
        "reason=NoRoom",
        "reason=OwnCookie scheme=\"https\" host=\"api.test\"\n",
        "reason=OwnParameter scheme=\"https\" host=\"api.test\"\n",
        "reason=PlainHttp scheme=\"http\" host=\"api.test\"\n",
    ] {
        assert!(text.contains(detail), "no {detail:?} in:\n{text}");
    }
    for secret in ["pa55word", "s3cret"] {
        assert!(!text.contains(secret), "{secret:?} in:\n{text}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
