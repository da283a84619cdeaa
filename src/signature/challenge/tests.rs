//! Challenges as servers write them, well formed and not.

use http::HeaderValue;
use proptest::prelude::*;

use super::{
    Part::{Garbage, Param, Scheme, Token68},
    *,
};

fn headers(lines: &[&str]) -> HeaderMap {
    let values = lines.iter().map(|line| HeaderValue::from_bytes(line.as_bytes()).expect("a header value"));
    values.map(|value| (WWW_AUTHENTICATE, value)).collect()
}

fn parsed(lines: &[&str]) -> Vec<Part<'static>> {
    parts(&headers(lines)).map(owned).collect()
}

fn owned(part: Part<'_>) -> Part<'static> {
    let leak = |text: &str| &*text.to_owned().leak();
    match part {
        Scheme(name) => Scheme(leak(name)),
        Token68(token) => Token68(leak(token)),
        Param(name, value) => Param(leak(name), value.into_owned().into()),
        Garbage => Garbage,
    }
}

fn param(name: &'static str, value: &'static str) -> Part<'static> {
    Param(name, value.into())
}

fn errors(lines: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    any_param(&headers(lines), "Bearer", "error", &mut |value| {
        all.push(value.to_owned());
        false
    });
    all
}

#[test]
fn well_formed_lists_are_taken_apart() {
    for (lines, expected) in [
        (&["Bearer"][..], vec![Scheme("Bearer")]),
        (&["Negotiate, Basic"], vec![Scheme("Negotiate"), Scheme("Basic")]),
        (&[r#"Bearer error="invalid_token""#], vec![Scheme("Bearer"), param("error", "invalid_token")]),
        (&["Bearer error=invalid_token"], vec![Scheme("Bearer"), param("error", "invalid_token")]),
        // RFC 9110 §11.6.1
        (
            &[r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#],
            vec![
                Scheme("Basic"),
                param("realm", "simple"),
                Scheme("Newauth"),
                param("realm", "apps"),
                param("type", "1"),
                param("title", "Login to \"apps\""),
            ],
        ),
        (
            &[r#"Basic realm="a,b",Bearer realm="",error="c\\d""#],
            vec![
                Scheme("Basic"),
                param("realm", "a,b"),
                Scheme("Bearer"),
                param("realm", ""),
                param("error", "c\\d"),
            ],
        ),
        (
            &["Negotiate YWJj/+==, Bearer a = b\t,\tc= \"d\""],
            vec![
                Scheme("Negotiate"),
                Token68("YWJj/+=="),
                Scheme("Bearer"),
                param("a", "b"),
                param("c", "d"),
            ],
        ),
        (&["Negotiate abc", "Bearer"], vec![Scheme("Negotiate"), Token68("abc"), Scheme("Bearer")]),
        (&["Bearer a=1", "b=2"], vec![Scheme("Bearer"), param("a", "1"), param("b", "2")]),
        (&[", ,Bearer ,, a=1,"], vec![Scheme("Bearer"), param("a", "1")]),
        (&["X a=", "Y"], vec![Scheme("X"), Token68("a="), Scheme("Y")]),
        (&["X é"], vec![Scheme("X")]),
        (&["X a=\"é\\é\""], vec![Scheme("X"), param("a", "éé")]),
        (&["", " ", ","], vec![]),
        (&[], vec![]),
    ] {
        assert_eq!(parsed(lines), expected, "{lines:?}");
    }
}

#[test]
fn what_is_malformed_is_left_out_and_nothing_else() {
    for (line, expected) in [
        // Garbage in a parameter costs that parameter.
        (r#"Bearer a=1, realm=, error="x""#, vec![Scheme("Bearer"), param("a", "1"), param("error", "x")]),
        (r#"Bearer uri=https://a/b?c, error="x""#, vec![Scheme("Bearer"), param("error", "x")]),
        (r#"Bearer a="b"c, error="x""#, vec![Scheme("Bearer"), param("a", "b"), param("error", "x")]),
        ("Bearer a=The token, b=c", vec![Scheme("Bearer"), param("a", "The"), param("b", "c")]),
        (r#"Bearer a="b" error="x""#, vec![Scheme("Bearer"), param("a", "b"), param("error", "x")]),
        (r#"Bearer "junk, a=1", error="x""#, vec![Scheme("Bearer"), param("error", "x")]),
        // Garbage where a challenge could begin ends the one before.
        (
            r#"Bearer a=1, D@P error="x", error="y""#,
            vec![Scheme("Bearer"), param("a", "1"), Garbage, param("error", "y")],
        ),
        (r#"=, "a, Bearer", Bearer"#, vec![Garbage, Garbage, Scheme("Bearer")]),
        // An open quote takes everything behind it.
        (r#"Bearer a=1, b="c, error="#, vec![Scheme("Bearer"), param("a", "1")]),
        (r#"Bearer b="c\"#, vec![Scheme("Bearer")]),
        (r#"Bearer b="c\""#, vec![Scheme("Bearer")]),
        (r#"" Bearer"#, vec![Garbage]),
        (r#""\"#, vec![Garbage]),
        (r#""a\", Bearer", Basic"#, vec![Garbage, Scheme("Basic")]),
        ("Negotiate Bearer error=x", vec![Scheme("Negotiate")]),
    ] {
        assert_eq!(parsed(&[line]), expected, "{line}");
    }
}

#[test]
fn parameters_belong_to_their_own_challenge() {
    assert_eq!(errors(&[r#"DPoP error="a", bEARER ERROR="b", Basic error="c""#]), ["b"]);
    assert_eq!(errors(&[r#"Basic realm="Bearer error=\"invalid_token\"""#]), Vec::<String>::new());
    assert_eq!(errors(&["BearerX error=a", "Bearer error=b, X@ y=1, error=c"]), ["b"]);
    assert_eq!(errors(&["error=a"]), Vec::<String>::new());
    assert!(has_challenge(&headers(&["Basic x, bearer"]), "Bearer"));
    assert!(!has_challenge(&headers(&["Basic Bearer, x=\"Bearer\", BearerX"]), "Bearer"));
}

#[test]
fn another_partys_challenges_are_not_seen() {
    let mut headers = HeaderMap::new();
    headers.insert("proxy-authenticate", HeaderValue::from_static("Bearer error=\"invalid_token\""));
    assert_eq!(parts(&headers).count(), 0);
}

#[test]
fn a_hostile_header_is_read_in_linear_time() {
    const LENGTH: usize = 64 * 1024;
    for pattern in [
        "a", "a ", "a,", ",", " ", "a=", "a =", "a= ", "=", "\"", "a=\"", "a=\"\\", "\\", "a \"", "a=\"b\"",
        "a=b ", "a=b,", "a b ", "a b,", "a  =  \"", "\"\\\"", "a/", "a /", "é", "a é,", "a=b c ", "a \t ",
        "a=,", "a=/", "a = = ", "a/=",
    ] {
        for prefix in ["", "Bearer ", "a=\"", "Bearer x=\""] {
            let line: Vec<u8> = prefix.bytes().chain(pattern.bytes().cycle()).take(LENGTH).collect();
            let mut parts = Parts::new(&line);
            let seen = parts.by_ref().count();
            let steps = parts.cursor.steps;
            assert!((LENGTH..=12 * LENGTH).contains(&steps), "{prefix}{pattern}…: {steps} steps");
            assert!(seen <= LENGTH);
        }
    }
}

proptest! {
    #[test]
    fn no_line_makes_it_fail_or_linger(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut parts = Parts::new(&line);
        prop_assert!(parts.by_ref().count() <= line.len());
        prop_assert!(parts.cursor.steps <= 12 * (line.len() + 1));
        prop_assert!(parts.cursor.at <= line.len());
    }

    #[test]
    fn no_near_miss_makes_it_fail_or_linger(line in "[aB=,\" \\\\/é\t]{0,60}") {
        let mut parts = Parts::new(line.as_bytes());
        prop_assert!(parts.by_ref().count() <= line.len());
        prop_assert!(parts.cursor.steps <= 12 * (line.len() + 1));
        prop_assert!(parts.cursor.at <= line.len());
    }

    #[test]
    fn what_is_written_well_is_read_back(
        list in prop::collection::vec(challenge(), 0..5),
        glue in "[ \t]{0,2},[ \t]{0,2}",
    ) {
        let written: Vec<_> = list.iter().map(|(scheme, params)| {
            let params: Vec<_> = params.iter().map(|(name, value)| {
                format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            }).collect();
            format!("{scheme} {}", params.join(&glue))
        }).collect();
        let expected: Vec<_> = list.iter().flat_map(|(scheme, params)| {
            let params = params.iter().map(|(name, value)| Param(name, value.into()));
            std::iter::once(Scheme(scheme)).chain(params)
        }).collect();
        let line = written.join(&glue);
        prop_assert_eq!(Parts::new(line.as_bytes()).collect::<Vec<_>>(), expected);
    }
}

fn challenge() -> impl Strategy<Value = (String, Vec<(String, String)>)> {
    let param = ("[a-z!#$*+.^_|~-]{1,8}", "[ -~é]{0,12}");
    ("[A-Za-z0-9-]{1,10}", prop::collection::vec(param, 1..4))
}
