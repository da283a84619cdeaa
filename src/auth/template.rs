//! [`Template`]: the text around the token in a header's value, and how the token is written between it.

use http::{HeaderName, HeaderValue};

use crate::error::{ConfigError, ConfigErrorKind};

const TOKEN: &str = "{token}";

/// What stands around the token. Printable ASCII, so that with a token it always is a header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    before: Box<str>,
    after: Box<str>,
    /// The token is within a quoted string (RFC 9110 §5.6.4).
    is_quoted: bool,
}

impl Template {
    /// The token alone.
    pub(super) fn bare() -> Self {
        Self { before: "".into(), after: "".into(), is_quoted: false }
    }

    /// The token after `Bearer`.
    pub(super) fn bearer() -> Self {
        Self { before: "Bearer ".into(), ..Self::bare() }
    }

    /// The token after a scheme and a space.
    pub(super) fn with_scheme(scheme: &str) -> Result<Self, ConfigError> {
        if !is_token(scheme) {
            return Err(ConfigError::new(ConfigErrorKind::Header, "the placement's scheme is not a token"));
        }
        Ok(Self { before: format!("{scheme} ").into(), ..Self::bare() })
    }

    /// Text with one `{token}` in it. Other braces are doubled.
    pub(super) fn parse(template: &str) -> Result<Self, ConfigError> {
        let refuse = |why| {
            let words = format!("the placement's template {why}");
            Err(ConfigError::new(ConfigErrorKind::Header, words))
        };
        if !template.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return refuse("has a character that is not printable ascii");
        }
        if template.trim() != template {
            return refuse("begins or ends with a space, which no header's value does");
        }
        let (mut before, mut text) = (None, String::new());
        let (mut is_open, mut is_quoted, mut is_escaped) = (false, false, false);
        let mut rest = template;
        while let Some(char) = rest.chars().next() {
            if rest.starts_with("{{") || rest.starts_with("}}") {
                rest = &rest[1..];
            } else if let Some(after) = rest.strip_prefix(TOKEN) {
                if is_escaped {
                    return refuse("has a backslash before {token}");
                }
                if before.replace(std::mem::take(&mut text)).is_some() {
                    return refuse("has {token} twice");
                }
                is_quoted = is_open;
                rest = after;
                continue;
            } else if matches!(char, '{' | '}') {
                return refuse("has a brace that isn't that of {token}; write {{ and }} for braces");
            }
            match char {
                _ if is_escaped => is_escaped = false,
                '"' => is_open = !is_open,
                '\\' => is_escaped = is_open,
                _ => {}
            }
            text.push(char);
            rest = &rest[1..];
        }
        match before {
            _ if is_open => refuse("has a quote that isn't closed"),
            None => refuse("has no {token}"),
            Some(before) => Ok(Self { before: before.into(), after: text.into(), is_quoted }),
        }
    }

    /// The scheme (RFC 9110 §11.1): a first word with a space behind it.
    pub(super) fn scheme(&self) -> Option<&str> {
        self.before.split_once(' ').map(|(scheme, _)| scheme).filter(|scheme| is_token(scheme))
    }

    /// Whether `token` is written in another way than it is: with backslashes, in a quoted string.
    pub(super) fn alters(&self, token: &str) -> bool {
        self.is_quoted && token.contains(['"', '\\'])
    }

    /// The header's value. In a quoted string the characters that would end it are escaped (RFC 9110 §5.6.4).
    pub(super) fn write(&self, token: &str) -> HeaderValue {
        let Self { before, after, .. } = self;
        let value = if self.alters(token) {
            let escaped = token.replace('\\', "\\\\").replace('"', "\\\"");
            HeaderValue::try_from(format!("{before}{escaped}{after}"))
        } else {
            HeaderValue::try_from(format!("{before}{token}{after}"))
        };
        value.expect("templates and access tokens are printable ascii")
    }
}

/// Whether it is a token of RFC 9110 §5.6.2. Header names are, so the parser of one serves for both.
pub(super) fn is_token(text: &str) -> bool {
    HeaderName::from_bytes(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(template: &str) -> Template {
        Template::parse(template).unwrap_or_else(|error| panic!("{error}: {template}"))
    }

    #[test]
    fn the_token_stands_where_the_template_has_it() {
        for (template, value, scheme) in [
            ("{token}", "abc", None),
            ("Bearer {token}", "Bearer abc", Some("Bearer")),
            (r#"Token token="{token}""#, r#"Token token="abc""#, Some("Token")),
            ("Token token={token}", "Token token=abc", Some("Token")),
            ("GoogleLogin auth={token}", "GoogleLogin auth=abc", Some("GoogleLogin")),
            ("Bearer token:{token}", "Bearer token:abc", Some("Bearer")),
            ("apikey me:{token}", "apikey me:abc", Some("apikey")),
            ("key={token}", "key=abc", None),
            ("a:b {token}", "a:b abc", None),
            (
                r#"MediaBrowser Token="{token}", Client="x\"y""#,
                r#"MediaBrowser Token="abc", Client="x\"y""#,
                Some("MediaBrowser"),
            ),
            (r#"{{"token":"{token}"}}"#, r#"{"token":"abc"}"#, None),
        ] {
            let template = parsed(template);
            assert_eq!(template.write("abc"), value);
            assert_eq!(template.scheme(), scheme, "{value}");
        }
        assert_eq!(Template::with_scheme("Key").expect("valid"), parsed("Key {token}"));
        assert_eq!(Template::bare(), parsed("{token}"));
    }

    #[test]
    fn in_quotes_a_token_is_escaped_and_elsewhere_it_is_not() {
        for (template, value) in [
            (r#"Token token="{token}""#, r#"Token token="a\"b\\c""#),
            (r#"Token x="1", token="{token}""#, r#"Token x="1", token="a\"b\\c""#),
            (r#"Token x="\"", token={token}"#, r#"Token x="\"", token=a"b\c"#),
            ("Token {token}", r#"Token a"b\c"#),
        ] {
            assert_eq!(parsed(template).write(r#"a"b\c"#), value);
        }
    }

    #[test]
    fn templates_that_say_no_place_or_no_value_are_refused() {
        for (template, why) in [
            ("", "has no {token}"),
            ("Token", "has no {token}"),
            ("Token {Token}", "a brace"),
            ("Token {key}", "a brace"),
            ("Token {token", "a brace"),
            ("Token token}", "a brace"),
            ("{token} {token}", "twice"),
            ("{{token}}", "has no {token}"),
            (" Token {token}", "a space"),
            ("Token {token} ", "a space"),
            ("Token\r\nX: {token}", "not printable"),
            ("Token\t{token}", "not printable"),
            ("Tökén {token}", "not printable"),
            (r#"Token token="{token}"#, "isn't closed"),
            (r#"Token token="\{token}""#, "a backslash"),
        ] {
            let error = Template::parse(template).expect_err(template);
            assert_eq!(error.kind(), ConfigErrorKind::Header);
            assert!(error.to_string().contains(why), "{error}: {template}");
        }
    }

    proptest! {
        /// As the recipient of a quoted string reads it.
        #[test]
        fn any_token_comes_out_of_the_quotes_as_it_was(token in "[!-~]{1,40}") {
            let value = parsed(r#"Token token="{token}", x"#).write(&token);
            let quoted = value.to_str().expect("ascii").strip_prefix("Token token=\"").expect("the same text");
            let (mut read, mut chars) = (String::new(), quoted.chars());
            while let Some(char) = chars.next() {
                match char {
                    '"' => break,
                    '\\' => read.extend(chars.next()),
                    _ => read.push(char),
                }
            }
            prop_assert_eq!((&*read, chars.as_str()), (&*token, ", x"));
        }
    }
}
