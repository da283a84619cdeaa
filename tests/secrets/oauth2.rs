//! OAuth 2.0 credentials, with a server that repeats in its refusals what it was sent.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};
use tower_reauth::{
    AuthLayer, AuthOutcome, BoxCredential, Client as Http, ConfigError, Origin, Signatures, Transport,
    oauth2::{
        AuthorizationServer, ClientAuthentication, ClientCredentials, JwtAssertion, JwtBearer, JwtKey,
        Password, RefreshToken, SecretSource, TokenExchange,
    },
};

use crate::transcript::Transcript;

const KEY: &str = include_str!("../../src/credential/oauth2/tests/keys/rfc7515-a3-pkcs8.pem");
const CLIENT_SECRET: &str = "cl1ent: ü+%41/=";
const PASSWORD: &str = "p@ss:wörd +%41";
const FIRST_REFRESH_TOKEN: &str = "first-refresh-token/+=";
const SUBJECT_TOKEN: &str = "subject.token-of/somebody+else";

/// How the token endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Token,
    GrantRefused,
    ClientRefused,
    /// With parts of what was sent.
    CutOff,
    Broken,
    Redirect,
    Nonsense,
    WrongType,
}

const ANSWERS: [Answer; 8] = [
    Answer::GrantRefused,
    Answer::ClientRefused,
    Answer::CutOff,
    Answer::Broken,
    Answer::Redirect,
    Answer::Nonsense,
    Answer::WrongType,
    Answer::Token,
];

/// What the server has seen and handed out.
#[derive(Clone)]
struct Server(Arc<Mutex<Seen>>);

struct Seen {
    answer: Answer,
    secrets: Vec<String>,
    valid: String,
    calls: usize,
}

impl Server {
    fn set(&self, answer: Answer) {
        self.0.lock().expect("no panic").answer = answer;
    }

    /// Makes the API reject the token that is valid now.
    fn expire(&self) {
        self.0.lock().expect("no panic").valid.clear();
    }

    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/token", post(token))
            .route("/revoke", post(|| async { (StatusCode::SERVICE_UNAVAILABLE, "later") }))
            .route("/things", get(things))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        origin
    }
}

async fn token(State(server): State<Server>, headers: HeaderMap, body: String) -> Response {
    let mut seen = server.0.lock().expect("no panic");
    seen.calls += 1;
    let call = seen.calls;
    let authorization = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().expect("ascii"));
    let field = |name: &str| {
        let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    // JWTs are made anew each time, so only the server knows them.
    seen.secrets.extend(["client_assertion", "assertion"].into_iter().filter_map(field));
    let echo = serde_json::Value::from(format!("not {authorization} with {body}"));
    let json =
        |status, body: String| (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    let (access, refresh) = (format!("access-token-{call}-abcdef"), format!("refresh-token-{call}-abcdef"));
    let tokens = |kind| {
        format!(
            r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"{kind}","expires_in":3600}}"#
        )
    };
    match seen.answer {
        Answer::Token => {
            let body = tokens("Bearer");
            seen.secrets.extend([access.clone(), refresh.clone()]);
            seen.valid = access;
            json(StatusCode::OK, body)
        }
        Answer::GrantRefused => json(
            StatusCode::BAD_REQUEST,
            format!(r#"{{"error":"invalid_grant","error_description":{echo}}}"#),
        ),
        Answer::ClientRefused => json(
            StatusCode::UNAUTHORIZED,
            format!(r#"{{"error":"invalid_client","error_description":{echo},"error_uri":{echo}}}"#),
        ),
        Answer::CutOff => {
            let sent = body.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
            let sent = sent.chain(authorization.split_once(' ').map(|(_, value)| value)).chain([&*access]);
            let ends = sent.flat_map(|value| [&value[..value.len() - 1], &value[value.len() / 3..]]);
            let echo = serde_json::Value::from(ends.collect::<Vec<_>>().join(" "));
            json(
                StatusCode::BAD_REQUEST,
                format!(
                    r#"{{"error":"invalid_grant","error_description":{echo},"access_token":"{access}"}}"#
                ),
            )
        }
        Answer::Broken => (StatusCode::INTERNAL_SERVER_ERROR, echo.to_string()).into_response(),
        Answer::Redirect => {
            let location = format!("/login?{body}");
            (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
        }
        Answer::Nonsense => json(StatusCode::OK, format!("{echo}, {access}")),
        Answer::WrongType => {
            seen.secrets.extend([access.clone(), refresh.clone()]);
            json(StatusCode::OK, tokens("mac"))
        }
    }
}

async fn things(State(server): State<Server>, headers: HeaderMap) -> Response {
    let seen = server.0.lock().expect("no panic");
    let token = headers[header::AUTHORIZATION].to_str().expect("ascii").trim_start_matches("Bearer ");
    if token == seen.valid {
        return "welcome".into_response();
    }
    let (half, rest) = token.split_at(token.len() / 2);
    let words = format!("{token} has expired, it began with {half} and ended in {rest}");
    let challenge = format!(r#"Bearer error="invalid_token", error_description="{words}""#);
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

/// Each grant, each with another way to authenticate the client.
fn credentials(
    origin: &str,
    transport: &Transport,
) -> Result<[(&'static str, BoxCredential); 5], ConfigError> {
    let server = || {
        AuthorizationServer::new(format!("{origin}/token")).revocation_endpoint(format!("{origin}/revoke"))
    };
    let key = || JwtKey::es256(KEY.as_bytes());
    let transport = || transport.clone();
    let id = "s6BhdRkqt3";
    let basic = ClientAuthentication::secret_basic(id, CLIENT_SECRET);
    let raw = ClientAuthentication::secret_basic_raw(id, SecretSource::fixed("cl1ent-raw+%41/="));
    let post = ClientAuthentication::secret_post(id, CLIENT_SECRET);
    let save = |_| async { Err("disk full".into()) };
    Ok([
        (
            "client credentials",
            BoxCredential::new(ClientCredentials::new(server(), basic).build(transport())?),
        ),
        (
            "refresh token",
            BoxCredential::new(
                RefreshToken::new(server(), post, FIRST_REFRESH_TOKEN).persist(save).build(transport())?,
            ),
        ),
        (
            "JWT bearer",
            BoxCredential::new(
                JwtBearer::new(
                    server(),
                    ClientAuthentication::private_key_jwt(id, key()?),
                    JwtAssertion::new(key()?, "robot"),
                )
                .build(transport())?,
            ),
        ),
        (
            "token exchange",
            BoxCredential::new(
                TokenExchange::new(
                    server(),
                    raw,
                    SUBJECT_TOKEN,
                    "urn:ietf:params:oauth:token-type:access_token",
                )
                .build(transport())?,
            ),
        ),
        (
            "password",
            BoxCredential::new(
                Password::new(server(), ClientAuthentication::public(id), "john", PASSWORD)
                    .build(transport())?,
            ),
        ),
    ])
}

pub(crate) async fn check(transcript: &Transcript) {
    let seen = Seen { answer: Answer::Token, secrets: Vec::new(), valid: String::new(), calls: 0 };
    let server = Server(Arc::new(Mutex::new(seen)));
    let origin = server.serve().await;
    let http = Http::new().expect("a client");
    let fixed =
        [CLIENT_SECRET, "cl1ent-raw+%41/=", PASSWORD, FIRST_REFRESH_TOKEN, SUBJECT_TOKEN, &KEY[40..100]];
    let credentials = credentials(&origin, &Transport::new(http.clone())).expect("valid");
    for (name, credential) in credentials {
        transcript.print(&credential);
        let before = server.0.lock().expect("no panic").calls;
        run(&server, &origin, credential, &http, transcript).await;
        assert!(
            server.0.lock().expect("no panic").calls - before >= ANSWERS.len(),
            "{name}: the scenarios ran"
        );
        let mut secrets: Vec<String> = fixed.iter().map(|&secret| secret.to_owned()).collect();
        secrets.extend(server.0.lock().expect("no panic").secrets.iter().cloned());
        transcript.assert_free_of(&secrets, name);
    }
}

/// Each answer when there is no token yet, and when the token is rejected.
async fn run(server: &Server, origin: &str, credential: BoxCredential, http: &Http, transcript: &Transcript) {
    let layer = AuthLayer::new(Origin::parse(origin).expect("an origin"), credential)
        .signatures(Signatures::oauth2());
    let (tokens, service) = (layer.tokens(), layer.layer(http.clone()));
    transcript.print(&(&layer, &service, &tokens));
    for answer in ANSWERS {
        server.set(answer);
        for _ in 0..2 {
            tokens.invalidate();
            call(&service, origin, transcript).await;
            server.set(Answer::Token);
            call(&service, origin, transcript).await;
            server.set(answer);
            server.expire();
            call(&service, origin, transcript).await;
            transcript.print(&tokens.state());
        }
    }
    match tokens.get(Duration::ZERO).await {
        Ok(lease) => transcript.print(&(&lease, lease.token())),
        Err(error) => transcript.print_error(&error),
    }
    if let Err(error) = tokens.revoke().await {
        transcript.print_error(&error);
    }
}

async fn call(service: &tower_reauth::Auth<Http>, origin: &str, transcript: &Transcript) {
    let request = Request::get(format!("{origin}/things")).body(Full::<Bytes>::default()).expect("valid");
    match service.clone().oneshot(request).await {
        Ok(response) => transcript.print(&response.extensions().get::<AuthOutcome>()),
        Err(error) => transcript.print_error(&*error),
    }
}
