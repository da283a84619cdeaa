//! What a login sends: its begin at another device, its end by a code, and where both are.

use secrecy::ExposeSecret;

use super::*;
use crate::{
    credential::Param,
    error::{AcquireErrorKind, ErrorCode},
};

const DEVICE: &str = "https://server.example.com/device";

#[tokio::test]
async fn a_code_is_redeemed_once_with_its_verifier() {
    let server = Server::answering([(200, with_refresh("a1", "r1")), (200, with_refresh("a2", "r2"))]);
    let code = ExtensionGrant::new(URL, ClientAuthentication::public("me"), "authorization_code")
        .acquire_param("code", Param::secret("c0de"))
        .acquire_param("redirect_uri", "http://127.0.0.1:1/")
        .acquire_param("code_verifier", Param::secret("v3rifier"))
        .build(server.transport())
        .unwrap();
    let token = acquire(&code).await.unwrap();
    assert_eq!(token.expose_secret(), "a1");
    assert_eq!(token.refresh_token().unwrap().expose_secret(), "r1");
    let sent = "grant_type=authorization_code&code=c0de&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F&code_verifier=v3rifier&client_id=me";
    assert_eq!(server.only().body, sent);
    assert!(!format!("{code:?}").contains("c0de"));
    // Its refresh has nothing of it.
    let token = renew(&code, &token).await.unwrap();
    assert_eq!(token.expose_secret(), "a2");
    assert_eq!(server.seen()[1].body, "grant_type=refresh_token&refresh_token=r1&client_id=me");
}

#[tokio::test]
async fn a_device_is_authorized_by_whoever_enters_the_code() {
    let answer = json!({
        "device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "https://server.example.com/enter",
        "verification_uri_complete": "https://server.example.com/enter?c=WDJB-MJHT", "expires_in": 1800, "interval": 7,
    });
    let server = Server::answering([(200, answer)]);
    let code = DeviceAuthorization::new(DEVICE, basic()).scope("offline_access").param("x", "y");
    let code = code.request(server.transport()).await.unwrap();
    let seen = server.only();
    assert_eq!((&*seen.url, &*seen.body), (DEVICE, "scope=offline_access&x=y"));
    assert!(
        seen.authorization().unwrap().starts_with("Basic "),
        "the client authenticates as at the token endpoint"
    );
    assert_eq!((code.device_code().expose_secret(), code.user_code()), ("d", "WDJB-MJHT"));
    assert_eq!(code.verification_uri(), "https://server.example.com/enter");
    assert_eq!(code.verification_uri_complete(), Some("https://server.example.com/enter?c=WDJB-MJHT"));
    assert_eq!((code.interval().as_secs(), code.lifetime().unwrap().as_secs()), (7, 1800));
    assert!(!format!("{code:?}").contains("WDJB"));
}

#[tokio::test]
async fn what_is_missing_of_a_device_code_is_the_usual_or_an_error() {
    let answer = json!({"device_code": "d", "user_code": "u", "verification_url": "https://x.example/"});
    let server = Server::answering([(200, answer)]);
    let code = DeviceAuthorization::new(DEVICE, basic()).request(server.transport()).await.unwrap();
    assert_eq!(
        (code.interval().as_secs(), code.lifetime(), code.verification_uri()),
        (5, None, "https://x.example/")
    );
    assert_eq!(code.verification_uri_complete(), None);
    for (missing, answer) in [
        ("user code", json!({"device_code": "d", "verification_uri": "https://x.example/"})),
        ("verification uri", json!({"device_code": "d", "user_code": "u"})),
    ] {
        let server = Server::answering([(200, answer)]);
        let error = DeviceAuthorization::new(DEVICE, basic()).request(server.transport()).await.unwrap_err();
        assert_eq!(error.kind(), AcquireErrorKind::Unintelligible);
        assert!(error.to_string().contains(missing), "{error}");
    }
    let server = Server::answering([(400, json!({"error": "unauthorized_client"}))]);
    let error = DeviceAuthorization::new(DEVICE, basic()).request(server.transport()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UnauthorizedClient));
    let error =
        DeviceAuthorization::new("http://server.example.com/", basic()).request(server.transport()).await;
    assert_eq!(error.unwrap_err().kind(), AcquireErrorKind::Unsupported);
}

#[tokio::test]
async fn what_a_poll_hears_is_told_apart() {
    for (said, code, kind) in [
        ("authorization_pending", ErrorCode::AuthorizationPending, AcquireErrorKind::Transient),
        ("slow_down", ErrorCode::SlowDown, AcquireErrorKind::Transient),
        ("expired_token", ErrorCode::ExpiredToken, AcquireErrorKind::Rejected),
        ("access_denied", ErrorCode::AccessDenied, AcquireErrorKind::Rejected),
    ] {
        let server = Server::answering([(400, json!({"error": said}))]);
        let poll = ExtensionGrant::new(URL, basic(), DeviceCode::GRANT_TYPE);
        let poll = poll.acquire_param("device_code", Param::secret("d")).build(server.transport()).unwrap();
        let error = acquire(&poll).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (Some(code), kind), "{said}");
        let body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d";
        assert_eq!(server.only().body, body);
    }
}

#[tokio::test]
async fn a_servers_metadata_says_where_logins_begin() {
    let issuer = "https://server.example.com";
    let mut metadata = json!({
        "issuer": issuer, "token_endpoint": URL, "authorization_endpoint": "https://server.example.com/auth",
        "device_authorization_endpoint": DEVICE, "authorization_response_iss_parameter_supported": true,
    });
    let ask = |metadata: &Value| {
        let server = Server::answering([(200, metadata.clone())]);
        async move { AuthorizationServer::discover(issuer).metadata(server.transport()).await }
    };
    let found = ask(&metadata).await.unwrap();
    assert_eq!(found.authorization_endpoint(), Some("https://server.example.com/auth"));
    assert_eq!((found.device_authorization_endpoint(), found.token_endpoint()), (Some(DEVICE), URL));
    assert!(found.says_issuer() && found.revocation_endpoint().is_none());
    for name in ["authorization_endpoint", "device_authorization_endpoint"] {
        let right = metadata[name].take();
        for wrong in ["http://server.example.com/auth", "javascript:alert(1)", "https://169.254.169.254/x"] {
            metadata[name] = wrong.into();
            assert_eq!(ask(&metadata).await.unwrap_err().kind(), AcquireErrorKind::Unintelligible, "{wrong}");
        }
        metadata[name] = right;
    }
    metadata["authorization_response_iss_parameter_supported"] = "true".into();
    assert!(!ask(&metadata).await.unwrap().says_issuer(), "only what it says itself counts");
    let server = Server::answering([(200, metadata)]);
    let given = AuthorizationServer::new(URL).metadata(server.transport()).await.unwrap_err();
    assert_eq!(given.kind(), AcquireErrorKind::Unsupported);
}
