//! Rules and conditions, each beside what it is in Rust.

use http::{Response, StatusCode};

use super::*;
use crate::signature::{
    Condition, Literal, Rule, Verdict, body, challenge, header, json, media_type, trailer,
};

fn rules(text: &str) -> Signatures {
    let Declaration(Kind::Endpoint(declared)) = acme(&format!("acquire.request = 'POST /t'\n{text}")) else {
        panic!("a key: {text}")
    };
    declared.parts(Scripted::fails("unused").transport()).unwrap().signatures
}

#[track_caller]
fn assert_rules(text: &str, expected: &Signatures) {
    assert_eq!(format!("{:#?}", rules(text)), format!("{expected:#?}"), "{text}");
}

#[test]
fn every_condition_has_its_words() {
    let cases: Vec<(&str, Condition)> = vec![
        ("{ json = '/a', is = 'text' }", json("/a").is("text")),
        ("{ json = '/a', is = 602 }", json("/a").is(602)),
        ("{ json = '', is = false }", json("").is(false)),
        (
            "{ json = '/a', one_of = [1, '1', true] }",
            json("/a").one_of([Literal::from(1), Literal::from("1"), Literal::from(true)]),
        ),
        ("{ json = '/a', starts_with = 'b' }", json("/a").starts_with("b")),
        ("{ json = '/a', contains = 'b' }", json("/a").contains("b")),
        ("{ json = '/a', exists = true }", json("/a").exists()),
        ("{ json = '/a', exists = false }", json("/a").absent()),
        ("{ json = '/*', has = { json = '/b', is = 1 } }", json("/*").has(json("/b").is(1))),
        (
            "{ json = '/*', has = [{ json = '/b', is = 1 }, { json = '/c', is = 2 }] }",
            json("/*").has(json("/b").is(1).and(json("/c").is(2))),
        ),
        ("{ header = 'X-State', is = '' }", header("x-state").is("")),
        ("{ header = 'X-State', one_of = ['a', 'b'] }", header("x-state").one_of(["a", "b"])),
        ("{ header = 'X-State', starts_with = 'a' }", header("x-state").starts_with("a")),
        ("{ header = 'X-State', contains = 'a' }", header("x-state").contains("a")),
        ("{ header = 'X-State', exists = true }", header("x-state").exists()),
        ("{ header = 'X-State', exists = false }", header("x-state").absent()),
        ("{ trailer = 'Grpc-Status', is = '16' }", trailer("grpc-status").is("16")),
        ("{ trailer = 'a', one_of = ['a', 'b'] }", trailer("a").one_of(["a", "b"])),
        ("{ trailer = 'a', exists = false }", trailer("a").absent()),
        ("{ challenge = 'Bearer', exists = true }", challenge("Bearer").exists()),
        ("{ challenge = 'Bearer', exists = false }", challenge("Bearer").absent()),
        ("{ challenge = 'Bearer', param = 'error', is = 'a' }", challenge("Bearer").param("error").is("a")),
        (
            "{ challenge = 'Bearer', param = 'error', one_of = ['a'] }",
            challenge("Bearer").param("error").one_of(["a"]),
        ),
        (
            "{ challenge = 'Bearer', param = 'error', contains = 'a' }",
            challenge("Bearer").param("error").contains("a"),
        ),
        (
            "{ challenge = 'Bearer', param = 'error', exists = false }",
            challenge("Bearer").param("error").absent(),
        ),
        ("{ body = true, starts_with = 'a' }", body().starts_with("a")),
        ("{ body = true, contains = 'a' }", body().contains("a")),
        ("{ body = true, contains = 'a', ignore_case = true }", body().contains("a").ignore_case()),
        ("{ body = true, contains = 'a', ignore_case = false }", body().contains("a")),
        ("{ media_type = 'json' }", media_type("json")),
        ("[{ media_type = 'json' }, { json = '/a', is = 1 }]", media_type("json").and(json("/a").is(1))),
        (
            "{ all = [{ media_type = 'json' }, { json = '/a', is = 1 }] }",
            media_type("json").and(json("/a").is(1)),
        ),
        (
            "{ any = [{ media_type = 'xml' }, { json = '/a', is = 1 }], ignore_case = true }",
            media_type("xml").or(json("/a").is(1)).ignore_case(),
        ),
        ("{ not = { json = '/a', is = 1 } }", !json("/a").is(1)),
        (
            "{ not = { any = [{ header = 'a', exists = true }, { not = { body = true, contains = 'b' } }] } }",
            !header("a").exists().or(!body().contains("b")),
        ),
    ];
    for (text, condition) in cases {
        let text = format!("rules = [{{ verdict = 'expired', when = {text} }}]");
        assert_rules(&text, &Signatures::new().rule(Rule::expired().when(condition)));
    }
}

#[test]
fn rules_are_what_the_builder_makes_of_the_same() {
    let (unauthorized, ok) = (StatusCode::UNAUTHORIZED, StatusCode::OK);
    for (text, expected) in [
        (
            "rules = [{ verdict = 'expired', status = 401 }]",
            Signatures::new().rule(Rule::expired().status(unauthorized)),
        ),
        (
            "rules = [{ verdict = 'invalid', status = [401, 200] }, { verdict = 'denied', status = 401 }]",
            Signatures::new()
                .rule(Rule::invalid().statuses([unauthorized, ok]))
                .rule(Rule::denied().status(unauthorized)),
        ),
        (
            "[[rules]]\nverdict = 'expired'\nstatus = 401\nhead_requests_by_status = true\n\
             when = { json = '/error', is = 'token_expired' }",
            Signatures::new().rule(
                Rule::expired()
                    .status(StatusCode::UNAUTHORIZED)
                    .when(json("/error").is("token_expired"))
                    .head_requests_by_status(),
            ),
        ),
        (
            "[[rules]]\nverdict = 'expired'\nstatus = 200\nread_success_bodies = true\n\
             when = { json = '/error', is = 'token_expired' }",
            Signatures::new().rule(
                Rule::expired().status(ok).read_success_bodies().when(json("/error").is("token_expired")),
            ),
        ),
        (
            "rfc6750 = true\nrules = [{ verdict = 'denied', status = 200 }]",
            Signatures::new().rule(Rule::denied().status(ok)).then(Signatures::oauth2()),
        ),
    ] {
        assert_rules(text, &expected);
    }
    let denied = |place: &str| format!("rules = [{{ verdict = 'denied', status = 401, reason = {place} }}]");
    let rule = || Rule::denied().status(unauthorized);
    for (place, expected) in [
        ("'/message'", rule().reason("/message")),
        ("{ json = '/message' }", rule().reason("/message")),
        ("{ header = 'X-Id' }", rule().reason_from(header("x-id"))),
        ("{ trailer = 'grpc-message' }", rule().reason_from(trailer("grpc-message"))),
        ("{ body = true }", rule().reason_from(body())),
        (
            "{ challenge = 'Bearer', param = 'error_description' }",
            rule().reason_from(challenge("Bearer").param("error_description")),
        ),
    ] {
        assert_rules(&denied(place), &Signatures::new().rule(expected));
    }
    assert_rules(
        "reason = '/m'\nrules = [{ verdict = 'denied', status = 401 }, \
         { verdict = 'denied', status = 401, reason = '/n' }]",
        &Signatures::new().rule(rule().reason("/m")).rule(rule().reason("/n")),
    );
}

/// The APIs whose answers are hard to tell apart: what has expired, and what only looks like it.
#[test]
fn the_answers_of_real_apis_can_be_told_apart() {
    const JSON: &str = "application/json";
    let judged = |rules: &str, status: u16, media_type: &str, body: &str| {
        let response = Response::builder().status(status).header("content-type", media_type);
        self::rules(rules).verdict(&response.body(body.to_owned()).unwrap())
    };
    for (name, rules, status, media_type, expired, trap) in [
        (
            "Salesforce",
            "[[rules]]\nverdict = 'denied'\nstatus = 401\n\
             when.json = '/*/message'\nwhen.contains = 'not valid for use with the REST API'\n\
             [[rules]]\nverdict = 'expired'\nstatus = 401\nwhen = { json = '/*/errorCode', is = 'INVALID_SESSION_ID' }",
            401,
            JSON,
            r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#,
            r#"[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]"#,
        ),
        (
            "Meta",
            "[[rules]]\nverdict = 'expired'\nstatus = 400\n\
             when = [{ json = '/error/code', is = 190 }, { json = '/error/error_subcode', is = 463 }]",
            400,
            JSON,
            r#"{"error":{"type":"OAuthException","code":190,"error_subcode":463}}"#,
            r#"{"error":{"type":"OAuthException","code":190,"error_subcode":460}}"#,
        ),
        (
            "Marketo",
            "[[rules]]\nverdict = 'expired'\nstatus = 200\nread_success_bodies = true\n\
             when = [{ media_type = 'json' }, { json = '/errors/*/code', is = '602' }]",
            200,
            JSON,
            r#"{"success":false,"errors":[{"code":"602","message":"Access token expired"}]}"#,
            r#"{"success":false,"errors":[{"code":602}]}"#,
        ),
        (
            "Amazon",
            "[[rules]]\nverdict = 'expired'\nstatus = 403\n[rules.when]\njson = '/errors/*'\n\
             [[rules.when.has]]\njson = '/code'\nis = 'Unauthorized'\n[[rules.when.has]]\njson = '/details'\n\
             is = 'The access token you provided has expired.'",
            403,
            JSON,
            r#"{"errors":[{"code":"Unauthorized","details":"The access token you provided has expired."}]}"#,
            r#"{"errors":[{"code":"Unauthorized","details":""},{"code":"x","details":"The access token you provided has expired."}]}"#,
        ),
        (
            "S3",
            "[[rules]]\nverdict = 'expired'\nstatus = 400\n\
             when = [{ media_type = 'xml' }, { body = true, contains = '<Code>ExpiredToken</Code>' }]",
            400,
            "application/xml",
            "<Error><Code>ExpiredToken</Code></Error>",
            "<Error><Code>InvalidToken</Code></Error>",
        ),
        (
            "Zoom",
            "[[rules]]\nverdict = 'expired'\nstatus = 401\n\
             when = [{ json = '/code', is = 124 }, { json = '/message', is = 'Access token is expired.' }]",
            401,
            JSON,
            r#"{"code":124,"message":"Access token is expired."}"#,
            r#"{"code":124,"message":"Invalid access token."}"#,
        ),
    ] {
        assert_eq!(judged(rules, status, media_type, expired), Verdict::Expired, "{name}");
        assert_ne!(judged(rules, status, media_type, trap), Verdict::Expired, "{name}");
    }
}
