//! [`Cookie`]: the token as a cookie, among those that the caller sends.

use http::{HeaderMap, HeaderValue, header::COOKIE};

use super::template::is_token;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    observe::Passed,
};

/// The cookie that carries the token, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    name: Box<str>,
}

impl Cookie {
    /// A cookie whose name is a token (RFC 6265 §4.1.1).
    pub(super) fn named(name: &str) -> Result<Self, ConfigError> {
        if !is_token(name) {
            let words = "the placement's cookie needs a name without spaces, commas, semicolons and the like";
            return Err(ConfigError::new(ConfigErrorKind::Header, words));
        }
        Ok(Self { name: name.into() })
    }

    /// Whether the caller sends one of this name.
    pub(super) fn is_among(&self, headers: &HeaderMap) -> bool {
        let pairs =
            headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        pairs.filter_map(name).any(|name| name == self.name.as_bytes())
    }

    /// Whether a cookie's value can have these characters, which are visible ASCII (RFC 6265 §4.1.1).
    pub(super) fn carries(token: &str) -> bool {
        !token.contains(['"', ',', ';', '\\'])
    }

    /// The pair of name and value, if the token can be one.
    pub(super) fn write(&self, token: &str) -> Option<HeaderValue> {
        let pair = || HeaderValue::try_from(format!("{}={token}", self.name));
        Self::carries(token).then(|| pair().expect("names of cookies and access tokens are visible ascii"))
    }

    /// Puts the pair behind the caller's cookies, which stay as they are, in one header: HTTP/1.1 has no second one
    /// (RFC 6265 §5.4), and what HTTP/2 may have split is joined like this (RFC 9113 §8.2.3).
    pub(super) fn put(pair: HeaderValue, headers: &mut HeaderMap) -> Result<(), Passed> {
        let mut joined = Vec::new();
        for value in headers.get_all(COOKIE).iter().chain([&pair]).map(HeaderValue::as_bytes) {
            if !value.is_empty() {
                joined.extend_from_slice(separator(&joined));
                joined.extend_from_slice(value);
            }
        }
        let mut joined = HeaderValue::try_from(joined).expect("values with a semicolon between them are one");
        joined.set_sensitive(true);
        headers.try_insert(COOKIE, joined).map(drop).map_err(|_| Passed::NoRoom)
    }
}

/// What has to stand between these cookies and the next.
fn separator(cookies: &[u8]) -> &'static [u8] {
    match cookies {
        [] | [.., b';', b' '] => b"",
        [.., b';'] => b" ",
        _ => b"; ",
    }
}

/// The name in a pair, as servers read it (RFC 6265 §5.2).
fn name(pair: &[u8]) -> Option<&[u8]> {
    let end = pair.iter().position(|byte| *byte == b'=')?;
    Some(pair[..end].trim_ascii())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session() -> Cookie {
        Cookie::named("session").expect("a name")
    }

    fn headers(cookies: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("*/*"));
        for value in cookies {
            headers.append(COOKIE, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    /// The one header there is, once the token is among these.
    fn with_token(cookies: &[&[u8]]) -> Vec<u8> {
        let mut headers = headers(cookies);
        let mut pair = session().write("abc").expect("a pair");
        pair.set_sensitive(true);
        Cookie::put(pair, &mut headers).expect("room");
        let mut values = headers.get_all(COOKIE).iter();
        let value = values.next().expect("a cookie");
        assert_eq!((values.count(), headers.len(), value.is_sensitive()), (0, 2, true));
        value.as_bytes().to_vec()
    }

    #[test]
    fn the_pair_comes_behind_the_callers_in_one_header() {
        for (cookies, joined) in [
            (&[][..], "session=abc"),
            (&["a=b"], "a=b; session=abc"),
            (&["a=b; c=\"d, e\""], "a=b; c=\"d, e\"; session=abc"),
            (&["a=b", "c=d;e=f"], "a=b; c=d;e=f; session=abc"),
            (&["a=b;", "c=d; "], "a=b; c=d; session=abc"),
            (&["", "a"], "a; session=abc"),
            (&[""], "session=abc"),
        ] {
            let cookies: Vec<_> = cookies.iter().map(|cookie| cookie.as_bytes()).collect();
            assert_eq!(String::from_utf8_lossy(&with_token(&cookies)), joined);
        }
        assert_eq!(with_token(&[b"a=\xe9"]), b"a=\xe9; session=abc");
    }

    #[test]
    fn the_callers_own_is_found_by_its_name_and_by_nothing_else() {
        for own in
            ["session=", "session=x", "a=b; session=x", "a=b;session =x", " session=x;", "a=b;;session=="]
        {
            assert!(session().is_among(&headers(&[b"x=y", own.as_bytes()])), "{own}");
        }
        for other in
            ["", "session", "Session=x", "sessions=x", "a=session=x", "xsession=x", "a=b; my session=x"]
        {
            assert!(!session().is_among(&headers(&[other.as_bytes()])), "{other}");
        }
    }

    #[test]
    fn a_token_that_would_end_the_value_is_no_cookie() {
        for token in ["a;b", "a,b", "a\"b", "a\\b", ";"] {
            assert_eq!(session().write(token), None, "{token}");
        }
        let rest: String = ('!'..='~').filter(|char| !"\",;\\".contains(*char)).collect();
        assert_eq!(session().write(&rest).expect("a pair"), format!("session={rest}"));
    }

    #[test]
    fn names_that_are_no_tokens_are_refused() {
        for name in ["", " ", "a;b", "a=b", "a b", "a,b", "\"a\"", "a\r\nb", "ä", "a{"] {
            let error = Cookie::named(name).expect_err(name);
            assert_eq!(error.kind(), ConfigErrorKind::Header);
        }
        assert_eq!(Cookie::named("__Host-SID").expect("valid").write("t").expect("a pair"), "__Host-SID=t");
    }

    proptest! {
        #[test]
        fn without_the_pair_it_is_what_the_caller_has_sent(
            cookies in prop::collection::vec(prop::collection::vec(prop_oneof![0x20u8..0x7f, 0x80u8..=0xff], 1..30), 0..5)
        ) {
            let cookies: Vec<&[u8]> = cookies.iter().map(Vec::as_slice).collect();
            let joined = with_token(&cookies);
            let mut rest = joined.strip_suffix(b"session=abc").expect("it comes last");
            for cookie in &cookies {
                rest = rest.strip_prefix(*cookie).expect("as it was, and in order");
                let separator = [&b"; "[..], b" ", b""].into_iter().find(|separator| rest.starts_with(separator));
                rest = &rest[separator.map_or(0, <[u8]>::len)..];
            }
            prop_assert_eq!(rest, b"");
            let pairs = |value: &[u8]| {
                let pairs = value.split(|byte| *byte == b';').map(|pair| pair.trim_ascii().to_vec());
                pairs.filter(|pair| !pair.is_empty()).collect::<Vec<_>>()
            };
            let own = cookies.iter().flat_map(|cookie| pairs(cookie));
            prop_assert_eq!(pairs(&joined), own.chain([b"session=abc".to_vec()]).collect::<Vec<_>>());
        }
    }
}
