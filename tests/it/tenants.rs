//! Many credentials behind one layer, over one client, against a server whose refresh tokens are good once.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::HeaderMap, routing};
use futures_util::future::join_all;
use http::{Request, StatusCode};
use serde_json::json;
use tower::Layer;
use tower_reauth::{
    AcquireErrorKind, Auth, AuthErrorKind, AuthLayer, Client, CloneBodies, Origin, Signatures, StaticToken,
    Tenant, Tenants, TenantsBuilder,
    client::{ClientError, ClientErrorKind},
    oauth2::{ClientAuthentication, RefreshToken},
    store::SharedSlot,
    testing::MemoryStore,
};

use crate::support::{Body, Serving, Site, auth_error, client, get, send};

/// A server for many logins. That of `acme` began with the refresh token `acme:0`; each use gives the next one, and one that
/// comes twice kills the login. Logins by the name of `dead` are dead.
#[derive(Clone, Default)]
struct Server {
    issued: Arc<Mutex<HashMap<String, u32>>>,
    calls: Arc<AtomicU32>,
    reused: Arc<Mutex<Vec<String>>>,
    /// What the API has accepted.
    accepted: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(&self) -> Serving {
        let router = Router::new()
            .route("/token", routing::post(token))
            .route("/things", routing::get(things))
            .with_state(self.clone());
        Serving::of(router).await
    }

    fn calls(&self) -> u32 {
        self.calls.load(SeqCst)
    }

    /// Makes the API forget the newest token of a login.
    fn forget(&self, login: &str) {
        self.accepted.lock().unwrap().push(format!("forgotten {login}"));
    }

    fn is_forgotten(&self, token: &str) -> bool {
        let login = token.split(':').next().unwrap();
        let is_first = token.ends_with(":1");
        is_first && self.accepted.lock().unwrap().contains(&format!("forgotten {login}"))
    }
}

async fn token(State(server): State<Server>, form: String) -> (StatusCode, String) {
    server.calls.fetch_add(1, SeqCst);
    let sent = form.split('&').find_map(|pair| pair.strip_prefix("refresh_token=")).unwrap();
    let sent = sent.replace("%3A", ":");
    let (login, number) = sent.split_once(':').unwrap();
    let mut issued = server.issued.lock().unwrap();
    let newest = issued.entry(login.to_owned()).or_default();
    if login.contains("dead") || number.parse() != Ok(*newest) {
        server.reused.lock().unwrap().push(sent.clone());
        return (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }).to_string());
    }
    *newest += 1;
    let answer = json!({
        "access_token": format!("{login}:{newest}"), "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": format!("{login}:{newest}"),
    });
    (StatusCode::OK, answer.to_string())
}

async fn things(
    State(server): State<Server>,
    headers: HeaderMap,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let token = headers["authorization"].to_str().unwrap().replace("Bearer ", "");
    if server.is_forgotten(&token) {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", r#"Bearer error="invalid_token""#)]);
    }
    server.accepted.lock().unwrap().push(token);
    (StatusCode::OK, [("cache-control", "no-store")])
}

/// Tenants that log in at `served` and call it, by ids that are logins.
fn tenants(served: &Serving, store: Option<&MemoryStore>) -> TenantsBuilder<String> {
    let (url, slot) = (
        format!("{}/token", served.origin),
        store.map(|store| SharedSlot::plain(store.clone(), "tenants").unwrap()),
    );
    Tenants::builder(move |id: String| {
        let (url, slot) = (url.clone(), slot.clone());
        async move {
            let login = RefreshToken::new(url, ClientAuthentication::public("app"), format!("{id}:0"));
            let tenant = Tenant::new(login.build(client())?);
            Ok(match slot {
                Some(slot) => tenant.shared(slot.subject(id)),
                None => tenant,
            })
        }
    })
    .origin(Origin::parse(&served.origin).unwrap())
    .allow_private_addresses()
}

type Service = Auth<Client, CloneBodies, Tenants<String>>;

fn service(tenants: &Tenants<String>) -> Service {
    AuthLayer::tenants(tenants.clone()).signatures(Signatures::oauth2()).layer(client())
}

async fn call(service: &Service, served: &Serving, id: &str) -> Result<StatusCode, AuthErrorKind> {
    let mut request = get(&format!("{}/things", served.origin));
    request.extensions_mut().insert(id.to_owned());
    match send(service, request).await {
        Ok(answered) => Ok(answered.status()),
        Err(error) => Err(auth_error(&error).kind()),
    }
}

#[tokio::test]
async fn each_tenant_logs_in_once_and_carries_its_own_token() {
    let server = Server::default();
    let served = server.start().await;
    let service = service(&tenants(&served, None).build());
    let ids: Vec<_> = (0..50).map(|number| format!("t{number}")).collect();
    for _ in 0..2 {
        let answers = join_all(ids.iter().chain(&ids).map(|id| call(&service, &served, id))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(StatusCode::OK)));
    }
    assert_eq!((server.calls(), server.reused.lock().unwrap().len()), (50, 0));
    let mut accepted = server.accepted.lock().unwrap().clone();
    accepted.sort_unstable();
    let mut expected: Vec<_> = ids.iter().flat_map(|id| vec![format!("{id}:1"); 4]).collect();
    expected.sort_unstable();
    assert_eq!(accepted, expected);
}

#[tokio::test]
async fn a_rejection_and_a_dead_login_are_one_tenants_alone() {
    let server = Server::default();
    let served = server.start().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = told.clone();
    let all =
        tenants(&served, None).on_dead_grant(move |id, _| hear.lock().unwrap().push(id.clone())).build();
    let service = service(&all);
    for id in ["acme", "umbrella"] {
        assert_eq!(call(&service, &served, id).await, Ok(StatusCode::OK));
    }
    server.forget("acme");
    for _ in 0..3 {
        assert_eq!(call(&service, &served, "dead").await, Err(AuthErrorKind::CredentialsRejected));
        for id in ["acme", "umbrella"] {
            assert_eq!(call(&service, &served, id).await, Ok(StatusCode::OK));
        }
    }
    // Two logins, one refresh, one refusal.
    assert_eq!(server.calls(), 4);
    assert_eq!(*told.lock().unwrap(), ["dead"]);
    let census = all.census();
    assert_eq!((census.healthy, census.waiting, census.dead), (2, 0, 1));
}

#[tokio::test]
async fn with_a_store_each_tenant_is_a_slot_and_a_restart_makes_no_token_call() {
    let server = Server::default();
    let (served, store) = (server.start().await, MemoryStore::new());
    let ids: Vec<_> = (0..20).map(|number| format!("t{number}")).collect();
    for round in 0..3 {
        let all = tenants(&served, Some(&store)).build();
        let service = service(&all);
        assert_eq!(all.census().healthy, 0, "nobody is asked for before it is used");
        for id in &ids {
            assert_eq!(call(&service, &served, id).await, Ok(StatusCode::OK), "{round}");
            assert!(all.find(id).unwrap().state().is_shared());
        }
        assert_eq!((server.calls(), server.reused.lock().unwrap().len()), (20, 0), "{round}");
    }
}

#[tokio::test]
async fn what_has_a_slot_makes_room_and_is_found_again() {
    let server = Server::default();
    let (served, store) = (server.start().await, MemoryStore::new());
    let all = tenants(&served, Some(&store)).bytes(60_000).build();
    let service = service(&all);
    for _ in 0..2 {
        for number in 0..50 {
            assert_eq!(call(&service, &served, &format!("t{number}")).await, Ok(StatusCode::OK));
        }
    }
    assert!(all.census().healthy < 40, "{:?}", all.census());
    assert_eq!((server.calls(), server.reused.lock().unwrap().len()), (50, 0));
}

/// Without a store the rotated refresh tokens are in memory alone, and none of them may be lost for others' sake.
#[tokio::test]
async fn without_a_store_no_login_is_lost_for_want_of_room() {
    let server = Server::default();
    let served = server.start().await;
    let all = tenants(&served, None).bytes(60_000).build();
    let service = service(&all);
    let mut kept = 0;
    for number in 0..50 {
        match call(&service, &served, &format!("t{number}")).await {
            Ok(_) => kept += 1,
            Err(kind) => assert_eq!(kind, AuthErrorKind::TenantsFull),
        }
    }
    assert!((5..40).contains(&kept), "{kept}");
    for number in 0..kept {
        assert_eq!(call(&service, &served, &format!("t{number}")).await, Ok(StatusCode::OK));
    }
    assert_eq!((server.calls(), server.reused.lock().unwrap().len()), (kept, 0));
    let left = all.remove(&"t0".to_owned()).await.expect("its login is nowhere else");
    assert_eq!(secrecy(&left), "t0:1");
}

fn secrecy(token: &tower_reauth::AccessToken) -> &str {
    secrecy::ExposeSecret::expose_secret(token.refresh_token().unwrap())
}

/// Whatever threads do at once: build, fly, make room, remove. No refresh token is sent twice, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_call_and_remove_the_same_tenants_lose_no_login() {
    call_and_remove(60_000, 900).await;
}

/// There is as little room, for tenants that take more, and enough for what each thread has at hand of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_have_the_same_tenants_at_hand_lose_no_login() {
    call_and_remove(1 << 20, 40_000).await;
}

async fn call_and_remove(room: u64, each: usize) {
    let server = Server::default();
    let served = Arc::new(server.start().await);
    let url = format!("{}/token", served.origin);
    // What the program has of each login; nothing while it takes its leave.
    let logins: Vec<_> = (0..30).map(|number| (format!("t{number}"), Some(format!("t{number}:0")))).collect();
    let logins: Arc<Mutex<HashMap<String, Option<String>>>> =
        Arc::new(Mutex::new(logins.into_iter().collect()));
    let (known, shared) = (logins.clone(), client());
    let all = Tenants::builder(move |id: String| {
        let (url, known, shared) = (url.clone(), known.clone(), shared.clone());
        async move {
            let login = known.lock().unwrap()[&id].clone().ok_or("it is leaving")?;
            let login = RefreshToken::new(url, ClientAuthentication::public("app"), login);
            Ok(Tenant::new(login.build(shared)?).heap_bytes(each))
        }
    })
    .origin(Origin::parse(&served.origin).unwrap())
    .allow_private_addresses()
    .bytes(room)
    .build();
    let service = service(&all);
    let callers = (0..8).map(|_| {
        let (service, served, all, logins) = (service.clone(), served.clone(), all.clone(), logins.clone());
        tokio::spawn(async move {
            let mut answered = 0;
            for _ in 0..150 {
                let id = format!("t{}", fastrand::usize(0..30));
                if fastrand::usize(0..10) > 0 {
                    answered += usize::from(call(&service, &served, &id).await.is_ok());
                    continue;
                }
                let Some(before) = logins.lock().unwrap().get_mut(&id).unwrap().take() else { continue };
                let left = all.remove(&id).await.map_or(before, |left| secrecy(&left).to_owned());
                logins.lock().unwrap().insert(id, Some(left));
            }
            answered
        })
    });
    let answered: usize = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    assert!(answered > 100, "{answered}");
    assert_eq!(*server.reused.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_endpoint_that_points_inwards_is_not_asked() {
    let inner = Site::that_agrees().await;
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let url = inner.url_at(host, "/token").replace("http://127.1", "https://127.1");
        let all = Tenants::builder(move |_: u64| {
            let url = url.clone();
            async move {
                let login = RefreshToken::new(url, ClientAuthentication::public("app"), "r".to_owned());
                Ok(Tenant::new(login.build(client())?))
            }
        })
        .origin(Origin::parse("https://api.example.com").unwrap())
        .build();
        let error = all.get(&1).await.unwrap().get(Duration::ZERO).await.unwrap_err();
        let error = error.acquire_error().unwrap();
        assert_eq!(error.kind(), AcquireErrorKind::Blocked, "{error}");
        assert!(error.to_string().contains("private network"), "{error}");
    }
    assert!(inner.requests().is_empty());
}

#[tokio::test]
async fn a_tenants_request_does_not_go_inwards_whatever_is_beneath() {
    let inner = Site::that_agrees().await;
    // A name that the layer knows nothing of, as none of this machine does: it isn't looked up before it is connected to.
    let origin = inner.url_at("ip6-localhost", "");
    let all = Tenants::builder(async |_: String| Ok(Tenant::new(StaticToken::new("key")?)))
        .origin(Origin::parse_allowing_plaintext_tokens(&origin).unwrap())
        .build();
    let service = service(&all);
    let mut request = Request::get(format!("{origin}/")).body(Body::default()).unwrap();
    request.extensions_mut().insert("acme".to_owned());
    let error = send(&service, request).await.unwrap_err();
    let kind = error.downcast_ref::<ClientError>().unwrap().kind();
    // Where the machine has no such name, nothing is connected to either.
    assert!(matches!(kind, ClientErrorKind::InwardHost | ClientErrorKind::Connect), "{error:?}");
    assert!(inner.requests().is_empty());
}
