//! Many customers' credentials that are made of one pattern, against a server where each has a path, a client and a secret.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    routing,
};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tower::Layer;
use tower_reauth::{
    Auth, AuthErrorKind, AuthLayer, BoxError, Client, CloneBodies, Declaration, Origin, SecretSource,
    Signatures, Tenant, Tenants,
    oauth2::{AuthorizationServer, ClientAuthentication, ClientCredentials},
    store::SharedSlot,
    testing::MemoryStore,
};

use crate::support::{auth_error, client, get, send};

/// Counts the logins and the calls of each customer, and refuses what is another's.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    logins: BTreeMap<String, u32>,
    calls: BTreeMap<String, u32>,
    strange: Vec<String>,
}

async fn login(
    State(Server(counts)): State<Server>,
    Path(customer): Path<String>,
    form: String,
) -> (StatusCode, String) {
    let mut counts = counts.lock().unwrap();
    let has = |field: &str| form.split('&').any(|pair| pair == field);
    if !has(&format!("client_id={customer}")) || !has(&format!("client_secret=secret-of-{customer}")) {
        counts.strange.push(form);
        return (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_client" }).to_string());
    }
    *counts.logins.entry(customer.clone()).or_default() += 1;
    let answer =
        json!({ "access_token": format!("token-of-{customer}"), "token_type": "Bearer", "expires_in": 3600 });
    (StatusCode::OK, answer.to_string())
}

async fn things(
    State(Server(counts)): State<Server>,
    Path(customer): Path<String>,
    headers: HeaderMap,
) -> StatusCode {
    let mut counts = counts.lock().unwrap();
    let token = headers["authorization"].to_str().unwrap().to_owned();
    if token != format!("Bearer token-of-{customer}") {
        counts.strange.push(token);
        return StatusCode::FORBIDDEN;
    }
    *counts.calls.entry(customer).or_default() += 1;
    StatusCode::OK
}

impl Server {
    async fn start(&self) -> String {
        let router = Router::new()
            .route("/{customer}/token", routing::post(login))
            .route("/{customer}/things", routing::get(things))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        origin
    }
}

/// A customer's credential, by its id and its secret.
type Make = Arc<dyn Fn(&str, String) -> Result<Tenant, BoxError> + Send + Sync>;

fn from_file(origin: &str) -> Make {
    let file = format!(
        "name = 'Acme'
         base_url = '{origin}'
         [acquire]
         request = 'POST /{{customer}}/token'
         form = {{ client_id = 'input:customer', client_secret = 'input:secret' }}"
    );
    let pattern = toml::from_str::<Declaration>(&file).unwrap().pattern(client()).unwrap();
    Arc::new(move |id, secret| {
        let parts = pattern.with_input("customer", id.to_owned())?.with_input("secret", secret)?.parts()?;
        Ok(Tenant::new(parts.credential).origin(parts.origin))
    })
}

fn of_oauth2(origin: &str) -> Make {
    let input = SecretSource::input;
    let server = AuthorizationServer::new(input("server"));
    let asks = ClientAuthentication::secret_post(input("id"), input("secret"));
    let pattern = ClientCredentials::new(server, asks).build(client()).unwrap();
    let origin = origin.to_owned();
    Arc::new(move |id, secret| {
        let pattern = pattern.with_input("server", format!("{origin}/{id}/token"))?;
        let credential = pattern.with_input("id", id.to_owned())?.with_input("secret", secret)?;
        Ok(Tenant::new(credential).origin(Origin::parse(&origin)?))
    })
}

type Service = Auth<Client, CloneBodies, Tenants<String>>;

fn service(make: &Make, store: &MemoryStore) -> Service {
    let (make, slot) = (make.clone(), SharedSlot::plain(store.clone(), "customers").unwrap());
    let tenants = Tenants::builder(move |id: String| {
        // One whose secret is another one's.
        let secret = if id == "thief" { "secret-of-c1".to_owned() } else { format!("secret-of-{id}") };
        let tenant = make(&id, secret).map(|tenant| tenant.shared(slot.clone().subject(id)));
        std::future::ready(tenant)
    });
    let tenants = tenants.allow_private_addresses().build();
    AuthLayer::tenants(tenants).signatures(Signatures::oauth2()).layer(client())
}

async fn call(service: &Service, origin: &str, id: &str) -> Result<StatusCode, AuthErrorKind> {
    let mut request = get(&format!("{origin}/{id}/things"));
    request.extensions_mut().insert(id.to_owned());
    match send(service, request).await {
        Ok(answered) => Ok(answered.status()),
        Err(error) => Err(auth_error(&error).kind()),
    }
}

#[tokio::test]
async fn each_customer_of_a_pattern_logs_in_as_itself_alone_and_is_found_again_after_a_restart() {
    for make in [from_file, of_oauth2] {
        let (server, store) = (Server::default(), MemoryStore::new());
        let origin = server.start().await;
        let make = make(&origin);
        let ids: Vec<_> = (0..20).map(|number| format!("c{number}")).collect();
        for _ in 0..2 {
            let service = service(&make, &store);
            let twice = ids.iter().chain(&ids).map(|id| call(&service, &origin, id));
            let answers = join_all(twice).await;
            assert!(answers.iter().all(|answer| *answer == Ok(StatusCode::OK)), "{answers:?}");
            assert_eq!(call(&service, &origin, "thief").await, Err(AuthErrorKind::CredentialsRejected));
        }
        let counts = server.0.lock().unwrap();
        let each = |count: u32| ids.iter().map(|id| (id.clone(), count)).collect::<BTreeMap<_, _>>();
        assert_eq!((&counts.logins, &counts.calls), (&each(1), &each(4)));
        assert!(counts.strange.iter().all(|sent| sent.contains("client_id=thief")), "{:?}", counts.strange);
        assert!(!counts.strange.is_empty());
    }
}
