//! [`Proxies`]: which connections go through a proxy, and through which one.

use std::{fmt, sync::Arc};

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use super::proxy_url::ProxyUrl;
use crate::{
    address::{is_loopback, is_metadata_host},
    error::ConfigError,
};

/// What says through which proxy a connection goes.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    /// Without one, all connections are direct.
    matcher: Option<Arc<Matcher>>,
}

impl Proxies {
    /// No proxy for anything.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// The same one for everything.
    pub(super) fn one(url: &str) -> Result<Self, ConfigError> {
        let url = ProxyUrl::parse(url).map_err(|problem| problem.of("the proxy's url"))?;
        Ok(Self::by_scheme(Some(url.clone()), Some(url), ""))
    }

    /// One for each scheme of an origin, and none for the hosts in `except`, which are separated by commas.
    pub(super) fn by_scheme(http: Option<ProxyUrl>, https: Option<ProxyUrl>, except: &str) -> Self {
        if http.is_none() && https.is_none() {
            return Self::none();
        }
        let text = |url: Option<ProxyUrl>| url.map(ProxyUrl::into_text).unwrap_or_default();
        let matcher = Matcher::builder().http(text(http)).https(text(https)).no(except).build();
        Self { matcher: Some(Arc::new(matcher)) }
    }

    /// The proxy for connections to `origin`. Loopback has none, as another machine's is not ours, and neither have
    /// metadata services.
    pub(super) fn find(&self, origin: &Uri) -> Option<Proxy> {
        let matcher = self.matcher.as_ref()?;
        let host = origin.host()?;
        if is_loopback(host) || is_metadata_host(host) {
            return None;
        }
        let found = matcher.intercept(origin)?;
        Some(Proxy { uri: found.uri().clone(), credentials: found.basic_auth().cloned() })
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.matcher {
            // It shows no credentials.
            Some(matcher) => matcher.fmt(f),
            None => f.write_str("None"),
        }
    }
}

/// A proxy, and what it wants to know of us.
pub(super) struct Proxy {
    uri: Uri,
    credentials: Option<HeaderValue>,
}

impl Proxy {
    /// Without userinfo.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// For `Proxy-Authorization` (RFC 9110 §11.7.1).
    pub(super) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }

    /// What it is called in errors and logs: host and port.
    pub(super) fn name(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(proxies: &Proxies, origin: &str) -> Option<String> {
        proxies.find(&origin.parse().expect("a uri")).map(|proxy| proxy.uri().to_string())
    }

    #[test]
    fn loopback_and_metadata_services_have_no_proxy() {
        let proxies = Proxies::one("http://proxy.test:3128").expect("a proxy");
        for scheme in ["http", "https"] {
            for host in ["api.example.com", "10.1.2.3:8443", "[2001:db8::1]"] {
                let proxy = found(&proxies, &format!("{scheme}://{host}/"));
                assert_eq!(proxy.as_deref(), Some("http://proxy.test:3128/"), "{host}");
            }
            for host in [
                "localhost:8080",
                "LOCALHOST",
                "127.0.0.1",
                "127.8.8.8:80",
                "[::1]:3000",
                "[::ffff:127.0.0.1]",
                "169.254.169.254",
                "0xa9fea9fe",
                "[fd00:ec2::254]",
                "[::ffff:a9fe:a9fe]",
                "metadata.google.internal",
            ] {
                assert_eq!(found(&proxies, &format!("{scheme}://{host}/")), None, "{host}");
            }
        }
        assert_eq!(found(&Proxies::none(), "https://api.example.com"), None);
    }

    #[test]
    fn credentials_are_sensitive_and_in_no_name() {
        let proxies = Proxies::one("http://us%20er:pa%40ss@proxy.test:3128").expect("a proxy");
        let proxy = proxies.find(&Uri::from_static("https://api.example.com")).expect("a proxy");
        let credentials = proxy.credentials().expect("credentials");
        // "us er:pa@ss"
        assert_eq!(credentials, "Basic dXMgZXI6cGFAc3M=");
        assert!(credentials.is_sensitive());
        assert_eq!(proxy.name(), "proxy.test:3128");
        let shown = format!("{proxies:?} {} {}", proxy.uri(), proxy.name());
        for secret in ["pa%40ss", "pa@ss", "dXMgZXI6"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
