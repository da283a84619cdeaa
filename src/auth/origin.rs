//! Which requests may carry the token: those to one origin (RFC 6454 §4), compared by scheme, host and port.

use std::fmt;

use http::{
    Uri,
    uri::{Authority, Scheme},
};

use crate::{
    address::is_loopback,
    error::{ConfigError, ConfigErrorKind},
};

/// The origin that the token belongs to. Requests to any other one pass through the layer untouched.
///
/// Scheme and host are compared without regard to case, default ports are filled in, and userinfo is ignored.
/// The `Host` header is never trusted. Names aren't looked up: `localhost` is another host than `127.0.0.1`.
///
/// Who gets a 401 for such a slip finds [`Passed::OtherOrigin`](crate::Passed::OtherOrigin) in the response's
/// [`AuthOutcome`](crate::AuthOutcome), and both origins in the log at debug level.
///
/// # Examples
///
/// ```
/// use tower_reauth::Origin;
///
/// let origin = Origin::parse("https://api.example.com")?;
/// assert!(origin.covers(&"https://API.example.com:443/videos".parse().unwrap()));
/// assert!(!origin.covers(&"http://api.example.com/videos".parse().unwrap()));
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: Box<str>,
    port: u16,
    /// Host and port as they are usually written, to be compared with first.
    authority: Box<str>,
    implied: bool,
}

impl Origin {
    /// Parses `scheme://host[:port]`. `http` is accepted only for loopback hosts (`localhost`, `127.0.0.0/8`,
    /// `[::1]`), since anybody on the way could read the token.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`] if it is no origin, [`ConfigErrorKind::InsecureUrl`] for `http` elsewhere.
    pub fn parse(origin: &str) -> Result<Self, ConfigError> {
        let origin = Self::parse_allowing_plaintext_tokens(origin)?;
        if origin.is_secure() {
            Ok(origin)
        } else {
            Err(ConfigError::new(
                ConfigErrorKind::InsecureUrl,
                format!("{origin} would send tokens in plain text; use https, or a loopback host"),
            ))
        }
    }

    /// As [`parse`](Self::parse), but lets tokens travel in plain text over `http` to any host.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`] if it is no origin.
    pub fn parse_allowing_plaintext_tokens(origin: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| ConfigError::new(ConfigErrorKind::Url, format!("not an origin: {why}"));
        let uri: Uri = origin.parse().map_err(|error| refuse("it can't be parsed").with_source(error))?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(refuse("it has a path or a query; give scheme, host and port only"));
        }
        Self::of(&uri).ok_or_else(|| refuse("it needs http or https, a host, no userinfo and a valid port"))
    }

    /// The origin of `uri`, whatever its path.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        let port = port_of(scheme, authority)?;
        let host = authority.host().to_ascii_lowercase();
        let authority =
            if default_port(scheme) == Some(port) { host.clone() } else { format!("{host}:{port}") };
        Some(Self {
            scheme: scheme.clone(),
            host: host.into(),
            port,
            authority: authority.into(),
            implied: false,
        })
    }

    /// Says that the service under the layer talks to this origin alone, so that requests whose URI has no
    /// authority (tonic's, and those of a bare HTTP/1.1 connection) go there and may carry the token.
    #[must_use]
    pub fn implied(mut self) -> Self {
        self.implied = true;
        self
    }

    /// Whether a request to `uri` may carry the token.
    #[must_use]
    #[inline]
    pub fn covers(&self, uri: &Uri) -> bool {
        match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => {
                *scheme == self.scheme
                    && (authority.as_str() == &*self.authority
                        || authority.host().eq_ignore_ascii_case(&self.host)
                            && port_of(scheme, authority) == Some(self.port))
            }
            (None, None) => self.implied,
            _ => false,
        }
    }

    /// Whether nobody but the server can read what is sent there.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS || is_loopback(&self.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self}{})", if self.implied { ", implied" } else { "" })
    }
}

/// The port that `authority` means, or `None` where that can't be told.
fn port_of(scheme: &Scheme, authority: &Authority) -> Option<u16> {
    if let Some(port) = authority.port_u16() {
        return Some(port);
    }
    // A port that isn't a number up to 65535 is none to http; a client might read it in another way.
    if !authority.as_str().ends_with(authority.host()) {
        return None;
    }
    default_port(scheme)
}

fn default_port(scheme: &Scheme) -> Option<u16> {
    if *scheme == Scheme::HTTPS {
        Some(443)
    } else if *scheme == Scheme::HTTP {
        Some(80)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).expect(text)
    }

    fn uri(text: &str) -> Uri {
        text.parse().expect(text)
    }

    #[test]
    fn the_same_origin_may_be_written_in_many_ways() {
        let api = origin("https://api.example.com");
        for same in [
            "https://api.example.com",
            "https://API.EXAMPLE.com/",
            "HTTPS://api.example.com:443/a?b",
            "https://user:pass@api.example.com/",
        ] {
            assert!(api.covers(&uri(same)), "{same}");
        }
        assert!(origin("https://[::1]:8443").covers(&uri("https://[::1]:8443/")));
        assert!(origin("https://api.example.com:8443/").covers(&uri("https://api.example.com:8443/x")));
    }

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let api = origin("https://api.example.com");
        for other in [
            "http://api.example.com/",
            "http://api.example.com:443/",
            "https://api.example.com:8443/",
            "https://api.example.com:99999/",
            "https://example.com/",
            "https://api.example.com.evil.test/",
            "https://api.example.com@evil.test/",
            "https://evil.test/api.example.com",
            "ftp://api.example.com/",
        ] {
            if let Ok(other) = other.parse::<Uri>() {
                assert!(!api.covers(&other), "{other}");
            }
        }
    }

    #[test]
    fn a_uri_without_authority_is_covered_only_if_the_origin_is_implied() {
        let api = origin("https://api.example.com");
        assert!(!api.covers(&uri("/videos")));
        assert!(api.clone().implied().covers(&uri("/videos")));
        assert!(!api.implied().covers(&uri("evil.test:443")), "authority form has no scheme");
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for fine in ["http://localhost:80", "http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:1"] {
            assert!(Origin::parse(fine).is_ok(), "{fine}");
        }
        for bad in ["http://example.com", "http://localhost.evil.test", "http://10.0.0.1", "http://0.0.0.0"] {
            let error = Origin::parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ConfigErrorKind::InsecureUrl);
            assert!(Origin::parse_allowing_plaintext_tokens(bad).is_ok());
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in [
            "",
            "api.example.com",
            "/",
            "ftp://a.b",
            "https://",
            "https://u@a.b",
            "https://a.b/c",
            "https://a.b?c",
            "https://a.b:x",
            "https://a.b:",
            "https://a.b:70000",
        ] {
            assert_eq!(Origin::parse(bad).expect_err(bad).kind(), ConfigErrorKind::Url, "{bad}");
        }
    }
}
