//! Many logins of one client, which differ in their refresh tokens.

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::{
    credential::oauth2::refresh_token::RefreshToken,
    error::{AcquireErrorKind, ConfigErrorKind},
    secret::SecretSource,
};

fn anybody(server: impl Into<AuthorizationServer>, at: &Server) -> OAuth2Credential {
    RefreshToken::new(server, basic(), SecretSource::input("login"))
        .scope("videos.read")
        .build(at.transport())
        .unwrap()
}

fn sent(server: &Server) -> Vec<String> {
    server.seen().iter().filter_map(|seen| Some(seen.field("refresh_token")?.to_owned())).collect()
}

#[tokio::test]
async fn each_login_has_its_own_refresh_token_and_all_else_in_common() {
    let server =
        Server::answering([(200, with_refresh("a1", "anna-2")), (200, token("b1")), (200, token("a2"))]);
    let anybody = anybody(URL, &server);
    let [anna, ben] = ["anna-1", "ben-1"].map(|login| anybody.with_refresh_token(login).unwrap());
    for who in [&anna, &ben, &anna] {
        acquire(who).await.unwrap();
    }
    assert_eq!(sent(&server), ["anna-1", "ben-1", "anna-2"]);
    assert!(server.seen().iter().all(|seen| seen.field("scope") == Some("videos.read")));
    let shown = |credential: &OAuth2Credential| {
        credential.refresh_token().map(|token| token.expose_secret().to_owned())
    };
    assert_eq!((shown(&anna), shown(&ben), shown(&anybody)), (Some("anna-2".to_owned()), None, None));
}

#[tokio::test]
async fn the_pattern_itself_sends_nothing() {
    let server = Server::healthy();
    let error = acquire(&anybody(URL, &server)).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Rejected);
    assert!(error.to_string().contains("input:login isn't filled in") && server.seen().is_empty(), "{error}");
}

#[tokio::test]
async fn a_server_is_discovered_once_for_all_logins() {
    const ISSUER: &str = "https://server.example.com";
    let metadata = json!({"issuer": ISSUER, "token_endpoint": "https://tokens.example.com/token"});
    let server = Server::answering([(200, metadata), (200, token("abc"))]);
    let anybody = anybody(AuthorizationServer::discover(ISSUER), &server);
    for login in ["anna", "ben", "cleo"] {
        acquire(&anybody.with_refresh_token(login).unwrap()).await.unwrap();
    }
    assert_eq!((sent(&server).len(), server.seen().len()), (3, 4));
}

#[tokio::test]
async fn each_login_is_saved_by_its_own() {
    let server = Server::answering([(200, with_refresh("a1", "anna-2")), (200, with_refresh("b1", "ben-2"))]);
    let anybody = anybody(URL, &server);
    let saved = Arc::new(Mutex::new(Vec::new()));
    for who in ["anna", "ben"] {
        let saved = saved.clone();
        let save = move |token: SecretString| {
            saved.lock().unwrap().push((who, token.expose_secret().to_owned()));
            ready(Ok(()))
        };
        acquire(&anybody.with_persisted_refresh_token(who, save).unwrap()).await.unwrap();
    }
    assert_eq!(*saved.lock().unwrap(), [("anna", "anna-2".to_owned()), ("ben", "ben-2".to_owned())]);
}

#[test]
fn what_has_no_refresh_token_is_refused() {
    let transport = || Server::healthy().transport();
    let client = ClientCredentials::new(URL, basic()).build(transport()).unwrap();
    assert_eq!(client.with_refresh_token("r").unwrap_err().kind(), ConfigErrorKind::Declaration);
    let anybody = anybody(URL, &Server::healthy());
    assert_eq!(anybody.with_refresh_token("").unwrap_err().kind(), ConfigErrorKind::Secret);
}
