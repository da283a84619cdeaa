//! Secrets that are read for each request.

use std::{
    error::Error as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use secrecy::ExposeSecret;

use super::{
    super::super::{scripted::printed, temp_file::TempFile},
    *,
};
use crate::{
    error::{
        AcquireErrorKind::{GrantRejected, NoSecret, Rejected},
        ConfigErrorKind,
    },
    secret::SecretSource,
};

const TOKEN: &str = r#"{"access_token":"t"}"#;

/// Everywhere where a request takes a secret.
pub(super) fn places(source: &SecretSource) -> [TokenRequest; 10] {
    let param = || Param::secret(source.clone());
    [
        plain().json("key", param()),
        plain().json("key", [JsonValue::object().field("deep", param())]),
        plain().json_body([param()]),
        plain().form("key", param()),
        plain().query("key", param()),
        plain().header("x-key", param()),
        plain().bearer(param()),
        plain().basic(source.clone(), "p4ssword"),
        plain().basic("us3r", source.clone()),
        plain().basic_form_encoded(source.clone(), source.clone()),
    ]
}

/// What a request sends.
pub(super) async fn wire(credential: &EndpointCredential, server: &Scripted) -> String {
    server.forget();
    Credential::acquire(credential, Acquire::new(Reason::Cold, None)).await.unwrap();
    server.wire()
}

#[tokio::test]
async fn a_file_is_read_for_each_request_wherever_it_goes() {
    let file = TempFile::new("everywhere", "one");
    let server = Scripted::answers(200, &[], TOKEN);
    for (index, request) in places(&SecretSource::file(file.path())).into_iter().enumerate() {
        let credential = endpoint(request).build(server.transport()).unwrap();
        for (text, secret) in [("one\n", "one"), ("\u{feff}two\r\n\n", "two"), (" thr33 ", " thr33 ")] {
            file.write(text);
            let [fixed, ..] = &places(&secret.into())[index..] else { panic!("as many places") };
            let fixed = endpoint(fixed.clone()).build(server.transport()).unwrap();
            assert_eq!(wire(&credential, &server).await, wire(&fixed, &server).await);
        }
    }
}

#[tokio::test]
async fn a_source_that_fails_is_transient_named_and_sends_nothing() {
    let file = TempFile::new("failing", "s3cret");
    let server = Scripted::answers(200, &[], TOKEN);
    let request = plain().json("key", SecretSource::file(file.path()));
    let credential = endpoint(request).build(server.transport()).unwrap();
    let long = "s3cret".repeat(64 * 1024);
    for text in
        [Some(""), Some("\n"), Some(" \r\n"), Some("s3cret\nmine"), Some("s3cret\0"), Some(&*long), None]
    {
        match text {
            Some(text) => file.write(text),
            None => file.remove(),
        }
        let error = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap_err();
        assert_eq!(error.kind(), NoSecret, "{error:?}");
        let shown = printed(&error);
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(error.to_string().contains(&format!("file:{}", file.path().display())), "{error}");
        assert!(!credential.has_new_secret(), "nothing was refused");
    }
    assert_eq!(server.count(http::Method::POST), 0);

    let sealed = SecretSource::from_fn(|| async { Err("the vault is sealed".into()) });
    let error = cold(endpoint(plain().json("key", sealed)), &server).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (NoSecret, "the secret can't be read"));
    assert_eq!(error.source().unwrap().to_string(), "the vault is sealed");
    assert_eq!(error.retry_after(), None);

    let wait = Duration::from_secs(7);
    let sealed = move || async move { Err(AcquireError::transient("sealed").with_retry_after(wait).into()) };
    let error =
        cold(endpoint(plain().json("key", SecretSource::from_fn(sealed))), &server).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (NoSecret, Some(wait)));
    assert_eq!(error.source().unwrap().to_string(), "sealed");
    assert_eq!(server.count(http::Method::POST), 0);
}

#[test]
fn a_source_without_a_secret_is_refused_when_it_is_built() {
    let empty = TempFile::new("empty", "\n");
    let utf16 = TempFile::new("utf-16", b"\xff\xfes\x003\x00");
    let odd = TempFile::new("odd", b"s3\x1bcret");
    let source = |source| endpoint(plain().json("key", Param::secret(source)));
    let (missing, there) = ("NO_SUCH_VARIABLE_4711", empty.path().display().to_string());
    for (endpoint, expected) in [
        (
            source(SecretSource::env(missing)),
            format!("the secret in env:{missing} can't be read; set the variable"),
        ),
        (
            source(SecretSource::file("/no/such/file")),
            "the secret in file:/no/such/file can't be read; check the file".into(),
        ),
        (
            source(SecretSource::file(empty.path())),
            format!("the secret in file:{there} is empty; check the file"),
        ),
        (source(SecretSource::from_sync_fn(|| Ok("".into()))), "the secret is empty".into()),
        (source(SecretSource::from_sync_fn(|| Err("no".into()))), "the secret can't be read".into()),
        (source("".into()), "the secret is empty; check where it comes from".into()),
        (
            source(SecretSource::file(utf16.path())),
            format!(
                "the secret in file:{} can't be used: it is utf-16, as windows powershell writes files; save it as utf-8",
                utf16.path().display()
            ),
        ),
        (
            source(SecretSource::file(odd.path())),
            format!(
                "the secret in file:{} can't be used: it has a character that can't be meant, U+001B, in line 1, column 3 \
                 (after 2 bytes)",
                odd.path().display()
            ),
        ),
        (
            source(SecretSource::from_sync_fn(|| Ok("s3\0".into()))),
            "the secret can't be used: it has a zero byte, in line 1, column 3 (after 2 bytes); is it text?"
                .into(),
        ),
    ] {
        let error = endpoint.build(Scripted::fails("unused").transport()).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ConfigErrorKind::Secret, expected));
    }
    // Refresh and revocation are looked at as well.
    for endpoint in [
        renewing().refresh(plain().json("key", SecretSource::env(missing)).bearer(Param::access_token())),
        renewing().revoke(plain().basic("a", SecretSource::env(missing))),
    ] {
        let error = endpoint.build(Scripted::fails("unused").transport()).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Secret);
    }
}

#[test]
fn a_fixed_secret_that_was_not_trimmed_is_refused_wherever_it_goes() {
    for secret in ["s3cret\n", "s3cret\r\n", "\u{feff}s3cret"] {
        for request in places(&secret.into()) {
            let error = endpoint(request).build(Scripted::fails("unused").transport()).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Secret, "{error}");
            assert!(!printed(&error).contains("s3"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn what_a_closure_gives_is_read_as_a_file_is() {
    let server = Scripted::answers(200, &[], TOKEN);
    let waited = SecretSource::from_fn(|| async { Ok("\u{feff}one\r\n".into()) });
    for source in [waited, SecretSource::from_sync_fn(|| Ok("one\n".into()))] {
        for (closure, fixed) in places(&source).into_iter().zip(places(&"one".into())) {
            let [closure, fixed] =
                [closure, fixed].map(|request| endpoint(request).build(server.transport()).unwrap());
            assert_eq!(wire(&closure, &server).await, wire(&fixed, &server).await);
        }
    }
}

#[tokio::test]
async fn a_closure_is_asked_for_each_request_and_only_then() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let source = SecretSource::from_fn(move || {
        let secret = format!("s{}", counted.fetch_add(1, SeqCst) + 1);
        async move { Ok(secret.into()) }
    });
    let server = Scripted::answers(401, &[], "{}");
    let credential = endpoint(plain().json("key", source)).build(server.transport()).unwrap();
    assert_eq!(calls.load(SeqCst), 0, "building asks nobody");
    for secret in ["s1", "s2"] {
        server.forget();
        Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap_err();
        assert!(server.wire().ends_with(&format!("{{\"key\":\"{secret}\"}}")), "{}", server.wire());
    }
    assert!(
        !credential.has_new_secret() && credential.current_secret().is_none(),
        "that would have to be waited for"
    );
    assert_eq!(calls.load(SeqCst), 2);
}

#[tokio::test]
async fn a_refused_secret_that_was_replaced_is_noticed_wherever_it_goes() {
    let file = TempFile::new("refused", "old");
    let kept = Arc::new(Mutex::new("old"));
    let at_hand = kept.clone();
    let at_hand = SecretSource::from_sync_fn(move || Ok((*at_hand.lock().unwrap()).into()));
    let server = Scripted::answers(401, &[], "{}");
    let mut credentials = Vec::new();
    for request in places(&SecretSource::file(file.path())).into_iter().chain(places(&at_hand)) {
        let credential = endpoint(request).build(server.transport()).unwrap();
        let error = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap_err();
        assert_eq!(error.kind(), Rejected);
        assert!(!credential.has_new_secret(), "it is the same");
        credentials.push(credential);
    }
    let shown = |credential: &EndpointCredential| {
        credential.current_secret().map(|secret| secret.expose_secret().to_owned())
    };
    let olds: Vec<_> = credentials.iter().map(shown).collect();
    for (text, is_new) in [("new", true), ("old", false), ("old\n", false), ("", false), ("another", true)] {
        file.write(text);
        *kept.lock().unwrap() = text.trim_end();
        for (credential, old) in credentials.iter().zip(&olds) {
            let is_old = text.trim_end() == "old";
            assert_eq!(shown(credential).as_ref() == old.as_ref(), is_old, "{text:?} {credential:?}");
            assert_eq!(credential.has_new_secret(), is_new, "{text:?} {credential:?}");
            assert_eq!(credential.clone().has_new_secret(), is_new, "clones know of it");
        }
    }
}

#[tokio::test]
async fn what_was_not_refused_is_not_looked_at() {
    let file = TempFile::new("not-refused", "old");
    let source = || SecretSource::file(file.path());
    for (request, status) in [
        (plain().json("key", "fixed"), 401),
        (plain().json("key", source()), 503),
        (plain().json("key", source()), 200),
    ] {
        let server = Scripted::answers(status, &[], TOKEN);
        let credential = endpoint(request).build(server.transport()).unwrap();
        let _ = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await;
        file.write("new");
        assert!(!credential.has_new_secret(), "{status}");
    }
    // A refresh that is refused is a spent grant, and no word about the secrets.
    let refresh = plain().json("key", source()).bearer(Param::access_token());
    let server = Scripted::answers(401, &[], TOKEN);
    let credential = renewing().refresh(refresh).build(server.transport()).unwrap();
    let token = previous();
    let error = Credential::acquire(&credential, Acquire::new(Reason::Expired, Some(&token))).await;
    assert_eq!(error.unwrap_err().kind(), GrantRejected);
    file.write("newer");
    assert!(!credential.has_new_secret());
}

#[tokio::test]
async fn secrets_that_were_read_are_taken_out_of_errors_and_shown_nowhere() {
    let file = TempFile::new("echoed", "s3cret w0rds\n");
    let echo = r#"{"error":"no s3cret w0rds, s3cret%20w0rds or czNjcmV0IHcwcmRz"}"#;
    for request in places(&SecretSource::file(file.path())) {
        for status in [401, 503] {
            let server = Scripted::answers(status, &[], echo);
            let credential = endpoint(request.clone()).build(server.transport()).unwrap();
            let asked = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await;
            let shown = format!("{} {credential:?} {request:#?}", printed(&asked.unwrap_err()));
            assert!(shown.contains("file:") && shown.contains("[redacted]"), "{shown}");
            for form in ["s3cret", "czNjcmV0"] {
                assert!(!shown.contains(form), "{shown}");
            }
        }
    }
}
