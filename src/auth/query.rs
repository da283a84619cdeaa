//! [`Parameter`]: the token as a parameter in a URI's query (RFC 6750 §2.3), where many can see it.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Uri,
    header::{CACHE_CONTROL, Entry},
    uri::PathAndQuery,
};
use percent_encoding::percent_decode;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    observe::Passed,
    secret::encode::percent,
};

/// The longest URI that `http` takes.
const LONGEST: usize = 65_534;

/// The parameter that carries the token, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    name: Box<str>,
}

impl Parameter {
    pub(super) fn named(name: &str) -> Result<Self, ConfigError> {
        if name.is_empty() || name.contains(char::is_control) {
            let words = "the placement's query parameter needs a name without control characters";
            return Err(ConfigError::new(ConfigErrorKind::Url, words));
        }
        Ok(Self { name: name.into() })
    }

    /// Whether the caller sends one of this name, however that is encoded.
    pub(super) fn is_in(&self, uri: &Uri) -> bool {
        let pairs = uri.query().unwrap_or_default().split('&');
        pairs.filter(|pair| !pair.is_empty()).any(|pair| self.is_of(pair))
    }

    fn is_of(&self, pair: &str) -> bool {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name).replace('+', " ");
        percent_decode(name.as_bytes()).eq(self.name.bytes())
    }

    /// The pair of name and value, percent-encoded.
    pub(super) fn write(&self, token: &str) -> HeaderValue {
        let pair = HeaderValue::try_from(format!("{}={}", percent(&self.name), percent(token)));
        pair.expect("what is percent-encoded is visible ascii")
    }

    /// Whether `token` is written in another way than it is.
    pub(super) fn alters(token: &str) -> bool {
        percent(token).to_string() != token
    }

    /// Puts the pair behind the URI's query, of which every byte stays, and forbids caches to store the answer, unless
    /// the caller has said what they may do (RFC 6750 §2.3).
    pub(super) fn put(pair: &HeaderValue, uri: &mut Uri, headers: &mut HeaderMap) -> Result<(), Passed> {
        let joined = join(pair, uri).ok_or(Passed::NoRoom)?;
        if let Entry::Vacant(entry) = headers.try_entry(CACHE_CONTROL).map_err(|_| Passed::NoRoom)? {
            entry.try_insert(HeaderValue::from_static("no-store")).map_err(|_| Passed::NoRoom)?;
        }
        *uri = joined;
        Ok(())
    }
}

/// The URI with the pair. `None` if it would be too long, or can't have a query, as `*` can't (RFC 9112 §3.2.4).
fn join(pair: &HeaderValue, uri: &Uri) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let target = parts.path_and_query.as_ref().map_or("/", PathAndQuery::as_str);
    if target == "*" {
        return None;
    }
    let separator: &[u8] = match target.split_once('?') {
        None => b"?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => b"",
        Some(_) => b"&",
    };
    let joined = Bytes::from([target.as_bytes(), separator, pair.as_bytes()].concat());
    let before = parts.scheme.as_ref().map_or(0, |scheme| scheme.as_str().len() + "://".len())
        + parts.authority.as_ref().map_or(0, |authority| authority.as_str().len());
    if before + joined.len() > LONGEST {
        return None;
    }
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(joined).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parameter() -> Parameter {
        Parameter::named("access_token").expect("a name")
    }

    fn with_token(uri: &str, token: &str) -> Option<String> {
        let mut uri: Uri = uri.parse().expect(uri);
        let (before, mut headers) = (uri.clone(), HeaderMap::new());
        let put = Parameter::put(&parameter().write(token), &mut uri, &mut headers);
        assert_eq!(headers.len(), usize::from(put.is_ok()));
        match put {
            Ok(()) => Some(uri.to_string()),
            Err(why) => {
                assert_eq!((why, uri), (Passed::NoRoom, before));
                None
            }
        }
    }

    #[test]
    fn the_pair_comes_behind_the_query_of_which_every_byte_stays() {
        for (uri, joined) in [
            ("/", "/?access_token=abc"),
            ("/a/%41/ü//", "/a/%41/ü//?access_token=abc"),
            ("/a?", "/a?access_token=abc"),
            ("/a?x", "/a?x&access_token=abc"),
            ("/a?x=%41+b&&y=?/", "/a?x=%41+b&&y=?/&access_token=abc"),
            ("/a?x=1&", "/a?x=1&access_token=abc"),
            ("https://api.test", "https://api.test/?access_token=abc"),
            ("https://api.test?x=1", "https://api.test/?x=1&access_token=abc"),
            ("https://API.test:443/a?x={y}", "https://API.test:443/a?x={y}&access_token=abc"),
        ] {
            assert_eq!(with_token(uri, "abc").as_deref(), Some(joined), "{uri}");
        }
        assert_eq!(with_token("*", "abc"), None);
        assert_eq!(with_token("/", "a+b/c=&#?%").as_deref(), Some("/?access_token=a%2Bb%2Fc%3D%26%23%3F%25"));
    }

    #[test]
    fn a_uri_gets_as_long_as_may_be_and_no_longer() {
        for (uri, token) in [("/", 65_534 - 15), ("https://api.test/", 65_534 - 31)] {
            assert_eq!(with_token(uri, &"a".repeat(token)).expect("room").len(), 65_534);
            assert_eq!(with_token(uri, &"a".repeat(token + 1)), None);
        }
    }

    #[test]
    fn caches_store_nothing_unless_the_caller_has_said_what_they_may_do() {
        for (own, expected) in [(None, "no-store"), (Some("max-age=60"), "max-age=60")] {
            let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
            headers.extend(own.map(|own| (CACHE_CONTROL, HeaderValue::from_static(own))));
            Parameter::put(&parameter().write("abc"), &mut uri, &mut headers).expect("room");
            assert_eq!(headers.get_all(CACHE_CONTROL).iter().collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn the_callers_own_is_found_by_its_name_however_it_is_encoded() {
        for own in [
            "/?access_token=x",
            "/?a&access_token",
            "/?access%5ftoken=x",
            "/?%61ccess_token=&b",
            "*?access_token=",
        ] {
            let Ok(uri) = own.parse() else { continue };
            assert!(parameter().is_in(&uri), "{own}");
        }
        for other in [
            "/",
            "/?",
            "/?&",
            "/?Access_token=x",
            "/?access_tokens",
            "/access_token=x",
            "/?a=access_token=x",
            "/?access%255ftoken",
        ] {
            assert!(!parameter().is_in(&Uri::from_static(other)), "{other}");
        }
        let spaced = Parameter::named("api key").expect("a name");
        assert!(
            spaced.is_in(&Uri::from_static("/?api+key=x"))
                && spaced.is_in(&Uri::from_static("/?api%20key=x"))
        );
        assert_eq!(spaced.write("abc"), "api%20key=abc");
    }

    #[test]
    fn names_that_nobody_means_are_refused() {
        for name in ["", "a\nb", "a\0"] {
            assert_eq!(Parameter::named(name).expect_err(name).kind(), ConfigErrorKind::Url);
        }
    }

    #[test]
    fn only_what_is_encoded_is_altered() {
        for (token, is_altered) in [("abc-._~", false), ("a+b", true), ("=", true), ("ab=", true)] {
            assert_eq!(Parameter::alters(token), is_altered, "{token}");
        }
    }

    proptest! {
        #[test]
        fn without_the_pair_it_is_what_the_caller_has_sent(
            path in "(/[!$-;=@-_a-z|~]{0,9}){0,3}", query in prop::option::of("[!$-;=?-_a-z|~]{0,20}"), token in "[!-~]{1,40}",
            is_absolute: bool,
        ) {
            let target = match &query {
                Some(query) => format!("{path}?{query}"),
                None => path,
            };
            let target = if is_absolute { format!("https://api.test{target}") } else { format!("/x{target}") };
            prop_assume!(target.parse::<Uri>().is_ok());
            let uri: Uri = target.parse().expect("a uri");
            let shown = uri.to_string();
            let joined = with_token(&target, &token).expect("room");
            let rest = joined.strip_prefix(&shown).expect("every byte of it");
            let rest = rest.trim_start_matches(['?', '&']);
            let value = rest.strip_prefix("access_token=").expect("the name");
            prop_assert_eq!(percent_decode(value.as_bytes()).decode_utf8_lossy(), token);
            prop_assert!(parameter().is_in(&joined.parse().expect("a uri")));
        }
    }
}
