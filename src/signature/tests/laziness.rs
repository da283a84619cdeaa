//! When the body is read, and what holds without it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

fn accepted() -> Screening {
    Screening::Done(Finding::default())
}

fn expired() -> Screening {
    Screening::Done(plain(Verdict::Expired))
}

fn about_the_body() -> Condition {
    json("/error").is("expired")
}

#[test]
fn without_rules_everything_is_accepted() {
    for status in [200, 204, 301, 400, 401, 403, 500, 999] {
        let response = answered(status, &[("www-authenticate", "Bearer error=\"invalid_token\"")], "{}");
        assert_eq!(response.screened(&Signatures::default()), accepted());
        assert_eq!(Signatures::new().judge(response.head(), Some(b"{}")), Finding::default());
    }
}

#[test]
fn the_first_match_wins() {
    let body = r#"{"message":"jwt malformed"}"#;
    let broad = Rule::expired().status(StatusCode::UNAUTHORIZED);
    let exception =
        Rule::denied().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt malformed"));
    let signatures = Signatures::new().rule(exception.clone()).rule(broad.clone());
    assert_eq!(answered(401, &[], body).verdict(&signatures), Verdict::Denied);
    assert_eq!(answered(401, &[], "{}").verdict(&signatures), Verdict::Expired);

    let shadowed = Signatures::new().rule(broad).rule(exception);
    assert_eq!(answered(401, &[], body).screened(&shadowed), expired(), "it never comes to the second rule");
}

#[test]
fn a_rule_that_its_head_refutes_wants_no_body() {
    let rule = Rule::expired()
        .statuses([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN])
        .when(media_type("json"))
        .when(about_the_body());
    let signatures = Signatures::new().rule(rule);
    let json_type = &[("content-type", "application/json")][..];
    assert_eq!(answered(400, json_type, "").screened(&signatures), accepted());
    assert_eq!(answered(401, &[("content-type", "text/html")], "").screened(&signatures), accepted());
    assert_eq!(answered(401, json_type, "").screened(&signatures), Screening::NeedsBody);
    assert_eq!(answered(403, json_type, "").screened(&signatures), Screening::NeedsBody);
}

#[test]
fn a_condition_that_its_head_decides_wants_no_body() {
    let flagged = || header("x-expired").exists();
    let headers = &[("x-expired", "1")][..];
    for (condition, with, without) in [
        (about_the_body().or(flagged()), expired(), Screening::NeedsBody),
        (about_the_body().and(flagged()), Screening::NeedsBody, accepted()),
        (!(about_the_body().or(flagged())), accepted(), Screening::NeedsBody),
        (!(about_the_body().and(flagged())), Screening::NeedsBody, expired()),
        (flagged().and(!flagged()).or(about_the_body().and(!flagged())), accepted(), Screening::NeedsBody),
    ] {
        let signatures = only(condition);
        assert_eq!(answered(401, headers, "").screened(&signatures), with, "{signatures:?}");
        assert_eq!(answered(401, &[], "").screened(&signatures), without, "{signatures:?}");
    }
}

#[test]
fn without_its_body_rules_about_it_do_not_match_but_later_ones_may() {
    let signatures = Signatures::new()
        .rule(Rule::denied().status(StatusCode::UNAUTHORIZED).when(about_the_body()))
        .rule(Rule::denied().status(StatusCode::UNAUTHORIZED).when(!about_the_body()))
        .rule(Rule::denied().status(StatusCode::UNAUTHORIZED).when(body().contains("")))
        .rule(Rule::invalid().status(StatusCode::UNAUTHORIZED).when(header("x").exists()).reason("/why"));
    let response = answered(401, &[("x", "")], r#"{"why":"because"}"#);
    assert_eq!(response.screened(&signatures), Screening::NeedsBody);
    assert_eq!(signatures.judge(response.head(), None), plain(Verdict::Invalid));
    assert_eq!(signatures.judge(answered(401, &[], "").head(), None), Finding::default());
}

#[test]
fn bodies_of_2xx_answers_are_read_only_for_rules_that_ask() {
    let body = r#"{"error":"expired"}"#;
    for status in [200, 201, 204, 299] {
        let rule =
            |verdict: Rule| verdict.status(StatusCode::from_u16(status).expect("2xx")).when(about_the_body());
        let silent = Signatures::new().rule(rule(Rule::denied())).rule(
            Rule::from_fn(|answer| answer.body().map(|_| Verdict::Denied))
                .status(StatusCode::from_u16(status).expect("2xx")),
        );
        let response = answered(status, &[], body);
        assert_eq!(response.screened(&silent), accepted());
        assert_eq!(silent.judge(response.head(), Some(body.as_bytes())), Finding::default());

        // Reading it for one rule doesn't show it to the others.
        let both = silent.clone().rule(rule(Rule::expired()).read_success_bodies());
        assert_eq!(response.screened(&both), Screening::NeedsBody);
        assert_eq!(response.verdict(&both), Verdict::Expired);
    }
    let anywhere = Signatures::new().rule(Rule::expired().when(about_the_body()));
    assert_eq!(answered(200, &[], body).screened(&anywhere), accepted());
    assert_eq!(answered(302, &[], body).screened(&anywhere), Screening::NeedsBody);
    assert_eq!(answered(500, &[], body).verdict(&anywhere), Verdict::Expired);
}

#[test]
fn a_rule_that_asks_for_nothing_matches_nothing() {
    for rule in [Rule::expired(), Rule::expired().read_success_bodies(), Rule::expired().statuses([])] {
        let signatures = Signatures::new().rule(rule.reason("/x"));
        for status in [200, 401] {
            assert_eq!(answered(status, &[], "{}").screened(&signatures), accepted());
            assert_eq!(signatures.judge(answered(status, &[], "{}").head(), Some(b"{}")), Finding::default());
        }
    }
    let beside =
        Signatures::new().rule(Rule::expired()).rule(Rule::denied().status(StatusCode::UNAUTHORIZED));
    assert_eq!(answered(401, &[], "").verdict(&beside), Verdict::Denied);
    let never = Signatures::new().rule(Rule::expired().statuses([]).when(header("x").absent()));
    assert_eq!(answered(401, &[], "").screened(&never), accepted());
}

#[test]
fn a_reason_makes_a_matching_answers_body_be_read() {
    let rule = || Rule::expired().status(StatusCode::UNAUTHORIZED).when(header("x").exists());
    let listed = Signatures::new().rule(rule()).reason("/incidentId");
    let own = Signatures::new().rule(rule().reason("/message")).reason("/incidentId");
    let elsewhere = Signatures::new().rule(rule().reason_from(header("x"))).reason("/incidentId");
    let response = answered(401, &[("x", "y\u{9}z")], r#"{"incidentId":17,"message":"it\u0000 is over"}"#);
    assert_eq!(response.screened(&listed), Screening::NeedsBody);
    assert_eq!(response.judged(&listed), found(Verdict::Expired, "17"));
    assert_eq!(response.judged(&own), found(Verdict::Expired, "it is over"));
    assert_eq!(response.screened(&elsewhere), Screening::Done(found(Verdict::Expired, "yz")));
    assert_eq!(listed.judge(response.head(), Some(b"<html>")), plain(Verdict::Expired));
    assert_eq!(answered(401, &[], "").screened(&listed), accepted(), "nothing matches, nothing is read");

    let everywhere = Signatures::new().rule(Rule::expired().when(header("x").exists())).reason("/message");
    let fine = answered(200, &[("x", "")], r#"{"message":"m"}"#);
    assert_eq!(fine.screened(&everywhere), expired(), "a 2xx body isn't read for a reason either");
}

#[test]
fn a_joined_list_brings_its_reason_along() {
    let rule = |status| Rule::denied().status(status);
    let joined = Signatures::new()
        .rule(rule(StatusCode::UNAUTHORIZED))
        .reason("/a")
        .then(Signatures::new().rule(rule(StatusCode::FORBIDDEN)).reason("/b"))
        .then(Signatures::new().rule(rule(StatusCode::CONFLICT)));
    for (status, reason) in [(401, "A"), (403, "B"), (409, "A")] {
        let response = answered(status, &[], r#"{"a":"A","b":"B"}"#);
        assert_eq!(response.judged(&joined), found(Verdict::Denied, reason));
    }
}

#[test]
fn a_function_sees_the_body_only_if_it_asks() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let signatures = Signatures::from_fn(move |answer| {
        counter.fetch_add(1, Ordering::Relaxed);
        if answer.headers().contains_key("x-fine") {
            return None;
        }
        if answer.status() == StatusCode::FORBIDDEN {
            return Some(Verdict::Denied);
        }
        (answer.body()? == b"expired").then_some(Verdict::Expired)
    });
    let response = answered(401, &[], "expired");
    assert_eq!(response.screened(&signatures), Screening::NeedsBody);
    assert_eq!(response.verdict(&signatures), Verdict::Expired);
    assert_eq!(signatures.judge(response.head(), None), Finding::default());
    assert_eq!(answered(401, &[], "other").verdict(&signatures), Verdict::Accepted);
    assert_eq!(answered(403, &[], "").screened(&signatures), Screening::Done(plain(Verdict::Denied)));
    assert_eq!(answered(401, &[("x-fine", "")], "expired").screened(&signatures), accepted());
    assert_eq!(answered(200, &[], "expired").screened(&signatures), accepted());

    calls.store(0, Ordering::Relaxed);
    let bound = Signatures::new().rule(
        Rule::from_fn({
            let calls = calls.clone();
            move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
                Some(Verdict::Invalid)
            }
        })
        .status(StatusCode::UNAUTHORIZED)
        .when(header("x").exists())
        .reason("/why"),
    );
    assert_eq!(answered(403, &[("x", "")], "").screened(&bound), accepted());
    assert_eq!(answered(401, &[], "").screened(&bound), accepted());
    assert_eq!(calls.load(Ordering::Relaxed), 0, "status and conditions keep it from being called");
    assert_eq!(answered(401, &[("x", "")], r#"{"why":"w"}"#).judged(&bound), found(Verdict::Invalid, "w"));
}

#[test]
fn a_function_that_leaves_an_answer_to_others_costs_no_reason() {
    let signatures = Signatures::from_fn(|_| None).reason("/message");
    assert_eq!(answered(401, &[], "{}").screened(&signatures), accepted());
}

#[test]
fn changing_a_clone_leaves_the_original_alone() {
    let original = Signatures::new();
    let changed = original.clone().bare_401();
    let response = answered(401, &[], "");
    assert_eq!(response.screened(&original), accepted());
    assert_eq!(response.screened(&changed), expired());
}
