//! The proxies that the environment names.

use std::ffi::OsString;

use super::{
    proxy::Proxies,
    proxy_url::{Problem, ProxyUrl},
};
use crate::error::ConfigError;

/// What `read` says of variables, by their names: that of the scheme, or `ALL_PROXY`, and `NO_PROXY`.
///
/// # Errors
///
/// If a variable that counts names no proxy that can be used: who names one wants no connection without it.
pub(super) fn proxies(read: impl Fn(&str) -> Option<OsString>) -> Result<Proxies, ConfigError> {
    let read = |names: [&'static str; 2]| {
        let mut values = names.into_iter().filter_map(|name| Some((name, read(name)?)));
        values.find(|(_, value)| !value.is_empty())
    };
    // A server hands the headers of a request to a program as variables (RFC 3875 §4.1.18), `Proxy` as this one.
    let is_cgi = read(["REQUEST_METHOD"; 2]).is_some();
    let except = read(["no_proxy", "NO_PROXY"]).map(text).transpose()?.unwrap_or_default();
    let except: Vec<_> =
        except.split(|it: char| it == ',' || it.is_whitespace()).filter(|host| !host.is_empty()).collect();
    // Addresses too, which the matcher would not count among them.
    if except.contains(&"*") {
        return Ok(Proxies::none());
    }
    let http = if is_cgi { None } else { read(["http_proxy", "HTTP_PROXY"]) };
    let https = read(["https_proxy", "HTTPS_PROXY"]);
    let all = || read(["all_proxy", "ALL_PROXY"]);
    let (http, https) = (url(http.or_else(all))?, url(https.or_else(all))?);
    Ok(Proxies::by_scheme(http, https, &except.join(",")))
}

type Variable = (&'static str, OsString);

fn url(variable: Option<Variable>) -> Result<Option<ProxyUrl>, ConfigError> {
    let Some(variable) = variable else { return Ok(None) };
    let name = variable.0;
    ProxyUrl::parse(&text(variable)?).map(Some).map_err(|problem| problem.of(name))
}

fn text((name, value): Variable) -> Result<String, ConfigError> {
    value.into_string().map_err(|_| Problem::NotText.of(name))
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    /// The proxy's host for `origin`, where these variables are set.
    fn found(variables: &[(&str, &str)], origin: &str) -> Option<String> {
        let read = |name: &str| {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| value.into())
        };
        let proxies = proxies(read).expect("proxies");
        let origin: Uri = origin.parse().expect("a uri");
        proxies.find(&origin).map(|proxy| proxy.name().to_owned())
    }

    #[test]
    fn each_scheme_has_its_variable_or_that_of_all() {
        for (variables, http, https) in [
            (&[][..], None, None),
            (&[("http_proxy", "http://a")], Some("a"), None),
            (&[("HTTP_PROXY", "http://a")], Some("a"), None),
            (&[("https_proxy", "http://b:1")], None, Some("b:1")),
            (&[("HTTPS_PROXY", "https://b")], None, Some("b")),
            (&[("ALL_PROXY", "c")], Some("c"), Some("c")),
            (&[("all_proxy", "c"), ("HTTPS_PROXY", "b")], Some("c"), Some("b")),
            (&[("https_proxy", "low"), ("HTTPS_PROXY", "up")], None, Some("low")),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "up")], None, Some("up")),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "c")], Some("c"), Some("c")),
            // One that isn't used isn't looked at.
            (&[("http_proxy", "a"), ("https_proxy", "b"), ("ALL_PROXY", "socks5://c")], Some("a"), Some("b")),
        ] {
            let seen = ["http://api.test/", "https://api.test/"].map(|origin| found(variables, origin));
            assert_eq!(seen, [http, https].map(|it| it.map(str::to_owned)), "{variables:?}");
        }
    }

    #[test]
    fn in_a_cgi_program_no_request_names_the_proxy() {
        for name in ["HTTP_PROXY", "http_proxy"] {
            let variables = [(name, "evil"), ("HTTPS_PROXY", "good"), ("REQUEST_METHOD", "GET")];
            assert_eq!(found(&variables, "http://api.test/"), None);
            assert_eq!(found(&variables, "https://api.test/").as_deref(), Some("good"));
            let variables = [(name, "evil"), ("ALL_PROXY", "good"), ("REQUEST_METHOD", "GET")];
            assert_eq!(found(&variables, "http://api.test/").as_deref(), Some("good"));
        }
    }

    #[test]
    fn hosts_without_a_proxy() {
        for (except, direct, by_proxy) in [
            (
                "api.test",
                &["api.test", "API.TEST", "x.api.test", "api.test:8443"][..],
                &["xapi.test", "test"][..],
            ),
            (".api.test", &["api.test", "x.api.test"], &["xapi.test"]),
            ("a.test,b.test", &["a.test", "b.test"], &["c.test"]),
            (" a.test ,\tb.test c.test", &["a.test", "b.test", "c.test"], &["d.test"]),
            ("10.0.0.0/8", &["10.1.2.3"], &["11.1.2.3", "ten.test"]),
            ("10.1.2.3", &["10.1.2.3"], &["10.1.2.4"]),
            ("2001:db8::/32,::2", &["[2001:db8::1]", "[::2]"], &["[2001:db9::1]"]),
            ("*", &["a.test", "10.1.2.3"], &[]),
            ("a.test,*", &["a.test", "b.test", "10.1.2.3"], &[]),
            ("*.api.test", &[], &["x.api.test", "api.test"]),
            ("api.test:443", &[], &["api.test", "api.test:443"]),
            ("[2001:db8::1]", &[], &["[2001:db8::1]"]),
            ("api.test.", &[], &["api.test"]),
            ("api.test", &[], &["api.test."]),
            ("", &[], &["api.test"]),
        ] {
            let variables = [("ALL_PROXY", "http://proxy.test"), ("NO_PROXY", except)];
            let has_proxy = |host: &str| found(&variables, &format!("https://{host}/")).is_some();
            for host in direct {
                assert!(!has_proxy(host), "{except}: {host}");
            }
            for host in by_proxy {
                assert!(has_proxy(host), "{except}: {host}");
            }
        }
        let both = [("ALL_PROXY", "p"), ("no_proxy", "a.test"), ("NO_PROXY", "b.test")];
        assert_eq!(found(&both, "https://a.test/"), None);
        assert_eq!(found(&both, "https://b.test/").as_deref(), Some("p"));
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_named() {
        for (name, value, words) in [
            ("https_proxy", "http://us3r:pa 55@proxy", "https_proxy can't be read"),
            ("HTTPS_PROXY", "http://proxy.test:99999", "HTTPS_PROXY has a port"),
            ("ALL_PROXY", "socks5://proxy.test", "ALL_PROXY names a proxy that speaks socks5"),
            ("http_proxy", "ftp://proxy.test", "http_proxy must begin with"),
        ] {
            let error = proxies(|asked| (asked == name).then(|| value.into())).expect_err(value);
            assert!(error.to_string().starts_with(words), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStringExt;
        for (name, other) in [("HTTPS_PROXY", "http_proxy"), ("NO_PROXY", "http_proxy")] {
            let read = |asked: &str| match asked {
                _ if asked == name => Some(OsString::from_vec(vec![b'p', 0xff])),
                _ => (asked == other).then(|| "proxy.test".into()),
            };
            let error = proxies(read).expect_err("bytes");
            assert_eq!(error.to_string(), format!("{name} is not UTF-8"));
        }
    }
}
