//! What real APIs answer when a token has expired, and what they answer that looks like it.

use super::{
    Verdict::{Accepted, Denied, Expired, Invalid},
    *,
};

const OK: StatusCode = StatusCode::OK;
const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;

const JSON: &[(&str, &str)] = &[("content-type", "application/json; charset=utf-8")];
const XML: &[(&str, &str)] = &[("content-type", "application/xml")];

type Row = (u16, &'static [(&'static str, &'static str)], &'static str, Verdict);

#[track_caller]
fn check(signatures: Signatures, rows: &[Row]) {
    for &(status, headers, body, expected) in rows {
        assert_eq!(
            answered(status, headers, body).verdict(&signatures),
            expected,
            "{status} {headers:?} {body}"
        );
    }
    for status in [200, 204, 404, 500] {
        for body in ["", "{}", "[]", r#"{"id":1}"#, "<html>"] {
            assert_eq!(answered(status, JSON, body).verdict(&signatures), Accepted, "{status} {body}");
        }
    }
}

#[test]
fn salesforce_answers_with_an_array_and_reuses_its_code() {
    let here = |rule: Rule| rule.status(UNAUTHORIZED).when(json("/*/errorCode").is("INVALID_SESSION_ID"));
    let signatures = Signatures::new()
        .rule(here(Rule::denied()).when(json("/*/message").contains("not valid for use with the REST API")))
        .rule(here(Rule::expired()))
        .reason("/0/message");
    let expired = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
    assert_eq!(
        answered(401, JSON, expired).judged(&signatures),
        found(Expired, "Session expired or invalid")
    );
    check(
        signatures,
        &[
            (401, JSON, expired, Expired),
            (
                401,
                JSON,
                r#"[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]"#,
                Denied,
            ),
            (401, JSON, r#"[{"message":"x","errorCode":"INVALID_AUTH_HEADER"}]"#, Accepted),
            (401, JSON, r#"{"errorCode":"INVALID_SESSION_ID"}"#, Accepted),
        ],
    );
}

#[test]
fn meta_tells_them_apart_by_a_subcode() {
    let here = |rule: Rule| rule.status(BAD_REQUEST).when(json("/error/code").is(190));
    check(
        Signatures::new()
            .rule(here(Rule::denied()).when(json("/error/error_subcode").one_of([458, 460])))
            .rule(here(Rule::expired()).when(json("/error/error_subcode").is(463))),
        &[
            (400, JSON, r#"{"error":{"type":"OAuthException","code":190,"error_subcode":463}}"#, Expired),
            (400, JSON, r#"{"error":{"type":"OAuthException","code":190,"error_subcode":460}}"#, Denied),
            (400, JSON, r#"{"error":{"type":"OAuthException","code":190,"error_subcode":458}}"#, Denied),
            (400, JSON, r#"{"error":{"type":"OAuthException","code":"190","error_subcode":463}}"#, Accepted),
            (400, JSON, r#"{"error":{"type":"OAuthException","code":100}}"#, Accepted),
        ],
    );
}

#[test]
fn slack_answers_with_200() {
    let here = |rule: Rule| rule.status(OK).read_success_bodies().when(media_type("json"));
    check(
        Signatures::new()
            .rule(here(Rule::expired()).when(json("/ok").is(false)).when(json("/error").is("token_expired")))
            .rule(here(Rule::denied()).when(json("/error").one_of(["token_revoked", "invalid_auth"]))),
        &[
            (200, JSON, r#"{"ok":false,"error":"token_expired"}"#, Expired),
            (200, JSON, r#"{"ok":false,"error":"token_revoked"}"#, Denied),
            (200, JSON, r#"{"ok":false,"error":"invalid_auth"}"#, Denied),
            (200, JSON, r#"{"ok":true,"error":"token_expired"}"#, Accepted),
            (200, JSON, r#"{"ok":true,"message":{"text":"token_expired"}}"#, Accepted),
        ],
    );
}

#[test]
fn marketo_writes_codes_as_strings() {
    let here = |rule: Rule, code: &str| {
        rule.status(OK)
            .read_success_bodies()
            .when(json("/success").is(false))
            .when(json("/errors/*/code").is(code))
    };
    check(
        Signatures::new().rule(here(Rule::expired(), "602")).rule(here(Rule::invalid(), "601")),
        &[
            (
                200,
                JSON,
                r#"{"success":false,"errors":[{"code":"602","message":"Access token expired"}]}"#,
                Expired,
            ),
            (
                200,
                JSON,
                r#"{"success":false,"errors":[{"code":"601","message":"Access token invalid"}]}"#,
                Invalid,
            ),
            (200, JSON, r#"{"success":false,"errors":[{"code":602}]}"#, Accepted),
            (200, JSON, r#"{"success":true,"errors":[{"code":"602"}]}"#, Accepted),
        ],
    );
}

#[test]
fn wechat_tells_a_replaced_token_from_an_expired_one() {
    let here = |rule: Rule, code: u32| rule.status(OK).read_success_bodies().when(json("/errcode").is(code));
    check(
        Signatures::new().rule(here(Rule::expired(), 42001)).rule(here(Rule::invalid(), 40001)),
        &[
            (200, JSON, r#"{"errcode":42001,"errmsg":"access_token expired"}"#, Expired),
            (200, JSON, r#"{"errcode":40001,"errmsg":"invalid credential"}"#, Invalid),
            (200, JSON, r#"{"errcode":0,"errmsg":"ok"}"#, Accepted),
            (200, JSON, r#"{"errcode":"42001"}"#, Accepted),
        ],
    );
}

#[test]
fn dingtalk_has_two_generations_of_answers() {
    check(
        Signatures::new()
            .rule(Rule::expired().status(BAD_REQUEST).when(json("/code").is("InvalidAuthentication")))
            .rule(Rule::expired().status(OK).read_success_bodies().when(json("/errcode").is(40014))),
        &[
            (400, JSON, r#"{"code":"InvalidAuthentication","message":"x"}"#, Expired),
            (200, JSON, r#"{"errcode":40014,"errmsg":"x"}"#, Expired),
            (400, JSON, r#"{"code":"InvalidParameter"}"#, Accepted),
            (400, JSON, r#"{"errcode":40014}"#, Accepted),
            (200, JSON, r#"{"code":"InvalidAuthentication"}"#, Accepted),
        ],
    );
}

#[test]
fn feishu_numbers_its_errors() {
    let here = |rule: Rule| rule.status(BAD_REQUEST);
    check(
        Signatures::new()
            .rule(here(Rule::expired()).when(json("/code").is(99991663)))
            .rule(here(Rule::denied()).when(json("/code").one_of([99991661, 99991672]))),
        &[
            (400, JSON, r#"{"code":99991663,"msg":"x"}"#, Expired),
            (400, JSON, r#"{"code":99991661,"msg":"x"}"#, Denied),
            (400, JSON, r#"{"code":99991672,"msg":"x"}"#, Denied),
            (400, JSON, r#"{"code":9999166,"msg":"x"}"#, Accepted),
        ],
    );
}

#[test]
fn amazon_answers_with_403_and_only_the_details_differ() {
    check(
        Signatures::new().rule(
            Rule::expired().status(FORBIDDEN).when(
                json("/errors/*").has(
                    json("/code")
                        .is("Unauthorized")
                        .and(json("/details").is("The access token you provided has expired.")),
                ),
            ),
        ),
        &[
            (
                403,
                JSON,
                r#"{"errors":[{"code":"Unauthorized","details":"The access token you provided has expired."}]}"#,
                Expired,
            ),
            (403, JSON, r#"{"errors":[{"code":"Unauthorized","details":""}]}"#, Accepted),
            (
                403,
                JSON,
                r#"{"errors":[{"code":"Unauthorized","details":""},{"code":"x","details":"The access token you provided has expired."}]}"#,
                Accepted,
            ),
        ],
    );
}

#[test]
fn zoom_reuses_its_code() {
    check(
        Signatures::new().rule(
            Rule::expired()
                .status(UNAUTHORIZED)
                .when(json("/code").is(124))
                .when(json("/message").is("Access token is expired.")),
        ),
        &[
            (401, JSON, r#"{"code":124,"message":"Access token is expired."}"#, Expired),
            (401, JSON, r#"{"code":124,"message":"Invalid access token."}"#, Accepted),
            (401, JSON, r#"{"code":200,"message":"Access token is expired."}"#, Accepted),
        ],
    );
}

#[test]
fn hubspot_has_keys_with_spaces() {
    let signatures = Signatures::new().rule(
        Rule::expired()
            .status(UNAUTHORIZED)
            .when(json("/category").is("EXPIRED_AUTHENTICATION"))
            .reason("/context/expire time/0"),
    );
    let expired =
        r#"{"category":"EXPIRED_AUTHENTICATION","context":{"expire time":["2024-01-01T00:00:00Z"]}}"#;
    assert_eq!(answered(401, JSON, expired).judged(&signatures), found(Expired, "2024-01-01T00:00:00Z"));
    check(
        signatures,
        &[(401, JSON, expired, Expired), (401, JSON, r#"{"category":"INVALID_AUTHENTICATION"}"#, Accepted)],
    );
}

#[test]
fn xero_puts_the_code_in_front_of_the_text() {
    check(
        Signatures::new()
            .rule(Rule::expired().status(UNAUTHORIZED).when(json("/Detail").starts_with("TokenExpired:"))),
        &[
            (401, JSON, r#"{"Detail":"TokenExpired: token expired at 01/01/2024 00:00:00"}"#, Expired),
            (401, JSON, r#"{"Detail":"AuthenticationUnsuccessful: not TokenExpired: x"}"#, Accepted),
            (401, JSON, r#"{"detail":"TokenExpired: x"}"#, Accepted),
        ],
    );
}

#[test]
fn quickbooks_answers_in_json_or_xml() {
    check(
        Signatures::new()
            .rule(
                Rule::expired().status(UNAUTHORIZED).when(
                    json("/fault/error/*")
                        .has(json("/code").is("3200").and(json("/detail").starts_with("Token expired:"))),
                ),
            )
            .rule(
                Rule::expired()
                    .status(UNAUTHORIZED)
                    .when(media_type("xml"))
                    .when(body().contains("code=\"3200\"").and(body().contains("Token expired:"))),
            ),
        &[
            (401, JSON, r#"{"fault":{"error":[{"code":"3200","detail":"Token expired: x"}]}}"#, Expired),
            (401, JSON, r#"{"fault":{"error":[{"code":"3200","detail":"Token revoked: x"}]}}"#, Accepted),
            (401, JSON, r#"{"fault":{"error":[{"code":3200,"detail":"Token expired: x"}]}}"#, Accepted),
            (401, XML, r#"<Error code="3200"><Detail>Token expired: x</Detail></Error>"#, Expired),
            (401, XML, r#"<Error code="3200"><Detail>Token revoked: x</Detail></Error>"#, Accepted),
            (401, JSON, r#"<Error code="3200"><Detail>Token expired: x</Detail></Error>"#, Accepted),
        ],
    );
}

#[test]
fn s3_answers_in_xml() {
    check(
        Signatures::new().rule(
            Rule::expired()
                .status(BAD_REQUEST)
                .when(media_type("xml"))
                .when(body().contains("<Code>ExpiredToken</Code>")),
        ),
        &[
            (400, XML, "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message/></Error>", Expired),
            (400, XML, "<Error><Code>InvalidToken</Code><Message>ExpiredToken</Message></Error>", Accepted),
            (400, JSON, "<Error><Code>ExpiredToken</Code></Error>", Accepted),
        ],
    );
}

#[test]
fn oauth2_servers_challenge() {
    check(
        Signatures::oauth2(),
        &[
            (401, &[("www-authenticate", r#"Bearer error="invalid_token""#)], "", Expired),
            (403, &[("www-authenticate", r#"Bearer error="insufficient_scope""#)], "", Denied),
            (400, &[("www-authenticate", r#"Bearer error="invalid_request""#)], "", Denied),
            (401, &[("www-authenticate", r#"Bearer realm="x, error=\"invalid_token\"""#)], "", Accepted),
        ],
    );
}

#[test]
fn grpc_says_it_in_the_headers_of_a_200() {
    let signatures = Signatures::new().rule(Rule::expired().status(OK).when(header("grpc-status").is("16")));
    let response = answered(200, &[("grpc-status", "16")], "");
    assert_eq!(response.screened(&signatures), Screening::Done(plain(Expired)), "its body is left alone");
    check(
        signatures,
        &[
            (200, &[("grpc-status", "16")], "", Expired),
            (200, &[("grpc-status", "7")], "", Accepted),
            (200, &[("grpc-status", "0")], "", Accepted),
            (200, &[("content-type", "application/grpc")], "", Accepted),
        ],
    );
}
