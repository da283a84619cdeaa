//! Trailers: what can be said of them, and when.

use super::*;

const GRPC: &[(&str, &str)] = &[("content-type", "application/grpc+proto")];

fn fields(fields: &[(&'static str, &str)]) -> HeaderMap {
    answered(200, fields, "").headers
}

/// The verdict on a response that is handed out first; nothing if its trailers aren't awaited.
fn late(signatures: &Signatures, response: &Answered, trailers: &[(&'static str, &str)]) -> Option<Finding> {
    assert_eq!(response.screened(signatures), Screening::Done(Finding::default()), "it isn't held up");
    let head = response.head();
    signatures.awaits_trailers(head).then(|| signatures.judge_trailers(head, &fields(trailers)))
}

#[test]
fn of_grpc_status_16_is_an_expired_token_in_the_headers_and_in_the_trailers() {
    let grpc = Signatures::grpc();
    let status =
        |code: &'static str| [GRPC, &[("grpc-status", code), ("grpc-message", "token expired")]].concat();
    assert_eq!(answered(200, &status("16"), "").judged(&grpc), found(Verdict::Expired, "token expired"));
    for other in ["0", "7", "1", "6", "160", "016"] {
        assert_eq!(answered(200, &status(other), "").judged(&grpc), Finding::default(), "{other}");
        let trailers = [("grpc-status", other)];
        assert_eq!(late(&grpc, &answered(200, GRPC, ""), &trailers), Some(Finding::default()), "{other}");
    }
    let trailers = [("grpc-status", "16"), ("grpc-message", "token expired")];
    for media_type in ["application/grpc", "application/grpc+proto", "Application/GRPC-web"] {
        let response = answered(200, &[("content-type", media_type)], "");
        assert_eq!(late(&grpc, &response, &trailers), Some(found(Verdict::Expired, "token expired")));
    }
    for other in [answered(200, &[("content-type", "application/json")], ""), answered(401, GRPC, "")] {
        assert_eq!(late(&grpc, &other, &trailers), None);
    }
}

#[test]
fn a_grpc_message_is_seen_decoded() {
    let said =
        [("grpc-status", "16"), ("grpc-message", "the%20token%0A has%20%E2%80%9Cexpired%E2%80%9D 100%")];
    let reason = "the token has “expired” 100%";
    let in_headers = answered(200, &[GRPC, &said].concat(), "");
    assert_eq!(in_headers.judged(&Signatures::grpc()), found(Verdict::Expired, reason));
    let in_trailers = late(&Signatures::grpc(), &answered(200, GRPC, ""), &said);
    assert_eq!(in_trailers, Some(found(Verdict::Expired, reason)));
    assert!(holds_for(header("grpc-message").contains("token\n has “expired”"), &said));
    assert!(holds_for(header("x").is("the%20token"), &[("x", "the%20token")]), "other fields are not");
}

#[test]
fn trailers_are_awaited_only_where_the_rest_fits() {
    let flag = || trailer("x-flag").is("1");
    for (condition, waits, without) in [
        (flag(), true, true),
        (!flag(), true, true),
        (flag().and(header("x").exists()), true, false),
        (flag().and(json("/a").is(1)), true, true),
        (header("y").exists(), false, false),
        (json("/a").is(1), false, false),
    ] {
        let signatures = Signatures::new().rule(Rule::expired().status(StatusCode::OK).when(condition));
        for (headers, expected) in [(&[("x", "")][..], waits), (&[], without)] {
            let response = answered(200, headers, "");
            assert_eq!(signatures.awaits_trailers(response.head()), expected, "{signatures:?} {headers:?}");
        }
        assert!(!signatures.awaits_trailers(answered(201, &[("x", "")], "").head()));
    }
    let joined = Signatures::oauth2().then(Signatures::grpc());
    assert!(joined.awaits_trailers(answered(200, GRPC, "").head()));
}

#[test]
fn with_the_trailers_conditions_on_headers_count_and_those_on_the_body_are_unknown() {
    let both = |other: Condition| {
        Signatures::new().rule(Rule::expired().status(StatusCode::OK).when(trailer("t").exists()).when(other))
    };
    let response = answered(200, &[("x", "1")], r#"{"a":1}"#);
    let verdict = |signatures| late(&signatures, &response, &[("t", "")]).map(|finding| finding.verdict);
    assert_eq!(verdict(both(header("x").is("1"))), Some(Verdict::Expired));
    assert_eq!(verdict(both(header("t").exists().or(header("x").is("1")))), Some(Verdict::Expired));
    assert_eq!(verdict(both(json("/a").is(1))), Some(Verdict::Accepted));
    assert_eq!(verdict(both(!json("/a").is(1))), Some(Verdict::Accepted));
    let exception = Signatures::new()
        .rule(Rule::denied().status(StatusCode::OK).when(trailer("t").one_of(["locked", "gone"])))
        .then(
            Signatures::new().rule(Rule::invalid().status(StatusCode::OK).when(trailer("t").contains("o"))),
        );
    for (value, verdict) in [("locked", Verdict::Denied), ("mold", Verdict::Invalid), ("", Verdict::Accepted)]
    {
        let finding = late(&exception, &response, &[("t", value)]);
        assert_eq!(finding.map(|finding| finding.verdict), Some(verdict));
    }
}

#[test]
fn a_rule_that_reads_bodies_waits_for_the_trailers_too() {
    let rule = || Rule::expired().status(StatusCode::OK).when(trailer("grpc-status").is("16"));
    let signatures = Signatures::new().rule(rule().read_success_bodies());
    let response = answered(200, GRPC, "");
    assert_eq!(response.screened(&signatures), Screening::NeedsBody);
    let trailers = fields(&[("grpc-status", "16")]);
    assert_eq!(signatures.judge_whole(response.head(), b"", Some(&trailers)), plain(Verdict::Expired));
    assert_eq!(signatures.judge_whole(response.head(), b"", None), Finding::default());
    // When they are there for one rule, the others may see them; the body they may not.
    let other = Signatures::new()
        .rule(Rule::invalid().status(StatusCode::OK).when(body().contains("")))
        .rule(rule())
        .rule(Rule::denied().status(StatusCode::OK).read_success_bodies().when(json("/a").is(1)));
    assert_eq!(response.screened(&other), Screening::NeedsBody);
    assert_eq!(other.judge_whole(response.head(), b"{}", Some(&trailers)), plain(Verdict::Expired));
    // An answer without 2xx is read for any rule.
    let refused = Signatures::new().rule(Rule::expired().when(trailer("grpc-status").is("16")));
    assert_eq!(answered(401, &[], "").screened(&refused), Screening::NeedsBody);
}

#[test]
fn without_trailers_neither_a_condition_on_them_nor_its_negation_holds() {
    for condition in [trailer("t").exists(), trailer("t").absent(), !trailer("t").is("1")] {
        let signatures = Signatures::new().rule(Rule::expired().read_success_bodies().when(condition));
        assert_eq!(answered(200, &[], "").verdict(&signatures), Verdict::Accepted);
    }
    let some = Signatures::new().rule(Rule::expired().status(StatusCode::OK).when(trailer("t").absent()));
    assert_eq!(late(&some, &answered(200, &[], ""), &[("u", "")]), Some(plain(Verdict::Expired)));
}
