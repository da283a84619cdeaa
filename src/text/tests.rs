use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::*;

fn document(text: &str) -> Document<'_> {
    Document::parse(text.into()).expect("json")
}

/// The value that a node is, by asking for all of it.
fn value(node: Node<'_>, like: &Value) -> Value {
    match (like, node.scalar()) {
        (Value::Object(members), None) => members
            .iter()
            .map(|(name, like)| (name.clone(), value(node.member(name).expect("a member"), like)))
            .collect(),
        (Value::Array(elements), None) => {
            let found = node.elements();
            assert_eq!(found.len(), elements.len());
            found.into_iter().zip(elements).map(|(node, like)| value(node, like)).collect()
        }
        (_, Some(Scalar::Text(text))) => text.into(),
        (Value::Number(like), Some(Scalar::Number(digits))) if like.is_f64() => {
            digits.parse::<f64>().expect("a number").into()
        }
        (_, Some(Scalar::Number(digits))) => serde_json::from_str(digits).expect("a number"),
        (_, Some(Scalar::Bool(value))) => value.into(),
        (_, Some(Scalar::Null)) => Value::Null,
        (_, None) => panic!("neither {like} nor any scalar"),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\"\\\\{}\\[\\],: \u{1}é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let members = vec(("[a-c\"\\\\]{0,2}", inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_right_is_read_as_anybody_would_read_it(wanted in any_value(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&wanted) } else { serde_json::to_string(&wanted) };
        let text = text.expect("written");
        prop_assert_eq!(value(document(&text).root(), &wanted), wanted);
    }

    #[test]
    fn what_breaks_off_is_no_document(wanted in any_value(), cut: proptest::sample::Index) {
        let text = json!({ "a": wanted }).to_string();
        let mut at = cut.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        prop_assert!(Document::parse(text[..at].into()).is_none());
    }

    #[test]
    fn no_bytes_make_it_panic_or_find_what_is_not_there(bytes in vec(any::<u8>(), 0..200), json in "[{}\\[\\]\",:\\\\au0-9\u{1}]{0,40}") {
        let headers = HeaderMap::new();
        for text in [decode(&bytes, &headers), json.as_str().into()] {
            if let Some(document) = Document::parse(text.clone()) {
                for pointer in ["", "/a", "/0", "/a/0", "/"] {
                    let found = Pointer::new(pointer).first(document.root()).and_then(Node::text);
                    prop_assert!(found.is_none_or(|found| found.len() <= 3 * text.len()));
                }
            }
            prop_assert!(fields(&text).all(|(name, value)| name.len() + value.len() <= 3 * text.len()));
        }
    }
}

#[test]
fn something_odd_spoils_its_own_member_alone() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for odd in [
        "1e999",
        "-1e999",
        "12345678901234567890123",
        "007",
        "NaN",
        "-Infinity",
        "undefined",
        "'text'",
        ".5",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        "\"a\nb\"",
        "\"\u{0}\"",
        "\"\u{fffd}\"",
        r#""\x41""#,
        r#""\""#.trim_end_matches('"'),
        r"[1,,2]",
        r"{'a':1}",
        r#"{"a"}"#,
        &deep,
    ] {
        let odd = if odd == r#""\"# { r#""\"""# } else { odd };
        for text in [
            format!(r#"{{"x":{odd},"token":"abc"}}"#),
            format!(r#"{{"token":"abc","x":{odd}}}"#),
            format!(r#"{{"x":{{"y":[{odd}]}},"token":"abc","z":{odd}}}"#),
        ] {
            let document = document(&text);
            assert_eq!(
                document.root().member("token").and_then(Node::text).as_deref(),
                Some("abc"),
                "{text:.80}"
            );
        }
    }
}

#[test]
fn what_is_odd_is_read_as_far_as_it_can_be() {
    for (written, read) in [
        (r#""a\ud800b""#, Some(Scalar::Text("a\u{fffd}\u{fffd}\u{fffd}b".into()))),
        ("\"a\r\nb\"", Some(Scalar::Text("a  b".into()))),
        (r#""a\nb""#, Some(Scalar::Text("a\nb".into()))),
        (r#""\ud83d\ude00""#, Some(Scalar::Text("😀".into()))),
        (r#""\x41""#, None),
        ("1e999", Some(Scalar::Number("1e999"))),
        ("12345678901234567890123", Some(Scalar::Number("12345678901234567890123"))),
        ("-0.0", Some(Scalar::Number("-0.0"))),
        ("007", None),
        ("1.", None),
        ("+1", None),
        ("0x10", None),
        ("NaN", None),
        ("nul", None),
        ("True", None),
    ] {
        let text = format!("[{written}]");
        assert_eq!(document(&text).root().elements()[0].scalar(), read, "{written}");
    }
}

#[test]
fn a_comma_too_many_and_zero_bytes_at_the_end_are_passed_over() {
    for text in [r#"{"a":"b",}"#, "{\"a\":\"b\"}\0\0", "\n{\"a\":\"b\"} \r\n\0\n", r#"{"a":"b","c":[1,],}"#] {
        assert_eq!(document(text).root().member("a").and_then(Node::text).as_deref(), Some("b"), "{text:?}");
    }
}

#[test]
fn what_is_not_json_is_no_document() {
    for text in [
        "",
        " ",
        "\0",
        "<html>{}</html>",
        "a=b&c=d",
        "token",
        "{\"a\":1} {}",
        "{\"a\":1}x",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":1",
        "{\"a\":[}",
        "{\"a\":]}",
        "[1}",
        "\"a",
        "{\"a\":\"b}",
        "{,}",
        "{\"a\":,}",
        "007",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
    ] {
        assert!(Document::parse(text.into()).is_none(), "{text:?}");
    }
}

#[test]
fn of_members_with_one_name_the_last_counts() {
    for text in [r#"{"a":1,"a":"2"}"#, r#"{"a":1,"\u0061":"2"}"#] {
        assert_eq!(
            Pointer::new("/a").first(document(text).root()).and_then(Node::text).as_deref(),
            Some("2")
        );
        let nested = format!("[{text}]");
        assert_eq!(
            Pointer::new("/0/a").first(document(&nested).root()).and_then(Node::text).as_deref(),
            Some("2")
        );
    }
}

#[test]
fn text_is_read_in_the_charset_that_it_is_in() {
    let typed = |value: &'static str| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
    let utf_16 =
        |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let text = "{\"é\":1}";
    for bytes in [
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        utf_16(text, u16::to_le_bytes),
        utf_16(text, u16::to_be_bytes),
        utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes),
        utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes),
    ] {
        for headers in
            [HeaderMap::new(), typed("application/json; charset=ISO-8859-1"), typed("application/json")]
        {
            assert_eq!(decode(&bytes, &headers), text, "{bytes:?}");
        }
    }
    let latin = typed("text/plain; q=1; Charset=\"iso-8859-1\"");
    assert_eq!(decode(b"caf\xe9", &latin), "café");
    assert_eq!(decode(b"\x80\x81\x92\x9f\xa0\xff", &latin), "€\u{81}’Ÿ\u{a0}ÿ");
    assert_eq!(decode(b"caf\xe9!", &typed("application/json")), "caf\u{fffd}!");
    assert_eq!(decode(b"\xff\xfea\0b", &HeaderMap::new()), "a\u{fffd}");
}

#[test]
fn forms_are_decoded() {
    let pairs: Vec<_> = fields(" a=b+c&d=%41%2b%zz&&e&=f&g=%e9\n").collect();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(pairs, [("a", "b c"), ("d", "A+%zz"), ("e", ""), ("", "f"), ("g", "\u{fffd}")]);
}
