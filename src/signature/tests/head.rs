//! The answers to HEAD requests, which have no body.

use super::*;

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

fn judged(signatures: &Signatures, status: u16, headers: &[(&'static str, &str)]) -> Finding {
    signatures.judge_head(answered(status, headers, "").head())
}

fn verdict(rule: Rule, status: u16, headers: &[(&'static str, &str)]) -> Verdict {
    judged(&Signatures::new().rule(rule), status, headers).verdict
}

fn about_the_body() -> Condition {
    json("/error").is("expired")
}

#[test]
fn what_only_the_body_would_tell_is_told_by_nothing() {
    for condition in [
        about_the_body(),
        !about_the_body(),
        json("/error").absent(),
        json("").has(about_the_body()),
        body().contains(""),
        !body().contains("expired"),
        trailer("t").absent(),
        header("x").exists().and(about_the_body()),
    ] {
        let rule = Rule::expired().status(UNAUTHORIZED).when(condition);
        assert_eq!(verdict(rule.clone(), 401, &[("x", "")]), Verdict::Accepted, "{rule:?}");
        let by_status = rule.head_requests_by_status();
        assert_eq!(verdict(by_status.clone(), 401, &[("x", "")]), Verdict::Expired, "{by_status:?}");
    }
    let asking = Rule::from_fn(|answer| answer.body().map(|_| Verdict::Expired)).status(UNAUTHORIZED);
    assert_eq!(verdict(asking.clone(), 401, &[]), Verdict::Accepted);
    assert_eq!(verdict(asking.head_requests_by_status(), 401, &[]), Verdict::Accepted, "it says nothing");
}

#[test]
fn status_and_headers_tell_what_they_can() {
    let plain = Rule::expired().status(UNAUTHORIZED).reason("/message");
    let either = Rule::expired().status(UNAUTHORIZED).when(about_the_body().or(header("x").exists()));
    for rule in [plain.clone(), plain.head_requests_by_status(), either] {
        assert_eq!(verdict(rule, 401, &[("x", "")]), Verdict::Expired);
    }
}

#[test]
fn by_status_a_rule_still_minds_its_statuses_and_what_is_known_of_its_conditions() {
    let rule = Rule::expired()
        .statuses([UNAUTHORIZED, StatusCode::BAD_REQUEST])
        .when(header("x").is("1"))
        .when(about_the_body())
        .head_requests_by_status();
    for (status, value, expected) in [
        (401, "1", Verdict::Expired),
        (400, "1", Verdict::Expired),
        (403, "1", Verdict::Accepted),
        (404, "1", Verdict::Accepted),
        (401, "2", Verdict::Accepted),
    ] {
        assert_eq!(verdict(rule.clone(), status, &[("x", value)]), expected, "{status} {value}");
    }
    let known = [about_the_body().and(header("x").exists()), !(about_the_body().or(header("x").absent()))];
    for condition in known {
        let rule = Rule::expired().status(UNAUTHORIZED).when(condition).head_requests_by_status();
        assert_eq!(verdict(rule, 401, &[]), Verdict::Accepted, "the header refutes it");
    }
}

#[test]
fn a_success_is_no_refusal_and_without_statuses_nothing_is_judged_by_them() {
    let anywhere = Rule::expired().when(about_the_body()).read_success_bodies().head_requests_by_status();
    let in_200 = anywhere.clone().status(StatusCode::OK).status(StatusCode::FOUND);
    for status in [200, 204, 302, 401, 500] {
        assert_eq!(verdict(anywhere.clone(), status, &[]), Verdict::Accepted, "{status}");
        let expected = if status == 302 { Verdict::Expired } else { Verdict::Accepted };
        assert_eq!(verdict(in_200.clone(), status, &[]), expected, "{status}");
    }
}

#[test]
fn the_first_rule_that_can_tell_wins() {
    let rule = |rule: Rule| rule.status(UNAUTHORIZED).when(about_the_body());
    let signatures = Signatures::new()
        .rule(rule(Rule::denied()))
        .rule(rule(Rule::invalid()).head_requests_by_status())
        .rule(rule(Rule::expired()).head_requests_by_status());
    assert_eq!(judged(&signatures, 401, &[]), plain(Verdict::Invalid));
}

#[test]
fn other_answers_are_judged_as_ever() {
    let rule = Rule::expired().status(UNAUTHORIZED).when(about_the_body()).head_requests_by_status();
    let signatures = Signatures::new().rule(rule);
    let response = answered(401, &[], r#"{"error":"locked"}"#);
    assert_eq!(response.screened(&signatures), Screening::NeedsBody);
    assert_eq!(response.verdict(&signatures), Verdict::Accepted);
    assert_eq!(answered(401, &[], "").verdict(&signatures), Verdict::Accepted);
    assert_eq!(signatures.judge(response.head(), None), Finding::default(), "encoded, say");
    assert_eq!(answered(401, &[], r#"{"error":"expired"}"#).verdict(&signatures), Verdict::Expired);
}

#[test]
fn a_recorded_answer_to_a_head_is_judged_as_the_layer_judges_it() {
    let recorded =
        |status: u16| http::Response::builder().status(status).header("x", "1").body("{}").unwrap();
    for (rule, head, other) in [
        (Rule::expired().status(UNAUTHORIZED), Verdict::Expired, Verdict::Expired),
        (Rule::expired().status(UNAUTHORIZED).when(about_the_body()), Verdict::Accepted, Verdict::Accepted),
        (Rule::expired().status(UNAUTHORIZED).when(!about_the_body()), Verdict::Accepted, Verdict::Expired),
        (
            Rule::invalid().status(UNAUTHORIZED).when(about_the_body()).head_requests_by_status(),
            Verdict::Invalid,
            Verdict::Accepted,
        ),
        (Rule::denied().status(UNAUTHORIZED).when(header("x").is("1")), Verdict::Denied, Verdict::Denied),
    ] {
        let signatures = Signatures::new().rule(rule.clone());
        assert_eq!(signatures.verdict_of_head(&recorded(401)), head, "{rule:?}");
        assert_eq!(signatures.verdict(&recorded(401)), other, "{rule:?}");
        assert_eq!(signatures.verdict_of_head(&recorded(403)), Verdict::Accepted, "{rule:?}");
    }
}
