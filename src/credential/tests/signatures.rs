//! What each known answer of the vendors' APIs means.

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use super::{super::scripted::Scripted, *};
use crate::signature::{
    Finding, Head, Signatures,
    Verdict::{self, Accepted, Denied, Expired, Invalid},
};

fn judge(signatures: &Signatures, status: u16, body: &str) -> Finding {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/problem+json".parse().unwrap());
    let head = Head { status: StatusCode::from_u16(status).unwrap(), headers: &headers };
    signatures.judge(head, Some(body.as_bytes()))
}

fn check(signatures: &Signatures, cases: &[(u16, &str, Verdict, Option<&str>)]) {
    for (status, body, verdict, reason) in cases {
        let finding = judge(signatures, *status, body);
        assert_eq!((finding.verdict, finding.reason.as_deref()), (*verdict, *reason), "{status} {body}");
    }
}

fn signatures_of(declaration: TokenEndpoint) -> Signatures {
    declaration.parts(Scripted::fails("unused").transport()).unwrap().signatures
}

#[test]
fn api_videos_answers() {
    let signatures = signatures_of(ApiVideo::sandbox("key").declaration());
    let problem = |title: &str| serde_json::json!({"title": title, "name": "", "status": 401}).to_string();
    for (status, title, verdict) in [
        (401, "The access token is invalid or expired.", Expired),
        (401, "The API key is invalid.", Denied),
        (401, "The \"Authorization\" header value is invalid.", Denied),
        (401, "The \"Authorization\" header is missing.", Denied),
        (401, "The upload token is invalid or expired.", Denied),
        (401, "The upload token is missing.", Denied),
        (403, "Suspended account", Denied),
    ] {
        check(&signatures, &[(status, &problem(title), verdict, Some(title))]);
    }
    check(
        &signatures,
        &[
            (429, &problem("Too many requests."), Accepted, None),
            (400, &problem("The access token is invalid or expired."), Accepted, None),
            (401, "<html>The access token is invalid or expired.</html>", Accepted, None),
            (401, r#"{"errors":[{"title":"The access token is invalid or expired."}]}"#, Accepted, None),
            (200, &problem("The access token is invalid or expired."), Accepted, None),
        ],
    );
    for hint in
        ["Access token is invalid", "Access token could not be verified", "Access token has been revoked"]
    {
        let body = serde_json::json!({
            "error": "access_denied", "error_description": "x", "hint": hint, "message": "x",
        });
        check(&signatures, &[(401, &body.to_string(), Expired, Some(hint))]);
    }
    check(
        &signatures,
        &[(401, r#"{"error":"access_denied","hint":"Missing \"Bearer\" token"}"#, Accepted, None)],
    );
}

#[test]
fn videsks_answers() {
    let fixed = Videsk::new("key").parts().unwrap().signatures;
    let minted = Videsk::minting(StaticToken::new("key").unwrap()).parts().unwrap().signatures;
    for (status, message, of_fixed, of_minted) in [
        (401, "jwt expired", Expired, Expired),
        (401, "invalid signature", Denied, Invalid),
        (401, "jwt malformed", Denied, Denied),
        (401, "Authorization header with valid JWT is required.", Denied, Denied),
        (401, "Unexpected token \u{fffd} in JSON at position 6", Denied, Denied),
        (401, "Unexpected token } in JSON at position 1", Denied, Denied),
        (401, "jwt not active", Denied, Denied),
        (401, "invalid token", Denied, Denied),
        (401, "The token is not valid any more.", Denied, Denied),
        (403, "The integration token it's invalid or was removed.", Denied, Denied),
        (403, "You don't have access to /x. Please contact to your administrator.", Denied, Denied),
    ] {
        for (signatures, verdict) in [(&fixed, of_fixed), (&minted, of_minted)] {
            for body in [
                serde_json::json!({"name": "N", "message": message, "code": status, "errors": {}}),
                serde_json::json!({"message": message, "data": {"x": 1}}),
            ] {
                check(signatures, &[(status, &body.to_string(), verdict, Some(message))]);
            }
        }
    }
    check(&fixed, &[(401, r#"{"message":"your jwt expired today"}"#, Accepted, None)]);
    check(&fixed, &[(400, r#"{"message":"jwt expired"}"#, Accepted, None)]);
}

#[test]
fn vidizmos_answers() {
    let signatures = signatures_of(Vidizmo::password("acme.example.com", "e", "p").declaration());
    let incident = Some("332d7070");
    check(
        &signatures,
        &[
            (
                400,
                r#"{"name":"ExpiredAccessTokenException","incidentId":"332d7070","exceptionDetails":[]}"#,
                Expired,
                incident,
            ),
            (
                400,
                r#"{"name":"InvalidAccessTokenException","incidentId":"332d7070","exceptionDetails":[]}"#,
                Invalid,
                incident,
            ),
            (400, r#"{"name":"ValidationException","incidentId":"332d7070"}"#, Accepted, None),
            (400, r#"{"name":"ExpiredAccessTokenExceptions"}"#, Accepted, None),
            (400, r#"{"inner":{"name":"ExpiredAccessTokenException"}}"#, Accepted, None),
            (400, r#"[{"name":"ExpiredAccessTokenException"}]"#, Accepted, None),
            (401, r#"{"name":"ExpiredAccessTokenException"}"#, Accepted, None),
            (200, r#"{"name":"ExpiredAccessTokenException"}"#, Accepted, None),
        ],
    );
}

#[test]
fn vervoes_answers() {
    let signatures = signatures_of(Vervoe::new("k", "s").declaration());
    check(
        &signatures,
        &[
            (401, r#"{"success":false,"msg":"Invalid credentials."}"#, Expired, Some("Invalid credentials.")),
            (401, "", Expired, None),
            (401, "<html>", Expired, None),
            (
                403,
                r#"{"success":false,"errors":"Access denied","msg":"Access denied"}"#,
                Denied,
                Some("Access denied"),
            ),
            (400, r#"{"success":false}"#, Accepted, None),
        ],
    );
}
