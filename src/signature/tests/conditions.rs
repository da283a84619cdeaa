//! What conditions mean.

use super::*;

#[test]
fn equality_minds_the_type() {
    for (literal, json_text, expected) in [
        (Literal::from(602), "602", true),
        (Literal::from(602), "602.0", true),
        (Literal::from(602), "6.02e2", true),
        (Literal::from(602), "602.5", false),
        (Literal::from(602), r#""602""#, false),
        (Literal::from("602"), "602", false),
        (Literal::from("602"), r#""602""#, true),
        (Literal::from(u64::MAX), "18446744073709551615", true),
        (Literal::from(u64::MAX), "18446744073709551616", false),
        (Literal::from(i64::MIN), "-9223372036854775808", true),
        (Literal::from(true), "true", true),
        (Literal::from(true), r#""true""#, false),
        (Literal::from(true), "1", false),
        (Literal::from(false), "null", false),
        (Literal::null(), "null", true),
        (Literal::null(), "false", false),
        (Literal::from(""), "null", false),
        (Literal::from(1), "[1]", false),
        (Literal::from(1), r#"{"a":1}"#, false),
    ] {
        assert_eq!(
            holds(json("/a").is(literal.clone()), format!(r#"{{"a":{json_text}}}"#)),
            expected,
            "{literal:?} {json_text}"
        );
    }
}

#[test]
fn text_is_compared_as_asked() {
    let body = r#"{"a":"Token Expired: at 12"}"#;
    for (condition, expected) in [
        (json("/a").is("Token Expired: at 12"), true),
        (json("/a").is("Token Expired"), false),
        (json("/a").starts_with("Token Expired:"), true),
        (json("/a").starts_with("token"), false),
        (json("/a").starts_with("token expired").ignore_case(), true),
        (json("/a").starts_with("Token Expired: at 12 and more").ignore_case(), false),
        (json("/a").contains("Expired"), true),
        (json("/a").contains("EXPIRED"), false),
        (json("/a").contains("EXPIRED").ignore_case(), true),
        (json("/a").is("TOKEN expired: AT 12").ignore_case(), true),
        (json("/a").one_of(["x", "Token Expired: at 12"]), true),
        (json("/a").one_of(["x", "y"]), false),
        (json("/a").one_of(Vec::<&str>::new()), false),
        (body_contains(r#""a":"Token"#), true),
        (body_contains("token"), false),
        (body_contains("token").ignore_case(), true),
        (json("/b").is("x").or(json("/a").contains("EXPIRED")).ignore_case(), true),
        ((!json("/a").contains("EXPIRED")).ignore_case(), false),
        (json("").has(json("/a").contains("EXPIRED")).ignore_case(), true),
    ] {
        assert_eq!(holds(condition.clone(), body), expected, "{condition:?}");
    }
}

fn body_contains(part: &str) -> Condition {
    body().contains(part)
}

#[test]
fn a_value_that_is_null_is_there() {
    assert!(holds(json("/a").exists(), r#"{"a":null}"#));
    assert!(!holds(json("/a").absent(), r#"{"a":null}"#));
    assert!(holds(json("/b").absent(), r#"{"a":null}"#));
    assert!(!holds(json("/a/*").exists(), r#"{"a":[]}"#));
}

#[test]
fn any_element_will_do_and_has_keeps_to_one() {
    let errors = r#"{"errors":[{"code":"Unauthorized","details":""},{"code":"Other","details":"expired"}]}"#;
    let code = || json("/errors/*/code").is("Unauthorized");
    assert!(holds(code(), errors));
    assert!(holds(json("/errors/1/code").is("Other"), errors));
    assert!(!holds(json("/errors/1/code").is("Unauthorized"), errors));
    assert!(holds(code().and(json("/errors/*/details").is("expired")), errors), "two elements");

    let same = |code: &str| json("/errors/*").has(json("/code").is(code).and(json("/details").is("expired")));
    assert!(!holds(same("Unauthorized"), errors));
    assert!(holds(same("Other"), errors));
    assert!(holds(!same("Unauthorized"), errors));
}

#[test]
fn conditions_combine() {
    let yes = || json("/a").is(1);
    let no = || json("/a").is(2);
    for (condition, expected) in [
        (yes().and(yes()), true),
        (yes().and(no()), false),
        (no().or(yes()), true),
        (no().or(no()), false),
        (!no(), true),
        (!yes(), false),
        (no().and(no()).or(yes()), true),
        (yes().or(yes()).and(no()), false),
        (!(no().or(no())), true),
        (!yes().and(yes()), false),
    ] {
        assert_eq!(holds(condition.clone(), r#"{"a":1}"#), expected, "{condition:?}");
    }
}

#[test]
fn of_a_body_that_is_not_json_nothing_is_known() {
    let condition = || json("/error").is("expired");
    let abyss = "[".repeat(16 * 1024);
    for body in [
        &b""[..],
        b"expired",
        br#"{"error":"expired""#,
        br#"{"error":"expired"} trailing"#,
        br#"{"error":"expired"}{"error":"expired"}"#,
        br#"{'error':'expired'}"#,
        abyss.as_bytes(),
    ] {
        assert!(!holds(condition(), body), "{}", body.escape_ascii());
        assert!(!holds(!condition(), body), "nor does its negation: {}", body.escape_ascii());
        assert!(!holds(json("/error").absent(), body), "{}", body.escape_ascii());
        assert!(!holds(json("").has(condition()), body), "{}", body.escape_ascii());
        assert!(holds(condition().or(!header("x").exists()), body), "what is known still decides");
    }
}

#[test]
fn something_odd_beside_it_hides_nothing() {
    let deep = format!(r#"{{"error":"expired","deep":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let utf_16: Vec<u8> = r#"{"error":"expired"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        &b"{\"error\":\"expired\",\"who\":\"Andr\xe9\"}"[..],
        b"{\"error\":\"expired\",\"detail\":\"one line\nand another\"}",
        b"{\"error\":\"expired\"}\0",
        br#"{"error":"expired","x":"\ud800"}"#,
        br#"{"error":"expired","x":1e999}"#,
        br#"{"error":"expired","x":NaN}"#,
        deep.as_bytes(),
        &utf_16,
    ] {
        assert!(holds(json("/error").is("expired"), body), "{}", body.escape_ascii());
        assert!(holds(json("").has(json("/error").is("expired")), body), "{}", body.escape_ascii());
        assert!(!holds(!json("/error").is("expired"), body), "{}", body.escape_ascii());
        assert!(holds(super::super::body().contains("expired"), body), "{}", body.escape_ascii());
    }
}

#[test]
fn utf8_is_read_whatever_the_header_says_with_and_without_a_byte_order_mark() {
    let condition = || json("/é").is("ü");
    assert!(holds(condition(), r#"{"é":"ü"}"#));
    assert!(holds(condition(), "\u{feff} {\"é\":\"\\u00fc\"}\r\n"));
    for content_type in [
        "application/json",
        "application/json; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "text/plain; Charset=us-ascii",
        // The framework's default, and not the body's.
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/json; profile=x; charset=\"shift_jis\"",
        "application/json; charset=",
        "text/html; é",
    ] {
        let response = answered(401, &[("content-type", content_type)], r#"{"é":"ü"}"#);
        assert_eq!(response.verdict(&only(condition())), Verdict::Expired, "{content_type}");
        assert_eq!(response.verdict(&only(body().contains("ü"))), Verdict::Expired, "{content_type}");
        let direct = only(condition()).judge(response.head(), Some(&response.body));
        assert_eq!(direct.verdict, Verdict::Expired, "{content_type}");
    }
}

#[test]
fn nesting_has_no_limit_and_takes_no_stack() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(holds(json("").exists(), nested(100_000)));
    assert!(holds(json("/0/0/*").exists(), nested(100_000)));
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    assert!(holds(json("/a").is(2), r#"{"a":1,"a":2}"#));
    assert!(!holds(json("/a").is(1), r#"{"a":1,"a":2}"#));
}

#[test]
fn the_signatures_text_elsewhere_does_not_match() {
    let condition = || json("/message").is("jwt expired");
    for body in [
        r#"{"data":{"message":"jwt expired"}}"#,
        r#"{"Message":"jwt expired"}"#,
        r#"{"message":"the jwt expired"}"#,
        r#"{"message":["jwt expired"]}"#,
        r#"[{"message":"jwt expired"}]"#,
        r#"{"x":"\"message\":\"jwt expired\""}"#,
        r#""jwt expired""#,
    ] {
        assert!(!holds(condition(), body), "{body}");
    }
}

#[test]
fn any_line_of_a_header_will_do() {
    let lines = &[("x-state", "fresh"), ("x-state", "Token Expired"), ("x-latin", "é")][..];
    for (condition, expected) in [
        (header("X-State").exists(), true),
        (header("x-state").absent(), false),
        (header("x-other").exists(), false),
        (header("x-other").absent(), true),
        (header("x-state").is("Token Expired"), true),
        (header("x-state").is("token expired"), false),
        (header("x-state").is("token expired").ignore_case(), true),
        (header("x-state").starts_with("Token"), true),
        (header("x-state").contains("Exp"), true),
        (header("x-state").one_of(["a", "fresh"]), true),
        (header("x-state").is("fresh, Token Expired"), false),
        (header("x-latin").is("é"), true),
        (header(HeaderName::from_static("x-state")).is("stale"), false),
    ] {
        assert_eq!(holds_for(condition.clone(), lines), expected, "{condition:?}");
    }
}

#[test]
fn a_header_that_is_not_text_is_still_there() {
    let mut response = answered(401, &[], "");
    response.headers.insert("x", HeaderValue::from_bytes(b"a\xff").expect("opaque"));
    assert_eq!(response.verdict(&only(header("x").exists())), Verdict::Expired);
    assert_eq!(response.verdict(&only(header("x").starts_with("a"))), Verdict::Expired);
    assert_eq!(response.verdict(&only(header("x").is("a"))), Verdict::Accepted);
}

#[test]
fn a_format_is_also_a_suffix_and_a_full_type_is_not() {
    for (asked, content_type, expected) in [
        ("application/json", "application/json", true),
        ("application/json", "Application/JSON ; charset=utf-8", true),
        ("application/json", "application/problem+json", false),
        ("application/json", "text/json", false),
        ("application/problem+json", "application/problem+json", true),
        ("json", "application/json", true),
        ("json", "text/json", true),
        ("JSON", "application/problem+json; charset=utf-8", true),
        ("json", "application/vnd.api+JSON", true),
        ("json", "application/jsonl", false),
        ("json", "application/x-json", false),
        ("json", "json", false),
        ("json", "text/html; x=application/json", false),
        ("xml", "application/soap+xml", true),
    ] {
        assert_eq!(
            holds_for(media_type(asked), &[("content-type", content_type)]),
            expected,
            "{asked} {content_type}"
        );
    }
    assert!(!holds_for(media_type("json"), &[]));
    assert!(holds_for(!media_type("json"), &[]));
}

#[test]
fn challenges_are_found_among_others() {
    let lines = &[
        ("www-authenticate", r#"Negotiate YWJj==, DPoP error="use_dpop_nonce""#),
        (
            "www-authenticate",
            r#"bearer realm="a, Basic error=x",ERROR="invalid_token",error_description="it \"expired\"""#,
        ),
    ][..];
    for (condition, expected) in [
        (challenge("Bearer").exists(), true),
        (challenge("Basic").exists(), false),
        (challenge("Basic").absent(), true),
        (challenge("Bearer").param("error").is("invalid_token"), true),
        (challenge("BEARER").param("Error").one_of(["x", "invalid_token"]), true),
        (challenge("Bearer").param("error").is("INVALID_TOKEN"), false),
        (challenge("DPoP").param("error").is("invalid_token"), false),
        (challenge("Bearer").param("error").is("use_dpop_nonce"), false),
        (challenge("Bearer").param("error_description").is("it \"expired\""), true),
        (challenge("Bearer").param("error_description").starts_with("it"), true),
        (challenge("Bearer").param("error_description").contains("EXPIRED").ignore_case(), true),
        (challenge("Bearer").param("scope").exists(), false),
        (challenge("Bearer").param("scope").absent(), true),
    ] {
        assert_eq!(holds_for(condition.clone(), lines), expected, "{condition:?}");
    }
    assert!(!holds_for(
        challenge("Bearer").exists(),
        &[("proxy-authenticate", "Bearer error=\"invalid_token\"")]
    ));
}

#[test]
#[should_panic(expected = "is no JSON pointer")]
fn a_pointer_without_its_slash_is_a_mistake_in_the_program() {
    let _ = json("message");
}

#[test]
#[should_panic(expected = "no header name")]
fn a_header_that_cannot_be_is_a_mistake_in_the_program() {
    let _ = header("x y");
}
