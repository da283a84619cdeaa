//! How much memory a request on its way takes, and a cached token.
//!
//! Allocations are counted for the thread that measures, on which everything here runs.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]
#![allow(clippy::print_stdout, reason = "the figures are for people as well")]

use std::{
    convert::Infallible,
    future::{Pending, Ready, pending, ready},
    mem::size_of_val,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use allocation_counter::measure;
use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use http_body::Body;
use http_body_util::{Empty, Full};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    task::yield_now,
    time::{Instant, sleep},
};
use tower::{Layer, Service, service_fn};
use tower_reauth::{
    AccessToken, Acquire, AcquireError, ApiVideo, AuthLayer, BoxError, Credential, Declaration, Description,
    Origin, Pattern, RecordBodies, Renewal, Rule, SecretSource, Signatures, Tenant, Tenants, TokenCache,
    Transport,
    oauth2::{
        ClientAuthentication, ClientCredentials, JwtAssertion, JwtBearer, JwtKey, RefreshToken, TokenExchange,
    },
    signature::json,
    store::SharedSlot,
    testing::MemoryStore,
};

const URI: &str = "https://api.example.com/v1/things?page=1";
const HEADERS: [(&str, &str); 8] = [
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("user-agent", "test/1.0"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("x-tenant", "a-tenant"),
    ("x-request-id", "0123456789abcdef"),
    ("idempotency-key", "0123456789abcdef"),
    ("x-sent-at", "0123456789abcdef"),
];

#[test]
fn a_replayable_request_costs_one_allocation_of_64_bytes_for_each_header() {
    let (taken, bytes) = cost_of_a_call(&warmed(&runtime()).layer(Answering));
    let bytes = usize::try_from(bytes).unwrap();
    // Room for fields of usual lengths, of which most are shorter.
    let most = URI.len() + 64 * (HEADERS.len() + 1);
    println!("one request's copy: {bytes} bytes");
    assert_eq!(taken, 1);
    assert!((1..=most).contains(&bytes), "{bytes} bytes, and not up to {most}");
}

#[test]
fn a_request_whose_token_other_processes_share_costs_what_it_costs_without_them() {
    let runtime = runtime();
    let slot = SharedSlot::plain(MemoryStore::new(), "test").unwrap().subject("somebody");
    let shared = layer(Counted::default()).shared(slot).unwrap();
    runtime.block_on(shared.tokens().get(Duration::ZERO)).unwrap();
    assert!(shared.tokens().state().is_shared());
    let (shared_once, alone) = (shared.clone().no_replay(), warmed(&runtime));
    assert_eq!(cost_of_a_call(&shared.layer(Answering)), cost_of_a_call(&alone.layer(Answering)));
    assert_eq!(cost_of_a_call(&shared_once.layer(Answering)), (0, 0));
}

#[test]
fn a_request_that_will_not_be_replayed_costs_no_allocation() {
    assert_eq!(cost_of_a_call(&warmed(&runtime()).no_replay().layer(Answering)), (0, 0));
}

#[test]
fn a_request_during_an_early_renewal_that_hangs_costs_no_allocation_more() {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let auth = layer(Hanging::default());
    runtime.block_on(async {
        auth.tokens().get(Duration::ZERO).await.unwrap();
        // The token is stale, and killed by its renewal, which is waited for for a second.
        sleep(Duration::from_millis(57_500)).await;
        let start = Instant::now();
        let mut service = auth.layer(Answering);
        service.call(request()).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert!(auth.tokens().state().acquiring());
        let once = auth.clone().no_replay().layer(Answering);
        for _ in 0..98 {
            service.call(request()).now_or_never().unwrap().unwrap();
        }
        assert_eq!(cost_of_a_call(&service).0, 1);
        assert_eq!(cost_of_a_call(&once), (0, 0));
        assert!(auth.tokens().state().acquiring());
    });
}

#[test]
fn a_request_that_passes_costs_no_allocation() {
    let elsewhere = || {
        let mut request = request();
        *request.uri_mut() = "https://elsewhere.example.com/".parse().unwrap();
        request
    };
    let mut service = warmed(&runtime()).layer(Answering);
    let bare = measure(|| drop(Answering.call(elsewhere()).now_or_never().unwrap()));
    let passed = measure(|| drop(service.call(elsewhere()).now_or_never().unwrap()));
    assert_eq!((passed.count_total, passed.bytes_total), (bare.count_total, bare.bytes_total));
}

#[test]
fn a_recorded_request_costs_four_allocations_and_no_copy_of_its_body() {
    let service = warmed(&runtime()).record_bodies(RecordBodies::DEFAULT_LIMIT).layer(Answering);
    let (taken, bytes) = cost_of_a_call(&service);
    println!("a recorded request: {taken} allocations, {bytes} bytes");
    assert!(taken <= 4, "{taken} allocations");
    assert!(bytes < 1024, "{bytes} bytes");
}

#[test]
fn a_future_is_at_most_128_bytes_larger_than_that_of_the_inner_service() {
    let inner = size_of_val(&Holding.call(request()));
    let auth = warmed(&runtime());
    let replayable = size_of_val(&auth.layer(Holding).call(request()));
    let once = size_of_val(&auth.clone().no_replay().layer(Holding).call(request()));
    let recorded =
        size_of_val(&auth.record_bodies(RecordBodies::DEFAULT_LIMIT).layer(Holding).call(request()));
    println!("futures: inner {inner}, replayable {replayable}, replay off {once}, recorded {recorded} bytes");
    for size in [replayable, once, recorded] {
        assert!(size <= inner + 128, "{size} bytes, where the inner service's has {inner}");
    }
}

#[test]
fn a_cached_credential_takes_less_than_4_kib() {
    let runtime = runtime();
    // What is made once for the whole thread is none of its business.
    drop(warmed(&runtime));
    let mut kept = None;
    let taken = measure(|| {
        let auth = warmed(&runtime);
        let service = auth.layer(Answering);
        kept = Some((auth, service));
    });
    println!("a layer with its token and one service: {} bytes", taken.bytes_current);
    assert!((1..4096).contains(&taken.bytes_current), "{taken:?}");
}

#[test]
fn a_cache_and_its_token_take_less_than_3_kib() {
    let runtime = runtime();
    let make = || {
        let tokens = TokenCache::new(Counted::default());
        runtime.block_on(tokens.get(Duration::ZERO)).unwrap();
        tokens
    };
    drop(make());
    let mut kept = None;
    let taken = measure(|| kept = Some(make()));
    println!("a cache with its token: {} bytes", taken.bytes_current);
    assert!((1..3072).contains(&taken.bytes_current), "{taken:?}");
}

#[test]
fn a_clone_that_moves_to_another_thread_takes_less_than_1_kib_there() {
    let mut service = warmed(&runtime()).layer(Answering);
    service.call(request()).now_or_never().unwrap().unwrap();
    let clone = service.clone();
    let there = thread::spawn(|| {
        let mut service = clone;
        let taken = measure(|| drop(service.call(request()).now_or_never().unwrap()));
        (taken.bytes_current, service)
    });
    let (bytes, _service) = there.join().unwrap();
    println!("a clone on another thread: {bytes} bytes");
    assert!((0..1024).contains(&bytes), "{bytes} bytes");
}

#[test]
fn a_request_in_flight_takes_less_than_768_bytes() {
    let per_request = |service: &mut dyn FnMut() -> Pin<Box<dyn Future<Output = ()>>>| {
        let mut held = Vec::with_capacity(1000);
        let taken = measure(|| {
            for _ in 0..1000 {
                let mut call = service();
                assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                held.push(call);
            }
        });
        taken.bytes_current / 1000
    };
    let bare = per_request(&mut || Box::pin(Holding.call(request()).map(drop)));
    let auth = warmed(&runtime());
    let mut service = auth.layer(Holding);
    let replayable = per_request(&mut || Box::pin(service.call(request()).map(drop))) - bare;
    let mut service = auth.no_replay().layer(Holding);
    let once = per_request(&mut || Box::pin(service.call(request()).map(drop))) - bare;
    println!("in flight: {replayable} bytes more with a replay, {once} bytes more without");
    assert!((1..768).contains(&replayable), "{replayable} bytes");
    assert!((1..192).contains(&once), "{once} bytes");
}

#[test]
fn a_request_that_is_rejected_and_replayed_costs_17_allocations() {
    const CROWD: usize = 1000;
    let (runtime, auth) = (runtime(), layer(Counted::default()));
    runtime.block_on(auth.tokens().get(Duration::ZERO)).unwrap();
    let server = Arc::new(Server { sends: AtomicUsize::new(0), open: watch::Sender::new(true) });
    let client = {
        let server = server.clone();
        service_fn(move |request| server.clone().answer(request))
    };
    let mut service = auth.layer(client);
    let requests: Vec<_> = (0..CROWD).map(|_| request()).collect();
    let mut answers = Vec::new();
    let taken = measure(|| {
        let calls = requests.into_iter().map(|request| Box::pin(service.call(request)));
        answers = runtime.block_on(join_all(calls));
    });
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status() == StatusCode::OK));
    assert_eq!(server.sends.load(Relaxed), 2 * CROWD);
    // The flight's are those of all, and two of each are the test's.
    let each = taken.count_total / CROWD as u64 - 2;
    println!("rejected and replayed: {each} allocations");
    // The labels of the counter of replays take one.
    let most = if cfg!(feature = "metrics") { 18 } else { 17 };
    assert!(each <= most, "{each} allocations");
}

#[test]
fn a_hundred_thousand_requests_in_flight_are_rejected_and_replayed_within_bounds() {
    const CROWD: usize = 100_000;
    let credential = Counted::default();
    let (runtime, auth) = (runtime(), layer(credential.clone()));
    runtime.block_on(auth.tokens().get(Duration::ZERO)).unwrap();
    let server = Arc::new(Server { sends: AtomicUsize::new(0), open: watch::Sender::new(false) });
    let client = {
        let server = server.clone();
        service_fn(move |request| server.clone().answer(request))
    };
    let service = auth.layer(client);
    let mut at_peak = 0;
    let taken = measure(|| {
        runtime.block_on(async {
            let calls: Vec<_> = (0..CROWD).map(|_| tokio::spawn(service.clone().call(request()))).collect();
            while server.sends.load(Relaxed) < CROWD {
                yield_now().await;
            }
            server.open.send_replace(true);
            for response in join_all(calls).await {
                assert_eq!(response.unwrap().unwrap().status(), StatusCode::OK);
                at_peak += 1;
            }
        });
    });
    assert_eq!((at_peak, credential.calls()), (CROWD, 2));
    assert_eq!(server.sends.load(Relaxed), 2 * CROWD);
    let each = taken.bytes_max / CROWD as u64;
    println!("100,000 in flight, rejected and replayed: {each} bytes each at the peak");
    assert!(each < 4096, "{each} bytes for each request, at the peak");
}

/// Allocations and bytes that the layer adds to a call that is answered at once.
fn cost_of_a_call<S>(service: &S) -> (u64, u64)
where
    S: Service<Request<Full<Bytes>>> + Clone,
{
    let once = |service: &mut dyn FnMut(Request<Full<Bytes>>)| {
        let request = request();
        measure(|| service(request))
    };
    let bare = once(&mut |request| drop(Answering.call(request).now_or_never().unwrap()));
    let mut service = service.clone();
    // The first call finds out that the token is accepted, and what else is only found out once.
    service.call(request()).now_or_never().unwrap().ok().unwrap();
    let taken = once(&mut |request| drop(service.call(request).now_or_never().unwrap()));
    (taken.count_total - bare.count_total, taken.bytes_total - bare.bytes_total)
}

/// Answers at once, when it has read the request's body.
#[derive(Clone)]
struct Answering;

impl<B: Body> Service<Request<B>> for Answering {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(request.headers().contains_key(AUTHORIZATION) || request.headers().len() == HEADERS.len());
        let mut body = pin!(request.into_body());
        while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {}
        ready(Ok(Response::new(Empty::new())))
    }
}

/// Never answers, and keeps nothing of the request.
#[derive(Clone)]
struct Holding;

impl<B> Service<Request<B>> for Holding {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Pending<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        pending()
    }
}

/// Keeps requests and holds their answers back until it is opened. Rejects the first token.
struct Server {
    sends: AtomicUsize,
    open: watch::Sender<bool>,
}

impl Server {
    async fn answer(
        self: Arc<Self>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        self.sends.fetch_add(1, Relaxed);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        let mut response = Response::new(Full::default());
        if request.headers()[AUTHORIZATION] == "Bearer token-0" {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            *response.body_mut() = Full::from(r#"{"message":"jwt expired"}"#);
        }
        Ok(response)
    }
}

/// Hands out one token after the other.
#[derive(Clone, Default)]
struct Counted {
    calls: Arc<AtomicUsize>,
}

impl Counted {
    fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

impl Credential for Counted {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let token = format!("token-{}", self.calls.fetch_add(1, Relaxed));
        Ok(AccessToken::new(token)?.with_lifetime(Duration::from_secs(3600)))
    }
}

/// Hands out one token, which its renewal kills, and hangs after that.
#[derive(Default)]
struct Hanging(Counted);

impl Credential for Hanging {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        if self.0.calls() > 0 {
            pending::<()>().await;
        }
        Ok(self.0.acquire(request).await?.with_lifetime(Duration::from_secs(60)))
    }

    fn describe(&self) -> Description {
        Description::new("hanging").renewal(Renewal::RevokesPrevious)
    }
}

fn layer(credential: impl Credential) -> AuthLayer {
    let expired = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"));
    AuthLayer::new(Origin::parse("https://api.example.com").unwrap(), credential)
        .signatures(Signatures::new().rule(expired))
}

/// A layer that has a token.
fn warmed(runtime: &Runtime) -> AuthLayer {
    let auth = layer(Counted::default());
    runtime.block_on(auth.tokens().get(Duration::ZERO)).unwrap();
    auth
}

/// A POST with 8 headers and 200 bytes.
fn request() -> Request<Full<Bytes>> {
    let mut request = Request::post(URI).body(Full::from(Bytes::from_static(&[b'x'; 200]))).unwrap();
    for (name, value) in HEADERS {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    request
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A tenant's credential, made of what it has of its own.
type MakeTenant = Box<dyn Fn(u64) -> Result<Tenant, BoxError> + Send + Sync>;

/// What a tenant takes beside its token, and what the map thinks that it takes with it.
fn cost_of_a_tenant(make: fn(Transport) -> MakeTenant) -> (usize, usize) {
    const TENANTS: u64 = 5_000;
    let token = "t".repeat(TOKEN);
    let body =
        format!(r#"{{"access_token":"{token}","refresh_token":"{}","expires_in":3600}}"#, "r".repeat(40));
    let body = Bytes::from(body);
    let client = service_fn(move |_: Request<Full<Bytes>>| {
        ready(Ok::<_, Infallible>(Response::new(Full::new(body.clone()))))
    });
    let runtime = runtime();
    let make: Arc<MakeTenant> = Arc::new(make(Transport::new(client)));
    let tenants = Tenants::builder(move |id: u64| ready(make(id)))
        .bytes(1 << 30)
        .origin(Origin::parse("https://api.example.com").unwrap())
        .build();
    let fill = |from: u64, to: u64| {
        runtime.block_on(async {
            for id in from..to {
                let tokens = tenants.get(&id).await.unwrap();
                tokens.get(Duration::ZERO).await.unwrap();
            }
            yield_now().await;
        });
    };
    // What is there once is there by now.
    fill(0, 1000);
    let weighed = tenants.census().bytes;
    let taken = measure(|| fill(1000, 1000 + TENANTS)).bytes_current;
    let each = |bytes: u64| usize::try_from(bytes / TENANTS).unwrap();
    (each(u64::try_from(taken).unwrap()) - TOKEN, each(tenants.census().bytes - weighed))
}

/// What a file declares, whose inputs are open.
fn pattern(base_url: &str, rest: &str, transport: Transport) -> Pattern {
    let file = format!("name = 'Acme'\nbase_url = '{base_url}'\n{rest}");
    toml::from_str::<Declaration>(&file).unwrap().pattern(transport).unwrap()
}

/// The usual length of a token that says something by itself.
const TOKEN: usize = 1024;

#[test]
fn a_tenant_takes_no_more_than_it_is_weighed_for() {
    let login = |transport| -> MakeTenant {
        let (app, login) = (ClientAuthentication::public("app"), SecretSource::input("login"));
        let anybody = RefreshToken::new("https://login.example.com/token", app, login).build(transport);
        let anybody = anybody.unwrap();
        Box::new(move |id| {
            Ok(Tenant::new(anybody.with_refresh_token(format!("{id:016}{}", "r".repeat(24)))?))
        })
    };
    let declared = |transport| -> MakeTenant {
        let anybody = ApiVideo::sandbox(SecretSource::input("key")).declaration().build(transport).unwrap();
        Box::new(move |id| Ok(Tenant::new(anybody.with_input("key", format!("{id:016}{}", "k".repeat(24)))?)))
    };
    const URL: &str = "https://login.example.com/token";
    let client = |transport| -> MakeTenant {
        let (id, secret) = (SecretSource::input("id"), SecretSource::input("secret"));
        let client = ClientAuthentication::secret_basic(id, secret);
        let anybody = ClientCredentials::new(URL, client).scope("videos.read").build(transport).unwrap();
        Box::new(move |id| {
            let anybody = anybody.with_input("id", format!("{id:020}"))?;
            Ok(Tenant::new(anybody.with_input("secret", "s".repeat(40))?))
        })
    };
    let user = |transport| -> MakeTenant {
        let key = JwtKey::hs256(&[b'k'; 32]).unwrap();
        let jwt = JwtAssertion::new(key, "robot").subject(SecretSource::input("user"));
        let anybody =
            JwtBearer::new(URL, ClientAuthentication::unidentified(), jwt).build(transport).unwrap();
        Box::new(move |id| Ok(Tenant::new(anybody.with_input("user", format!("{id:020}@example.com"))?)))
    };
    let exchanged = |transport| -> MakeTenant {
        let (nobody, subject) = (ClientAuthentication::unidentified(), SecretSource::input("subject"));
        let anybody = TokenExchange::new(URL, nobody, subject, TokenExchange::JWT).build(transport).unwrap();
        Box::new(move |id| Ok(Tenant::new(anybody.with_input("subject", format!("{id:040}"))?)))
    };
    let filed = |transport| -> MakeTenant {
        let pattern = pattern(
            "https://api.example.com",
            "[acquire]\nrequest = 'POST /t'\nform.key = 'input:key'",
            transport,
        );
        Box::new(move |id| {
            let parts = pattern.with_input("key", format!("{id:016}{}", "k".repeat(24)))?.parts()?;
            Ok(Tenant::new(parts.credential))
        })
    };
    let hosted = |transport| -> MakeTenant {
        let pattern = pattern(
            "https://{host}.example.com",
            "[acquire]\nrequest = 'POST /t'\nform.key = 'input:key'",
            transport,
        );
        Box::new(move |id| {
            let pattern = pattern.with_input("key", format!("{id:016}{}", "k".repeat(24)))?;
            Ok(Tenant::new(pattern.with_input("host", format!("c{id:08}"))?.parts()?.credential))
        })
    };
    let kinds = [
        ("a refresh token of OAuth 2.0", login as fn(Transport) -> MakeTenant, 920),
        ("client credentials of OAuth 2.0, with id and secret", client, 900),
        ("a subject of JWTs", user, 900),
        ("a token that is exchanged", exchanged, 900),
        ("a declared vendor's", declared, 820),
        ("a vendor's from a file", filed, 860),
        ("a vendor's from a file, with a host of its own", hosted, 900),
    ];
    let check = |(what, tenant, most): (&str, fn(Transport) -> MakeTenant, usize)| {
        let (bytes, weight) = cost_of_a_tenant(tenant);
        println!("{what}: {bytes} bytes beside a token of {TOKEN}; it weighs {weight} with it");
        assert!(bytes < most, "{what}: {bytes}");
        let taken = bytes + TOKEN;
        assert!((taken..taken + taken / 4).contains(&weight), "{what}: {taken} weighs {weight}");
    };
    // What is allocated is counted for each thread.
    thread::scope(|scope| {
        for kind in kinds {
            scope.spawn(move || check(kind));
        }
    });
}
