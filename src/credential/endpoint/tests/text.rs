//! A login whose answer is text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{super::AnswerField, *};
use crate::error::AcquireErrorKind::{Rejected, Unintelligible};

fn declared() -> TokenEndpoint {
    endpoint(plain()).token(AnswerField::body()).refusal(AnswerField::body(), "denied")
}

async fn answered(headers: &[(&'static str, &str)], body: &str) -> Result<AccessToken, AcquireError> {
    cold(declared(), &Scripted::answers(200, headers, body)).await
}

#[tokio::test]
async fn one_word_of_text_is_the_token() {
    let longest = "x".repeat(64 * 1024);
    for (body, token) in [
        ("abc.def~1", "abc.def~1"),
        ("  abc\r\n", "abc"),
        ("\u{feff}abc", "abc"),
        ("\"abc\"", "abc"),
        ("Bearer abc", "abc"),
        ("bearer   abc\n", "abc"),
        ("abc=def==", "abc=def=="),
        (&*longest, &*longest),
    ] {
        for headers in [&[][..], &[("content-type", "text/plain; charset=utf-8")]] {
            let found = answered(headers, body).await.unwrap_or_else(|error| panic!("{body:.40}: {error}"));
            assert_eq!(found.expose_secret(), token);
            assert_eq!((found.lifetime(), found.refresh_token().is_some()), (None, false));
        }
    }
}

#[tokio::test]
async fn what_is_no_word_of_visible_ascii_is_no_token() {
    let too_long = "x".repeat(64 * 1024 + 1);
    for body in [
        "",
        " \n",
        "abc\ndef",
        "abc\r\nX-Admin: 1",
        "login failed",
        "Basic abc",
        "ab\u{0}c",
        "ab\u{7f}c",
        "äbc",
        "\"ab c\"",
        "{\"token\":\"abc\"}",
        "[\"abc\"]",
        "{\"tok",
        "<html>abc</html>",
        &*too_long,
    ] {
        let error = answered(&[("content-type", "text/plain")], body).await.expect_err(body);
        assert_eq!(error.kind(), Unintelligible, "{body:.40}: {error}");
        assert!(body.trim().is_empty() || !error.to_string().contains(body), "{error}");
    }
    assert_eq!(answered(&[], "denied").await.unwrap_err().kind(), Rejected);
    assert_eq!(answered(&[("content-encoding", "gzip")], "abc").await.unwrap_err().kind(), Unintelligible);
}

#[tokio::test]
async fn its_lifetime_is_the_files_or_the_tokens_own() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{}}}", now + 600));
    let server = || Scripted::answers(200, &[], &format!("e30.{claims}.c2ln\n"));
    let token = cold(declared().jwt_lifetime(), &server()).await.unwrap();
    let lifetime = token.lifetime().unwrap().as_secs();
    assert!((590..=600).contains(&lifetime), "{lifetime}");
    let fixed = Duration::from_secs(90);
    let token = cold(declared().fixed_lifetime(fixed), &server()).await.unwrap();
    assert_eq!(token.lifetime(), Some(fixed));
}
