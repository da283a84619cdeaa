//! Nothing that can be printed shows a secret, however a server or a client repeats it.

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{super::super::scripted::printed, *};
use crate::secret::encode;

const SECRETS: [&str; 6] =
    ["api-k3y", "pässw:örd +%41/\"q\"", "f0rm s3cret&", "old-access", "old-refresh", "new-token-of-answer"];

/// Every form of every secret, the Basic string among them.
fn forms() -> Vec<String> {
    let basic = format!("{}:{}", SECRETS[0], SECRETS[1]);
    let secrets = SECRETS.iter().map(ToString::to_string).chain([basic]);
    secrets
        .flat_map(|secret| {
            let percent = encode::percent(&secret).to_string();
            [
                BASE64_STANDARD.encode(&secret).trim_end_matches('=').to_owned(),
                BASE64_URL_SAFE_NO_PAD.encode(&secret),
                percent.to_ascii_lowercase(),
                percent.replace("%20", "+"),
                percent,
                secret.replace('"', "\\\""),
                secret,
            ]
        })
        .collect()
}

fn secretive() -> TokenEndpoint {
    let acquire = TokenRequest::post("/token")
        .basic(SECRETS[0], SECRETS[1])
        .form("secret", Param::secret(SECRETS[2]))
        .query("secret", Param::secret(SECRETS[2]));
    let refresh = TokenRequest::post("/refresh").json("refreshToken", Param::refresh_token());
    endpoint(acquire).refresh(refresh).success("/ok", true).message("/message").message("/detail")
}

fn assert_clean(text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{form} is in {text}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_secrets_is_not_believed_to_be_discreet() {
    let echo = forms();
    let one_by_one = echo.iter().cloned();
    for words in one_by_one.chain([echo.join(" "), echo.concat(), format!("{}é", echo.join("\u{200b}"))]) {
        for status in [200, 302, 400, 401, 429, 500] {
            let body = serde_json::json!({
                "ok": false,
                "message": format!("no such user: {words}"),
                "detail": words,
                "access_token": SECRETS[5],
                "refresh_token": SECRETS[5],
            });
            let server = Scripted::answers(status, &[], &body.to_string());
            for reason in [Reason::Expired, Reason::Rejected] {
                let credential = secretive().build(server.transport()).unwrap();
                let error = ask(credential, reason, Some(previous())).await.unwrap_err();
                assert_clean(&printed(&error));
            }
        }
    }
}

#[tokio::test]
async fn text_that_is_no_token_is_not_shown() {
    for body in [
        r#"{"access_token":"new-token-of-answer s3cond"}"#,
        r#"{"access_token":"new-token-of-answer"#,
        r#""new-token-of-answer s3cond"#,
        "new-token-of-answer s3cond",
    ] {
        let server = Scripted::answers(200, &[], body);
        for field in [super::super::AnswerField::body(), "/access_token".into()] {
            let error = cold(secretive().token(field), &server).await.unwrap_err();
            let printed = printed(&error);
            assert!(!printed.contains("new-token") && !printed.contains("s3cond"), "{printed}");
        }
    }
}

#[tokio::test]
async fn a_client_that_prints_the_url_is_cleaned_up_after() {
    let url =
        "error sending request for url (https://api.example.com/token?secret=f0rm%20s3cret%26): refused";
    let error = cold(secretive(), &Scripted::fails(url)).await.unwrap_err();
    let text = printed(&error);
    assert_clean(&text);
    assert!(text.contains("refused") && text.contains("[redacted]"), "{text}");

    let error = cold(secretive(), &Scripted::fails("connection refused")).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::AcquireErrorKind::Transient);
    assert!(printed(&error).contains("connection refused"));
}

#[test]
fn debug_of_a_declaration_and_its_credential_shows_no_secret() {
    let endpoint = secretive();
    assert_clean(&format!("{endpoint:?} {endpoint:#?}"));
    let parts = endpoint.parts(Scripted::fails("unused").transport()).unwrap();
    assert_clean(&format!("{parts:?} {parts:#?}"));
}

#[test]
fn errors_of_a_declaration_show_no_secret() {
    let request =
        plain().basic(format!("{}:", SECRETS[0]), SECRETS[1]).header("x", Param::secret("s3cr\net"));
    let header = plain().header("x", Param::secret("s3cr\net"));
    for request in [request, header] {
        let error = endpoint(request).build(Scripted::fails("unused").transport()).unwrap_err();
        assert_clean(&printed(&error));
        assert!(!printed(&error).contains("s3cr"));
    }
}
