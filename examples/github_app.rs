//! A GitHub App that acts for an installation: a JWT of the app is exchanged for a token of the installation, each hour.
//!
//! ```text
//! cargo run --example github_app
//! ```
//!
//! In place of GitHub there is a server on loopback that answers as GitHub's documentation says, and verifies each JWT
//! with the app's public key. Its clock is half a minute behind ours. Read on 2026-11-29, on <https://docs.github.com/en>:
//!
//! - `apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app`: RS256;
//!   `iat`, 60 seconds in the past; `exp`, no more than 10 minutes into the future; `iss`, the client id;
//! - `apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app`
//!   and `rest/apps/apps#create-an-installation-access-token-for-an-app`: the request and its answer, a 201; tokens that
//!   expire after an hour, and a 401 to those that have;
//! - `rest/using-the-rest-api/getting-started-with-the-rest-api`: `Accept`, `X-GitHub-Api-Version` and `User-Agent`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_reauth::{
    AuthError, AuthErrorKind, AuthOutcome, BoxError, Client, Rule, Signatures, TokenEndpoint, TokenRequest,
    client::Roots,
    oauth2::{JwtAssertion, JwtKey},
};

const CLIENT_ID: &str = "Iv23liExampleClient0";
const INSTALLATION: u32 = 4242;
/// What GitHub generates for an app, and lets its owner download once. This one is printed in RFC 7515 §A.2.
const KEY: &[u8] = include_bytes!("../src/credential/oauth2/tests/keys/rfc7515-a2-pkcs8.pem");

/// The app's JWT. What GitHub asks for is `iat`, `exp` and `iss`; `jti` makes each another one.
fn app(key: JwtKey) -> JwtAssertion {
    let jwt = JwtAssertion::new(key, CLIENT_ID).lifetime(Duration::from_secs(600));
    jwt.without_claim("sub").without_claim("nbf")
}

/// GitHub, for one installation of the app. `base_url` is `https://api.github.com`, or that of a GitHub Enterprise
/// Server.
fn github(base_url: String, app: JwtAssertion) -> TokenEndpoint {
    let acquire = TokenRequest::post(format!("/app/installations/{INSTALLATION}/access_tokens"))
        .bearer(app)
        .header("Accept", "application/vnd.github+json")
        .header("X-GitHub-Api-Version", "2022-11-28")
        .header("User-Agent", "tower-reauth-example")
        .accepts([StatusCode::CREATED]);
    TokenEndpoint::new("GitHub", base_url, acquire)
        .token("/token")
        .lifetime("/expires_at")
        .message("/message")
        .signatures(Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED)))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let recorded = GitHub::new()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let served = Router::new().fallback(answer).with_state(recorded.clone());
    tokio::spawn(async move { axum::serve(listener, served).await });

    let client = Client::builder().roots(Roots::Bundled).build()?;
    let auth = github(base_url.clone(), app(JwtKey::rs256(KEY)?)).layer(client.clone())?;
    let tokens = auth.tokens();
    let mut api = ServiceBuilder::new().layer(auth).service(client.clone());
    for expired in [false, true] {
        if expired {
            recorded.lock().token = None;
        }
        let response = api.ready().await?.call(repositories(&base_url)?).await?;
        let replayed = response.extensions().get().is_some_and(AuthOutcome::replayed);
        println!("{}, by a replay: {replayed}", response.status());
        assert_eq!((response.status(), replayed), (StatusCode::OK, expired));
        response.into_body().collect().await?;
    }
    let lifetime = tokens.try_get().and_then(|lease| lease.token().lifetime()).unwrap_or_default();
    println!("a token of the installation lives for {} minutes", lifetime.as_secs().div_ceil(60));
    assert!((3500..=3600).contains(&lifetime.as_secs()), "{lifetime:?}");
    {
        let state = recorded.lock();
        println!("{} JWTs, {} calls", state.jwts.len(), state.calls);
        assert_eq!((state.jwts.len(), state.calls, &*state.wrong), (2, 3, &[] as &[String]));
    }

    // Without the minute, the JWT is from the future for a server whose clock is behind.
    let from_now_on = app(JwtKey::rs256(KEY)?).back_dated(Duration::ZERO);
    let auth = github(base_url.clone(), from_now_on).layer(client.clone())?;
    let api = ServiceBuilder::new().layer(auth).service(client);
    let Err(error) = api.oneshot(repositories(&base_url)?).await else {
        return Err("the server has accepted a JWT from the future".into());
    };
    let error = AuthError::find(&*error).ok_or("it is no error of the layer")?;
    let said = error.acquire_error().map(ToString::to_string).unwrap_or_default();
    println!("without the minute: {said}");
    assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
    assert!(said.contains("('iat')"), "{said}");
    Ok(())
}

fn repositories(base_url: &str) -> Result<Request<Full<Bytes>>, http::Error> {
    Request::get(format!("{base_url}/installation/repositories"))
        .header(ACCEPT, "application/vnd.github+json")
        .header(USER_AGENT, "tower-reauth-example")
        .body(Full::default())
}

/// What stands in for GitHub.
#[derive(Clone)]
struct GitHub {
    public_key: UnparsedPublicKey<Vec<u8>>,
    state: Arc<Mutex<Recorded>>,
}

#[derive(Default)]
struct Recorded {
    /// The token in force.
    token: Option<String>,
    /// Those that tokens were given for.
    jwts: HashSet<String>,
    calls: usize,
    /// What was wrong with requests, beside JWTs and tokens that are no good.
    wrong: Vec<String>,
}

impl GitHub {
    fn new() -> Result<Self, BoxError> {
        let pair = RsaKeyPair::from_pkcs8(PrivatePkcs8KeyDer::from_pem_slice(KEY)?.secret_pkcs8_der())
            .map_err(|error| error.to_string())?;
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self {
            public_key: UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public),
            state: Arc::default(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recorded> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with a JWT, in GitHub's words.
    fn refusal(&self, jwt: &str) -> Option<&'static str> {
        let verified = || -> Option<Value> {
            let (message, signature) = jwt.rsplit_once('.')?;
            let (header, claims) = message.split_once('.')?;
            let decode = |part| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
            let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
            self.public_key.verify(message.as_bytes(), &decode(signature)?).ok()?;
            if header["alg"] != "RS256" {
                return None;
            }
            serde_json::from_slice(&decode(claims)?).ok()
        };
        let Some(claims) = verified() else { return Some("A JSON web token could not be decoded") };
        let now = unix_time(SystemTime::now()) - 30;
        match (claims["iat"].as_u64(), claims["exp"].as_u64()) {
            _ if claims["iss"] != CLIENT_ID => Some("Integration not found"),
            (Some(iat), _) if iat > now => Some(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ),
            (_, Some(exp)) if exp > now + 600 => {
                Some("'Expiration time' claim ('exp') is too far in the future")
            }
            (Some(_), Some(exp)) if exp > now => None,
            _ => Some(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at \
                       which the assertion expires",
            ),
        }
    }
}

async fn answer(State(github): State<GitHub>, request: Request) -> Response {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let mut state = github.lock();
    if text(ACCEPT) != Some("application/vnd.github+json") || text(USER_AGENT).is_none() {
        state.wrong.push(format!("{headers:?}"));
    }
    let unauthorized = |message: &str| {
        let body = json!({"message": message, "documentation_url": "https://docs.github.com/rest"});
        json_answer(StatusCode::UNAUTHORIZED, body)
    };
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/app/installations/4242/access_tokens") => {
            if !has_version(headers) {
                state.wrong.push("no version of the API".to_owned());
            }
            let jwt = bearer.unwrap_or_default();
            if let Some(message) = github.refusal(jwt) {
                return unauthorized(message);
            }
            state.jwts.insert(jwt.to_owned());
            let token = format!("ghs_16C7e42F292c6912E7710c838347Ae178B4{}", state.jwts.len());
            state.token = Some(token.clone());
            let expires_at = humantime::format_rfc3339_seconds(SystemTime::now() + Duration::from_secs(3600));
            let body = json!({
                "token": token,
                "expires_at": expires_at.to_string(),
                "permissions": {"issues": "write", "contents": "read"},
                "repository_selection": "all",
            });
            json_answer(StatusCode::CREATED, body)
        }
        (&Method::GET, "/installation/repositories") => {
            state.calls += 1;
            if bearer.is_none() || bearer != state.token.as_deref() {
                return unauthorized("Bad credentials");
            }
            json_answer(StatusCode::OK, json!({"total_count": 0, "repositories": []}))
        }
        (method, path) => {
            state.wrong.push(format!("{method} {path}"));
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

fn has_version(headers: &HeaderMap) -> bool {
    headers.get("X-GitHub-Api-Version").is_some_and(|version| version == "2022-11-28")
}

fn json_answer(status: StatusCode, body: Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn unix_time(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
