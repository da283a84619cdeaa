//! The recipes of `docs/identities.md`: a platform's token, and what it is exchanged for.
//!
//! The services are played from recordings, which are the pages' own samples and what people have reported; the pages are named
//! beside each. `tests/interop` has the exchanges of RFC 8693 and RFC 7523 against a real server.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use axum::body::Body;
use http::{Response, StatusCode, header::AUTHORIZATION, request::Parts};
use tower::Layer;
use tower_reauth::{
    AcquireErrorKind, AnswerField, AuthError, AuthErrorKind, AuthLayer, BoxError, Client, ConfigError,
    ConfigErrorKind, ErrorCode, FileToken, Origin, Placement, RefreshPolicy, SecretSource, Signatures,
    TokenCache, TokenEndpoint, TokenRequest,
    oauth2::{ClientAuthentication, ClientCredentials, JwtBearer, TokenExchange},
};

use super::fake::{Fake, form, header, json, jwt, query};
use crate::support::{Secrets, Site, client, get, send};

/// A file that a platform mounts, gone after the test.
struct Mounted(PathBuf);

impl Mounted {
    /// Its path; there is nothing yet.
    fn later() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("mounted-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn with(token: &str) -> Self {
        let file = Self::later();
        file.put(token);
        file
    }

    fn put(&self, token: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, format!("{token}\n")).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// An API that takes one token, and answers any other with the 401 of RFC 6750.
async fn api_for(header: &'static str, value: &'static str) -> Site {
    Site::start(move |head: &Parts| {
        let is_it = head.headers.get(header).is_some_and(|sent| sent == value);
        let answer = Response::builder();
        match is_it {
            true => answer.body(Body::empty()),
            false => answer
                .status(StatusCode::UNAUTHORIZED)
                .header("www-authenticate", r#"Bearer error="invalid_token""#)
                .body(Body::empty()),
        }
        .unwrap()
    })
    .await
}

/// Without the waits that would make a test long.
fn brief() -> RefreshPolicy {
    RefreshPolicy::default().attempts(1).back_off(Duration::from_millis(1), Duration::from_millis(1))
}

/// What is said to somebody who prints an error and all that is behind it.
fn said(error: &BoxError) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

#[track_caller]
fn refusal(error: &BoxError) -> (AuthErrorKind, AcquireErrorKind) {
    let error = AuthError::find(&**error).unwrap();
    (error.kind(), error.acquire_error().unwrap().kind())
}

/// Vault, by its tokens and errors.
fn vault(origin: String, jwt: SecretSource, client: Client) -> Result<AuthLayer, ConfigError> {
    let login = TokenRequest::post("/v1/auth/kubernetes/login").json("role", "web").json("jwt", jwt);
    TokenEndpoint::new("Vault", origin, login)
        .token("/auth/client_token")
        .lifetime("/auth/lease_duration")
        .refusal(AnswerField::status(), 403)
        .refusal("/errors/0", "claim \"aud\" is invalid")
        .message("/errors/0")
        .placement(Placement::bare("X-Vault-Token")?)
        .layer(client)
}

/// "Kubernetes auth method (API)", HashiCorp Vault, read on 29 November 2026: the sample response. That a wrong audience is
/// answered with such a 500 was seen in issue 102 of vault-plugin-auth-kubernetes.
async fn vault_for(token: String) -> Fake {
    Fake::start(move |request, _| {
        if request.uri().path() != "/v1/auth/kubernetes/login" {
            return json(if header(request, "x-vault-token") == "62b858f9-529c" { 200 } else { 403 }, "{}");
        }
        assert_eq!((request.method().as_str(), header(request, "authorization")), ("POST", ""));
        let body = std::str::from_utf8(request.body()).unwrap();
        if body == format!(r#"{{"role":"web","jwt":"{token}"}}"#) {
            let auth = r#""client_token":"62b858f9-529c","lease_duration":2764800,"renewable":true"#;
            return json(200, format!(r#"{{"auth":{{{auth}}}}}"#));
        }
        json(500, r#"{"errors":["claim \"aud\" is invalid"]}"#)
    })
    .await
}

#[tokio::test]
async fn a_kubernetes_token_is_exchanged_at_vault_and_read_again_for_each_login() {
    let token = jwt("system:serviceaccount:shop:web", 3600);
    let (server, file) = (vault_for(token.clone()).await, Mounted::with(&token));
    let layer = vault(server.url(""), SecretSource::file(file.path()), client()).unwrap();
    let tokens = layer.tokens();
    let service = layer.layer(client());
    let answer = send(&service, get(&server.url("/v1/secret/data/web"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(server.count(), 2);
    // The one that Kubernetes has put there by now, for another audience, as somebody has changed the pod.
    let other = jwt("system:serviceaccount:shop:other", 3600);
    file.put(&other);
    tokens.invalidate();
    let error = send(&service, get(&server.url("/v1/secret/data/web"))).await.unwrap_err();
    assert_eq!(refusal(&error), (AuthErrorKind::CredentialsRejected, AcquireErrorKind::Rejected));
    let words = said(&error);
    assert!(words.contains("Vault refused POST") && words.contains(r#"claim "aud" is invalid"#), "{words}");
    Secrets::new([token, other]).assert_not_in(&*error);
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_file_that_is_not_mounted_yet_is_named_and_used_once_it_is() {
    let token = jwt("system:serviceaccount:shop:web", 3600);
    let (server, file) = (vault_for(token.clone()).await, Mounted::later());
    // A secret in a file is the program's to have there when it starts.
    let error = vault(server.url(""), SecretSource::file(file.path()), client()).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Secret);
    let named = format!("file:{}", file.path().display());
    assert!(error.to_string().contains(&named) && error.to_string().contains("check the file"), "{error}");

    // What a platform puts there may come later.
    let mounted = SecretSource::tokens(TokenCache::with_policy(FileToken::new(file.path()), brief()));
    let service = vault(server.url(""), mounted, client()).unwrap().policy(brief()).layer(client());
    let error = send(&service, get(&server.url("/v1/secret/data/web"))).await.unwrap_err();
    assert_eq!(refusal(&error), (AuthErrorKind::NoSecret, AcquireErrorKind::NoSecret));
    let words = said(&error);
    for part in [&*format!("there is no {named} (yet)"), "whether its volume is mounted", "No such file"] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(server.count(), 0);
    file.put(&token);
    for _ in 0..100 {
        if let Ok(answer) = send(&service, get(&server.url("/v1/secret/data/web"))).await {
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(server.count(), 2);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it was not found");
}

#[tokio::test]
async fn a_kubernetes_token_is_exchanged_by_rfc_8693() {
    let token = jwt("system:serviceaccount:shop:web", 3600);
    let (file, api) = (Mounted::with(&token), api_for("authorization", "Bearer exchanged-1").await);
    let server = Fake::start(|_, before| {
        let token_type = r#""issued_token_type":"urn:ietf:params:oauth:token-type:access_token""#;
        json(
            200,
            format!(
                r#"{{"access_token":"exchanged-{}",{token_type},"token_type":"Bearer","expires_in":60}}"#,
                before + 1
            ),
        )
    })
    .await;
    let subject = SecretSource::file(file.path());
    let unidentified = ClientAuthentication::unidentified();
    let layer = TokenExchange::new(server.url("/token"), unidentified, subject, TokenExchange::JWT)
        .audience("https://orders.example.com")
        .layer(&api.url(""), client())
        .unwrap();
    let answer = send(&layer.layer(client()), get(&api.url("/orders"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    for (name, wanted) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &*token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("audience", "https://orders.example.com"),
    ] {
        assert_eq!(form(&asked[0], name).as_deref(), Some(wanted), "{name}");
    }
}

/// The identity of a job of GitHub Actions, as a secret for somebody who takes it for `audience`.
fn github_actions(
    request_url: String,
    request_token: SecretSource,
    audience: &'static str,
    client: Client,
) -> Result<SecretSource, ConfigError> {
    let request = TokenRequest::get(request_url).query("audience", audience).bearer(request_token);
    let job = TokenEndpoint::new("GitHub Actions", "https://token.actions.githubusercontent.com", request)
        .token("/value")
        .jwt_lifetime()
        .build(client)?;
    Ok(SecretSource::tokens(TokenCache::with_policy(job, brief())))
}

/// The endpoint that a job's variables name, as fluxcd/pkg's package actionsoidc describes it beside GitHub's own pages. Each of its
/// tokens is another one.
async fn actions(audience: &'static str) -> Fake {
    Fake::start(move |request, before| {
        if header(request, "authorization") != "Bearer request-token-of-the-job" {
            return json(401, r#"{"message":"Unauthorized"}"#);
        }
        assert_eq!(request.uri().path(), "/124//idtoken/plan/job");
        assert_eq!(query(request, "api-version").as_deref(), Some("2.0"));
        assert_eq!(query(request, "audience").as_deref(), Some(audience));
        json(200, format!(r#"{{"value":"{}"}}"#, jwt(&format!("repo:acme/web-{before}"), 300)))
    })
    .await
}

fn request_url(actions: &Fake) -> String {
    actions.url("/124//idtoken/plan/job?api-version=2.0")
}

const POOL: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/acme";
const POOL_URL: &str =
    "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/acme";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Google's APIs as a service account, for whoever has `assertion`.
fn google(
    assertion: SecretSource,
    sts: String,
    iam: String,
    api: String,
    client: Client,
) -> Result<AuthLayer, ConfigError> {
    let unidentified = ClientAuthentication::unidentified();
    let federated = TokenExchange::new(sts, unidentified, assertion, TokenExchange::JWT)
        .audience(POOL)
        .requested_token_type(TokenExchange::ACCESS_TOKEN)
        .scope(SCOPE)
        .build(client.clone())?;
    let federated = TokenCache::with_policy(federated, brief());
    let robot = "robot@acme.iam.gserviceaccount.com";
    let url = format!("{iam}/v1/projects/-/serviceAccounts/{robot}:generateAccessToken");
    let request = TokenRequest::post(url).bearer(SecretSource::tokens(federated)).json("scope", vec![SCOPE]);
    TokenEndpoint::new("IAM Credentials", api, request)
        .token("/accessToken")
        .lifetime("/expireTime")
        .message("/error/message")
        .layer(client)
}

/// What google-github-actions/auth's issue 161 has of an audience that isn't there.
const NO_SUCH_POOL: &str = r#"{"error":"invalid_target","error_description":"The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist."}"#;

/// What its issue 211 has of one that is none.
const NO_POOL: &str = r#"{"error":"invalid_request","error_description":"Invalid value for \"audience\". This value should be the full resource name of the Identity Provider."}"#;

/// "Method: token", Security Token Service API, which refuses with `refusal` if there is one.
async fn sts(refusal: Option<&'static str>) -> Fake {
    Fake::start(move |request, before| {
        assert_eq!((request.uri().path(), header(request, "authorization")), ("/v1/token", ""));
        for (name, wanted) in [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("audience", POOL),
            ("scope", SCOPE),
        ] {
            assert_eq!(form(request, name).as_deref(), Some(wanted), "{name}");
        }
        if let Some(refusal) = refusal {
            return json(400, refusal);
        }
        let token_type = r#""issued_token_type":"urn:ietf:params:oauth:token-type:access_token""#;
        json(
            200,
            format!(
                r#"{{"access_token":"federated-{before}",{token_type},"token_type":"Bearer","expires_in":3599}}"#
            ),
        )
    })
    .await
}

/// "Method: projects.serviceAccounts.generateAccessToken", IAM Service Account Credentials API.
async fn iam() -> Fake {
    Fake::start(|request, before| {
        assert_eq!(
            request.uri().path(),
            "/v1/projects/-/serviceAccounts/robot@acme.iam.gserviceaccount.com:generateAccessToken"
        );
        assert_eq!(request.body(), &format!(r#"{{"scope":["{SCOPE}"]}}"#));
        if header(request, "authorization") != "Bearer federated-0" {
            return json(401, r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#);
        }
        let in_an_hour = std::time::SystemTime::now() + Duration::from_secs(3600);
        let expire_time = humantime::format_rfc3339_seconds(in_an_hour);
        json(200, format!(r#"{{"accessToken":"robots-{before}","expireTime":"{expire_time}"}}"#))
    })
    .await
}

#[tokio::test]
async fn a_job_of_github_actions_is_a_service_account_of_google() {
    let (actions, sts, iam) = (actions(POOL_URL).await, sts(None).await, iam().await);
    let api = api_for("authorization", "Bearer robots-1").await;
    let token = SecretSource::fixed("request-token-of-the-job");
    let job = github_actions(request_url(&actions), token, POOL_URL, client()).unwrap();
    let layer = google(job, sts.url("/v1/token"), iam.url(""), api.url(""), client()).unwrap();
    let tokens = layer.tokens();
    let service = layer.layer(client());
    // The first one is rejected, so the service account's token is got anew, and nothing that it is got with.
    let answer = send(&service, get(&api.url("/b"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.outcome().unwrap().replayed());
    assert_eq!((actions.count(), sts.count(), iam.count()), (1, 1, 2));
    let lifetime = tokens.try_get().unwrap().token().lifetime().unwrap().as_secs();
    assert!((3590..=3600).contains(&lifetime), "{lifetime}");
    send(&service, get(&api.url("/b"))).await.unwrap();
    assert_eq!((actions.count(), sts.count(), iam.count()), (1, 1, 2));
}

#[tokio::test]
async fn an_audience_that_google_does_not_accept_is_told_and_no_more_than_one_other_token_is_tried() {
    // Where it may be the token that isn't good, another one is tried.
    for (refusal, said_of_it, tried) in [
        (NO_SUCH_POOL, ["invalid_target", "pool or provider is disabled", "check resource and audience"], 1),
        (NO_POOL, ["invalid_request", "full resource name", "check the request's parameters"], 2),
    ] {
        let (actions, sts, iam) = (actions(POOL_URL).await, sts(Some(refusal)).await, iam().await);
        let api = Site::that_agrees().await;
        let token = SecretSource::fixed("request-token-of-the-job");
        let job = github_actions(request_url(&actions), token, POOL_URL, client()).unwrap();
        let layer = google(job, sts.url("/v1/token"), iam.url(""), api.url(""), client()).unwrap();
        let service = layer.policy(brief()).layer(client());
        let error = send(&service, get(&api.url("/b"))).await.unwrap_err();
        let words = said(&error);
        for part in said_of_it.into_iter().chain(["/v1/token"]) {
            assert!(words.contains(part), "{words}");
        }
        assert!(!words.contains("e30.") && !words.contains("request-token-of-the-job"), "{words}");
        assert_eq!((actions.count(), sts.count(), iam.count()), (tried, tried, 0));
        // And nobody asks in a loop.
        for _ in 0..5 {
            send(&service, get(&api.url("/b"))).await.unwrap_err();
        }
        assert_eq!((actions.count(), sts.count(), iam.count()), (tried, tried, 0));
        assert_eq!(api.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_job_that_may_not_have_an_identity_is_told_so() {
    let (actions, sts, iam) = (actions(POOL_URL).await, sts(None).await, iam().await);
    let api = Site::that_agrees().await;
    let token = SecretSource::fixed("of-another-job");
    let job = github_actions(request_url(&actions), token, POOL_URL, client()).unwrap();
    let layer = google(job, sts.url("/v1/token"), iam.url(""), api.url(""), client()).unwrap();
    let error = send(&layer.policy(brief()).layer(client()), get(&api.url("/b"))).await.unwrap_err();
    let words = said(&error);
    assert!(words.contains("GitHub Actions refused GET") && !words.contains("of-another-job"), "{words}");
    assert_eq!((actions.count(), sts.count(), iam.count()), (1, 0, 0));
    // Without the permission `id-token: write`, a job has no such variable.
    let unset = SecretSource::env("ACTIONS_ID_TOKEN_REQUEST_TOKEN_THAT_IS_NOT_SET");
    let error = github_actions(request_url(&actions), unset, POOL_URL, client()).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Secret);
    assert!(error.to_string().contains("env:ACTIONS_ID_TOKEN_REQUEST_TOKEN"), "{error}");
}

const AZURE: &str = "api://AzureADTokenExchange";

/// Azure's APIs as an application, for whoever has `assertion`.
fn azure(
    assertion: SecretSource,
    token_url: String,
    api: &str,
    client: Client,
) -> Result<AuthLayer, ConfigError> {
    let app = ClientAuthentication::assertion("97e0a5b7-d745-40b6-94fe-5f77d35c6e05", assertion);
    ClientCredentials::new(token_url, app).scope("https://management.azure.com/.default").layer(api, client)
}

/// "Microsoft identity platform and the OAuth 2.0 client credentials flow", third case, Microsoft Learn, read on 29 November
/// 2026. The refusal is that of Azure/login's issue 461.
async fn entra(refuses: bool) -> Fake {
    Fake::start(move |request, _| {
        for (name, wanted) in [
            ("grant_type", "client_credentials"),
            ("client_id", "97e0a5b7-d745-40b6-94fe-5f77d35c6e05"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("scope", "https://management.azure.com/.default"),
        ] {
            assert_eq!(form(request, name).as_deref(), Some(wanted), "{name}");
        }
        assert!(form(request, "client_assertion").is_some_and(|jwt| jwt.starts_with("e30.")));
        if refuses {
            return json(
                401,
                r#"{"error":"invalid_client","error_description":"AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:acme/web'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.","error_codes":[700213]}"#,
            );
        }
        json(200, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0eXAiOiJKV1Qi.azure"}"#)
    })
    .await
}

#[tokio::test]
async fn a_job_of_github_actions_is_an_application_of_azure() {
    let (actions, entra) = (actions(AZURE).await, entra(false).await);
    let api = api_for("authorization", "Bearer eyJ0eXAiOiJKV1Qi.azure").await;
    let token = SecretSource::fixed("request-token-of-the-job");
    let job = github_actions(request_url(&actions), token, AZURE, client()).unwrap();
    let layer = azure(job, entra.url("/tenant/oauth2/v2.0/token"), &api.url(""), client()).unwrap();
    let service = layer.layer(client());
    for _ in 0..3 {
        assert_eq!(send(&service, get(&api.url("/subscriptions"))).await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!((actions.count(), entra.count()), (1, 1));
}

#[tokio::test]
async fn a_federated_assertion_that_azure_does_not_accept_is_told_with_what_to_look_at() {
    let (actions, entra) = (actions(AZURE).await, entra(true).await);
    let api = Site::that_agrees().await;
    let token = SecretSource::fixed("request-token-of-the-job");
    let job = github_actions(request_url(&actions), token, AZURE, client()).unwrap();
    let layer = azure(job, entra.url("/tenant/oauth2/v2.0/token"), &api.url(""), client()).unwrap();
    let error = send(&layer.layer(client()), get(&api.url("/subscriptions"))).await.unwrap_err();
    assert_eq!(refusal(&error), (AuthErrorKind::CredentialsRejected, AcquireErrorKind::Rejected));
    let acquire = AuthError::find(&*error).unwrap().acquire_error().unwrap();
    assert_eq!(acquire.code(), Some(ErrorCode::InvalidClient));
    let words = said(&error);
    for part in ["AADSTS700213", "Subject, Audience and Issuer", "audience"] {
        assert!(words.contains(part), "{words}");
    }
    assert!(!words.contains("e30.") && !words.contains("request-token-of-the-job"), "{words}");
    assert_eq!((actions.count(), entra.count()), (2, 2));
}

#[tokio::test]
async fn a_jwt_svid_from_a_file_is_a_bearer_and_an_assertion_and_the_newest_one_is_sent() {
    let (first, second) = (jwt("spiffe://acme/web", 300), jwt("spiffe://acme/web", 301));
    let file = Mounted::with(&first);
    let newest = second.clone();
    let api = Site::start(move |head: &Parts| {
        let sent = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_newest = sent == Some(&*format!("Bearer {newest}"));
        let status = if is_newest { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        let challenge = r#"Bearer error="invalid_token""#;
        Response::builder().status(status).header("www-authenticate", challenge).body(Body::empty()).unwrap()
    })
    .await;
    let svid = FileToken::new(file.path()).name("spiffe");
    let instant = Duration::from_millis(1);
    let policy = RefreshPolicy::default().pause(instant, instant);
    let layer = AuthLayer::new(Origin::parse(&api.url("")).unwrap(), svid.clone());
    let service = layer.signatures(Signatures::oauth2()).policy(policy.clone()).layer(client());
    let answer = send(&service, get(&api.url("/"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

    // As an assertion (RFC 7523 §2.1), to a server that has had enough of the first one.
    let accepted = second.clone();
    let server = Fake::start(move |request, _| {
        assert_eq!(
            form(request, "grant_type").as_deref(),
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer")
        );
        match form(request, "assertion") == Some(accepted.clone()) {
            true => json(200, r#"{"access_token":"for-the-svid","token_type":"Bearer","expires_in":60}"#),
            false => json(400, r#"{"error":"invalid_grant","error_description":"the assertion is revoked"}"#),
        }
    })
    .await;
    let assertion = SecretSource::tokens(TokenCache::with_policy(svid, policy));
    let bearer = JwtBearer::new(server.url("/token"), ClientAuthentication::unidentified(), assertion);
    let tokens = TokenCache::new(bearer.build(client()).unwrap());
    // It is read before the helper replaces it.
    let early = tokens.get(Duration::ZERO).await.unwrap_err();
    assert_eq!(early.kind(), AuthErrorKind::CredentialsRejected);
    file.put(&second);
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokens.invalidate();
    let token = tokens.get(Duration::ZERO).await.unwrap();
    assert_eq!(token.token().expose_secret(), "for-the-svid");
    let answer = send(&service, get(&api.url("/"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}
