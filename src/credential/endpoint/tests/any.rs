//! Whatever a token endpoint answers: no panic, no token that is none, nothing in an error that doesn't belong there.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{Index, select},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{super::super::scripted::printed, super::AnswerField, *};

/// What the request sends, and what the answer has at the places that are declared for secrets.
const SECRETS: [&str; 4] = ["s3nt-with-the-request", "pl4nted-access", "pl4nted-refresh", "pl4nted-member"];

/// How an answer is read.
#[derive(Clone, Copy, Debug)]
enum Read {
    Default,
    Strict,
    Nested,
    Form,
    Body,
    Header,
    Judged,
}

impl Read {
    const ALL: [Self; 7] =
        [Self::Default, Self::Strict, Self::Nested, Self::Form, Self::Body, Self::Header, Self::Judged];

    fn endpoint(self) -> TokenEndpoint {
        let request = || plain().form("password", Param::secret(SECRETS[0]));
        let refresh = request().form("refresh_token", Param::refresh_token());
        let endpoint = endpoint(request()).refresh(refresh).member("other", "/other").retry_after("x-reset");
        match self {
            Self::Default => endpoint,
            Self::Strict => endpoint.strict().token_type("JWT").jwt_lifetime(),
            Self::Nested => {
                endpoint.token("/data/*/token").lifetime("/data/0/expires_at").message("/data/0/msg")
            }
            Self::Form => endpoint.form_answers().lifetime("/expires"),
            Self::Body => endpoint.token(AnswerField::body()),
            Self::Header => {
                endpoint.token(AnswerField::header("x-token")).lifetime(AnswerField::header("x-ttl"))
            }
            Self::Judged => {
                endpoint.success("/ok", true).refusal("/code", 7).later("/code", 8).message("/msg")
            }
        }
    }
}

/// The answer's effect, cold and as a refresh.
fn outcomes(
    read: Read,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> [Result<AccessToken, AcquireError>; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut response = http::Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        *response.headers_mut() = headers.clone();
        let server = Scripted::responds(response);
        [cold(read.endpoint(), &server).await, renew(read.endpoint(), &server).await]
    })
}

/// `known` are the secrets that are where the declaration says: all others are any server's words.
fn assert_sound(outcome: &Result<AccessToken, AcquireError>, known: &[&str]) -> Result<(), TestCaseError> {
    match outcome {
        Ok(token) => {
            let text = token.expose_secret();
            prop_assert!(!text.is_empty() && text.len() <= 64 * 1024, "{} bytes", text.len());
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", text);
            if let Some(refresh_token) = token.refresh_token() {
                let text = refresh_token.expose_secret();
                prop_assert!(!text.is_empty() && text.len() <= 64 * 1024 && !text.contains(char::is_control));
            }
            let longest = Duration::from_secs(10 * 366 * 86_400);
            prop_assert!(token.lifetime().is_none_or(|lifetime| !lifetime.is_zero() && lifetime <= longest));
            let shown = format!("{token:?}");
            prop_assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{}", shown);
        }
        Err(error) => {
            let text = error.to_string();
            prop_assert!(
                text.starts_with("the token endpoint of Acme") || text.starts_with("a proxy"),
                "{}",
                text
            );
            prop_assert!(!text.contains(char::is_control) && text.len() < 4096, "{:?}", text);
            let shown = printed(error);
            for secret in known.iter().chain(&[SECRETS[0], "old-access", "old-refresh"]) {
                prop_assert!(!shown.contains(secret), "{} is shown: {}", secret, shown);
            }
            let day = Duration::from_secs(86_400);
            prop_assert!(error.retry_after().is_none_or(|after| after <= day));
        }
    }
    Ok(())
}

fn any_status() -> impl Strategy<Value = u16> {
    prop_oneof![3 => Just(200), 2 => select(vec![400, 401, 403, 429, 301, 500]), 1 => 100..1000u16]
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let names =
        vec!["content-type", "date", "retry-after", "x-reset", "location", "x-ttl", "x-token", "x-other"];
    let values = prop_oneof![
        select(vec![
            &b"application/json"[..],
            b"application/x-www-form-urlencoded",
            b"application/json; charset=iso-8859-1",
            b"text/plain; charset=\"UTF-16\"",
            b"text/html;charset=",
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"99999999999999999999",
            b"-1",
            b"Bearer pl4nted-access",
            b"https://u:pl4nted-member@example.com/?a=pl4nted-access",
            b"/there/pl4nted-access#x",
        ])
        .prop_map(<[u8]>::to_vec),
        vec(any::<u8>(), 0..40),
    ];
    vec((select(names), values), 0..5).prop_map(|pairs| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        // At the places that are declared for them, so that they are known wherever else they are.
        headers.append("x-token", HeaderValue::from_static("pl4nted-access"));
        headers
    })
}

/// A value, sometimes a secret's, in some form.
fn any_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<Option<bool>>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec![
            "DPoP",
            "JWT",
            "Bearer",
            "slow_down",
            "invalid_client",
            "ratelimited",
            "3600",
            "2030-01-01T00:00:00+99:99"
        ])
        .prop_map(Value::from),
        (select(SECRETS.to_vec()), "[ aé\u{0}\u{1b}\u{7f}\u{85}\u{202e}\n]{0,5}")
            .prop_map(|(secret, rest)| format!("{rest}{secret}{rest}").into()),
    ]
}

/// An object that has secrets where they are declared, and anything anywhere else.
fn any_answer() -> impl Strategy<Value = Value> {
    let value = any_leaf().prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-c\u{0}\"é]{0,3}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    });
    let names = select(vec![
        "error",
        "error_description",
        "error_uri",
        "token_type",
        "expires_in",
        "expires",
        "msg",
        "ok",
        "code",
        "x",
        "data",
    ]);
    let planted =
        prop_oneof![Just("pl4nted-access"), Just("Bearer pl4nted-access"), Just(" pl4nted-access\n")];
    (btree_map(names, value, 0..8), planted).prop_map(|(members, access)| {
        let mut answer: Value = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        answer["access_token"] = access.into();
        answer["refresh_token"] = "pl4nted-refresh".into();
        answer["other"] = "pl4nted-member".into();
        if !answer["data"].is_string() {
            answer["data"] = json!([answer["data"], {"token": access, "token_type": answer["token_type"]}]);
        }
        answer
    })
}

/// What becomes of a text on its way: in another charset, with other bytes in it, cut off, or twice.
#[derive(Clone, Debug)]
enum Mangled {
    Not,
    Utf16([u8; 2]),
    Latin1,
    Bytes(Index, Vec<u8>),
    CutOff(Index),
    Form,
}

fn any_mangling() -> impl Strategy<Value = Mangled> {
    prop_oneof![
        4 => Just(Mangled::Not),
        1 => prop_oneof![Just([0xff, 0xfe]), Just([0xfe, 0xff]), Just([0, 1])].prop_map(Mangled::Utf16),
        1 => Just(Mangled::Latin1),
        2 => (any::<Index>(), vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Mangled::Bytes(at, bytes)),
        1 => any::<Index>().prop_map(Mangled::CutOff),
        1 => Just(Mangled::Form),
    ]
}

impl Mangled {
    fn mangle(&self, answer: &Value) -> Vec<u8> {
        let mut text = answer.to_string().into_bytes();
        match self {
            Self::Not => text,
            Self::Utf16(mark) => {
                let unit = if mark[0] == 0xff { u16::to_le_bytes } else { u16::to_be_bytes };
                let units = answer.to_string();
                let mark = if mark[0] == 0 { &[][..] } else { mark };
                mark.iter().copied().chain(units.encode_utf16().flat_map(unit)).collect()
            }
            Self::Latin1 => answer.to_string().chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
            Self::Bytes(at, bytes) => {
                let at = at.index(text.len());
                text.splice(at..at, bytes.iter().copied());
                text
            }
            Self::CutOff(at) => text[..at.index(text.len())].to_vec(),
            Self::Form => {
                let pairs = answer.as_object().unwrap().iter().map(|(name, value)| {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("{name}={}", crate::secret::encode::percent(&value))
                });
                pairs.collect::<Vec<_>>().join("&").into_bytes()
            }
        }
    }

    /// Whether what is planted can still be told from any other text.
    fn is_whole(&self) -> bool {
        matches!(self, Self::Not | Self::Utf16(_))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(
        read in select(Read::ALL.to_vec()), status in any_status(), headers in any_headers(),
        body in vec(any::<u8>(), 0..300),
    ) {
        for outcome in outcomes(read, status, &headers, &body) {
            assert_sound(&outcome, &[])?;
        }
    }

    #[test]
    fn any_answer_is_survived_in_any_charset_and_shows_no_secret(
        read in select(Read::ALL.to_vec()), status in any_status(), headers in any_headers(),
        answer in any_answer(), mangled in any_mangling(),
    ) {
        let body = mangled.mangle(&answer);
        // Mangled, or where another place is declared, what is planted may not be known for what it is.
        let is_known = mangled.is_whole() && matches!(read, Read::Default | Read::Strict | Read::Judged);
        for outcome in outcomes(read, status, &headers, &body) {
            assert_sound(&outcome, if is_known { &SECRETS } else { &[] })?;
        }
    }

    #[test]
    fn what_is_right_is_read_as_anybody_would_read_it(
        value in any_leaf(), type_name in select(vec!["Bearer", "bearer", "JWT", "DPoP", "other"]),
        others in btree_map("[x-z]{1,2}", any_leaf(), 0..4), pretty: bool,
    ) {
        let mut answer: Value = others.into_iter().collect();
        answer["access_token"] = value.clone();
        answer["token_type"] = type_name.into();
        let body = if pretty { serde_json::to_string_pretty(&answer).unwrap() } else { answer.to_string() };
        let text = match &value {
            Value::String(text) => Some(text.trim().to_owned()),
            _ => None,
        };
        let [found, _] = outcomes(Read::Strict, 200, &HeaderMap::new(), body.as_bytes());
        let is_token = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let admitted = ["bearer", "jwt"].contains(&&*type_name.to_lowercase());
        let without_scheme = |text: String| match text.split_once(|c: char| c.is_ascii_whitespace()) {
            Some((before, rest)) if ["bearer", "jwt"].contains(&&*before.to_ascii_lowercase()) => {
                rest.trim_start().to_owned()
            }
            _ => text,
        };
        let expected = text.map(without_scheme).filter(is_token).filter(|_| admitted);
        prop_assert_eq!(found.ok().map(|token| token.expose_secret().to_owned()), expected, "{}", body);
    }
}

#[test]
fn of_the_longest_answers_little_is_said() {
    const LENGTH: usize = 50 << 10;
    let fill = |begin: &str, middle: &str, end: &str| {
        format!("{begin}{}{end}", middle.repeat((LENGTH - begin.len() - end.len()) / middle.len()))
    };
    for body in [
        fill("", "[", ""),
        fill("{\"data\":", "[{\"a\":", ""),
        fill("{", "\"access_token\":1,", "\"access_token\":\"abc\"}"),
        fill("{", "\"\\u0061ccess_toke\\u006d\":1,", "\"access_token\":\"abc\"}"),
        fill("{\"data\":[", "{\"token\":5.5},", "{\"token\":\"abc\"}]}"),
        fill("{\"error\":\"", "\\u0000\\\"s3nt-with", "\"}"),
        fill("{\"error\":\"", "pl4nted-access", "\",\"access_token\":\"pl4nted-access\",\"ok\":false}"),
        fill("\"", "\\\\", "\""),
        fill("", "&=", ""),
        fill("access_token=", "%", "&x=y"),
        fill("", " ", "{}"),
        fill("{}", "\0", ""),
        fill("", "\u{202e}", "abc"),
        fill("", "é", ""),
        fill("-", "1", ""),
    ] {
        for read in Read::ALL {
            for status in [200, 400] {
                for outcome in outcomes(read, status, &HeaderMap::new(), body.as_bytes()) {
                    if let Err(error) = outcome {
                        assert!(error.to_string().len() < 4096 && !printed(&error).contains(SECRETS[0]));
                    }
                }
            }
        }
    }
}
