//! OAuth 2.0 credentials under the layer: what callers see of refreshes, fallbacks and refusals.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_reauth::{
    AuthError, AuthErrorKind, AuthLayer, AuthOutcome, BoxCredential, ConfigError, ErrorCode, Origin,
    Signatures, Transport,
    oauth2::{ClientAuthentication, ClientCredentials, OAuth2Credential, Password},
};

const TOKENS: &str = "https://login.example.com/token";
const API: &str = "https://api.example.com";

type Http = BoxCloneSyncService<Request<Bytes>, Response<Full<Bytes>>, Infallible>;

/// A token endpoint that answers as it is told, and an API that accepts one token.
#[derive(Clone, Default)]
struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: VecDeque<(StatusCode, Value)>,
    accepted: &'static str,
    token_requests: Vec<String>,
    api_requests: usize,
}

impl World {
    fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let answers = answers.into_iter().map(|(status, body)| (status.try_into().unwrap(), body)).collect();
        Self(Arc::new(Mutex::new(State { answers, ..State::default() })))
    }

    fn accept(&self, token: &'static str) {
        self.0.lock().unwrap().accepted = token;
    }

    /// How often which was asked.
    fn counts(&self) -> (usize, usize) {
        let state = self.0.lock().unwrap();
        (state.token_requests.len(), state.api_requests)
    }

    /// The HTTP client, for both.
    fn http(&self) -> Http {
        let state = self.0.clone();
        BoxCloneSyncService::new(service_fn(move |request: Request<Bytes>| {
            let state = state.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let mut state = state.lock().unwrap();
                let (mut response, body) = (Response::new(()), request.body());
                if request.uri().host() == Some("login.example.com") {
                    state.token_requests.push(String::from_utf8(body.to_vec()).unwrap());
                    let (status, body) = state.answers.pop_front().expect("no more token requests");
                    *response.status_mut() = status;
                    return Ok(response.map(|()| Full::from(body.to_string())));
                }
                state.api_requests += 1;
                let expected = format!("Bearer {}", state.accepted);
                if request.headers()["authorization"] != expected.as_str() {
                    *response.status_mut() = StatusCode::UNAUTHORIZED;
                    let challenge = r#"Bearer realm="api", error="invalid_token""#;
                    response.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
                    return Ok(response.map(|()| Full::from("refused")));
                }
                Ok(response.map(|()| Full::from("welcome")))
            }
        }))
    }

    /// The API behind the layer.
    fn api(
        &self,
        layer: impl FnOnce(Transport) -> Result<AuthLayer, ConfigError>,
    ) -> impl Service<
        Request<Bytes>,
        Response = Response<impl http_body::Body<Data = Bytes, Error: std::fmt::Debug>>,
        Error = tower_reauth::BoxError,
        Future: Send,
    > + Clone
    + Send {
        layer(Transport::new(self.http())).unwrap().layer(self.http())
    }
}

fn call() -> Request<Bytes> {
    Request::get(format!("{API}/videos")).body(Bytes::new()).unwrap()
}

fn token(token: &str) -> Value {
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

fn client() -> ClientAuthentication {
    ClientAuthentication::secret_basic("s6BhdRkqt3", "gX1fBat3bV")
}

fn client_credentials(transport: Transport) -> Result<AuthLayer, ConfigError> {
    ClientCredentials::new(TOKENS, client()).layer(API, transport)
}

#[tokio::test(start_paused = true)]
async fn many_calls_share_one_token_and_one_refresh() {
    let world = World::new([(200, token("a1")), (200, token("a2"))]);
    world.accept("a1");
    let api = world.api(client_credentials);
    let all = || futures_util::future::join_all((0..100).map(|_| api.clone().oneshot(call())));
    assert!(all().await.into_iter().all(|response| response.unwrap().status() == StatusCode::OK));
    assert_eq!(world.counts(), (1, 100));

    world.accept("a2");
    for response in all().await {
        let response = response.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let outcome = response.extensions().get::<AuthOutcome>().unwrap();
        assert!(outcome.replayed());
    }
    assert_eq!(world.counts(), (2, 300));
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_is_typed_in_the_outcome_and_in_later_errors() {
    let refused = json!({"error": "invalid_client", "error_description": "gX1fBat3bV is revoked"});
    let world = World::new([(200, token("a1")), (401, refused)]);
    world.accept("a2");
    let api = world.api(client_credentials);
    let response = api.clone().oneshot(call()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let outcome = response.extensions().get::<AuthOutcome>().unwrap();
    let error = outcome.error().unwrap().acquire_error().unwrap();
    assert_eq!(error.code(), Some(ErrorCode::InvalidClient));
    assert!(error.to_string().contains("[redacted] is revoked"), "{error}");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "refused");

    let error = api.clone().oneshot(call()).await.err().unwrap();
    let error = AuthError::find(&*error).unwrap();
    assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!(error.acquire_error().and_then(|error| error.code()), Some(ErrorCode::InvalidClient));
    assert!(error.retry_at().is_some());
    assert_eq!(world.counts(), (2, 1), "the account isn't locked");
}

#[tokio::test(start_paused = true)]
async fn a_spent_refresh_token_gives_way_to_the_grant_within_one_flight() {
    let mut first = token("a1");
    first["refresh_token"] = "r1".into();
    let world = World::new([(200, first), (400, json!({"error": "invalid_grant"})), (200, token("a2"))]);
    world.accept("a1");
    let api =
        world.api(|transport| Password::new(TOKENS, client(), "johndoe", "A3ddj3w").layer(API, transport));
    api.clone().oneshot(call()).await.unwrap();
    world.accept("a2");
    assert_eq!(api.clone().oneshot(call()).await.unwrap().status(), StatusCode::OK);
    let sent = world.0.lock().unwrap().token_requests.clone();
    assert_eq!(
        sent,
        [
            "grant_type=password&username=johndoe&password=A3ddj3w",
            "grant_type=refresh_token&refresh_token=r1",
            "grant_type=password&username=johndoe&password=A3ddj3w",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_unavailable_for_a_moment_is_asked_again() {
    let busy = || (400, json!({"error": "temporarily_unavailable"}));
    let world = World::new([busy(), busy(), (200, token("a1"))]);
    world.accept("a1");
    let response = world.api(client_credentials).oneshot(call()).await.unwrap();
    assert_eq!((response.status(), world.counts()), (StatusCode::OK, (3, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_boxed_credential_fits_where_any_does() {
    let world = World::new([(200, token("a1"))]);
    world.accept("a1");
    let api = world.api(|transport| {
        let credential = BoxCredential::new(ClientCredentials::new(TOKENS, client()).build(transport)?);
        Ok(AuthLayer::new(Origin::parse(API)?, credential).signatures(Signatures::oauth2()))
    });
    assert_eq!(api.oneshot(call()).await.unwrap().status(), StatusCode::OK);
}

#[test]
fn credentials_can_be_shared_among_threads() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<OAuth2Credential>();
    check::<BoxCredential>();
    check::<ClientAuthentication>();
}
