//! Where secrets come from, and when they are read.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use secrecy::ExposeSecret;

use super::*;
use crate::{
    credential::temp_file::TempFile,
    error::{AcquireErrorKind, ErrorCode},
};

fn sent(server: &Server) -> Vec<String> {
    server.seen().iter().map(|seen| seen.field("client_secret").unwrap().to_owned()).collect()
}

/// Each time another secret: `s1`, `s2`, and so on.
fn counting() -> SecretSource {
    let count = AtomicUsize::new(0);
    SecretSource::from_fn(move || {
        let secret = format!("s{}", count.fetch_add(1, SeqCst) + 1);
        async move { Ok(secret.into()) }
    })
}

#[tokio::test]
async fn a_file_is_read_at_each_acquisition_and_loses_one_newline() {
    let file = TempFile::new("rotated", "one\n");
    let server = Server::healthy();
    let client = ClientAuthentication::secret_post("a", SecretSource::file(file.path()));
    let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
    acquire(&credential).await.unwrap();
    for text in ["two\r\n", " three"] {
        file.write(text);
        acquire(&credential).await.unwrap();
    }
    assert_eq!(sent(&server), ["one", "two", "%20three"]);
}

#[tokio::test]
async fn a_file_without_a_secret_is_transient_and_nothing_is_sent() {
    let file = TempFile::new("gone", "s3cret");
    let server = Server::healthy();
    let client = ClientAuthentication::secret_post("a", SecretSource::file(file.path()));
    let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
    for text in [Some(""), Some("\n"), Some("s3cret\0"), Some("s3cret\n# mine"), None] {
        match text {
            Some(text) => file.write(text),
            None => file.remove(),
        }
        let error = acquire(&credential).await.unwrap_err();
        assert_eq!(error.kind(), AcquireErrorKind::NoSecret);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn what_is_too_long_or_no_text_is_no_secret() {
    let long = TempFile::new("long", "x".repeat(64 * 1024 + 1));
    let binary = TempFile::new("binary", [0xff, 0xfe]);
    for file in [&long, &binary] {
        let client = ClientAuthentication::secret_post("a", SecretSource::file(file.path()));
        let error = ClientCredentials::new(URL, client).build(Server::healthy().transport()).unwrap_err();
        assert_eq!(error.kind(), crate::error::ConfigErrorKind::Secret);
    }
}

#[tokio::test]
async fn a_variable_is_a_secret_too() {
    // Whatever it is here, it is set everywhere.
    let path = std::env::var("PATH").unwrap();
    let server = Server::healthy();
    let client = ClientAuthentication::secret_post("a", SecretSource::env("PATH"));
    acquire(&ClientCredentials::new(URL, client).build(server.transport()).unwrap()).await.unwrap();
    assert_eq!(sent(&server), [crate::secret::encode::percent(&path).to_string()]);
}

#[tokio::test]
async fn on_invalid_client_a_secret_that_changed_is_tried_once_more() {
    let refused = || (401, json!({"error": "invalid_client"}));
    let server = Server::answering([refused(), (200, token("abc"))]);
    let client = ClientAuthentication::secret_post("a", counting());
    acquire(&ClientCredentials::new(URL, client).build(server.transport()).unwrap()).await.unwrap();
    assert_eq!(sent(&server), ["s1", "s2"]);

    let server = Server::answering([refused()]);
    let client = ClientAuthentication::secret_post("a", counting());
    let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
    let error = acquire(&credential).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AcquireErrorKind::Rejected, Some(ErrorCode::InvalidClient)));
    assert_eq!(sent(&server), ["s1", "s2"], "once");
}

#[tokio::test]
async fn on_invalid_client_the_same_secret_is_not_tried_again() {
    let assertion = Assertion::from_fn(|_| async { Ok("fresh".into()) });
    for client in [
        ClientAuthentication::secret_post("a", "s1"),
        ClientAuthentication::secret_post("a", SecretSource::from_fn(|| async { Ok("s1".into()) })),
        ClientAuthentication::secret_basic("a", SecretSource::from_fn(|| async { Ok("s1".into()) })),
        ClientAuthentication::assertion("a", assertion),
        ClientAuthentication::public("a"),
    ] {
        let server = Server::answering([(401, json!({"error": "invalid_client"}))]);
        let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
        acquire(&credential).await.unwrap_err();
        server.only();
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_not_asked_with_another_secret() {
    let server = Server::answering([(503, json!({"error": "invalid_client"}))]);
    let client = ClientAuthentication::secret_post("a", counting());
    acquire(&ClientCredentials::new(URL, client).build(server.transport()).unwrap()).await.unwrap_err();
    server.only();
}

#[tokio::test]
async fn a_secret_that_was_read_is_taken_out_of_errors() {
    let body = json!({"error": "invalid_client", "error_description": "not s1, nor s2, nor czE="});
    let server = Server::answering([(401, body)]);
    for client in [
        ClientAuthentication::secret_post("a", counting()),
        ClientAuthentication::secret_basic("a", counting()),
    ] {
        let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
        let error = acquire(&credential).await.unwrap_err().to_string();
        assert!(!error.contains("s2"), "{error}");
    }
}

#[tokio::test]
async fn a_closure_that_fails_gives_no_secret_and_says_why() {
    let server = Server::healthy();
    let source = SecretSource::from_fn(|| async { Err("the vault is sealed".into()) });
    let credential = ClientCredentials::new(URL, ClientAuthentication::secret_basic("a", source));
    let error = acquire(&credential.build(server.transport()).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::NoSecret);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the vault is sealed");
}

#[tokio::test]
async fn an_assertion_is_made_anew_when_something_else_is_tried_again() {
    let fresh = || {
        let count = AtomicUsize::new(0);
        Assertion::from_fn(move |_| {
            let assertion = format!("j{}", count.fetch_add(1, SeqCst) + 1);
            async move { Ok(assertion.into()) }
        })
    };
    let fields = |server: &Server, name| -> Vec<_> {
        server.seen().iter().map(|seen| seen.field(name).unwrap().to_owned()).collect()
    };

    let server = Server::answering([(401, json!({"error": "invalid_client"})), (200, token("abc"))]);
    let client = ClientAuthentication::secret_post("a", counting());
    acquire(&JwtBearer::new(URL, client, fresh()).build(server.transport()).unwrap()).await.unwrap();
    assert_eq!(fields(&server, "assertion"), ["j1", "j2"]);

    let server = Server::answering([(400, json!({"error": "invalid_grant"})), (200, token("abc"))]);
    let client = ClientAuthentication::assertion("a", fresh());
    acquire(&RefreshToken::new(URL, client, counting()).build(server.transport()).unwrap()).await.unwrap();
    assert_eq!(fields(&server, "client_assertion"), ["j1", "j2"]);
    assert_eq!(fields(&server, "refresh_token"), ["s1", "s2"]);
}

#[tokio::test]
async fn a_refused_secret_that_was_replaced_is_noticed_without_asking() {
    let file = TempFile::new("replaced", "old");
    let source = || SecretSource::file(file.path());
    let refused = |code: &str| Server::answering([(400, json!({"error": code}))]);
    let (client, grant) = (refused("invalid_client"), refused("invalid_grant"));
    let post = ClientAuthentication::secret_post("a", source());
    let changing = [
        ClientCredentials::new(URL, post.clone()).build(client.transport()).unwrap(),
        Password::new(URL, basic(), "johndoe", source()).build(grant.transport()).unwrap(),
        RefreshToken::new(URL, basic(), source()).build(grant.transport()).unwrap(),
    ];
    let fixed = [
        ClientCredentials::new(URL, basic()).build(client.transport()).unwrap(),
        // Not what was refused.
        Password::new(URL, post, "johndoe", "A3ddj3w").build(grant.transport()).unwrap(),
    ];
    for credential in changing.iter().chain(&fixed) {
        acquire(credential).await.unwrap_err();
        assert!(!credential.has_new_secret());
    }
    file.write("new");
    assert!(changing.iter().all(Credential::has_new_secret));
    assert!(!fixed.iter().any(Credential::has_new_secret));
    for text in ["", "old"] {
        file.write(text);
        assert!(!changing.iter().any(Credential::has_new_secret), "{text:?}");
    }
}

#[test]
fn all_secrets_that_the_next_request_shows_are_known_without_asking_if_none_has_to_be_waited_for() {
    let file = TempFile::new("shown", "old");
    let source = || SecretSource::file(file.path());
    let server = Server::answering([]);
    let shown = |credential: &OAuth2Credential| {
        credential.current_secret().map(|secret| secret.expose_secret().to_owned())
    };
    let build = |client: ClientAuthentication| {
        [
            ClientCredentials::new(URL, client.clone()).build(server.transport()).unwrap(),
            Password::new(URL, client.clone(), "johndoe", source()).build(server.transport()).unwrap(),
            RefreshToken::new(URL, client, source()).build(server.transport()).unwrap(),
        ]
    };
    let credentials = build(ClientAuthentication::secret_post("a", source()));
    let before: Vec<_> = credentials.iter().map(shown).collect();
    assert!(before.iter().all(Option::is_some) && before[0] != before[1], "{before:?}");
    // A refresh token is another one after each use.
    assert_eq!(before[0], before[2]);
    file.write("new");
    assert!(credentials.iter().map(shown).zip(&before).all(|(now, before)| now.is_some() && now != *before));
    file.write("");
    assert!(credentials.iter().all(|credential| shown(credential).is_none()));
    file.write("old");
    for client in [ClientAuthentication::public("a"), ClientAuthentication::tls("a")] {
        let [clients, password, refresh_token] = build(client).map(|credential| shown(&credential));
        assert!(clients.is_none() && password.is_some() && refresh_token.is_none());
    }
    let assertion = SecretSource::from_fn(async || panic!("it was asked"));
    assert_eq!(
        build(ClientAuthentication::assertion("a", assertion)).map(|each| shown(&each)),
        [None, None, None]
    );
}
