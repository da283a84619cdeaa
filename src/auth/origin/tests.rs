//! Which requests an origin covers, and which texts are none.

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
        "https://a.b?c",
        "https://a.b/c?d",
        "https://a.b/#c",
        "https://a.b/c#",
        "https://a.b//",
        "https://a.b//c",
        "https://a.b/c/..",
        "https://a.b/./c",
        "https://a.b/c/%2e%2E/d",
        "https://a.b/c%2Fd",
        "https://a.b/c%5cd",
        "https://a.b/c%252e",
        "https://a.b/c\\d",
        "https://a.b:x",
        "https://a.b:",
        "https://a.b:70000",
    ] {
        assert_eq!(Origin::parse(bad).expect_err(bad).kind(), ConfigErrorKind::Url, "{bad}");
    }
}

#[test]
fn who_writes_a_host_as_in_an_address_bar_is_told_how_it_is_written() {
    for (text, is_told) in [
        ("https://münchen.example", true),
        ("https://münchen.example/a?b", true),
        ("https://api.example.com/a b", false),
        ("münchen", false),
    ] {
        let error = Origin::parse(text).unwrap_err().to_string();
        assert_eq!(error.contains("punycode"), is_told, "{error}");
    }
}

#[test]
fn an_origin_with_a_path_covers_what_is_surely_beneath_it() {
    for text in ["https://gw.example.com/vendor", "https://GW.example.com:443/vendor/"] {
        let vendor = origin(text);
        for beneath in [
            "https://gw.example.com/vendor",
            "https://gw.example.com/vendor/",
            "https://gw.example.com/vendor?x",
            "https://gw.example.com/vendor?/../other",
            "https://gw.example.com/vendor/videos?x=%2e%2e/",
            "https://gw.example.com:443/vendor/group%2Fproject",
            "HTTPS://GW.EXAMPLE.com/vendor/videos",
            "https://user@gw.example.com/vendor/videos",
        ] {
            assert!(vendor.covers(&uri(beneath)), "{text} {beneath}");
        }
        for other in [
            "https://gw.example.com",
            "https://gw.example.com/",
            "https://gw.example.com/other",
            "https://gw.example.com/vendorx",
            "https://gw.example.com/Vendor",
            "https://gw.example.com/other/vendor",
            "https://gw.example.com/other?/vendor",
            "https://gw.example.com/vendor/../other",
            "https://gw.example.com/vendor/./..",
            "https://gw.example.com/vendor//..",
            "https://gw.example.com/vendor/%2e%2e/other",
            "https://gw.example.com/vendor/.%2E/",
            "https://gw.example.com/vendor\\..",
            "https://gw.example.com/vendor/%252e%252e/other",
            "https://gw.example.com:8443/vendor/videos",
            "http://gw.example.com/vendor/videos",
            "https://evil.test/vendor/videos",
        ] {
            assert!(!vendor.covers(&uri(other)), "{text} {other}");
        }
    }
}

#[test]
fn an_implied_origin_with_a_path_covers_paths_beneath_it() {
    let vendor = origin("https://gw.example.com/vendor");
    assert!(!vendor.covers(&uri("/vendor/videos")));
    let vendor = vendor.implied();
    assert!(vendor.covers(&uri("/vendor/videos?x")));
    for other in ["/", "/vendorx", "/vendor/../other", "*"] {
        assert!(!vendor.covers(&uri(other)), "{other}");
    }
    assert!(vendor.covers(&uri("https://gw.example.com/vendor/videos")));
}

#[test]
fn an_origin_shows_its_path() {
    let vendor = origin("https://GW.example.com/vendor/");
    assert_eq!(vendor.to_string(), "https://gw.example.com:443/vendor");
    assert_eq!(format!("{vendor:?}"), "Origin(https://gw.example.com:443/vendor)");
    assert_eq!(
        format!("{:?}", vendor.clone().implied()),
        "Origin(https://gw.example.com:443/vendor, implied)"
    );
    assert_eq!(vendor, origin("https://gw.example.com:443/vendor"));
    assert_ne!(vendor, origin("https://gw.example.com"));
    assert_eq!(origin("https://a.b/").to_string(), "https://a.b:443");
}

#[test]
fn one_token_may_go_to_several_origins_and_nowhere_else() {
    let all = origin("https://api.example.com")
        .with_other(origin("https://content.example.com:8443"))
        .with_other(origin("https://gw.example.com/files").with_other(origin("http://127.0.0.1:9")));
    for covered in [
        "https://api.example.com/x",
        "HTTPS://API.example.com:443/x?y",
        "https://content.example.com:8443/x",
        "https://CONTENT.example.com:8443/",
        "https://gw.example.com/files",
        "https://gw.example.com:443/files/x",
        "http://127.0.0.1:9/x",
    ] {
        assert!(all.covers(&uri(covered)), "{covered}");
    }
    for (way_out, other) in [
        ("another port", "https://api.example.com:8443/x"),
        ("another port", "https://content.example.com/x"),
        ("another port", "http://127.0.0.1:8/x"),
        ("another scheme", "http://api.example.com/x"),
        ("another scheme", "http://content.example.com:8443/x"),
        ("another scheme", "https://127.0.0.1:9/x"),
        ("a subdomain", "https://a.api.example.com/x"),
        ("a subdomain", "https://a.content.example.com:8443/x"),
        ("the domain above", "https://example.com/x"),
        ("the domain as a piece", "https://content.example.com.evil.test:8443/x"),
        ("a sibling", "https://upload.example.com/x"),
        ("another path", "https://gw.example.com/x"),
        ("a path that leads out", "https://gw.example.com/files/%2e%2e/x"),
        ("another name of it", "http://localhost:9/x"),
        ("the one's host with the other's path", "https://gw.example.com/api"),
    ] {
        assert!(!all.covers(&uri(other)), "{way_out}: {other}");
    }
}

#[test]
fn of_several_origins_the_first_is_implied_and_shown_and_all_have_to_be_fit() {
    let (one, other) = (|| origin("https://api.example.com"), || origin("https://content.example.com"));
    let all = one().implied().with_other(other().implied());
    assert!(all.covers(&uri("/x")), "the first one is implied");
    assert!(!one().with_other(other().implied()).covers(&uri("/x")), "the others never are");
    assert_eq!(all.to_string(), "https://api.example.com:443");
    assert_eq!(
        format!("{all:?}"),
        "Origin(https://api.example.com:443, implied and https://content.example.com:443)"
    );
    assert_ne!(one().with_other(other()), one());
    let plain = Origin::parse_allowing_plaintext_tokens("http://content.example.com").expect("allowed");
    assert!(one().with_other(other()).is_secure());
    assert!(!one().with_other(plain).is_secure(), "a query may not carry it");
    assert!(!one().leads_inwards() && one().with_other(origin("https://127.0.0.1")).leads_inwards());
}

#[test]
fn a_metadata_service_is_no_origin_whatever_is_allowed() {
    for host in METADATA {
        for scheme in ["http", "https"] {
            for rest in ["", ":8080", "/latest/meta-data"] {
                let url = format!("{scheme}://{host}{rest}");
                let allowed = Origin::parse_allowing_plaintext_tokens(&url);
                for refused in [Origin::parse(&url), allowed] {
                    let error = refused.expect_err(&url);
                    assert_eq!(error.kind(), ConfigErrorKind::MetadataHost, "{url}");
                    assert!(error.to_string().ends_with("give the url of the api, or of its token endpoint"));
                }
            }
        }
    }
}

/// Forms that an address or a name could be hidden in, and that are no URL here.
#[test]
fn hosts_that_only_browsers_read_are_no_url() {
    for host in
        ["\u{ff11}69.254.169.254", "169.254.169.25%34", "metadata%2egoogle.internal", "metadata\u{3002}goog"]
    {
        assert!(format!("https://{host}/").parse::<Uri>().is_err(), "{host}");
    }
}

#[test]
fn the_error_names_the_setting() {
    let error = Origin::parse("http://10.0.0.1/v1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "http://10.0.0.1:80/v1 would be sent tokens in plain text; use https, or a loopback host, or \
         Origin::parse_allowing_plaintext_tokens if everybody on the way may read them"
    );
}

/// A metadata service's address and name, each form once. What else there is, `crate::address` knows.
pub(crate) const METADATA: [&str; 12] = [
    "169.254.169.254",
    "169.254.169.254.",
    "[169.254.169.254]",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "METADATA.google.internal.",
    "instance-data.eu-west-1.compute.internal",
];
