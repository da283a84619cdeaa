//! Where people are sent: https, or http to this machine, and nowhere else.

use std::net::IpAddr;

use form_urlencoded::Serializer;
use http::Uri;

use super::failure::{Failure, tame};

/// The address, if somebody may be sent there to log in.
pub(super) fn checked(url: &str, what: &str) -> Result<Uri, Failure> {
    let wrong = |why: &str| Failure::Server(format!("the {what} {:?} {why}", tame(url)));
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    let uri: Uri = url.parse().map_err(|_| wrong("is no url"))?;
    let (Some(scheme), Some(host), true) = (uri.scheme_str(), uri.host(), is_plain) else {
        return Err(wrong("is no url of a server"));
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if scheme == "https" || (scheme == "http" && is_here) {
        Ok(uri)
    } else {
        Err(wrong("isn't https, so that anybody on the way could read what is entered there"))
    }
}

/// The address with these parameters behind those it has (RFC 6749 §3.1).
pub(super) fn with_params<'a>(url: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let (url, _) = url.split_once('#').unwrap_or((url, ""));
    let params = Serializer::new(String::new()).extend_pairs(params).finish();
    let between = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{url}{between}{params}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_over_plain_http_or_to_something_else() {
        for url in [
            "http://login.example.com/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "/auth",
            "https:///x",
            "http://127.0.0.1.example.com/",
            "https://x.example/\u{1b}[0m",
            "http://localhost.example.com/",
        ] {
            let error = checked(url, "url").expect_err(url).to_string();
            assert!(!error.contains('\u{1b}'), "{error}");
        }
        for url in ["https://x.example/a?b", "http://127.0.0.1:80/", "http://[::1]/", "http://localhost:8/"] {
            assert!(checked(url, "url").is_ok(), "{url}");
        }
    }

    #[test]
    fn parameters_come_behind_those_that_are_there() {
        let params = || [("a b", "c&d")];
        assert_eq!(with_params("https://x.example/", params()), "https://x.example/?a+b=c%26d");
        assert_eq!(with_params("https://x.example/?", params()), "https://x.example/?a+b=c%26d");
        assert_eq!(with_params("https://x.example/?e=f#g", params()), "https://x.example/?e=f&a+b=c%26d");
    }
}
