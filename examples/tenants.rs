//! A service that acts for its customers: each request is for one of them, whose own login is used at two vendors. Tokens are
//! in a store, so that a service that starts again finds them, and readiness says how the customers are.
//!
//! ```text
//! cargo run --example tenants --features tenants,file-store
//! ```

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{collections::HashMap, env, fs, path::Path, process, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, ServiceExt};
use tower_reauth::{
    ApiVideo, Auth, AuthError, AuthErrorKind, AuthLayer, BoxError, Client, CloneBodies, Tenant, TenantId,
    Tenants, Vervoe,
    client::Roots,
    store::{FileStore, Keys, SharedSlot},
    testing::{FakeApiVideo, FakeVervoe, Served},
};

/// Whom a request is for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Customer(String);

impl TenantId for Customer {
    fn heap_bytes(&self) -> usize {
        self.0.len()
    }
}

/// What is known of a customer: where its accounts are, and their keys. A real program has a database.
struct Account {
    video: Uri,
    jobs: Uri,
    key: String,
}

type Accounts = Arc<HashMap<String, Account>>;
type Api = Auth<Client, CloneBodies, Tenants<Customer>>;

/// The service. Both vendors share one client.
#[derive(Clone)]
struct Platform {
    accounts: Accounts,
    video: Api,
    jobs: Api,
    tenants: [Tenants<Customer>; 2],
}

impl Platform {
    fn new(accounts: &Accounts, slot: &SharedSlot) -> Result<Self, BoxError> {
        let client = Client::builder().roots(Roots::Bundled).build()?;
        let (transport, known, place) = (client.clone(), accounts.clone(), slot.clone());
        let video = Tenants::builder(move |Customer(customer)| {
            let (transport, known, place) = (transport.clone(), known.clone(), place.clone());
            async move {
                let account = known.get(&customer).ok_or("no such customer")?;
                let vendor = ApiVideo::sandbox(account.key.clone()).base_url(account.video.to_string());
                let parts = vendor.declaration().parts(transport)?;
                Ok(Tenant::new(parts.credential).origin(parts.origin).shared(place.subject(customer)))
            }
        });
        let (transport, known, place) = (client.clone(), accounts.clone(), slot.clone());
        let jobs = Tenants::builder(move |Customer(customer)| {
            let (transport, known, place) = (transport.clone(), known.clone(), place.clone());
            async move {
                let account = known.get(&customer).ok_or("no such customer")?;
                let vendor = Vervoe::new(account.key.clone(), "a-secret").base_url(account.jobs.to_string());
                let parts = vendor.declaration().parts(transport)?;
                Ok(Tenant::new(parts.credential).origin(parts.origin).shared(place.subject(customer)))
            }
        });
        // In place of the vendors there are programs on this machine. A real service doesn't allow that.
        let (video, jobs) =
            (video.allow_private_addresses().name("video"), jobs.allow_private_addresses().name("jobs"));
        let tenants = [video.build(), jobs.build()];
        // What answers mean is the same for all customers.
        let of_video = ApiVideo::sandbox("any").declaration().parts(client.clone())?;
        let of_jobs = Vervoe::new("any", "any").declaration().parts(client.clone())?;
        let video = AuthLayer::tenants(tenants[0].clone()).signatures(of_video.signatures);
        let jobs = AuthLayer::tenants(tenants[1].clone()).signatures(of_jobs.signatures);
        let video = video.placement(of_video.placement).layer(client.clone());
        let jobs = jobs.placement(of_jobs.placement).layer(client);
        Ok(Self { accounts: accounts.clone(), video, jobs, tenants })
    }

    fn router(self) -> Router {
        Router::new()
            .route("/videos", get(videos))
            .route("/candidates", get(candidates))
            .route("/ready", get(ready))
            .with_state(self)
    }
}

async fn videos(State(platform): State<Platform>, headers: HeaderMap, uri: Uri) -> Response {
    forward(&platform, platform.video.clone(), &headers, &uri, |account| &account.video).await
}

async fn candidates(State(platform): State<Platform>, headers: HeaderMap, uri: Uri) -> Response {
    forward(&platform, platform.jobs.clone(), &headers, &uri, |account| &account.jobs).await
}

/// Whose a request is, a real service knows from whoever sends it.
async fn forward(
    platform: &Platform,
    mut api: Api,
    headers: &HeaderMap,
    uri: &Uri,
    at: fn(&Account) -> &Uri,
) -> Response {
    let customer = headers.get("x-customer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let account = platform.accounts.get(customer);
    let host = account.map_or("https://nobody.invalid/".to_owned(), |account| at(account).to_string());
    let url = format!("{}{}", host.trim_end_matches('/'), uri.path());
    let sent = Request::get(url).extension(Customer(customer.to_owned())).body(Full::<Bytes>::default());
    let answer = async { api.ready().await?.call(sent?).await };
    let answer: Result<_, BoxError> = answer.await;
    match answer {
        Ok(response) => response.map(Body::new),
        Err(error) => match AuthError::find(&*error).map(AuthError::kind) {
            Some(AuthErrorKind::NoTenant | AuthErrorKind::TenantRefused) => StatusCode::NOT_FOUND,
            Some(AuthErrorKind::CredentialsRejected) => StatusCode::FORBIDDEN,
            Some(_) => StatusCode::SERVICE_UNAVAILABLE,
            None => StatusCode::BAD_GATEWAY,
        }
        .into_response(),
    }
}

/// One customer's dead login is no reason not to be ready.
async fn ready(State(platform): State<Platform>) -> String {
    let censuses = platform.tenants.map(|tenants| tenants.census());
    let sum = |of: fn(&tower_reauth::Census) -> usize| censuses.iter().map(of).sum::<usize>();
    let (healthy, waiting, dead) = (sum(|all| all.healthy), sum(|all| all.waiting), sum(|all| all.dead));
    format!("{healthy} healthy, {waiting} waiting, {dead} dead")
}

/// A customer's accounts, at vendors of its own.
async fn open_accounts(name: &str) -> Result<(FakeApiVideo, Served, FakeVervoe, Served), BoxError> {
    let (video, jobs) =
        (FakeApiVideo::new(format!("key-of-{name}")), FakeVervoe::new(format!("key-of-{name}"), "a-secret"));
    let (video_at, jobs_at) = (video.serve().await?, jobs.serve().await?);
    Ok((video, video_at, jobs, jobs_at))
}

async fn run(accounts: &Accounts, directory: &Path) -> Result<(), BoxError> {
    // What `openssl rand -base64 32` prints; a real one is read from a variable or a file.
    let key = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";
    let slot = FileStore::open(directory)?.sealed(&Keys::new(key))?.slot("customers")?;
    let app = Platform::new(accounts, &slot)?.router();
    let ask = async |path: &str, customer: &str| {
        let request = Request::get(path).header("x-customer", customer).body(Body::new(Empty::new()))?;
        let response = app.clone().oneshot(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok::<_, BoxError>((status, String::from_utf8_lossy(&body).into_owned()))
    };
    for customer in ["acme", "umbrella", "acme"] {
        for path in ["/videos", "/candidates"] {
            let (status, _) = ask(path, customer).await?;
            println!("{path} of {customer}: {status}");
            assert_eq!(status, StatusCode::OK);
        }
    }
    let (status, _) = ask("/videos", "nobody-knows").await?;
    println!("/videos of a stranger: {status}");
    assert_eq!(status, StatusCode::NOT_FOUND);
    // Its key isn't what it was.
    let (status, _) = ask("/videos", "initech").await?;
    println!("/videos of initech, whose key was changed: {status}");
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, ready) = ask("/ready", "").await?;
    println!("customers: {ready}");
    assert_eq!(ready, "4 healthy, 0 waiting, 1 dead");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let directory = env::temp_dir().join(format!("tower-reauth-tenants-{}", process::id()));
    let (mut accounts, mut vendors) = (HashMap::new(), Vec::new());
    for name in ["acme", "umbrella", "initech"] {
        let (video, video_at, jobs, jobs_at) = open_accounts(name).await?;
        if name == "initech" {
            video.set_api_key("another");
        }
        let key = format!("key-of-{name}");
        let account = Account { video: video_at.origin().parse()?, jobs: jobs_at.origin().parse()?, key };
        accounts.insert(name.to_owned(), account);
        vendors.push((video, video_at, jobs, jobs_at));
    }
    let accounts = Arc::new(accounts);
    for start in 1..3 {
        println!("the service starts, {start} of 2");
        run(&accounts, &directory).await?;
        for (video, _, jobs, _) in &vendors[..2] {
            let calls = (video.counts().token_calls(), jobs.counts().token_calls());
            assert_eq!(calls, (1, 1), "a token that is stored costs no call");
        }
    }
    fs::remove_dir_all(directory)?;
    Ok(())
}
