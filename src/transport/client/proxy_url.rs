//! [`ProxyUrl`]: the URL of a proxy that can be used, and what is wrong with one that can't.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::{
    address::is_metadata_host,
    error::{ConfigError, ConfigErrorKind},
};

/// A proxy's URL, maybe with credentials in it.
#[derive(Clone)]
pub(super) struct ProxyUrl(String);

impl ProxyUrl {
    /// Takes `http` and `https`, and without a scheme `http`.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(Problem::Socks(scheme));
        }
        if !matches!(&*scheme, "http" | "https") {
            return Err(Problem::Scheme);
        }
        let url = format!("{scheme}://{rest}");
        let uri: Uri = url.parse().map_err(|_| Problem::Unreadable)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(Problem::Unreadable)?;
        if is_metadata_host(host) {
            return Err(Problem::Metadata);
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let (_, port) = authority.rsplit_once(host).ok_or(Problem::Unreadable)?;
        if !port.is_empty() && uri.port_u16().is_none_or(|port| port == 0) {
            return Err(Problem::Port);
        }
        // It has to be one for what will read it, too.
        let any = Uri::from_static("https://a.invalid");
        Matcher::builder().all(&*url).build().intercept(&any).ok_or(Problem::Unreadable)?;
        Ok(Self(url))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// What is wrong with a proxy's URL. It holds nothing that may be secret.
#[derive(Debug)]
pub(super) enum Problem {
    Unreadable,
    Port,
    /// Its name begins with `socks`.
    Socks(String),
    /// The word isn't repeated: where no scheme is, something else stands in its place.
    Scheme,
    Metadata,
    NotText,
}

impl Problem {
    /// The error, where `whose` is how the user knows the URL. The URL itself isn't shown, since passwords are in some.
    pub(super) fn of(self, whose: &str) -> ConfigError {
        let words = match self {
            Self::Unreadable => format!(
                "{whose} can't be read; write it as in http://proxy.example.com:3128, and in its user name and \
                 password % and two digits for what isn't a letter or a digit"
            ),
            Self::Port => format!("{whose} has a port that is none"),
            Self::Socks(scheme) => format!(
                "{whose} names a proxy that speaks {scheme}, which this client doesn't; name one that speaks http or \
                 https, or do without proxies with no_proxy"
            ),
            Self::Scheme => format!("{whose} must begin with http:// or https://"),
            Self::Metadata => format!("{whose} leads to a machine's metadata service, which is no proxy"),
            Self::NotText => format!("{whose} is not UTF-8"),
        };
        ConfigError::new(ConfigErrorKind::Url, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_scheme_or_port_is_one() {
        for (text, url) in [
            ("http://proxy.test:3128", "http://proxy.test:3128"),
            ("HTTPS://proxy.test", "https://proxy.test"),
            ("proxy.test:3128", "http://proxy.test:3128"),
            (" proxy.test\n", "http://proxy.test"),
            ("user:pass@proxy.test:3128/", "http://user:pass@proxy.test:3128/"),
            ("10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
            ("http://localhost:3128", "http://localhost:3128"),
        ] {
            assert_eq!(ProxyUrl::parse(text).map(ProxyUrl::into_text).expect(text), url);
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_showing_it() {
        for (text, words) in [
            ("", "can't be read"),
            ("http://", "can't be read"),
            ("http://us3r:pa55@", "can't be read"),
            ("http://us3r:pa5 5@proxy.test", "can't be read"),
            ("http://us3r:pa55@ho st:1", "can't be read"),
            ("http://us3r:pa55@proxy.test:99999", "a port that is none"),
            ("http://us3r:pa55@proxy.test:0", "a port that is none"),
            ("http://us3r:pa55@proxy.test:", "a port that is none"),
            ("us3r:pa55@://proxy.test", "must begin with http:// or https://"),
            ("ftp://us3r:pa55@proxy.test", "must begin with http:// or https://"),
            ("socks5h://us3r:pa55@proxy.test:1080", "speaks socks5h, which"),
            ("socks4://proxy.test", "speaks socks4, which"),
            ("http://us3r:pa55@169.254.169.254", "metadata service"),
            ("http://us3r:pa55@2852039166:80", "metadata service"),
        ] {
            let Err(problem) = ProxyUrl::parse(text) else { panic!("{text} is taken") };
            let error = problem.of("HTTPS_PROXY");
            assert_eq!(error.kind(), ConfigErrorKind::Url);
            let shown = format!("{error} {error:?}");
            assert!(error.to_string().starts_with("HTTPS_PROXY "), "{error}");
            assert!(shown.contains(words), "{text:?}: {error}");
            assert!(!shown.contains("us3r") && !shown.contains("pa5"), "{shown}");
        }
    }
}
