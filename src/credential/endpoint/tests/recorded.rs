//! Answers that were recorded, beside the same ones on their way to a flight.

use bytes::Bytes;
use http::Response;

use super::*;
use crate::secret::SecretSource;

/// Whatever a flight or a recording comes to, with nothing left out.
fn shown(result: Result<AccessToken, AcquireError>) -> String {
    match result {
        Ok(token) => {
            let refresh =
                token.refresh_token().map(|text| secrecy::ExposeSecret::expose_secret(text).to_owned());
            let lifetime = token.lifetime().map(|lifetime| lifetime.as_secs());
            format!("{} {lifetime:?} {refresh:?} {:?}", token.expose_secret(), token.member("id"))
        }
        Err(error) => format!("{:?} {:?} {:?} {error}", error.kind(), error.status(), error.retry_after()),
    }
}

#[tokio::test]
async fn a_recorded_answer_means_what_it_means_to_a_flight() {
    let declared = || renewing().member("id", "/id").success("/ok", true).refusal("/code", 17);
    for (status, headers, body) in [
        (200, &[][..], r#"{"access_token":"Bearer t","expires_in":60,"id":7}"#),
        (200, &[], r#"{"access_token":"t","refresh_token":"r","ok":true}"#),
        (200, &[], r#"{"access_token":"t","ok":false}"#),
        (200, &[], r#"{"refresh_token":"r"}"#),
        (200, &[], "access_token=t&expires_in=60"),
        (200, &[("content-type", "application/x-www-form-urlencoded")], "access_token=t&expires_in=60"),
        (200, &[], r#"{"access_token":"t","token_type":"DPoP"}"#),
        (200, &[], r#"{"code":17}"#),
        (400, &[], r#"{"error":"invalid_grant","error_description":"old-refresh"}"#),
        (401, &[], ""),
        (404, &[], "<html>"),
        (302, &[("location", "https://other.example/login")], ""),
        (429, &[("retry-after", "7")], ""),
        (503, &[], ""),
    ] {
        let server = Scripted::answers(status, headers, body);
        let mut recorded = Response::builder().status(status);
        for (name, value) in headers {
            recorded = recorded.header(*name, *value);
        }
        let recorded = recorded.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let real = cold(declared(), &server).await;
        assert_eq!(shown(declared().read_answer(&recorded)), shown(real), "{status} {body}");
        let server = Scripted::answers(status, headers, body);
        let real = renew(declared(), &server).await;
        let read = declared().read_refresh_answer(&previous(), &recorded);
        assert_eq!(shown(read), shown(real), "{status} {body}");
    }
}

#[test]
fn for_a_recorded_answer_no_secret_is_read() {
    let missing = SecretSource::env("TOWER_REAUTH_NOBODY_SETS_THIS");
    let declared = endpoint(plain().basic("me", missing.clone()).json("key", missing));
    let token = declared.read_answer(&Response::new(r#"{"access_token":"t"}"#)).unwrap();
    assert_eq!(token.expose_secret(), "t");
    // Without a refresh it is the same request again, and so the same is refused.
    let refused = Response::builder().status(401).body("").unwrap();
    let error = declared.read_refresh_answer(&previous(), &refused).unwrap_err();
    assert_eq!(error.kind(), crate::error::AcquireErrorKind::Rejected);
    assert!(error.to_string().contains("POST https://api.example.com/token"), "{error}");
    let error = TokenEndpoint::new("Acme", "no url", plain()).read_answer(&refused).unwrap_err();
    assert_eq!(error.kind(), crate::error::AcquireErrorKind::Unsupported);
}
