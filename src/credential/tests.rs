//! The vendors' declarations and what is built of them: each request as it goes out, each answer, each mistake.

use std::{
    collections::VecDeque,
    error::Error as StdError,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower::service_fn;

use super::*;
use crate::{
    AccessToken, Acquire, AcquireError, AcquireErrorKind, BoxError, ConfigError, ConfigErrorKind, Origin,
    Placement, Reason, Transport,
    testing::{FakeApiVideo, FakeVervoe, FakeVidizmo, FinalSlash, Revoked, TokenText},
};

/// A transport that keeps what it is given, and answers as it is told.
#[derive(Clone, Default)]
struct Wire {
    sent: Arc<Mutex<Vec<Sent>>>,
    answers: Arc<Mutex<VecDeque<Response<Full<Bytes>>>>>,
}

/// A request: its line, its headers in lower case and in order of their names, its body.
#[derive(Debug, PartialEq)]
struct Sent {
    line: String,
    headers: Vec<String>,
    body: String,
}

impl Wire {
    fn answering(status: u16, body: &str) -> Self {
        let wire = Self::default();
        wire.answer(Response::builder().status(status), body);
        wire
    }

    fn answer(&self, head: http::response::Builder, body: &str) {
        let answer = head.body(Full::from(body.to_owned())).expect("valid");
        self.answers.lock().expect("no panic").push_back(answer);
    }

    fn transport(&self) -> Transport {
        let wire = self.clone();
        Transport::new(service_fn(move |request: Request<Full<Bytes>>| {
            let wire = wire.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let mut headers: Vec<_> = head
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
                    .collect();
                headers.sort();
                let (line, body) =
                    (format!("{} {}", head.method, head.uri), String::from_utf8_lossy(&body).into());
                wire.sent.lock().expect("no panic").push(Sent { line, headers, body });
                let answer = wire.answers.lock().expect("no panic").pop_front();
                answer.ok_or_else(|| BoxError::from("connection refused"))
            }
        }))
    }

    fn sent(&self) -> Sent {
        let mut sent = self.sent.lock().expect("no panic");
        assert_eq!(sent.len(), 1, "one call is one request");
        sent.remove(0)
    }
}

fn acquire<C: Credential>(
    credential: &C,
    reason: Reason,
    previous: Option<&AccessToken>,
) -> Result<AccessToken, AcquireError> {
    let acquire = Credential::acquire(credential, Acquire::new(reason, previous));
    futures_util::FutureExt::now_or_never(acquire).expect("the wire answers at once")
}

fn cold<C: Credential>(credential: &C) -> Result<AccessToken, AcquireError> {
    acquire(credential, Reason::Cold, None)
}

fn old_token() -> AccessToken {
    AccessToken::new("old-token").expect("valid").with_refresh_token("old-refresh")
}

fn api_video() -> TokenEndpoint {
    ApiVideo::sandbox("my key").declaration()
}

fn vidizmo() -> TokenEndpoint {
    Vidizmo::password("portal.example.com", "john.doe@gmail.com", "examplepassword").declaration()
}

fn vervoe() -> TokenEndpoint {
    Vervoe::new("key", "s:ü+%41").declaration()
}

#[test]
fn each_request_goes_out_as_the_contract_says() {
    let json = |more: &[&str]| -> Vec<String> {
        let mut headers = vec!["accept: application/json".to_owned()];
        headers.extend(more.iter().map(|&header| header.to_owned()));
        headers
    };
    let old = old_token();
    let cases: [(&str, TokenEndpoint, Option<&AccessToken>, Sent); 8] = [
        (
            "api.video exchanges its key",
            api_video(),
            None,
            Sent {
                line: "POST https://sandbox.api.video/auth/api-key".into(),
                headers: json(&["content-type: application/json"]),
                body: r#"{"apiKey":"my key"}"#.into(),
            },
        ),
        (
            "api.video in production",
            ApiVideo::production("my key").declaration(),
            None,
            Sent {
                line: "POST https://ws.api.video/auth/api-key".into(),
                headers: json(&["content-type: application/json"]),
                body: r#"{"apiKey":"my key"}"#.into(),
            },
        ),
        (
            "api.video refreshes",
            api_video(),
            Some(&old),
            Sent {
                line: "POST https://sandbox.api.video/auth/refresh".into(),
                headers: json(&["content-type: application/json"]),
                body: r#"{"refreshToken":"old-refresh"}"#.into(),
            },
        ),
        (
            "VIDIZMO logs in with a password",
            vidizmo(),
            None,
            Sent {
                line: "POST https://portal.example.com/api/v1/user/authenticate".into(),
                headers: json(&["content-type: application/json"]),
                body: r#"{"emailAddress":"john.doe@gmail.com","password":"examplepassword"}"#.into(),
            },
        ),
        (
            "VIDIZMO logs in with a client secret",
            Vidizmo::client_secret("portal.example.com", "john.doe@gmail.com", "exampleclientsecret")
                .declaration(),
            None,
            Sent {
                line: "POST https://portal.example.com/api/v1/user/authenticate".into(),
                headers: json(&["content-type: application/json"]),
                body: r#"{"emailAddress":"john.doe@gmail.com","clientSecret":"exampleclientsecret"}"#.into(),
            },
        ),
        (
            "VIDIZMO refreshes with the expired token",
            vidizmo(),
            Some(&old),
            Sent {
                line: "POST https://portal.example.com/api/v1/user/refresh-access-token".into(),
                headers: json(&["authorization: Bearer old-token"]),
                body: String::new(),
            },
        ),
        (
            "Vervoe exchanges with Basic and GET",
            vervoe(),
            None,
            Sent {
                line: "GET https://api.vervoe.com/api/public/ats-api/token".into(),
                headers: json(&["authorization: Basic a2V5OnM6w7wrJTQx"]),
                body: String::new(),
            },
        ),
        (
            "Vervoe has no refresh",
            vervoe(),
            Some(&old),
            Sent {
                line: "GET https://api.vervoe.com/api/public/ats-api/token".into(),
                headers: json(&["authorization: Basic a2V5OnM6w7wrJTQx"]),
                body: String::new(),
            },
        ),
    ];
    for (what, declaration, previous, expected) in cases {
        let wire = Wire::default();
        let credential = declaration.build(wire.transport()).expect(what);
        let reason = if previous.is_some() { Reason::Expired } else { Reason::Cold };
        acquire(&credential, reason, previous).expect_err("nobody answers");
        assert_eq!(wire.sent(), expected, "{what}");
    }
}

#[test]
fn a_rejected_token_is_replaced_with_what_the_program_configured() {
    let wire = Wire::default();
    let credential = api_video().build(wire.transport()).expect("valid");
    acquire(&credential, Reason::Rejected, Some(&old_token())).expect_err("nobody answers");
    assert_eq!(wire.sent().body, r#"{"apiKey":"my key"}"#);
    let without_refresh_token = AccessToken::new("old-token").expect("valid");
    acquire(&credential, Reason::Expired, Some(&without_refresh_token)).expect_err("nobody answers");
    assert_eq!(wire.sent().body, r#"{"apiKey":"my key"}"#, "nothing to refresh with");
}

#[test]
fn a_logout_carries_the_token_and_the_refresh_path_can_end_in_a_slash() {
    let wire = Wire::answering(200, "");
    let credential = vidizmo().build(wire.transport()).expect("valid");
    let revoked = futures_util::FutureExt::now_or_never(Credential::revoke(&credential, &old_token()));
    revoked.expect("at once").expect("revoked");
    let sent = wire.sent();
    assert_eq!(sent.line, "POST https://portal.example.com/api/v1/user/logout");
    assert!(sent.headers.contains(&"authorization: Bearer old-token".to_owned()));

    let wire = Wire::default();
    let slash = Vidizmo::password("portal.example.com", "a@b.c", "p")
        .refresh_path("/api/v1/user/refresh-access-token/");
    let credential = slash.declaration().build(wire.transport()).expect("valid");
    acquire(&credential, Reason::Expired, Some(&old_token())).expect_err("nobody answers");
    assert!(wire.sent().line.ends_with("/refresh-access-token/"));

    let none = vervoe().build(Wire::default().transport()).expect("valid");
    let error =
        futures_util::FutureExt::now_or_never(Credential::revoke(&none, &old_token())).expect("at once");
    assert_eq!(error.expect_err("no logout").kind(), AcquireErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn answers_bring_token_lifetime_and_refresh_token() {
    let seconds = Duration::from_secs;
    for (declaration, answer, secret, refresh_token, lifetime) in [
        (
            api_video(),
            r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ.a.b","refresh_token":"def502"}"#,
            "eyJ.a.b",
            Some("def502"),
            seconds(3599),
        ),
        (vidizmo(), "\"N2UCSNDDGI4NND5NMBZLV7ZBV2\" ", "N2UCSNDDGI4NND5NMBZLV7ZBV2", None, seconds(86_400)),
        (
            vidizmo(),
            "\u{feff}N2UCSNDDGI4NND5NMBZLV7ZBV2\r\n",
            "N2UCSNDDGI4NND5NMBZLV7ZBV2",
            None,
            seconds(86_400),
        ),
        (vervoe(), r#"{"success":true,"data":{"token":"7He9-_A"}}"#, "7He9-_A", None, seconds(600)),
    ] {
        let credential = declaration.build(Wire::answering(200, answer).transport()).expect("valid");
        let token = cold(&credential).expect(answer);
        assert_eq!(token.expose_secret(), secret);
        let brought =
            token.refresh_token().map(|token| secrecy::ExposeSecret::expose_secret(token).to_owned());
        assert_eq!((brought.as_deref(), token.lifetime()), (refresh_token, Some(lifetime)), "{answer}");
        assert_eq!(token.requested_at(), Some(Instant::now()), "counted from before the request");
    }
}

#[test]
fn a_refresh_that_brings_no_refresh_token_keeps_the_old_one() {
    let wire = Wire::answering(200, r#"{"access_token":"new"}"#);
    let credential = api_video().build(wire.transport()).expect("valid");
    let token = acquire(&credential, Reason::Expiring, Some(&old_token())).expect("a token");
    assert_eq!(secrecy::ExposeSecret::expose_secret(token.refresh_token().expect("kept")), "old-refresh");
    let wire = Wire::answering(200, r#"{"access_token":"new"}"#);
    let credential = api_video().build(wire.transport()).expect("valid");
    let token = acquire(&credential, Reason::Rejected, Some(&old_token())).expect("a token");
    assert!(token.refresh_token().is_none(), "another grant has nothing to do with it");
}

#[test]
fn each_answer_of_the_contracts_is_classified() {
    use AcquireErrorKind::{GrantRejected, Rejected, Transient};
    let problem = |status: u16, title: &str| {
        (status, format!(r#"{{"type":"","title":"{title}","name":"","status":{status}}}"#))
    };
    let unauthorized = (
        401,
        r#"{"type":"http://…","title":"An error occurred","status":401,"detail":"Unauthorized"}"#.into(),
    );
    let refused =
        (400, r#"{"success":false,"errors":"Provide apiKey/secret please.","msg":"no"}"#.to_owned());
    let exception =
        |name: &str| (400, format!(r#"{{"name":"{name}","incidentId":"332d7070","exceptionDetails":[]}}"#));
    for (declaration, (status, body), first, refresh) in [
        (api_video(), problem(400, "The user credentials were incorrect."), Rejected, GrantRejected),
        (api_video(), problem(401, "The API key is invalid."), Rejected, GrantRejected),
        (api_video(), problem(401, "The refresh token is invalid."), Rejected, GrantRejected),
        (api_video(), problem(403, "Suspended account"), Rejected, GrantRejected),
        (api_video(), problem(429, "Too many requests."), Transient, Transient),
        (api_video(), (302, String::new()), Rejected, GrantRejected),
        (api_video(), (408, String::new()), Transient, Transient),
        (api_video(), (425, String::new()), Transient, Transient),
        (api_video(), (500, String::new()), Transient, Transient),
        (api_video(), (503, "<html>".into()), Transient, Transient),
        (api_video(), (200, String::new()), Transient, Transient),
        (api_video(), (200, "{\"access_token\":\"a".into()), Transient, Transient),
        (api_video(), (200, r#"{"access_token":""}"#.into()), Transient, Transient),
        (api_video(), (200, r#"{"access_token":"a b"}"#.into()), Transient, Transient),
        (api_video(), (200, r#"{"access_token":"a\r\nX-Admin: 1"}"#.into()), Transient, Transient),
        (api_video(), (200, r#"{"access_token":{"a":1}}"#.into()), Transient, Transient),
        (vidizmo(), exception("ExpiredAccessTokenException"), Rejected, GrantRejected),
        (vidizmo(), exception("InvalidAccessTokenException"), Rejected, GrantRejected),
        (vidizmo(), (200, "\"\"".into()), Transient, Transient),
        (vidizmo(), (200, "\" \"".into()), Transient, Transient),
        (vidizmo(), (200, r#"{"token":"a"}"#.into()), Transient, Transient),
        (vidizmo(), (200, "<html>".into()), Transient, Transient),
        (vervoe(), unauthorized, Rejected, Rejected),
        (vervoe(), refused, Rejected, Rejected),
        (vervoe(), (200, r#"{"success":false,"data":{"token":"a"}}"#.into()), Transient, Transient),
        (vervoe(), (200, r#"{"success":true,"data":{}}"#.into()), Transient, Transient),
    ] {
        for (previous, expected) in [(None, first), (Some(&old_token()), refresh)] {
            let credential =
                declaration.clone().build(Wire::answering(status, &body).transport()).expect("valid");
            let reason = if previous.is_some() { Reason::Expired } else { Reason::Cold };
            let error = acquire(&credential, reason, previous).expect_err(&body);
            assert_eq!(error.kind(), expected, "{status} {body} {reason:?}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        }
    }
    let nobody = api_video().build(Wire::default().transport()).expect("valid");
    let error = cold(&nobody).expect_err("nobody answers");
    assert_eq!((error.kind(), error.status()), (Transient, None));
}

#[test]
fn an_encoded_answer_is_a_failure_that_says_so() {
    let wire = Wire::default();
    wire.answer(Response::builder().status(200).header("content-encoding", "gzip"), "\u{1f}\u{8b}");
    let error = cold(&api_video().build(wire.transport()).expect("valid")).expect_err("unreadable");
    assert_eq!(error.kind(), AcquireErrorKind::Transient);
    assert!(error.to_string().contains("encoded"), "{error}");
}

#[test]
fn the_vendors_own_header_says_how_long_to_stay_away() {
    let wire = Wire::default();
    let head =
        Response::builder().status(429).header("X-RateLimit-Retry-After", "7").header("Retry-After", "9");
    wire.answer(head, r#"{"title":"Too many requests."}"#);
    let error = cold(&api_video().build(wire.transport()).expect("valid")).expect_err("throttled");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_throttled());
    assert!(error.to_string().contains("Too many requests."), "{error}");
}

#[test]
fn mistakes_are_reported_when_the_declaration_is_built() {
    let build = |endpoint: TokenEndpoint| endpoint.build(Wire::default().transport()).map(drop);
    let acme = |request| TokenEndpoint::new("Acme", "https://api.acme.example", request);
    let post = || TokenRequest::post("/token").json("key", Param::secret("k"));
    let cases: Vec<(&str, Result<(), ConfigError>, ConfigErrorKind)> = vec![
        ("empty key", build(ApiVideo::sandbox("").declaration()), ConfigErrorKind::Secret),
        ("key from a file", build(ApiVideo::sandbox("key\n").declaration()), ConfigErrorKind::Secret),
        (
            "empty password",
            build(Vidizmo::password("a.example", "a@b.c", "").declaration()),
            ConfigErrorKind::Secret,
        ),
        ("colon in a user-id", build(Vervoe::new("a:b", "c").declaration()), ConfigErrorKind::UserId),
        ("empty user-id", build(Vervoe::new("", "c").declaration()), ConfigErrorKind::Secret),
        ("no domain", build(Vidizmo::password("", "a@b.c", "p").declaration()), ConfigErrorKind::Url),
        (
            "a url as domain",
            build(Vidizmo::password("https://a.b", "a@b.c", "p").declaration()),
            ConfigErrorKind::Url,
        ),
        ("static key", Videsk::new("").layer().map(drop), ConfigErrorKind::Secret),
        ("static key from a file", Videsk::new("key\n").layer().map(drop), ConfigErrorKind::Secret),
        ("not an origin", build(acme(post()).base_url("api.acme.example")), ConfigErrorKind::Url),
        ("plain http", build(acme(post()).base_url("http://api.acme.example")), ConfigErrorKind::InsecureUrl),
        (
            "plain http for the token alone",
            build(acme(TokenRequest::post("http://login.acme.example/token"))),
            ConfigErrorKind::InsecureUrl,
        ),
        ("a relative url", build(acme(TokenRequest::post("token"))), ConfigErrorKind::Url),
        ("two bodies", build(acme(post().form("a", "b"))), ConfigErrorKind::Declaration),
        ("two authorizations", build(acme(post().basic("a", "b").bearer("c"))), ConfigErrorKind::Declaration),
        (
            "a bearer to begin with",
            build(acme(post().bearer(Param::access_token()))),
            ConfigErrorKind::Declaration,
        ),
        ("a bad header", build(acme(post().header("a b", "c"))), ConfigErrorKind::Header),
        ("no pointer", build(acme(post()).token("data/token")), ConfigErrorKind::Declaration),
        ("a bad header for the wait", build(acme(post()).retry_after("a b")), ConfigErrorKind::Header),
    ];
    for (what, result, kind) in cases {
        let error = result.expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(!error.to_string().is_empty() && !format!("{error:?}").contains("a:b"), "{what}");
    }
    assert!(build(acme(post()).base_url("http://127.0.0.1:8080")).is_ok(), "loopback");
}

#[test]
fn errors_show_the_servers_words_but_no_secret() {
    let secrets = ["k3y w/ ü:+%41", "old-token", "old-refresh", "n3w-token"];
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, secrets[0]);
    let answers = [
        format!("no user has the key {}", secrets[0]),
        format!("base64 {encoded}"),
        "percent k3y%20w%2F%20%C3%BC%3A%2B%2541 and old-refresh, old-token\r\n\u{1b}[31mred".to_owned(),
    ];
    for title in answers {
        for (status, access) in [(401, ""), (500, ""), (200, r#""access_token":"n3w-token bad","#)] {
            let title = serde_json::Value::from(&*title);
            let wire = Wire::answering(status, &format!(r#"{{{access}"title":{title}}}"#));
            let credential =
                ApiVideo::sandbox(secrets[0]).declaration().build(wire.transport()).expect("valid");
            let error = acquire(&credential, Reason::Expired, Some(&old_token())).expect_err("a failure");
            let mut shown = format!("{error:?} {credential:?}");
            let mut next: Option<&dyn StdError> = Some(&error);
            while let Some(error) = next {
                shown += &error.to_string();
                next = error.source();
            }
            assert!(shown.contains("[redacted]"), "{shown}");
            for secret in secrets.into_iter().chain([&*encoded, "k3y%20w", "\u{1b}", "\r"]) {
                assert!(!shown.contains(secret), "{secret:?} in {shown}");
            }
        }
    }
}

#[test]
fn a_transport_that_prints_the_request_does_not_leak_it() {
    let transport = Transport::new(service_fn(|request: Request<Full<Bytes>>| async move {
        let body = request.into_body().collect().await?.to_bytes();
        Err::<Response<Full<Bytes>>, _>(BoxError::from(format!("could not send {body:?}")))
    }));
    let error = cold(&api_video().build(transport).expect("valid")).expect_err("not sent");
    let source = error.source().expect("the client's error").to_string();
    assert!(source.contains("could not send") && !source.contains("my key"), "{source}");
}

#[tokio::test(start_paused = true)]
async fn the_vendors_themselves_accept_what_is_sent() {
    let transport = |fake: FakeApiVideo| Transport::new::<_, Full<Bytes>, _>(fake);
    let fake = FakeApiVideo::new("my key");
    let credential = api_video().build(transport(fake.clone())).expect("valid");
    let first = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("exchanged");
    let second = Credential::acquire(&credential, Acquire::new(Reason::Expired, Some(&first)))
        .await
        .expect("refreshed");
    assert_ne!(first.expose_secret(), second.expose_secret());
    let reused = Credential::acquire(&credential, Acquire::new(Reason::Expired, Some(&first))).await;
    assert_eq!(reused.expect_err("spent").kind(), AcquireErrorKind::GrantRejected);
    assert_eq!((fake.counts().acquires, fake.counts().refreshes), (1, 2));
    fake.assert_no_refusals();

    let fake = FakeVervoe::new("key", "s:ü+%41");
    let credential = vervoe().build(Transport::new::<_, Full<Bytes>, _>(fake.clone())).expect("valid");
    Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("exchanged");
    fake.assert_no_refusals();

    for (slash, path, text) in [
        (FinalSlash::Without, "/api/v1/user/refresh-access-token", TokenText::Json),
        (FinalSlash::With, "/api/v1/user/refresh-access-token/", TokenText::Raw),
    ] {
        let fake = FakeVidizmo::client_secret("john.doe@gmail.com", "s3cret");
        fake.set_refresh_path(slash);
        fake.set_token_text(text);
        let declared =
            Vidizmo::client_secret("portal.example.com", "john.doe@gmail.com", "s3cret").refresh_path(path);
        let transport = Transport::new::<_, Full<Bytes>, _>(fake.clone());
        let credential = declared.declaration().build(transport).expect("valid");
        let first =
            Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.expect("logged in");
        fake.controls().revoke(Revoked::Expired);
        let second = Credential::acquire(&credential, Acquire::new(Reason::Expired, Some(&first))).await;
        Credential::revoke(&credential, &second.expect("refreshed")).await.expect("logged out");
        assert_eq!((fake.counts().acquires, fake.counts().refreshes, fake.counts().logouts), (1, 1, 1));
        fake.assert_no_refusals();
    }
}

#[test]
fn the_layers_presets_are_the_vendors() {
    let parts = api_video().parts(Wire::default().transport()).expect("valid");
    assert_eq!(parts.origin, Origin::parse("https://sandbox.api.video").expect("valid"));
    let exports = Videsk::new("key").exports().parts().expect("valid");
    assert_eq!(exports.placement, Placement::with_scheme("X-API-Token", "Bearer").expect("valid"));
    let basic = ApiVideo::sandbox("my key").basic().expect("valid");
    assert_eq!(cold(&basic.credential).expect("the key").expose_secret(), "bXkga2V5Og==");
    assert_eq!(basic.placement, Placement::with_scheme("Authorization", "Basic").expect("valid"));
    assert_eq!(Credential::describe(&basic.credential).renews(), crate::Renewal::Unsupported);
    let vendor = api_video().build(Wire::default().transport()).expect("valid");
    assert_eq!(Credential::describe(&vendor).renews(), crate::Renewal::RevokesPrevious);
}

#[test]
fn an_unknown_vendor_is_declared_in_ten_lines() {
    let wire = Wire::default();
    let request = TokenRequest::new(Method::PUT, "https://login.acme.example/token?v=1")
        .query("client", Param::secret("a b&c"))
        .header("X-Version", "2")
        .form("grant", "client_credentials")
        .form("secret", Param::secret("ü+%41"))
        .accepts([StatusCode::CREATED]);
    let credential = TokenEndpoint::new("Acme", "https://api.acme.example", request)
        .token(AnswerField::header("X-Subject-Token"))
        .unknown_lifetime()
        .refusal("/ok", false)
        .build(wire.transport())
        .expect("valid");
    wire.answer(Response::builder().status(201).header("X-Subject-Token", "t0ken"), "{}");
    assert_eq!(cold(&credential).expect("a token").expose_secret(), "t0ken");
    let sent = wire.sent();
    assert_eq!(sent.line, "PUT https://login.acme.example/token?v=1&client=a%20b%26c");
    assert_eq!(sent.body, "grant=client_credentials&secret=%C3%BC%2B%2541");
    assert!(sent.headers.contains(&"x-version: 2".to_owned()));
    wire.answer(Response::builder().status(200).header("X-Subject-Token", "t0ken"), "{}");
    assert_eq!(cold(&credential).expect_err("not 201").kind(), AcquireErrorKind::Transient);
    wire.answer(Response::builder().status(201), r#"{"ok":false}"#);
    assert_eq!(cold(&credential).expect_err("refused").kind(), AcquireErrorKind::Rejected);
}
