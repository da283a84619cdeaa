//! A vendor behind a gateway, whose path comes before the vendor's own, and a gateway without TLS.

use crate::support::{
    client::{raw, status},
    process::{Ended, Program, Proxy},
    server::Raw,
};

const KEY: &str = "a-key-that-nobody-may-see";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A vendor whose key needs no exchange, behind the path `/vendor` of a server.
fn beneath(program: Program, server: &Raw) -> Program {
    program
        .args("--vendor videsk --key env:KEY --base-url")
        .arg(format!("{}/vendor", server.origin))
        .secret("KEY", KEY)
}

/// The first line of each request, without the version, and all of them with the token.
fn targets(server: &Raw) -> Vec<String> {
    let seen = server.seen();
    assert!(seen.iter().all(|request| request.contains(&format!("authorization: Bearer {KEY}"))), "{seen:?}");
    seen.iter().map(|request| request.split(" HTTP/1.1\r\n").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_call_is_beneath_the_gateways_path() {
    let server = Raw::start(&[EMPTY]).await;
    for target in ["/videos?a=%41", "/", "/a//b%2Fc?d=/../e", "//evil.example/x"] {
        beneath(Program::call(), &server).arg("GET").arg(target).run().await.assert_status(0);
    }
    for rest in ["/vendor/videos", "/vendor", "/vendor/a?b#c"] {
        let url = format!("{}{rest}", server.origin);
        beneath(Program::call(), &server).arg("GET").arg(url).run().await.assert_status(0);
    }
    assert_eq!(
        targets(&server),
        [
            "GET /vendor/videos?a=%41",
            "GET /vendor/",
            "GET /vendor/a//b%2Fc?d=/../e",
            "GET /vendor//evil.example/x",
            "GET /vendor/videos",
            "GET /vendor",
            "GET /vendor/a?b",
        ]
    );
}

#[tokio::test]
async fn no_call_leads_out_of_it() {
    let server = Raw::start(&[EMPTY]).await;
    for target in ["/../x", "/a/../../x", "/%2e%2e/x", "/.%2E", r"/..\x", "/%252e%252e/x", "/..;/x"] {
        let ended = beneath(Program::call(), &server).arg("GET").arg(target).run().await;
        ended.assert_status(2).assert_says("PATH: it may lead out of /vendor");
    }
    for rest in ["", "/", "/other", "/vendorx", "/vendor/../other", "/vendor/%2e%2e/other"] {
        let ended = beneath(Program::call(), &server).arg("GET").arg(format!("{}{rest}", server.origin));
        let ended: Ended = ended.run().await;
        ended.assert_status(2).assert_says(&format!("or a URL at {}/vendor;", server.origin));
    }
    assert_eq!(server.seen(), [] as [String; 0]);
}

#[tokio::test]
async fn the_proxys_own_paths_are_beneath_the_gateways() {
    let server = Raw::start(&[EMPTY]).await;
    let proxy = Proxy::start(beneath(Program::proxy(), &server)).await;
    for (target, expected) in [
        ("/videos", Some("GET /vendor/videos")),
        ("/a//b?c=/../d", Some("GET /vendor/a//b?c=/../d")),
        ("//evil.example/x", Some("GET /vendor//evil.example/x")),
        ("/", Some("GET /vendor/")),
        ("http://HOST/videos", Some("GET /vendor/videos")),
        ("/../x", None),
        ("/a/../../x", None),
        ("/%2e%2e/%2E%2e%2fx", None),
        (r"/\..\x", None),
        ("/..%5cx", None),
        ("/%252e%252e/x", None),
        ("http://HOST/../x", None),
    ] {
        let before = server.seen().len();
        let line = format!("GET {} HTTP/1.1\r\nHost: HOST\r\n\r\n", target.replace("HOST", &proxy.address));
        let answer = raw(&proxy.address, &line).await;
        assert_eq!(targets(&server).get(before).map(String::as_str), expected, "{target}");
        assert_eq!(status(&answer), if expected.is_some() { 204 } else { 400 }, "{target}: {answer}");
        assert!(expected.is_some() || answer.contains("it may lead out of /vendor"), "{answer}");
    }
    let answer = raw(&proxy.address, "OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    assert_eq!(status(&answer), 400, "the gateway as a whole isn't the vendor: {answer}");
    proxy.stop().await;
}

#[tokio::test]
async fn redirects_beneath_the_gateways_path_lead_back_and_others_to_the_gateway() {
    let locations = [
        ("ORIGIN/vendor/a?b#c", "/a?b#c"),
        ("ORIGIN/vendor", "/"),
        ("/vendor/a", "/a"),
        ("/vendor/a?b#c", "/a?b#c"),
        ("/other", "ORIGIN/other"),
        ("/vendorx", "ORIGIN/vendorx"),
        ("/vendor/../other", "ORIGIN/vendor/../other"),
        ("ORIGIN/other", "ORIGIN/other"),
        ("ORIGIN/vendor//evil.example/", "ORIGIN/vendor//evil.example/"),
        ("//evil.example/vendor/", "//evil.example/vendor/"),
        ("relative", "relative"),
        ("https://elsewhere.example/vendor/a", "https://elsewhere.example/vendor/a"),
    ];
    let answers = locations.map(|(location, _)| {
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
    });
    let server = Raw::start(&answers.each_ref().map(|answer| &**answer)).await;
    let proxy = Proxy::start(beneath(Program::proxy(), &server)).await;
    for (location, expected) in locations {
        let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        let expected = format!("location: {}\r\n", expected.replace("ORIGIN", &server.origin));
        assert!(answer.contains(&expected), "{location}: {answer}");
    }
    proxy.stop().await;
}

/// Where there is no such host, the call is made, and reaches nobody.
#[tokio::test]
async fn plain_text_has_to_be_allowed() {
    let oauth2 = "--vendor oauth2 --client-id me --client-secret env:KEY --token-url";
    for args in [
        "--vendor videsk --key env:KEY --base-url http://api.invalid/v1".to_owned(),
        format!("{oauth2} http://login.invalid/token --base-url http://api.invalid"),
        format!("{oauth2} http://login.invalid/token --base-url https://api.invalid"),
    ] {
        let call = || Program::call().args(&args).secret("KEY", KEY);
        let ended = call().args("GET /x").run().await;
        ended.assert_status(2).assert_says("in plain text; use https, or a loopback host");
        let ended = call().args("--allow-plaintext-secrets GET /x").run().await;
        assert!(matches!(ended.status, Some(3 | 6)), "{args}: {:?} {}", ended.status, ended.stderr);
    }
}

#[tokio::test]
async fn metadata_services_are_not_called_whatever_is_allowed() {
    for host in ["169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "metadata.google.internal."] {
        for args in [
            format!("--vendor videsk --key env:KEY --base-url http://{host}"),
            format!("--vendor vervoe --key env:KEY --secret env:KEY --base-url https://{host}/v1"),
            format!(
                "--vendor oauth2 --client-id me --client-secret env:KEY --base-url https://api.invalid \
                 --token-url http://{host}/token"
            ),
        ] {
            let call =
                Program::call().args(&args).args("--allow-plaintext-secrets GET /x").secret("KEY", KEY);
            call.run().await.assert_status(2).assert_says("is a metadata service");
        }
    }
}
