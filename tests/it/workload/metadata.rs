//! Metadata credentials against services on loopback.

use std::{
    env,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Response, StatusCode};
use tower::Layer;
use tower_reauth::{
    AcquireErrorKind, AuthError, AuthErrorKind, AuthLayer, ConfigErrorKind, Declaration, Origin,
    RefreshPolicy, Signatures, TokenCache,
    metadata::{AzureAppService, AzureVm, GoogleMetadata, ManagedIdentity, MetadataCredential},
};

use super::fake::{Asked, Fake, header, json, query};
use crate::support::{Secrets, Site, client, get, send, soon};

/// Google's metadata server, by "Authenticate workloads to Google Cloud APIs using service accounts" and "Get an ID token",
/// Google Cloud, as they were on 29 November 2026.
async fn google(answer: impl Fn(&Asked, usize) -> Response<String> + Clone + Send + Sync + 'static) -> Fake {
    Fake::start(move |request, before| {
        if header(request, "metadata-flavor") != "Google" {
            return json(403, "Missing Metadata-Flavor:Google header.");
        }
        let mut answer = answer(request, before);
        answer.headers_mut().insert("metadata-flavor", "Google".parse().unwrap());
        answer
    })
    .await
}

/// IMDS, by "How to use managed identities for Azure resources on an Azure VM to acquire an access token", Microsoft Learn,
/// 27 February 2025.
async fn azure_vm(
    answer: impl Fn(&Asked, usize) -> Response<String> + Clone + Send + Sync + 'static,
) -> Fake {
    Fake::start(move |request, before| {
        if header(request, "metadata") != "true" {
            return json(
                400,
                r#"{"error":"bad_request_102","error_description":"Required metadata header not specified"}"#,
            );
        }
        let is_token = request.uri().path() == "/metadata/identity/oauth2/token";
        if !is_token || query(request, "api-version").as_deref() != Some("2018-02-01") {
            return json(
                400,
                r#"{"error":"invalid_request","error_description":"The request is malformed."}"#,
            );
        }
        answer(request, before)
    })
    .await
}

fn seconds_from_now(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds
}

/// The sample response of the page, for a token that was issued long ago, and has an hour to live.
fn azure_token(token: &str) -> Response<String> {
    let expires_on = seconds_from_now(3600);
    let body = format!(
        r#"{{"access_token":"{token}","refresh_token":"","expires_in":"86399","expires_on":"{expires_on}",
            "not_before":"1506480273","resource":"https://management.azure.com/","token_type":"Bearer"}}"#
    );
    json(200, body)
}

fn google_token(token: &str) -> Response<String> {
    json(200, format!(r#"{{"access_token":"{token}","expires_in":3599,"token_type":"Bearer"}}"#))
}

/// The error of a first token, with all that it says.
async fn failure(credential: MetadataCredential) -> (AuthError, String) {
    let tokens = TokenCache::with_policy(credential, RefreshPolicy::default().attempts(1));
    let error = soon(tokens.get(Duration::ZERO)).await.unwrap_err();
    let acquire = error.acquire_error().unwrap();
    let mut words = acquire.to_string();
    let mut source = std::error::Error::source(acquire);
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    (error, words)
}

fn kind(error: &AuthError) -> AcquireErrorKind {
    error.acquire_error().unwrap().kind()
}

#[tokio::test]
async fn a_service_accounts_token_is_asked_for_once_and_sent() {
    let server = google(|_, _| google_token("ya29.first")).await;
    let api = Site::that_agrees().await;
    let credential = GoogleMetadata::access_token().host(server.host());
    let service = credential.layer(&api.url("")).unwrap().layer(client());
    for _ in 0..3 {
        send(&service, get(&api.url("/b"))).await.unwrap();
    }
    let sent = api.seen("authorization");
    assert_eq!(sent, vec![("/b".to_owned(), Some("Bearer ya29.first".to_owned())); 3]);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].method(), "GET");
    assert_eq!(asked[0].uri(), "/computeMetadata/v1/instance/service-accounts/default/token");
    assert!(asked[0].body().is_empty());
}

#[tokio::test]
async fn account_scopes_and_audience_are_asked_for_as_google_has_them() {
    let exp = seconds_from_now(3600);
    let jwt = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#)));
    let (id_token, is_id) = (jwt.clone(), |request: &Asked| request.uri().path().ends_with("/identity"));
    let server = google(move |request, _| match is_id(request) {
        true => Response::new(format!("{id_token}\n")),
        false => google_token("ya29.scoped"),
    })
    .await;

    let scoped = GoogleMetadata::access_token()
        .service_account("robot@acme.iam.gserviceaccount.com")
        .scope("https://www.googleapis.com/auth/pubsub")
        .scope("https://www.googleapis.com/auth/logging.write")
        .host(server.host());
    let token = soon(TokenCache::new(scoped.build().unwrap()).get(Duration::ZERO)).await.unwrap();
    assert_eq!(token.token().expose_secret(), "ya29.scoped");
    assert_eq!(token.token().lifetime(), Some(Duration::from_secs(3599)));

    let identity = GoogleMetadata::id_token("https://my service/?a=b&c").host(server.host());
    let token = soon(TokenCache::new(identity.build().unwrap()).get(Duration::ZERO)).await.unwrap();
    assert_eq!(token.token().expose_secret(), jwt);
    let lifetime = token.token().lifetime().unwrap().as_secs();
    assert!((3590..=3600).contains(&lifetime), "{lifetime}");

    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[0].uri().path(),
        "/computeMetadata/v1/instance/service-accounts/robot%40acme.iam.gserviceaccount.com/token"
    );
    assert_eq!(
        query(&asked[0], "scopes").as_deref(),
        Some("https://www.googleapis.com/auth/pubsub,https://www.googleapis.com/auth/logging.write")
    );
    assert_eq!(asked[1].uri().path(), "/computeMetadata/v1/instance/service-accounts/default/identity");
    assert_eq!(query(&asked[1], "audience").as_deref(), Some("https://my service/?a=b&c"));
}

#[tokio::test]
async fn an_answer_without_googles_flavor_is_no_token_and_is_found_to_be_mended() {
    // A portal of somebody's network, which answers everything, until the machine is where it should be.
    let server = Fake::start(|_, before| {
        let mut answer = google_token("ya29.whose");
        if before > 0 {
            answer.headers_mut().insert("metadata-flavor", "Google".parse().unwrap());
        }
        answer
    })
    .await;
    let credential = GoogleMetadata::access_token().host(server.host()).build().unwrap();
    let policy =
        RefreshPolicy::default().attempts(1).back_off(Duration::from_millis(1), Duration::from_millis(1));
    let tokens = TokenCache::with_policy(credential, policy);
    let error = soon(tokens.get(Duration::ZERO)).await.unwrap_err();
    assert_eq!(
        (error.kind(), kind(&error)),
        (AuthErrorKind::EndpointUnusable, AcquireErrorKind::Unintelligible)
    );
    let words = error.acquire_error().unwrap().to_string();
    for said in ["isn't it", "status 200", "metadata-flavor: Google", "GCE_METADATA_HOST"] {
        assert!(words.contains(said), "{words}");
    }
    Secrets::new(["ya29.whose"]).assert_not_in(&error);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(soon(tokens.get(Duration::ZERO)).await.is_ok());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn each_of_googles_failures_says_what_to_look_at() {
    for (status, wanted, said) in [
        (404, AcquireErrorKind::Missing, "check whether one is attached to this machine"),
        (403, AcquireErrorKind::Rejected, "check the audience or the scopes"),
        (400, AcquireErrorKind::Rejected, "check the audience or the scopes"),
        (429, AcquireErrorKind::Transient, "is asked too often"),
        (503, AcquireErrorKind::Transient, "failed, and is asked again"),
    ] {
        let server = google(move |_, _| {
            Response::builder().status(status).body("<html>Error</html>".to_owned()).unwrap()
        })
        .await;
        let (error, words) =
            failure(GoogleMetadata::access_token().host(server.host()).build().unwrap()).await;
        assert_eq!(kind(&error), wanted, "{status}");
        assert_eq!(error.acquire_error().unwrap().status(), StatusCode::from_u16(status).ok());
        assert!(words.starts_with("google's metadata server ") && words.contains(said), "{words}");
        assert!(words.contains(&server.host()), "{words}");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn where_nobody_is_the_error_says_that_it_may_not_be_that_cloud() {
    let gone = Fake::start(|_, _| json(200, "")).await.host();
    for (credential, said) in [
        (
            GoogleMetadata::access_token().host(gone.clone()).build(),
            "check whether this runs in google cloud",
        ),
        (AzureVm::new("r").host(gone.clone()).build(), "check whether this is a virtual machine of azure"),
        (
            AzureAppService::new("r").endpoint(format!("http://{gone}/msi/token"), "h").build(),
            "check whether the app has a managed identity",
        ),
    ] {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (error, words) = failure(credential.unwrap()).await;
        assert_eq!((error.kind(), kind(&error)), (AuthErrorKind::Unavailable, AcquireErrorKind::Transient));
        assert!(words.contains(said) && words.contains("connection refused"), "{words}");
        assert!(error.retry_at().is_some());
    }
}

#[tokio::test]
async fn a_virtual_machines_identity_is_asked_for_as_azure_has_it_and_lives_until_it_expires() {
    let server = azure_vm(|_, _| azure_token("eyJ0eXAi.vm")).await;
    let id = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/n";
    for (identity, parameter) in [
        (None, None),
        (Some(ManagedIdentity::client_id("c-1")), Some(("client_id", "c-1"))),
        (Some(ManagedIdentity::object_id("o-1")), Some(("object_id", "o-1"))),
        (Some(ManagedIdentity::resource_id(id)), Some(("msi_res_id", id))),
    ] {
        let mut vm = AzureVm::new("https://management.azure.com/").host(server.host());
        if let Some(identity) = identity {
            vm = vm.identity(identity);
        }
        let token = soon(TokenCache::new(vm.build().unwrap()).get(Duration::ZERO)).await.unwrap();
        assert_eq!(token.token().expose_secret(), "eyJ0eXAi.vm");
        // Not the day that `expires_in` says, which counts from when it was issued.
        let lifetime = token.token().lifetime().unwrap().as_secs();
        assert!((3590..=3600).contains(&lifetime), "{lifetime}");
        let asked = server.asked().pop().unwrap();
        assert_eq!(query(&asked, "resource").as_deref(), Some("https://management.azure.com/"));
        for name in ["client_id", "object_id", "msi_res_id"] {
            let wanted = parameter.filter(|(parameter, _)| *parameter == name).map(|(_, value)| value);
            assert_eq!(query(&asked, name).as_deref(), wanted, "{name}");
        }
    }
    assert_eq!(server.count(), 4);
}

/// What a machine's first token takes where the service answers with `status` first, and how often it is asked.
async fn first_minute(status: u16, body: &'static str) -> (Duration, usize) {
    let server = azure_vm(move |_, before| match before {
        0 => json(status, body),
        _ => azure_token("eyJ0eXAi.later"),
    })
    .await;
    let credential = AzureVm::new("https://management.azure.com/").host(server.host()).build().unwrap();
    let (tokens, start) = (TokenCache::new(credential), tokio::time::Instant::now());
    // Somebody with less time goes away with that, and takes nothing from the others.
    let hasty = tokio::time::timeout(Duration::from_millis(300), tokens.get(Duration::ZERO)).await;
    assert!(hasty.is_err(), "it still waits, and nothing has failed");
    let token = soon(tokens.get(Duration::ZERO)).await.unwrap();
    assert_eq!(token.token().expose_secret(), "eyJ0eXAi.later");
    (start.elapsed(), server.count())
}

#[tokio::test]
async fn in_a_machines_first_minute_it_is_asked_again_as_documented() {
    let (missing, gone, throttled, unwell) = tokio::join!(
        first_minute(404, ""),
        first_minute(410, r#"{"error":"gone","error_description":"IMDS is being updated"}"#),
        first_minute(429, r#"{"error":"throttled","error_description":"Too many requests"}"#),
        first_minute(500, r#"{"error":"unknown","error_description":"Failed to retrieve token"}"#),
    );
    for (took, asked) in [missing, gone, throttled] {
        assert!(took >= Duration::from_secs(2), "{took:?}");
        assert_eq!(asked, 2);
    }
    assert!(unwell.0 >= Duration::from_secs(1), "{unwell:?}");
    assert_eq!(unwell.1, 2);
}

#[tokio::test]
async fn each_of_azures_failures_says_what_to_look_at_and_for_how_long_it_is_left_alone() {
    let retry = |from: u64| Some(Duration::from_secs(from));
    for (status, body, wanted, said, pause) in [
        (404, "", AcquireErrorKind::Transient, "isn't ready or is being updated", retry(2)),
        (410, "{}", AcquireErrorKind::Transient, "back within 70 seconds", retry(2)),
        (429, "{}", AcquireErrorKind::Transient, "is asked too often", retry(2)),
        (502, "<html>", AcquireErrorKind::Transient, "whether the machine has a managed identity", retry(1)),
        (
            400,
            r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
            AcquireErrorKind::Rejected,
            "whether the identity is assigned to this machine",
            None,
        ),
        (
            400,
            r#"{"error":"invalid_resource","error_description":"AADSTS50001: The application named api://nobody wasn't found in the tenant named t."}"#,
            AcquireErrorKind::Rejected,
            "check the resource that is asked for",
            None,
        ),
    ] {
        let server = azure_vm(move |_, _| json(status, body)).await;
        let (error, words) = failure(AzureVm::new("api://nobody").host(server.host()).build().unwrap()).await;
        assert_eq!(kind(&error), wanted, "{status}");
        assert!(words.starts_with("azure's metadata service ") && words.contains(said), "{words}");
        if body.contains("error_description") {
            let own = body.rsplit_once(":\"").unwrap().1.trim_end_matches("\"}");
            assert!(words.contains(own), "{words}");
        }
        assert_eq!(error.acquire_error().unwrap().retry_after(), pause, "{status}");
        assert!(error.retry_at().is_some());
        assert_eq!(server.count(), 1);
    }
}

/// The token service of an app, by "How to use managed identities for App Service and Azure Functions", Microsoft Learn,
/// 27 June 2023. That a refusal looks like this was seen in azure-cli's issue 20196.
async fn app_service() -> Fake {
    Fake::start(|request, before| {
        if header(request, "x-identity-header") != "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a" {
            return json(401, r#"{"statusCode":401,"message":"Unauthorized."}"#);
        }
        assert_eq!(request.uri().path(), "/msi/token");
        assert_eq!(query(request, "api-version").as_deref(), Some("2019-08-01"));
        if query(request, "mi_res_id").is_some() {
            return json(
                400,
                r#"{"statusCode":400,"message":"Unable to load requested managed identity.","correlationId":"52079882"}"#,
            );
        }
        let expires_on = seconds_from_now(3600);
        json(
            200,
            format!(
                r#"{{"access_token":"eyJ0eXAi.app-{before}","expires_on":"{expires_on}","resource":"https://vault.azure.net",
                    "token_type":"Bearer","client_id":"5E29463D-71DA-4FE0-8E69-999B57DB23B0"}}"#
            ),
        )
    })
    .await
}

#[tokio::test]
async fn an_apps_identity_is_asked_for_with_its_header_which_nothing_shows() {
    let (server, vault) = (app_service().await, Site::that_agrees().await);
    let secret = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";
    let app = |header: &str| {
        AzureAppService::new("https://vault.azure.net").endpoint(server.url("/msi/token"), header)
    };
    let service = app(secret).layer(&vault.url("")).unwrap().layer(client());
    send(&service, get(&vault.url("/secrets/s"))).await.unwrap();
    let sent = ("/secrets/s".to_owned(), Some("Bearer eyJ0eXAi.app-0".to_owned()));
    assert_eq!(vault.seen("authorization"), [sent]);
    let token = soon(TokenCache::new(app(secret).build().unwrap()).get(Duration::ZERO)).await.unwrap();
    let lifetime = token.token().lifetime().unwrap().as_secs();
    assert!((3590..=3600).contains(&lifetime), "{lifetime}");
    assert_eq!(query(&server.asked()[0], "resource").as_deref(), Some("https://vault.azure.net"));

    let other = "not-the-header-of-this-app";
    let (error, words) = failure(app(other).build().unwrap()).await;
    assert_eq!(
        (error.kind(), kind(&error)),
        (AuthErrorKind::CredentialsRejected, AcquireErrorKind::Rejected)
    );
    assert!(words.contains("IDENTITY_HEADER") && words.contains("Unauthorized."), "{words}");
    Secrets::new([other]).assert_not_in(&error);

    let unknown = app(secret).identity(ManagedIdentity::resource_id("/subscriptions/s/nobody"));
    let (error, words) = failure(unknown.build().unwrap()).await;
    assert_eq!(kind(&error), AcquireErrorKind::Rejected);
    assert!(words.contains("assigned to the app"), "{words}");
    assert!(words.contains("Unable to load requested managed identity."), "{words}");
    Secrets::new([secret]).assert_not_in(&error);
    Secrets::new([secret]).assert_not_shown(&format!("{:?}", app(secret).build().unwrap()));
}

#[test]
fn a_host_that_is_elsewhere_is_refused_when_it_is_built() {
    for host in ["10.0.0.1", "a@127.0.0.1", "", "127.0.0.1/x", "http://127.0.0.1", "127.0.0.1:", "[::1"] {
        for error in [
            GoogleMetadata::access_token().host(host).build().unwrap_err(),
            AzureVm::new("r").host(host).build().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ConfigErrorKind::Url, "{host}: {error}");
        }
    }
    for host in ["10.0.0.1", "a@127.0.0.1", "", "127.0.0.1:", "[2001:db8::1]"] {
        let error =
            AzureAppService::new("r").endpoint(format!("http://{host}/msi"), "h").build().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Url, "{host}: {error}");
    }
    for url in
        ["https://127.0.0.1/msi/token", "127.0.0.1", "/msi/token", "http://127.0.0.1/msi/token?secret=1"]
    {
        let error = AzureAppService::new("r").endpoint(url, "h").build().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Url, "{url}");
        assert!(error.to_string().starts_with("IDENTITY_ENDPOINT "), "{error}");
    }
    let error = AzureAppService::new("r").endpoint("http://127.0.0.1:1/msi/token", "").build().unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Secret);
}

#[tokio::test]
async fn what_may_ask_a_metadata_service_can_not_send_its_token_there() {
    let credential = GoogleMetadata::access_token().build().unwrap();
    let error = Origin::parse_allowing_plaintext_tokens("http://metadata.google.internal").unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::MetadataHost);
    let api = Site::that_agrees().await;
    let layer = AuthLayer::new(Origin::parse(&api.url("")).unwrap(), credential);
    let service = layer.signatures(Signatures::oauth2()).layer(client());
    // It passes without a token, and the client beneath refuses it.
    let error = send(&service, get("http://169.254.169.254/")).await.unwrap_err();
    assert!(error.to_string().contains("metadata service"), "{error}");
}

const CHILD: &str = "TOWER_REAUTH_TEST_CHILD";

/// The variables belong to the whole process, so a child has them.
#[test]
fn the_environment_says_where_the_services_are() {
    if env::var_os(CHILD).is_some() {
        return in_the_child();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (google, app) =
        runtime.block_on(async { (google(|_, _| google_token("ya29.env")).await, app_service().await) });
    for (endpoint, header, host) in [
        (app.url("/msi/token"), "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a", google.host()),
        (String::new(), "", String::new()),
    ] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "workload::metadata::the_environment_says_where_the_services_are"])
            .env(CHILD, "1")
            .env("IDENTITY_ENDPOINT", endpoint)
            .env("IDENTITY_HEADER", header)
            .env("GCE_METADATA_HOST", host)
            // Nothing goes through these.
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("ALL_PROXY", "http://127.0.0.1:9")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
    assert_eq!((google.count(), app.count()), (2, 2));
}

fn in_the_child() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = AzureAppService::new("https://vault.azure.net").build();
    let google = GoogleMetadata::access_token().host_from_env().build().unwrap();
    if env::var("IDENTITY_ENDPOINT").unwrap().is_empty() {
        let error = app.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Url);
        assert!(error.to_string().contains("give the app a managed identity"), "{error}");
        assert!(format!("{google:?}").contains("http://metadata.google.internal"), "{google:?}");
        return;
    }
    for credential in [app.unwrap(), google] {
        runtime.block_on(soon(TokenCache::new(credential).get(Duration::ZERO))).unwrap();
    }
    // A file says which service it is, and the same variables where.
    for (metadata, token) in [
        ("{ service = 'google' }", "ya29.env"),
        ("{ service = 'azure-app-service', resource = 'input:resource' }", "eyJ0eXAi.app-1"),
    ] {
        let file = format!("name = 'Acme'\nbase_url = 'https://api.acme.example'\nmetadata = {metadata}");
        let mut declared: Declaration = toml::from_str(&file).unwrap();
        if metadata.contains("input:") {
            declared = declared.input("resource", "https://vault.azure.net");
        }
        let tokens = runtime.block_on(async { declared.layer(client()).unwrap().tokens() });
        let lease = runtime.block_on(soon(tokens.get(Duration::ZERO))).unwrap();
        assert_eq!(lease.token().expose_secret(), token);
    }
}
