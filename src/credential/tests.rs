//! The vendors' declarations: each request as it goes out, each answer that the contracts print, each mistake.

mod fakes;
#[cfg(feature = "store")]
mod identity;
mod signatures;
mod tokens;

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{scripted::Scripted, *};
use crate::{
    auth::{Origin, Placement},
    error::{AcquireError, AcquireErrorKind, ConfigError, ConfigErrorKind},
    observe::Reason,
    token::{AccessToken, Acquire, Credential},
};

async fn acquire<C: Credential>(
    credential: &C,
    reason: Reason,
    previous: Option<&AccessToken>,
) -> Result<AccessToken, AcquireError> {
    Credential::acquire(credential, Acquire::new(reason, previous)).await
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

#[tokio::test]
async fn each_request_goes_out_as_the_contract_says() {
    const JSON: &str = "accept: application/json\ncontent-type: application/json\n\n";
    let production = ApiVideo::production("my key").declaration();
    let secret = Vidizmo::client_secret("portal.example.com", "john.doe@gmail.com", "exampleclientsecret");
    let slash = Vidizmo::password("portal.example.com", "a@b.c", "p")
        .refresh_path("/api/v1/user/refresh-access-token/");
    let portal = "POST https://portal.example.com/api/v1/user";
    let bearer = "accept: application/json\nauthorization*: Bearer old-token\ncontent-length: 0\n\n";
    let basic = "GET https://api.vervoe.com/api/public/ats-api/token\n\
                 accept: application/json\nauthorization*: Basic a2V5OnM6w7wrJTQx\n\n";
    let exchange = format!("auth/api-key\n{JSON}{}", r#"{"apiKey":"my key"}"#);
    let login = |secret: &str| {
        format!("{portal}/authenticate\n{JSON}{{\"emailAddress\":\"john.doe@gmail.com\",{secret}}}")
    };
    let refresh = format!(
        r#"POST https://sandbox.api.video/auth/refresh
{JSON}{{"refreshToken":"old-refresh"}}"#
    );
    for (declaration, reason, expected) in [
        (api_video(), Reason::Cold, format!("POST https://sandbox.api.video/{exchange}")),
        (production, Reason::Cold, format!("POST https://ws.api.video/{exchange}")),
        (api_video(), Reason::Expired, refresh),
        (vidizmo(), Reason::Cold, login(r#""password":"examplepassword""#)),
        (secret.declaration(), Reason::Cold, login(r#""clientSecret":"exampleclientsecret""#)),
        (vidizmo(), Reason::Expired, format!("{portal}/refresh-access-token\n{bearer}")),
        (slash.declaration(), Reason::Expired, format!("{portal}/refresh-access-token/\n{bearer}")),
        (vervoe(), Reason::Cold, basic.to_owned()),
        // There is no refresh.
        (vervoe(), Reason::Expired, basic.to_owned()),
    ] {
        let server = Scripted::fails("nobody answers");
        let credential = declaration.build(server.transport()).expect("valid");
        let old = old_token();
        let previous = Some(&old).filter(|_| reason != Reason::Cold);
        acquire(&credential, reason, previous).await.expect_err("nobody answers");
        assert_eq!(server.wire(), expected);
    }
    let server = Scripted::answers(200, &[], "");
    let credential = vidizmo().build(server.transport()).expect("valid");
    Credential::revoke(&credential, &old_token()).await.expect("logged out");
    assert_eq!(server.wire(), format!("{portal}/logout\n{bearer}"));
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
        let credential = declaration.build(Scripted::answers(200, &[], answer).transport()).expect("valid");
        let token = acquire(&credential, Reason::Cold, None).await.expect(answer);
        assert_eq!(token.expose_secret(), secret);
        let brought = token.refresh_token().map(|token| token.expose_secret().to_owned());
        assert_eq!((brought.as_deref(), token.lifetime()), (refresh_token, Some(lifetime)), "{answer}");
        assert_eq!(token.requested_at(), Some(Instant::now()), "counted from before the request");
    }
}

#[tokio::test]
async fn each_answer_of_the_contracts_is_classified() {
    use AcquireErrorKind::{GrantRejected, Moved, Rejected, Transient, Unintelligible};
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
        (api_video(), (302, String::new()), Moved, Moved),
        (api_video(), (408, String::new()), Transient, Transient),
        (api_video(), (425, String::new()), Transient, Transient),
        (api_video(), (500, String::new()), Transient, Transient),
        (api_video(), (503, "<html>".into()), Transient, Transient),
        (api_video(), (200, String::new()), Unintelligible, Unintelligible),
        (api_video(), (200, "{\"access_token\":\"a".into()), Unintelligible, Unintelligible),
        (api_video(), (200, r#"{"access_token":""}"#.into()), Unintelligible, Unintelligible),
        (api_video(), (200, r#"{"access_token":"a b"}"#.into()), Unintelligible, Unintelligible),
        (api_video(), (200, r#"{"access_token":"a\r\nX-Admin: 1"}"#.into()), Unintelligible, Unintelligible),
        (api_video(), (200, r#"{"access_token":{"a":1}}"#.into()), Unintelligible, Unintelligible),
        (vidizmo(), exception("ExpiredAccessTokenException"), Rejected, GrantRejected),
        (vidizmo(), exception("InvalidAccessTokenException"), Rejected, GrantRejected),
        (vidizmo(), (200, "\"\"".into()), Unintelligible, Unintelligible),
        (vidizmo(), (200, "\" \"".into()), Unintelligible, Unintelligible),
        (vidizmo(), (200, r#"{"token":"a"}"#.into()), Unintelligible, Unintelligible),
        (vidizmo(), (200, "<html>".into()), Unintelligible, Unintelligible),
        (vervoe(), unauthorized, Rejected, Rejected),
        (vervoe(), refused, Rejected, Rejected),
        (vervoe(), (200, r#"{"success":false,"data":{"token":"a"}}"#.into()), Unintelligible, Unintelligible),
        (vervoe(), (200, r#"{"success":true,"data":{}}"#.into()), Unintelligible, Unintelligible),
    ] {
        for (previous, expected) in [(None, first), (Some(&old_token()), refresh)] {
            let credential =
                declaration.clone().build(Scripted::answers(status, &[], &body).transport()).expect("valid");
            let reason = if previous.is_some() { Reason::Expired } else { Reason::Cold };
            let error = acquire(&credential, reason, previous).await.expect_err(&body);
            assert_eq!(error.kind(), expected, "{status} {body} {reason:?}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        }
    }
    let nobody = api_video().build(Scripted::fails("nobody answers").transport()).expect("valid");
    let error = acquire(&nobody, Reason::Cold, None).await.expect_err("nobody answers");
    assert_eq!((error.kind(), error.status()), (Transient, None));
}

#[test]
fn mistakes_are_reported_when_the_declaration_is_built() {
    let build =
        |endpoint: TokenEndpoint| endpoint.build(Scripted::fails("nobody answers").transport()).map(drop);
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

#[tokio::test]
async fn the_layers_presets_are_the_vendors() {
    let parts = api_video().parts(Scripted::fails("nobody answers").transport()).expect("valid");
    assert_eq!(parts.origin, Origin::parse("https://sandbox.api.video").expect("valid"));
    let exports = Videsk::new("key").exports().parts().expect("valid");
    assert_eq!(exports.placement, Placement::with_scheme("X-API-Token", "Bearer").expect("valid"));
    let basic = ApiVideo::sandbox("my key").basic().expect("valid");
    assert_eq!(
        acquire(&basic.credential, Reason::Cold, None).await.expect("the key").expose_secret(),
        "bXkga2V5Og=="
    );
    assert_eq!(basic.placement, Placement::with_scheme("Authorization", "Basic").expect("valid"));
    assert_eq!(Credential::describe(&basic.credential).renewal, crate::token::Renewal::Unsupported);
    let vendor = api_video().build(Scripted::fails("nobody answers").transport()).expect("valid");
    assert_eq!(Credential::describe(&vendor).renewal, crate::token::Renewal::RevokesPrevious);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_with_what_the_program_configured() {
    let no_refresh_token = AccessToken::new("old-token").expect("valid");
    for (reason, old) in [(Reason::Rejected, old_token()), (Reason::Expired, no_refresh_token)] {
        let server = Scripted::fails("nobody answers");
        let credential = api_video().build(server.transport()).expect("valid");
        acquire(&credential, reason, Some(&old)).await.expect_err("nobody answers");
        assert!(server.wire().ends_with(r#"{"apiKey":"my key"}"#), "{}", server.wire());
    }
}

#[tokio::test]
async fn the_vendors_own_header_says_how_long_to_stay_away() {
    let headers = [("x-ratelimit-retry-after", "7"), ("retry-after", "9")];
    let server = Scripted::answers(429, &headers, r#"{"title":"Too many requests."}"#);
    let credential = api_video().build(server.transport()).expect("valid");
    let error = acquire(&credential, Reason::Cold, None).await.expect_err("throttled");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.to_string().contains("Too many requests."), "{error}");
}
