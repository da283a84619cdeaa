//! Requests and answers of each vendor.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{super::scripted::Scripted, *};
use crate::{
    AcquireErrorKind::{self, GrantRejected, Rejected, Transient},
    ConfigErrorKind, Origin, Placement, Renewal,
};

/// The only request that `declaration` sends, and what becomes of `answer`.
async fn exchange(
    declaration: TokenEndpoint,
    previous: Option<&AccessToken>,
    answer: (u16, &str),
) -> (String, Result<AccessToken, AcquireError>) {
    let server = Scripted::answers(answer.0, &[], answer.1);
    let credential = declaration.build(server.transport()).unwrap();
    let reason = if previous.is_some() { Reason::Expired } else { Reason::Cold };
    let outcome = acquire(&credential, reason, previous).await;
    (server.wire(), outcome)
}

/// The kind of failure, and whether the vendor's own words are in it.
async fn failure(
    declaration: TokenEndpoint,
    previous: Option<&AccessToken>,
    answer: (u16, &str),
    words: &str,
) -> AcquireErrorKind {
    let error = exchange(declaration, previous, answer).await.1.unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    error.kind()
}

fn old() -> AccessToken {
    AccessToken::new("old").unwrap().with_refresh_token("old-refresh")
}

#[tokio::test]
async fn api_video_exchanges_its_key_and_rotates() {
    let (wire, token) =
        exchange(ApiVideo::production("k\"ey").declaration(), None, (200, API_VIDEO_TOKEN)).await;
    assert_eq!(
        wire,
        "POST https://ws.api.video/auth/api-key\naccept: application/json\ncontent-type: application/json\n\n\
         {\"apiKey\":\"k\\\"ey\"}"
    );
    let token = token.unwrap();
    assert_eq!(token.expose_secret(), "eyJ0.eyJh.jWHC-_");
    assert_eq!(token.lifetime(), Some(Duration::from_secs(3600)));
    assert_eq!(token.refresh_token().unwrap().expose_secret(), "def502");

    let sandbox = ApiVideo::sandbox("key").declaration();
    let (wire, renewed) = exchange(sandbox, Some(&token), (200, API_VIDEO_TOKEN)).await;
    assert_eq!(
        wire,
        "POST https://sandbox.api.video/auth/refresh\naccept: application/json\n\
         content-type: application/json\n\n{\"refreshToken\":\"def502\"}"
    );
    assert!(renewed.is_ok());
}

#[tokio::test]
async fn api_videos_refusals_are_told_apart() {
    let sandbox = || ApiVideo::sandbox("a1b2c3d4").declaration();
    let incorrect = r#"{"type":"https://docs.api.video/docs","title":"The user credentials were incorrect.","name":"","status":400}"#;
    let spent = r#"{"title":"The refresh token is invalid.","name":"","status":401}"#;
    let words = "The user credentials were incorrect.";
    assert_eq!(failure(sandbox(), None, (400, incorrect), words).await, Rejected);
    assert_eq!(failure(sandbox(), Some(&old()), (400, incorrect), words).await, GrantRejected);
    assert_eq!(failure(sandbox(), Some(&old()), (401, spent), "The refresh token").await, GrantRejected);
    let wrong = r#"{"title":"The API key is invalid.","status":401}"#;
    assert_eq!(failure(sandbox(), None, (401, wrong), "The API key is invalid.").await, Rejected);
}

#[tokio::test]
async fn api_video_says_how_long_to_stay_away() {
    let headers = [("x-ratelimit-retry-after", "12")];
    let server = Scripted::answers(429, &headers, r#"{"title":"Too many requests.","status":429}"#);
    let credential = ApiVideo::sandbox("key").declaration().build(server.transport()).unwrap();
    let error = acquire(&credential, Reason::Cold, None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (Transient, Some(Duration::from_secs(12))));
    assert_eq!(Credential::describe(&credential).renews(), Renewal::RevokesPrevious);
}

#[tokio::test]
async fn api_videos_alternative_needs_no_exchange() {
    let parts = ApiVideo::production("your_api_key").basic().unwrap();
    let token = acquire(&parts.credential, Reason::Cold, None).await.unwrap();
    assert_eq!(parts.placement.value(&token), "Basic eW91cl9hcGlfa2V5Og==");
    assert_eq!(parts.placement.header(), "authorization");
    assert_eq!(parts.origin, Origin::parse("https://ws.api.video").unwrap());
    assert_eq!(Credential::describe(&parts.credential).renews(), Renewal::Unsupported);
    assert_eq!(ApiVideo::sandbox("").basic().unwrap_err().kind(), ConfigErrorKind::Secret);
    assert_eq!(ApiVideo::sandbox("a:b").basic().unwrap_err().kind(), ConfigErrorKind::UserId);
}

#[tokio::test]
async fn videsk_puts_its_key_where_the_endpoint_wants_it() {
    let parts = Videsk::new("eyJ.key").parts().unwrap();
    let token = acquire(&parts.credential, Reason::Cold, None).await.unwrap();
    assert_eq!(parts.placement, Placement::bearer());
    assert_eq!(parts.origin, Origin::parse("https://api.videsk.io").unwrap());
    assert_eq!(token.lifetime(), None);

    let exports = Videsk::new("eyJ.key").exports().base_url("http://127.0.0.1:1").parts().unwrap();
    assert_eq!(exports.placement.header(), "x-api-token");
    assert_eq!(exports.placement.value(&token), "Bearer eyJ.key");
    assert_eq!(exports.origin, Origin::parse("http://127.0.0.1:1").unwrap());
}

#[tokio::test]
async fn vidizmo_logs_in_with_one_of_two_secrets() {
    for (vidizmo, field) in [
        (Vidizmo::password("acme.example.com", "john.doe@gmail.com", "p\"w"), "password"),
        (Vidizmo::client_secret("acme.example.com", "john.doe@gmail.com", "p\"w"), "clientSecret"),
    ] {
        for (answer, fine) in [("\"N2UC\"", true), ("N2UC\n", true), ("\"\"", false), ("", false)] {
            let (wire, token) = exchange(vidizmo.clone().declaration(), None, (200, answer)).await;
            assert_eq!(
                wire,
                format!(
                    "POST https://acme.example.com/api/v1/user/authenticate\naccept: application/json\n\
                     content-type: application/json\n\n\
                     {{\"emailAddress\":\"john.doe@gmail.com\",\"{field}\":\"p\\\"w\"}}"
                )
            );
            match token {
                Ok(token) => {
                    assert_eq!((token.expose_secret(), fine), ("N2UC", true));
                    assert_eq!(token.lifetime(), Some(Duration::from_secs(86_400)));
                }
                Err(error) => assert_eq!((error.kind(), fine), (Transient, false)),
            }
        }
    }
}

#[tokio::test]
async fn vidizmo_renews_a_token_with_itself() {
    let vidizmo = || Vidizmo::password("acme.example.com", "john.doe@gmail.com", "pw");
    let slash = vidizmo().refresh_path("/api/v1/user/refresh-access-token/").lifetime(Duration::from_secs(5));
    for (vidizmo, slash, lifetime) in [(vidizmo(), "", 86_400), (slash, "/", 5)] {
        let (wire, token) = exchange(vidizmo.declaration(), Some(&old()), (200, "NEW")).await;
        assert_eq!(
            wire,
            format!(
                "POST https://acme.example.com/api/v1/user/refresh-access-token{slash}\n\
                 accept: application/json\nauthorization*: Bearer old\n\n"
            )
        );
        assert_eq!(token.unwrap().lifetime(), Some(Duration::from_secs(lifetime)));
    }
    let dead = r#"{"name":"InvalidAccessTokenException","incidentId":"167c0274","exceptionDetails":[]}"#;
    let words = "InvalidAccessTokenException: 167c0274";
    assert_eq!(failure(vidizmo().declaration(), Some(&old()), (400, dead), words).await, GrantRejected);
    assert_eq!(failure(vidizmo().declaration(), None, (400, dead), words).await, Rejected);
}

#[tokio::test]
async fn vidizmo_logs_out() {
    let server = Scripted::answers(200, &[], "");
    let vidizmo = Vidizmo::password("acme.example.com", "john.doe@gmail.com", "pw").declaration();
    Credential::revoke(&vidizmo.build(server.transport()).unwrap(), &old()).await.unwrap();
    assert_eq!(
        server.wire(),
        "POST https://acme.example.com/api/v1/user/logout\naccept: application/json\n\
         authorization*: Bearer old\n\n"
    );
}

#[tokio::test]
async fn vervoe_exchanges_key_and_secret_with_a_get() {
    for (secret, encoded) in [("secretKey", "YXBpS2V5OnNlY3JldEtleQ=="), ("a:ü+%41", "YXBpS2V5OmE6w7wrJTQx")]
    {
        let vervoe = Vervoe::new("apiKey", secret).declaration();
        let (wire, token) = exchange(vervoe, None, (200, VERVOE_TOKEN)).await;
        assert_eq!(
            wire,
            format!(
                "GET https://api.vervoe.com/api/public/ats-api/token\naccept: application/json\n\
                 authorization*: Basic {encoded}\n\n"
            )
        );
        let token = token.unwrap();
        assert_eq!(token.expose_secret(), "7He9-_");
        assert_eq!(token.lifetime(), Some(Duration::from_secs(600)));
    }
    let short = Vervoe::new("apiKey", "s").lifetime(Duration::from_secs(5)).declaration();
    let (_, token) = exchange(short, Some(&old()), (200, VERVOE_TOKEN)).await;
    assert_eq!(token.unwrap().lifetime(), Some(Duration::from_secs(5)));
}

#[tokio::test]
async fn vervoes_refusals_are_told_apart() {
    for (answer, kind, words) in [
        (
            (400, r#"{"success":false,"errors":"Provide apiKey/secret please.","msg":"m"}"#),
            Rejected,
            "m: Provide apiKey/secret please.",
        ),
        (
            (401, r#"{"type":"rfc2616","title":"An error occurred","status":401,"detail":"Unauthorized"}"#),
            Rejected,
            "An error occurred: Unauthorized",
        ),
        ((200, r#"{"success":false,"msg":"no","data":{"token":"t"}}"#), Transient, "no"),
        ((200, r#"{"success":true,"data":{}}"#), Transient, "without a token"),
        ((200, r#"{"success":true,"data":[]}"#), Transient, "without a token"),
        ((502, "<html>"), Transient, "status 502"),
    ] {
        assert_eq!(failure(Vervoe::new("a1b2", "c3d4").declaration(), None, answer, words).await, kind);
    }
}

#[test]
fn what_cannot_work_is_refused_when_it_is_built() {
    let transport = || Scripted::fails("unused").transport();
    let cases = [
        (ApiVideo::sandbox("").layer(transport()), ConfigErrorKind::Secret),
        (
            ApiVideo::sandbox("k").base_url("http://api.video").layer(transport()),
            ConfigErrorKind::InsecureUrl,
        ),
        (Videsk::new("").layer(), ConfigErrorKind::Secret),
        (Videsk::new("key\n").layer(), ConfigErrorKind::Secret),
        (Videsk::new("k").base_url("api.videsk.io").layer(), ConfigErrorKind::Url),
        (Vidizmo::password("", "e", "p").layer(transport()), ConfigErrorKind::Url),
        (Vidizmo::password("https://acme.example.com", "e", "p").layer(transport()), ConfigErrorKind::Url),
        (Vidizmo::password("acme.example.com/x", "e", "p").layer(transport()), ConfigErrorKind::Url),
        (Vidizmo::password("me@acme.example.com", "e", "p").layer(transport()), ConfigErrorKind::Url),
        (Vidizmo::password("acme.example.com", "", "p").layer(transport()), ConfigErrorKind::Secret),
        (Vidizmo::client_secret("acme.example.com", "e", "").layer(transport()), ConfigErrorKind::Secret),
        (Vervoe::new("", "s").layer(transport()), ConfigErrorKind::Secret),
        (Vervoe::new("k", "").layer(transport()), ConfigErrorKind::Secret),
        (Vervoe::new("k:", "s").layer(transport()), ConfigErrorKind::UserId),
    ];
    for (index, (layer, kind)) in cases.into_iter().enumerate() {
        assert_eq!(layer.unwrap_err().kind(), kind, "case {index}");
    }
}

#[test]
fn debug_of_the_vendors_shows_no_secret() {
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        ApiVideo::sandbox("s3cret"),
        Videsk::new("s3cret"),
        Vidizmo::password("acme.example.com", "s3cret@example.com", "s3cret"),
        Vervoe::new("s3cret", "s3cret"),
    );
    assert!(!shown.contains("s3cret"), "{shown}");
}
