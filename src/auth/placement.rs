//! [`Placement`]: where in a request the token goes. A header of its own is written to by the [hot path](super::shared);
//! what is joined with something of the caller's takes the longer way.

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, COOKIE, Entry, VacantEntry},
};

use super::{cookie::Cookie, origin::Origin, query::Parameter, template::Template};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    observe::Passed,
    token::AccessToken,
};

/// Where in a request the token goes. By default `Authorization: Bearer <token>` (RFC 6750 §2.1).
///
/// What the caller has put there wins: a request with that header, with a cookie or a query parameter of that name, passes
/// without the layer's token. Header values with the token in them are marked sensitive.
///
/// # Examples
///
/// ```
/// use tower_reauth::Placement;
///
/// let exports = Placement::with_scheme("X-API-Token", "Bearer")?; // X-API-Token: Bearer <token>
/// let key = Placement::bare("X-Api-Key")?; // X-Api-Key: <token>
/// let quoted = Placement::template("Authorization", r#"Token token="{token}""#)?; // Authorization: Token token="<token>"
/// let session = Placement::cookie("session")?; // Cookie: <the caller's>; session=<token>
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// What a request that has a token of its own is known by. Where the token goes into a query, no header says that.
    watched: HeaderName,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Header(Template),
    Cookie(Cookie),
    Query(Parameter),
}

impl Placement {
    /// `Authorization: Bearer <token>`, the default.
    #[must_use]
    pub fn bearer() -> Self {
        Self { watched: AUTHORIZATION, place: Place::Header(Template::bearer()) }
    }

    /// `<header>: <scheme> <token>`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Header`] if `header` is no header name or `scheme` is no token (RFC 9110 §5.6.2).
    pub fn with_scheme(header: &str, scheme: &str) -> Result<Self, ConfigError> {
        let template = Template::with_scheme(scheme)?;
        Self::in_header(header, template)
    }

    /// `<header>: <token>`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Header`] if `header` is no header name.
    pub fn bare(header: &str) -> Result<Self, ConfigError> {
        Self::in_header(header, Template::bare())
    }

    /// `<header>: <template>`, with the token where the template has `{token}`. Other braces are doubled: `{{`, `}}`.
    ///
    /// In a quoted string (RFC 9110 §5.6.4) a token's `"` and `\` get a backslash before them, which servers take away.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::Placement;
    ///
    /// for template in [r#"Token token="{token}""#, "GoogleLogin auth={token}", "apikey me:{token}"] {
    ///     Placement::template("Authorization", template)?;
    /// }
    /// # Ok::<(), tower_reauth::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Header`] if `header` is no header name, or if `template` doesn't have `{token}` exactly once,
    /// has another brace, a quote that isn't closed, a space at either end, or a character that is not printable ASCII,
    /// such as a line break.
    pub fn template(header: &str, template: &str) -> Result<Self, ConfigError> {
        Self::in_header(header, Template::parse(template)?)
    }

    /// A cookie of this name, behind the cookies that the caller sends (RFC 6265 §4.2).
    ///
    /// All of a request's cookies then are in one header, each byte as it was, and a replay begins with what the caller
    /// has sent. Cookies take no spaces, commas, semicolons, quotes or backslashes (RFC 6265 §4.1.1): for a token with one of
    /// these, callers get [`AuthErrorKind::NotPlaceable`](crate::AuthErrorKind::NotPlaceable), and nothing is sent. What a
    /// server sets by `Set-Cookie` is the caller's business.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Header`] if `name` is no token (RFC 9110 §5.6.2).
    pub fn cookie(name: &str) -> Result<Self, ConfigError> {
        Ok(Self { watched: COOKIE, place: Place::Cookie(Cookie::named(name)?) })
    }

    /// A parameter of this name in the URI's query, percent-encoded, behind those that are there. **Whoever sees the URI has
    /// the token.** RFC 6750 §2.3 says not to do this unless there is no other way.
    ///
    /// This crate shows the token in none of its logs, errors and outcomes, but it can't keep others from that:
    ///
    /// - layers beneath this one, such as trace or redirect, and what they log;
    /// - the client's own errors, where these show URIs, as reqwest's do;
    /// - logs of servers, gateways and CDNs, and their caches;
    /// - whatever a server makes of the URI: a `Location` or a link that repeats it, and with that the `Referer` and the
    ///   history of a browser.
    ///
    /// It goes over TLS or to loopback only. Where the origin is another one, as
    /// [`Origin::parse_allowing_plaintext_tokens`](crate::Origin::parse_allowing_plaintext_tokens) makes it, requests pass
    /// without it: [`Passed::PlainHttp`](crate::Passed::PlainHttp). Don't send it by a proxy for plain `http`, which sees the
    /// URI; one that makes tunnels (`CONNECT`) doesn't.
    ///
    /// The request gets `Cache-Control: no-store` as well, as RFC 6750 §2.3 asks for, unless the caller has set that header.
    /// A URI without room for the token passes, as [`Passed::NoRoom`](crate::Passed::NoRoom) says.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`] if `name` is empty or has a control character.
    pub fn query_visible_in_logs(name: &str) -> Result<Self, ConfigError> {
        Ok(Self { watched: COOKIE, place: Place::Query(Parameter::named(name)?) })
    }

    fn in_header(header: &str, template: Template) -> Result<Self, ConfigError> {
        let header = HeaderName::from_bytes(header.as_bytes()).map_err(|error| {
            ConfigError::new(ConfigErrorKind::Header, "the placement's header name is not valid")
                .with_source(error)
        })?;
        Ok(Self { watched: header, place: Place::Header(template) })
    }

    /// The header that carries the token, if one does: for a cookie `Cookie`, for a query parameter none.
    #[must_use]
    pub fn header(&self) -> Option<&HeaderName> {
        match self.place {
            Place::Header(_) | Place::Cookie(_) => Some(&self.watched),
            Place::Query(_) => None,
        }
    }

    /// The scheme before the token (RFC 9110 §11.1), if there is one.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        match &self.place {
            Place::Header(template) => template.scheme(),
            Place::Cookie(_) | Place::Query(_) => None,
        }
    }
}

// What is sent.
impl Placement {
    /// Whether the token is joined with something of the caller's, rather than that it gets a header of its own.
    pub(super) fn is_joined(&self) -> bool {
        !matches!(self.place, Place::Header(_))
    }

    /// Whether `token` can be written there at all.
    pub(crate) fn carries(&self, token: &AccessToken) -> bool {
        !matches!(self.place, Place::Cookie(_)) || Cookie::carries(token.expose_secret())
    }

    /// Whether `token` is written in another way than it is.
    pub(super) fn alters(&self, token: &AccessToken) -> bool {
        match &self.place {
            Place::Header(template) => template.alters(token.expose_secret()),
            Place::Cookie(_) => false,
            Place::Query(_) => Parameter::alters(token.expose_secret()),
        }
    }

    /// What is [put](Self::put) into a request for `token`, marked sensitive. `None` if the place can't
    /// [carry](Self::carries) it.
    pub(super) fn write(&self, token: &AccessToken) -> Option<HeaderValue> {
        let token = token.expose_secret();
        let mut value = match &self.place {
            Place::Header(template) => template.write(token),
            Place::Cookie(cookie) => cookie.write(token)?,
            Place::Query(parameter) => parameter.write(token),
        };
        value.set_sensitive(true);
        Some(value)
    }

    /// Makes sure that a request to `origin` can be given a token, as far as that shows before there is one.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(super) fn prepare(&self, uri: &Uri, headers: &mut HeaderMap, origin: &Origin) -> Result<(), Passed> {
        match &self.place {
            Place::Header(_) if headers.contains_key(&self.watched) => Err(Passed::OwnHeader),
            Place::Header(_) => headers.try_reserve(1).map_err(|_| Passed::NoRoom),
            Place::Cookie(cookie) if cookie.is_among(headers) => Err(Passed::OwnCookie),
            Place::Query(_) if !origin.is_secure() => Err(Passed::PlainHttp),
            Place::Query(parameter) if parameter.is_in(uri) => Err(Passed::OwnParameter),
            Place::Cookie(_) | Place::Query(_) => Ok(()),
        }
    }

    /// Puts what was [written](Self::write) in its place.
    ///
    /// # Errors
    ///
    /// If there is no room, or the header is there already. The request is as it was.
    pub(super) fn put(
        &self,
        written: HeaderValue,
        uri: &mut Uri,
        headers: &mut HeaderMap,
    ) -> Result<(), Passed> {
        match &self.place {
            Place::Header(_) => match self.free_header(headers)? {
                Some(free) => fill(free, written),
                None => Err(Passed::OwnHeader),
            },
            Place::Cookie(_) => Cookie::put(written, headers),
            Place::Query(_) => Parameter::put(&written, uri, headers),
        }
    }

    /// The place of a token that has a header of its own. To find it and to find that nobody else has taken it takes one look.
    /// There is none where the token is joined with what is there.
    ///
    /// # Errors
    ///
    /// If the header is there already, or there are as many as there can be.
    #[inline]
    pub(super) fn free_header<'a>(
        &self,
        headers: &'a mut HeaderMap,
    ) -> Result<Option<VacantEntry<'a, HeaderValue>>, Passed> {
        match headers.try_entry(&self.watched) {
            Ok(Entry::Vacant(free)) => Ok(Some(free)),
            _ if self.is_joined() => Ok(None),
            Ok(Entry::Occupied(_)) => Err(Passed::OwnHeader),
            Err(_) => Err(Passed::NoRoom),
        }
    }
}

/// Puts a value into a header that is free.
#[inline]
pub(super) fn fill(free: VacantEntry<'_, HeaderValue>, value: HeaderValue) -> Result<(), Passed> {
    free.try_insert(value).map(drop).map_err(|_| Passed::NoRoom)
}

impl Default for Placement {
    fn default() -> Self {
        Self::bearer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_sensitive_and_in_its_header() {
        let token = AccessToken::new("abc").expect("valid");
        let value = |placement: &Placement| placement.write(&token).expect("visible ascii fits");
        let exports = Placement::with_scheme("X-API-Token", "Bearer").expect("valid");
        let quoted = Placement::template("X-API-Token", r#"Token token="{token}""#).expect("valid");
        for (placement, expected) in [
            (&exports, "Bearer abc"),
            (&quoted, r#"Token token="abc""#),
            (&Placement::bare("x-api-token").expect("valid"), "abc"),
        ] {
            assert_eq!(placement.header().expect("a header"), "x-api-token");
            assert_eq!(value(placement), expected);
            assert!(value(placement).is_sensitive());
        }
        let session = Placement::cookie("session").expect("valid");
        assert_eq!((session.header(), session.scheme()), (Some(&COOKIE), None));
        assert!(value(&session) == "session=abc" && value(&session).is_sensitive());
        let query = Placement::query_visible_in_logs("key").expect("valid");
        assert_eq!(
            (query.header(), query.scheme(), value(&query)),
            (None, None, HeaderValue::from_static("key=abc"))
        );
    }

    #[test]
    fn names_that_http_cannot_carry_are_refused() {
        for (header, scheme) in [
            ("", "Bearer"),
            ("a b", "Bearer"),
            ("a:", "Bearer"),
            ("x", ""),
            ("x", "Be arer"),
            ("x", "Bearer\r\n"),
        ] {
            let error = Placement::with_scheme(header, scheme).expect_err("not valid");
            assert_eq!(error.kind(), ConfigErrorKind::Header);
        }
        assert_eq!(
            Placement::template("a b", "{token}").expect_err("a space").kind(),
            ConfigErrorKind::Header
        );
    }

    #[test]
    fn a_scheme_is_that_of_the_template() {
        let of = |template| Placement::template("Authorization", template).expect(template);
        assert_eq!(of("Bearer {token}"), Placement::bearer());
        assert_eq!(of("{token}"), Placement::bare("authorization").expect("valid"));
        assert_eq!(of(r#"Token token="{token}""#).scheme(), Some("Token"));
        assert_eq!(of("key={token}").scheme(), None);
    }
}
