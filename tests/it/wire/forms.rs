//! Answers that are forms: by their media type, or because the vendor was declared so.

use std::time::Duration;

use tower_reauth::{
    AcquireErrorKind::{Rejected, Unintelligible},
    AuthErrorKind::{CredentialsRejected, EndpointUnusable},
};

use super::{
    ways::{WAYS, said},
    world::answer,
};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_form_is_read_by_its_media_type() {
    for media_type in
        [FORM, "Application/X-WWW-Form-Urlencoded; charset=utf-8", " application/x-www-form-urlencoded ;q=1"]
    {
        for body in [
            "access_token=a%2Bb&expires_in=3600&token_type=bearer",
            "token_type=Bearer&expires_in=3600&access_token=a%2bb\r\n",
            "scope=&&access_token=old&access_token=a%2Bb&x=%zz&y=%e9&expires_in=3600",
            "access%5Ftoken=a%2Bb&expires_in=+3600+",
        ] {
            let answer = answer(200, &[("content-type", media_type)], body);
            said!("").strictly().assert_token(&WAYS, &answer, "a+b").await;
            assert_eq!(said!("").lifetimes(&answer).await, [Some(Duration::from_secs(3600)); 3], "{body}");
        }
    }
}

#[tokio::test]
async fn a_form_of_another_media_type_is_read_as_declared() {
    let declared = || said!("form = true\nlifetime = '/expires'"; .form_answers().lifetime("/expires"));
    for media_type in ["text/plain", "text/html; charset=utf-8", "application/json", ""] {
        let answer = answer(200, &[("content-type", media_type)], "access_token=abc&expires=5183999");
        declared().assert_token(&WAYS, &answer, "abc").await;
        assert_eq!(declared().lifetimes(&answer).await, [Some(Duration::from_secs(5_183_999)); 3]);
        let words = ["may be a form", "declare"];
        said!("").assert_refused(&WAYS, &answer, (EndpointUnusable, Unintelligible), &words).await;
    }
    // Whatever was declared, JSON is JSON: some servers answer so when it is an error.
    let json = answer(200, &[("content-type", FORM)], r#"{"access_token":"abc"}"#);
    declared().assert_token(&WAYS, &json, "abc").await;
    said!("").assert_token(&WAYS, &json, "abc").await;
}

#[tokio::test]
async fn a_form_says_what_was_refused_and_what_is_missing() {
    let form = |status, body| answer(status, &[("content-type", FORM)], body);
    for status in [400, 403, 200] {
        let body = "error=invalid_client&error_description=Who+are+you%3F";
        let words = ["invalid_client: Who are you?"];
        said!("").assert_refused(&WAYS, &form(status, body), (CredentialsRejected, Rejected), &words).await;
    }
    for body in [
        "token=abc",
        "access_token=",
        "access_token=a+b",
        "access_token=%00",
        "access_token=%e9",
        "access_token",
    ] {
        said!("").assert_refused(&WAYS, &form(200, body), (EndpointUnusable, Unintelligible), &[]).await;
    }
    let named = || said!("token = '/a~1b'"; .token("/a~1b"));
    named().assert_token(&WAYS, &form(200, "a/b=abc"), "abc").await;
}
