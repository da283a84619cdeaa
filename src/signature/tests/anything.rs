//! Whatever a server answers, in whichever charset: there is a verdict, and a reason that a terminal or a log can bear.

use std::cell::RefCell;

use http::Response;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use super::*;

/// Text that nobody would want in a log, and any other.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\u{0}-\u{20}\u{7f}-\u{9f}\u{ad}\u{e9}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}a\"\\\\😀]{0,40}",
        (250..300_usize).prop_map(|length| "é".repeat(length) + "\u{1b}[31m"),
    ]
}

/// A value as JSON has it, or as somebody writes it who builds JSON by hand.
fn value() -> BoxedStrategy<String> {
    let odd =
        [r#""\ud800\u202e\u001b""#, r#""\x41""#, "1e999", "-0.0", "NaN", "null", "true", "[[1,],]", "007"];
    prop_oneof![
        words().prop_map(|text| serde_json::to_string(&text).expect("written")),
        words().prop_map(|text| format!("\"{text}\"")),
        (1..400_usize).prop_map(|length| "7".repeat(length)),
        select(odd.to_vec()).prop_map(str::to_owned),
    ]
    .boxed()
}

/// Some members, and a message.
fn object(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let names = ["message", "code", "error", "errors", "errors", "", "\\u0061"];
    let member = (select(names.to_vec()), value.clone());
    let members = vec(member.prop_map(|(name, value)| format!("\"{name}\":{value},")), 0..4);
    let written =
        |(members, message): (Vec<_>, String)| format!("{{{}\"message\":{message}}}", members.concat());
    (members, value).prop_map(written).boxed()
}

fn list(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    vec(value, 0..4).prop_map(|values| format!("[{}]", values.join(","))).boxed()
}

fn document() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => object(value()),
        1 => object(list(object(value()))),
        1 => list(object(value())),
        1 => value(),
    ]
}

type Encode = fn(&str) -> Vec<u8>;

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

const CHARSETS: [(&str, Encode); 7] = [
    ("utf-8", |text| text.into()),
    ("utf-8 with a mark", |text| format!("\u{feff}{text}").into()),
    ("utf-16le", |text| utf_16(text, u16::to_le_bytes)),
    ("utf-16be", |text| utf_16(text, u16::to_be_bytes)),
    ("utf-16le with a mark", |text| utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
    ("utf-16be with a mark", |text| utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes)),
    ("latin-1", |text| text.chars().map(|char| u8::try_from(char).unwrap_or(b'?')).collect()),
];

/// What a document may break off with.
const ENDS: [&str; 5] = ["", "\\", "\"\\", "{\"message\":", "[\""];

/// A body, and the charset that it is in, if it is a whole document.
fn any_body() -> impl Strategy<Value = (Vec<u8>, Option<&'static str>)> {
    let encoded = || (document(), select(CHARSETS.to_vec()));
    prop_oneof![
        12 => encoded().prop_map(|(text, (charset, encode))| (encode(&text), Some(charset))),
        2 => (encoded(), any::<Index>(), any::<u8>()).prop_map(|((text, (_, encode)), at, byte)| {
            let mut bytes = encode(&text);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            (bytes, None)
        }),
        2 => (encoded(), any::<Index>(), select(ENDS.to_vec())).prop_map(|((text, (_, encode)), at, end)| {
            let kept = text.chars().take(at.index(text.len())).chain(end.chars());
            (encode(&kept.collect::<String>()), None)
        }),
        1 => vec(any::<u8>(), 0..200).prop_map(|bytes| (bytes, None)),
    ]
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let types = [
        "application/json",
        "application/problem+json; charset=iso-8859-1",
        "text/plain;charset=\"windows-1252\"",
        "application/xml; charset=utf-16",
        "json; =; charset",
        "",
    ];
    let challenge = prop_oneof![
        "Bearer error=\"([ -~é]|\\\\.){0,40}\", error_description=\"([ -~é\t]|\\\\.){0,60}\"",
        "[ -~\t\u{80}-\u{9f}]{0,80}",
    ];
    let message = "(%[0-9a-fA-F]{2}|%e2%80%ae|[ -~\t]){0,60}";
    (select(types.to_vec()), challenge, message, "[ -~\t\u{80}-\u{9f}]{0,80}").prop_map(
        |(media_type, challenge, message, other)| {
            let fields = [
                ("content-type", media_type),
                ("www-authenticate", &challenge),
                ("grpc-message", &message),
                ("x", &other),
            ];
            fields
                .into_iter()
                .filter_map(|(name, value)| {
                    Some((HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).ok()?))
                })
                .collect()
        },
    )
}

fn conditions() -> Vec<Condition> {
    let error = || challenge("Bearer").param("error");
    vec![
        header("x").contains("a"),
        !header("x").is("").ignore_case(),
        trailer("grpc-message").exists(),
        error().one_of(["invalid_token", ""]),
        challenge("Bearer").exists().and(error().starts_with("i").ignore_case()),
        media_type("json"),
        json("/message").exists(),
        json("/errors/*").has(json("/code").is(602).or(json("/message").contains("é").ignore_case())),
        json("/errors/0/message").absent(),
        json("").is(Literal::null()),
        !json("/a").starts_with("a"),
        body().contains("é").ignore_case(),
        !body().starts_with("{"),
    ]
}

fn subjects() -> Vec<Subject> {
    vec![
        json("/message").into(),
        json("/errors/*/message").into(),
        json("").into(),
        json("/*/code").into(),
        body().into(),
        header("x").into(),
        header("grpc-message").into(),
        trailer("grpc-message").into(),
        challenge("Bearer").into(),
        challenge("Bearer").param("error_description").into(),
    ]
}

/// Rules of every kind, each in a list of its own.
fn all_signatures() -> Vec<Signatures> {
    let always = || header("never").absent();
    let by_condition = conditions().into_iter().map(|condition| Rule::expired().when(condition));
    let by_subject = subjects().into_iter().map(|subject| Rule::denied().when(always()).reason_from(subject));
    let by_function = Rule::from_fn(|answer| answer.body()?.first().map(|_| Verdict::Invalid));
    let rules: Vec<Rule> = by_condition.chain(by_subject).chain([by_function]).collect();
    let shown = rules.iter().cloned().map(|rule| rule.read_success_bodies().head_requests_by_status());
    shown
        .chain(rules.iter().cloned().step_by(5))
        .map(|rule| Signatures::new().rule(rule).reason("/message"))
        .chain([Signatures::oauth2().bare_401().reason("/error"), Signatures::grpc()])
        .collect()
}

/// Says whether there is a reason.
fn check(finding: &Finding) -> Result<bool, TestCaseError> {
    let Some(reason) = &finding.reason else { return Ok(false) };
    let is_bad = |char: char| {
        char.is_control()
            || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    prop_assert!(!reason.contains(is_bad), "{reason:?}");
    prop_assert!((1..=256).contains(&reason.chars().count()), "{reason:?}");
    prop_assert_ne!(finding.verdict, Verdict::Accepted);
    Ok(true)
}

#[test]
fn any_answer_has_a_verdict_and_a_reason_that_is_one_short_line() {
    let statuses = prop_oneof![select(vec![200, 400, 401, 403]), 100..1000_u16];
    let answers = (statuses, any_headers(), any_body(), any_headers());
    let (signatures, charsets) = (all_signatures(), RefCell::new(Vec::new()));
    // The first rule that takes its reason from a subject: from the body's `message`.
    let from_message = conditions().len();
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let all = |(status, headers, (body, charset), trailers): (u16, HeaderMap, (Vec<u8>, _), HeaderMap)| {
        let status = StatusCode::from_u16(status).expect("a status");
        let head = Head { status, headers: &headers };
        let mut response = Response::new(&body);
        *response.status_mut() = status;
        *response.headers_mut() = headers.clone();
        for (at, signatures) in signatures.iter().enumerate() {
            let whole = signatures.judge(head, Some(&body));
            prop_assert_eq!(signatures.verdict(&response), whole.verdict);
            if check(&whole)? && at == from_message {
                charsets.borrow_mut().extend(charset);
            }
            if let Screening::Done(screened) = signatures.screen(head) {
                prop_assert_eq!(screened, whole, "what the head decides is what the whole decides");
            }
            check(&signatures.judge_whole(head, &body, Some(&trailers)))?;
            check(&signatures.judge(head, None))?;
            check(&signatures.judge_head(head))?;
            check(&signatures.judge_trailers(head, &trailers))?;
        }
        Ok(())
    };
    TestRunner::new(config).run(&answers, all).unwrap();
    for (charset, _) in CHARSETS {
        assert!(charsets.borrow().contains(&charset), "no reason was found in {charset}");
    }
}
