//! The OAuth 2.0 credentials against authorization servers that others wrote. `tests/interop/run` installs them.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod certificates;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use certificates::{Certificates, Identity};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tower::{Service, ServiceExt};
use tower_layer::Layer;
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AcquireErrorKind, AuthError, AuthLayer, AuthOutcome, BoxError,
    Client, Credential, ErrorCode, FileToken, Origin, Reason, RefreshPolicy, Signatures, TokenCache,
    oauth2::{
        AuthorizationServer, ClientAuthentication, ClientCredentials, JwtAlgorithm, JwtAssertion, JwtBearer,
        JwtKey, OAuth2Credential, Password, RefreshToken, SecretSource, TokenExchange,
    },
};

const SECRET: &str = "p@ss w+rd%41/?&=:~";
const LONG_SECRET: &str = "p@ss w+rd%41/?&=:~, and so many more characters that it is long enough";
const RESOURCE: &str = "https://videos.example.com/";
const RSA: &[u8] = include_bytes!("../../src/credential/oauth2/tests/keys/rfc7515-a2-pkcs8.pem");
const EC: &[u8] = include_bytes!("../../src/credential/oauth2/tests/keys/rfc7515-a3-pkcs8.pem");
const EC_384: &[u8] = include_bytes!("../../src/credential/oauth2/tests/keys/rfc6979-a26-pkcs8.pem");
const ED: &[u8] = include_bytes!("../../src/credential/oauth2/tests/keys/rfc8037-a-pkcs8.pem");

/// The server's process, which ends with it.
struct Provider {
    process: Child,
    /// Kept open: the server writes to it now and then.
    _output: BufReader<ChildStdout>,
    issuer: String,
    http: Client,
    certificates: Certificates,
}

impl Provider {
    fn start() -> Self {
        Self::run("oidc-provider.mjs")
    }

    fn run(script: &str) -> Self {
        let certificates = Certificates::new();
        let directory = env::var_os("INTEROP_DIR").expect("run this test with tests/interop/run");
        let mut process = Command::new("node")
            .arg(script)
            .current_dir(directory)
            .env("CERTIFICATES", certificates.for_server().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("node");
        let mut issuer = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut issuer).unwrap();
        assert!(issuer.starts_with("http://127.0.0.1:"), "the server did not start: {issuer:?}");
        let (issuer, http) = (issuer.trim().to_owned(), Client::new().unwrap());
        Self { process, _output: output, issuer, http, certificates }
    }

    /// The server, to be discovered.
    fn server(&self) -> AuthorizationServer {
        AuthorizationServer::discover(self.issuer.clone())
    }

    fn client_credentials(&self, client: ClientAuthentication) -> OAuth2Credential {
        ClientCredentials::new(self.server(), client)
            .resource(RESOURCE)
            .scope("videos.read")
            .build(self.http.clone())
            .unwrap()
    }

    async fn send(&self, request: http::request::Builder, body: String) -> Response<Bytes> {
        let request = request.body(Full::<Bytes>::from(body)).unwrap();
        let (head, body) = self.http.clone().oneshot(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    /// What the server says of a token (RFC 7662).
    async fn introspect(&self, token: &str) -> Value {
        let request = Request::post(format!("{}/token/introspection", self.issuer))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = format!("token={token}&client_id=post&client_secret=p%40ss%20w%2Brd%2541%2F%3F%26%3D%3A~");
        let response = self.send(request, body).await;
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_slice(response.body()).unwrap()
    }

    /// A token of the platform, with what differs from a usual one.
    async fn platform_token(&self, query: &str) -> String {
        let response =
            self.send(Request::get(format!("{}/platform?{query}", self.issuer)), String::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        String::from_utf8(response.body().to_vec()).unwrap()
    }

    /// A user logs in: a refresh token.
    async fn login(&self) -> String {
        let response = self.send(Request::get(format!("{}/login", self.issuer)), String::new()).await;
        String::from_utf8(response.body().to_vec()).unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn acquire(credential: &OAuth2Credential) -> Result<AccessToken, AcquireError> {
    Credential::acquire(credential, Acquire::new(Reason::Cold, None)).await
}

#[tokio::test]
async fn a_client_authenticates_in_every_way() {
    let provider = Provider::start();
    let by_secret = |algorithm: JwtAlgorithm| {
        let id = algorithm.to_string();
        let jwt = JwtAssertion::reading(algorithm, LONG_SECRET, id.clone());
        ClientAuthentication::assertion(id, jwt)
    };
    for (id, client) in [
        ("basic: a+b%41", ClientAuthentication::secret_basic("basic: a+b%41", SECRET)),
        ("basic: a+b%41", ClientAuthentication::secret_basic("basic: a+b%41", SECRET).with_id_in_body()),
        ("post", ClientAuthentication::secret_post("post", SECRET)),
        ("RS256", ClientAuthentication::private_key_jwt("RS256", JwtKey::rs256(RSA).unwrap().key_id("k1"))),
        ("RS384", ClientAuthentication::private_key_jwt("RS384", JwtKey::rs384(RSA).unwrap())),
        ("RS512", ClientAuthentication::private_key_jwt("RS512", JwtKey::rs512(RSA).unwrap())),
        ("PS256", ClientAuthentication::private_key_jwt("PS256", JwtKey::ps256(RSA).unwrap())),
        ("ES384", ClientAuthentication::private_key_jwt("ES384", JwtKey::es384(EC_384).unwrap())),
        ("ES256", ClientAuthentication::private_key_jwt("ES256", JwtKey::es256(EC).unwrap())),
        ("EdDSA", ClientAuthentication::private_key_jwt("EdDSA", JwtKey::eddsa(ED).unwrap())),
        ("HS256", ClientAuthentication::secret_jwt("HS256", LONG_SECRET)),
        ("HS384", by_secret(JwtAlgorithm::Hs384)),
        ("HS512", by_secret(JwtAlgorithm::Hs512)),
    ] {
        let credential = provider.client_credentials(client);
        // The server takes each assertion's id only once.
        for _ in 0..2 {
            let token = acquire(&credential).await.unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(token.lifetime().map(|lifetime| lifetime.as_secs()), Some(600));
            let told = provider.introspect(token.expose_secret()).await;
            assert_eq!(
                (&told["active"], &told["client_id"], &told["scope"], &told["aud"]),
                (&true.into(), &id.into(), &"videos.read".into(), &RESOURCE.into())
            );
        }
    }
}

/// Acquires as a client with a certificate.
async fn by_tls(
    provider: &Provider,
    id: &'static str,
    identity: Option<&Identity>,
) -> Result<AccessToken, AcquireError> {
    let credential = ClientCredentials::new(provider.server(), ClientAuthentication::tls(id))
        .resource(RESOURCE)
        .scope("videos.read")
        .build(provider.certificates.client(identity))
        .unwrap();
    let token = acquire(&credential).await?;
    let told = provider.introspect(token.expose_secret()).await;
    assert_eq!((&told["active"], &told["client_id"]), (&true.into(), &id.into()));
    match id {
        "bound" => assert_eq!(told["cnf"]["x5t#S256"], identity.unwrap().thumbprint()),
        _ => assert_eq!(told["cnf"], Value::Null),
    }
    Credential::revoke(&credential, &token).await?;
    assert_eq!(provider.introspect(token.expose_secret()).await["active"], false);
    Ok(token)
}

#[tokio::test]
async fn a_certificate_authenticates_a_client() {
    let provider = Provider::start();
    let Certificates { client, other, self_signed, unknown, .. } = &provider.certificates;
    for (id, identity) in [("tls", client), ("bound", client), ("self-signed", self_signed)] {
        let token =
            by_tls(&provider, id, Some(identity)).await.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(token.lifetime().map(|lifetime| lifetime.as_secs()), Some(600));
    }
    for (id, identity) in [
        ("tls", None),
        ("tls", Some(other)),
        ("tls", Some(self_signed)),
        ("self-signed", None),
        ("self-signed", Some(client)),
        ("self-signed", Some(unknown)),
    ] {
        let error = by_tls(&provider, id, identity).await.unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            (Some(ErrorCode::InvalidClient), AcquireErrorKind::Rejected),
            "{id}: {error}"
        );
    }
}

#[tokio::test]
async fn refusals_are_typed() {
    let provider = Provider::start();
    let service = || ClientAuthentication::secret_basic("basic: a+b%41", SECRET);
    let build = |builder: ClientCredentials| builder.build(provider.http.clone()).unwrap();
    let new = |client| ClientCredentials::new(provider.server(), client);
    for (credential, code) in [
        (build(new(ClientAuthentication::secret_basic("basic: a+b%41", "wrong"))), ErrorCode::InvalidClient),
        (build(new(ClientAuthentication::secret_basic("nobody", SECRET))), ErrorCode::InvalidClient),
        (
            build(new(ClientAuthentication::private_key_jwt("RS256", JwtKey::es256(EC).unwrap()))),
            ErrorCode::InvalidClient,
        ),
        (build(new(ClientAuthentication::public("app"))), ErrorCode::InvalidRequest),
        (build(new(service()).resource("https://elsewhere.example.com/")), ErrorCode::InvalidTarget),
    ] {
        let error = acquire(&credential).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (Some(code), AcquireErrorKind::Rejected), "{error}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
    let stolen = RefreshToken::new(provider.server(), ClientAuthentication::public("app"), "made-up")
        .build(provider.http.clone())
        .unwrap();
    let error = acquire(&stolen).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some(ErrorCode::InvalidGrant), AcquireErrorKind::Rejected));
}

#[tokio::test]
async fn a_secret_that_was_changed_is_read_again() {
    let provider = Provider::start();
    let secrets = Mutex::new(vec![SECRET, "old"]);
    let source = SecretSource::from_fn(move || {
        let mut secrets = secrets.lock().unwrap();
        let secret = if secrets.len() > 1 { secrets.pop().unwrap() } else { secrets[0] };
        async move { Ok(secret.into()) }
    });
    acquire(&provider.client_credentials(ClientAuthentication::secret_basic("basic: a+b%41", source)))
        .await
        .unwrap();
}

#[tokio::test]
async fn refresh_tokens_rotate_and_are_saved() {
    let provider = Provider::start();
    let first = provider.login().await;
    let saved = Arc::new(Mutex::new(Vec::<String>::new()));
    let shelf = saved.clone();
    let credential = RefreshToken::new(provider.server(), ClientAuthentication::public("app"), first.clone())
        .persist(move |token: SecretString| {
            shelf.lock().unwrap().push(token.expose_secret().to_owned());
            async { Ok(()) }
        })
        .build(provider.http.clone())
        .unwrap();
    for _ in 0..3 {
        acquire(&credential).await.unwrap();
    }
    let saved = saved.lock().unwrap().clone();
    assert_eq!(saved.len(), 3);
    assert!(!saved.contains(&first) && saved[0] != saved[1] && saved[1] != saved[2]);

    // The first one was spent by the rotation; to use it again looks like theft.
    let thief = RefreshToken::new(provider.server(), ClientAuthentication::public("app"), first);
    let error = acquire(&thief.build(provider.http.clone()).unwrap()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::InvalidGrant));
}

#[tokio::test]
async fn a_dead_token_is_replaced_and_a_logout_is_the_end() {
    let provider = Provider::start();
    let credential =
        RefreshToken::new(provider.server(), ClientAuthentication::public("app"), provider.login().await)
            .build(provider.http.clone())
            .unwrap();
    let origin = Origin::parse(&provider.issuer).unwrap();
    let auth = AuthLayer::new(origin, credential).signatures(Signatures::oauth2());
    let tokens = auth.tokens();
    let mut api = auth.layer(provider.http.clone());
    // The provider's own resource, which refuses dead tokens as RFC 6750 §3.1 has it.
    let call = || Request::get(format!("{}/me", provider.issuer)).body(Full::<Bytes>::default()).unwrap();

    let response = api.ready().await.unwrap().call(call()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let first = tokens.try_get().unwrap();

    let forget = format!("{}/forget?token={}", provider.issuer, first.token().expose_secret());
    assert_eq!(provider.send(Request::get(forget), String::new()).await.status(), StatusCode::OK);
    let response = api.ready().await.unwrap().call(call()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{:?}", response.extensions().get::<AuthOutcome>());
    assert!(response.extensions().get::<AuthOutcome>().is_some_and(AuthOutcome::replayed));
    let second = tokens.try_get().unwrap();
    assert_ne!(first.token().expose_secret(), second.token().expose_secret());

    tokens.revoke().await.unwrap();
    assert_eq!(provider.introspect(second.token().expose_secret()).await["active"], false);
    let error: BoxError = api.ready().await.unwrap().call(call()).await.unwrap_err();
    let error = AuthError::find(&*error).unwrap();
    assert_eq!(error.acquire_error().unwrap().code(), Some(ErrorCode::InvalidGrant));
}

#[tokio::test]
async fn a_password_is_sent_once_and_its_refresh_token_from_then_on() {
    let provider = Provider::run("node-oauth.mjs");
    let password = |client, password: &str| {
        Password::new(format!("{}/token", provider.issuer), client, "jöhn doe", password)
            .build(provider.http.clone())
            .unwrap()
    };
    let raw = || ClientAuthentication::secret_basic_raw("raw", SECRET);
    let credential = password(raw(), "A3ddj3w +%");
    let mut token = acquire(&credential).await.unwrap();
    for _ in 0..2 {
        let spent = token.clone();
        let expired = Acquire::new(Reason::Expired, Some(&spent));
        token = Credential::acquire(&credential, expired).await.unwrap();
        let again = Acquire::new(Reason::Expired, Some(&spent));
        let error = Credential::acquire(&credential, again).await.unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            (Some(ErrorCode::InvalidGrant), AcquireErrorKind::GrantRejected)
        );
    }
    let error = acquire(&password(raw(), "wrong")).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some(ErrorCode::InvalidGrant), AcquireErrorKind::Rejected));
    // This server doesn't decode what RFC 6749 §2.3.1 has encoded.
    let error = acquire(&password(ClientAuthentication::secret_basic("raw", SECRET), "A3ddj3w +%"))
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some(ErrorCode::InvalidClient), AcquireErrorKind::Rejected));
    acquire(&password(ClientAuthentication::secret_post("raw", SECRET), "A3ddj3w +%")).await.unwrap();
}

/// A file that a platform keeps a token in, gone after the test.
struct Mounted(PathBuf);

impl Mounted {
    fn at(name: &str) -> Self {
        let name = format!("interop-{name}-{}", std::process::id());
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn put(&self, token: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, format!("{token}\n")).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    /// What is there, whenever that is.
    fn source(&self) -> SecretSource {
        let instant = Duration::from_millis(1);
        let policy = RefreshPolicy::default().attempts(1).back_off(instant, instant);
        SecretSource::tokens(TokenCache::with_policy(FileToken::new(&self.0), policy))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_platforms_token_from_a_file_is_exchanged_and_is_a_grant() {
    let provider = Provider::start();
    let file = Mounted::at("exchanged");
    let exchange = |audience: &'static str| {
        let client = ClientAuthentication::public("exchange");
        let exchange = TokenExchange::new(provider.server(), client, file.source(), TokenExchange::JWT);
        exchange.audience(audience).build(provider.http.clone()).unwrap()
    };
    let bearer = || {
        let client = ClientAuthentication::public("bearer");
        JwtBearer::new(provider.server(), client, file.source()).build(provider.http.clone()).unwrap()
    };
    let orders = "https://orders.example.com";

    // Before it is mounted.
    for credential in [exchange(orders), bearer()] {
        let error = acquire(&credential).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (None, AcquireErrorKind::NoSecret), "{error}");
        file.put(&provider.platform_token("").await);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let token = acquire(&credential).await.unwrap();
        assert_eq!(token.lifetime(), Some(Duration::from_secs(600)));
        assert_eq!(provider.introspect(token.expose_secret()).await["active"], true);
        fs::remove_file(&file.0).unwrap();
    }

    // One for somebody else, and one for nobody that the server knows.
    let other = provider.platform_token("aud=https://vault.example.com").await;
    file.put(&other);
    for credential in [exchange(orders), bearer()] {
        let error = acquire(&credential).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (Some(ErrorCode::InvalidGrant), AcquireErrorKind::Rejected));
        let words = error.to_string();
        assert!(words.contains("check the password, assertion or refresh token"), "{words}");
        assert!(!words.contains(&other), "{words}");
    }
    file.put(&provider.platform_token("").await);
    let error = acquire(&exchange("https://elsewhere.example.com")).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some(ErrorCode::InvalidTarget), AcquireErrorKind::Rejected));
    assert!(error.to_string().contains("check resource and audience"), "{error}");
}

#[tokio::test]
async fn a_platforms_token_from_a_file_authenticates_a_client() {
    let provider = Provider::start();
    let file = Mounted::at("federated");
    file.put(&provider.platform_token("iss=federated&sub=federated").await);
    let client = || ClientAuthentication::assertion("federated", file.source());
    let token = acquire(&provider.client_credentials(client())).await.unwrap();
    let told = provider.introspect(token.expose_secret()).await;
    assert_eq!((&told["active"], &told["client_id"]), (&true.into(), &"federated".into()));

    let elsewhere = "iss=federated&sub=federated&aud=https://elsewhere.example.com";
    for (query, code, said) in [
        (elsewhere, ErrorCode::InvalidClient, "its key id and its audience"),
        ("", ErrorCode::InvalidRequest, "client_id mismatch"),
    ] {
        file.put(&provider.platform_token(query).await);
        let error = acquire(&provider.client_credentials(client())).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (Some(code), AcquireErrorKind::Rejected));
        assert!(error.to_string().contains(said), "{error}");
    }
}
