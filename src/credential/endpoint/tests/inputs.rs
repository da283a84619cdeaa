//! Many credentials of one declaration, which differ in what its inputs are filled with.

use super::{
    super::super::scripted::printed,
    sources::{places, wire},
    *,
};
use crate::{
    error::{AcquireErrorKind::Rejected, ConfigErrorKind},
    secret::SecretSource,
};

const TOKEN: &str = r#"{"access_token":"t"}"#;

fn built(request: TokenRequest, server: &Scripted) -> EndpointCredential {
    endpoint(request).build(server.transport()).unwrap()
}

#[tokio::test]
async fn what_is_filled_in_is_sent_wherever_it_goes_as_if_it_had_been_declared() {
    let server = Scripted::answers(200, &[], TOKEN);
    for (index, request) in places(&SecretSource::input("key")).into_iter().enumerate() {
        let pattern = built(request, &server);
        for secret in ["one", "two"] {
            let filled = pattern.with_input("key", secret).unwrap();
            let declared = built(places(&secret.into())[index].clone(), &server);
            assert_eq!(wire(&filled, &server).await, wire(&declared, &server).await);
        }
    }
}

#[tokio::test]
async fn a_pattern_sends_nothing_before_all_its_inputs_are_filled() {
    let server = Scripted::answers(200, &[], TOKEN);
    let request = plain().json("id", SecretSource::input("id")).json("key", SecretSource::input("key"));
    let pattern = built(request, &server);
    for unfilled in [pattern.clone(), pattern.with_input("id", "7F3A").unwrap()] {
        let error = ask(unfilled, Reason::Cold, None).await.unwrap_err();
        assert_eq!(error.kind(), Rejected);
        assert!(error.to_string().contains("isn't filled in"), "{error}");
    }
    assert_eq!(server.count(http::Method::POST), 0);
    let filled = pattern.with_input("id", "7F3A").unwrap().with_input("key", "s3cret").unwrap();
    assert!(wire(&filled, &server).await.contains(r#"{"id":"7F3A","key":"s3cret"}"#));
}

#[tokio::test]
async fn what_is_filled_in_is_shown_by_no_error() {
    let server =
        Scripted::answers(400, &[], r#"{"error":"invalid_client","error_description":"s3cret is wrong"}"#);
    let refresh = TokenRequest::post("/refresh").json("refreshToken", Param::refresh_token());
    let pattern = endpoint(plain().json("key", SecretSource::input("key"))).refresh(refresh);
    let filled = pattern.build(server.transport()).unwrap().with_input("key", "s3cret").unwrap();
    assert!(!format!("{filled:?}").contains("s3cret"));
    // A refresh doesn't send it, and is answered with it all the same.
    for (reason, previous) in [(Reason::Cold, None), (Reason::Expired, Some(previous()))] {
        let shown = printed(&ask(filled.clone(), reason, previous).await.unwrap_err());
        assert!(shown.contains("is wrong") && !shown.contains("s3cret"), "{shown}");
    }
}

#[tokio::test]
async fn one_s_refused_secret_is_no_others() {
    let server = Scripted::answers(401, &[], "{}");
    let file = super::super::super::temp_file::TempFile::new("refused input", "one");
    let pattern = built(plain().json("key", SecretSource::input("key")), &server);
    let one = pattern.with_input("key", SecretSource::file(file.path())).unwrap();
    let other = pattern.with_input("key", SecretSource::file(file.path())).unwrap();
    ask(one.clone(), Reason::Cold, None).await.unwrap_err();
    file.write("two");
    assert!(Credential::has_new_secret(&one) && !Credential::has_new_secret(&other));
}

#[test]
fn what_can_not_be_filled_in_is_refused() {
    let server = Scripted::answers(200, &[], TOKEN);
    let pattern = built(plain().basic(SecretSource::input("user"), "p4ssword"), &server);
    for (name, secret, kind) in [
        ("key", "s3cret", ConfigErrorKind::Input),
        ("user", "", ConfigErrorKind::Secret),
        ("user", "a:b", ConfigErrorKind::UserId),
    ] {
        assert_eq!(pattern.with_input(name, secret).unwrap_err().kind(), kind, "{name}");
    }
    let declared = built(plain(), &server);
    assert_eq!(declared.with_input("key", "s3cret").unwrap_err().kind(), ConfigErrorKind::Input);
}
