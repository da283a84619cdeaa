//! The proxies that the environment names. That belongs to the whole process, so a child runs what needs another one.

use std::process::Command;

use super::{
    proxy::{Manner, Proxy},
    *,
};

const CHILD: &str = "TOWER_REAUTH_TEST_CHILD";

/// Runs the test `name` again in a process with these variables, and without any others that are about proxies.
fn in_child(name: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        child.env_remove(name).env_remove(name.to_uppercase());
    }
    child
        .args(["--exact", &format!("client::environment::{name}")])
        .env(CHILD, "1")
        .env_remove("REQUEST_METHOD");
    let output = child.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{variables:?}: {text}");
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// The parent's proxy for the child's requests, and what has been asked of it.
fn asked(name: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let proxy = runtime.block_on(Proxy::start(Manner::Answers(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")));
    let url = format!("http://us3r:pa55@{}", proxy.name());
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, if *value == "PROXY" { &*url } else { value }))
        .collect();
    in_child(name, &variables);
    assert!(
        proxy.heads().iter().all(|head| head.contains("\r\nproxy-authorization: Basic dXMzcjpwYTU1\r\n"))
    );
    proxy.targets()
}

/// In the child: asks both servers, and none is there.
async fn ask(client: &Client) {
    for url in ["http://plain.invalid/", "https://tls.invalid/"] {
        post(client, url, "").await.unwrap_err();
    }
}

#[test]
fn a_client_uses_them_unless_it_is_told_otherwise() {
    let name = "a_client_uses_them_unless_it_is_told_otherwise";
    if is_child() {
        let client = Client::builder().roots(Roots::Bundled);
        let client = if std::env::var_os("WITHOUT").is_some() { client.no_proxy() } else { client };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(ask(&client.build().unwrap()));
    }
    let (plain, tls) = ("plain.invalid:80", "tls.invalid:443");
    for (variables, targets) in [
        (&[("ALL_PROXY", "PROXY")][..], &[plain, tls][..]),
        (&[("HTTP_PROXY", "PROXY")], &[plain]),
        (&[("http_proxy", "PROXY"), ("https_proxy", "PROXY")], &[plain, tls]),
        (&[("HTTPS_PROXY", "PROXY"), ("NO_PROXY", "invalid")], &[]),
        (&[("HTTPS_PROXY", "PROXY"), ("no_proxy", ".plain.invalid, other.test")], &[tls]),
        (&[("HTTP_PROXY", "PROXY"), ("https_proxy", "PROXY"), ("REQUEST_METHOD", "GET")], &[tls]),
        (&[("ALL_PROXY", "PROXY"), ("NO_PROXY", "*")], &[]),
        (&[("ALL_PROXY", "PROXY"), ("WITHOUT", "1")], &[]),
        // What isn't used may be anything.
        (&[("ALL_PROXY", "socks5://proxy.invalid"), ("WITHOUT", "1")], &[]),
        (&[], &[]),
    ] {
        assert_eq!(asked(name, variables), targets, "{variables:?}");
    }
}

#[test]
fn one_that_cannot_be_used_is_named_by_its_variable() {
    let name = "one_that_cannot_be_used_is_named_by_its_variable";
    if is_child() {
        let error = Client::builder().roots(Roots::Bundled).build().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Url);
        assert!(error.to_string().starts_with(&variable("EXPECTED")), "{error}");
        assert!(!format!("{error:?}").contains("pa55"), "{error:?}");
        Client::builder().roots(Roots::Bundled).no_proxy().build().unwrap();
        Client::builder().roots(Roots::Bundled).proxy("http://proxy.test").unwrap().build().unwrap();
        return;
    }
    for (variable, value, words) in [
        ("ALL_PROXY", "socks5h://us3r:pa55@proxy.test:1080", "ALL_PROXY names a proxy that speaks socks5h"),
        ("https_proxy", "http://us3r:pa 55@proxy.test", "https_proxy can't be read"),
        ("HTTP_PROXY", "htp://us3r:pa55@proxy.test", "HTTP_PROXY must begin with http:// or https://"),
    ] {
        in_child(name, &[(variable, value), ("EXPECTED", words)]);
    }
}
