//! What can't work is refused when it is built.

use super::{super::AnswerField, *};
use crate::{
    auth::METADATA,
    error::ConfigErrorKind::{self, Declaration, Header, InsecureUrl, MetadataHost, Secret, Url, UserId},
};

#[test]
fn nonsense_is_refused_when_it_is_built() {
    let at = |url: &'static str| endpoint(TokenRequest::post(url));
    let base = |url: &'static str| endpoint(plain()).base_url(url);
    let cases: Vec<(TokenEndpoint, ConfigErrorKind)> = vec![
        (base(""), Url),
        (base("api.example.com"), Url),
        (base("ftp://api.example.com"), Url),
        (base("https://api.example.com/v1?x"), Url),
        (base("https://api.example.com/v1#x"), Url),
        (base("https://api.example.com/v1/../v2"), Url),
        (base("https://api.example.com/%2e%2e/v2"), Url),
        (base("https://api.example.com/v1//"), Url),
        (at("/../token").base_url("https://api.example.com/v1"), Url),
        (at("/a/%2e%2e/token").base_url("https://api.example.com/v1"), Url),
        (at("/..?x").base_url("https://api.example.com/v1"), Url),
        (base("https://user@api.example.com"), Url),
        (base("https://api.example.com:99999"), Url),
        (base("http://api.example.com"), InsecureUrl),
        (at(""), Url),
        (at("token"), Url),
        (at("/to ken"), Url),
        (at("https://"), Url),
        (at("ftp://login.example.com/token"), Url),
        (at("https://user:pw@login.example.com/token"), Url),
        (at("http://login.example.com/token"), InsecureUrl),
        (at("http://127.0.0.1.example.com/token"), InsecureUrl),
        (endpoint(plain().json("key", Param::secret(""))), Secret),
        (endpoint(plain().form("key", Param::secret(""))), Secret),
        (endpoint(plain().query("key", Param::secret(""))), Secret),
        (endpoint(plain().header("x-key", Param::secret(""))), Secret),
        (endpoint(plain().header("x-key", Param::secret("a\nb"))), Secret),
        (endpoint(plain().bearer(Param::secret(""))), Secret),
        (endpoint(plain().basic("", "secret")), Secret),
        (endpoint(plain().basic("key", "")), Secret),
        (endpoint(plain().basic("k:ey", "secret")), UserId),
        (endpoint(plain().header("x key", "v")), Header),
        (endpoint(plain().header("x-key", "a\nb")), Header),
        (endpoint(plain()).retry_after("retry after"), Header),
        (endpoint(plain()).token(AnswerField::header("")), Header),
        (endpoint(plain().json("a", 1).form("b", 2)), Declaration),
        (endpoint(plain().json("a", 1).json("a", 1)), Declaration),
        (endpoint(plain().json("a", 1).json_body(JsonValue::object())), Declaration),
        (endpoint(plain().json_body([1]).form("b", 2)), Declaration),
        (endpoint(plain().json("a", JsonValue::number("0x1"))), Declaration),
        (endpoint(plain().json("a", [Param::access_token()])), Declaration),
        (endpoint(plain().json("a", [JsonValue::object().field("b", Param::secret(""))])), Secret),
        (endpoint(plain().basic("a", "b").bearer(Param::secret("c"))), Declaration),
        (endpoint(plain().basic("a", "b").header("authorization", "Bearer c")), Declaration),
        (endpoint(plain().json("token", Param::access_token())), Declaration),
        (endpoint(plain().bearer(Param::refresh_token())), Declaration),
        (endpoint(plain()).token("access_token"), Declaration),
        (endpoint(plain()).token("/a~2b"), Declaration),
        (endpoint(plain()).refresh_token("/a~"), Declaration),
        (endpoint(plain()).lifetime("expires_in"), Declaration),
        (endpoint(plain()).success("ok", true), Declaration),
        (endpoint(plain()).required("ok", true), Declaration),
        (endpoint(plain()).refusal("code", 1), Declaration),
        (endpoint(plain()).message("title"), Declaration),
        (endpoint(plain()).refresh(plain().json("key", Param::secret(""))), Secret),
        (endpoint(plain()).revoke(TokenRequest::post("http://example.com/logout")), InsecureUrl),
        (base("https://169.254.169.254"), MetadataHost),
        (base("http://metadata.google.internal/v1").allow_plaintext_secrets(), MetadataHost),
        (at("http://169.254.170.2/token").allow_plaintext_secrets(), MetadataHost),
        (endpoint(plain()).refresh(TokenRequest::post("https://[fd00:ec2::254]/token")), MetadataHost),
        (endpoint(plain()).revoke(TokenRequest::post("https://100.100.100.200/token")), MetadataHost),
    ];
    for (endpoint, kind) in cases {
        let shown = format!("{endpoint:?}");
        let error = endpoint.build(Scripted::fails("unused").transport()).expect_err(&shown);
        assert_eq!(error.kind(), kind, "{error} {shown}");
    }
}

#[test]
fn json_that_cannot_be_sent_is_named_by_its_place() {
    let nested = |depth| (0..depth).fold(JsonValue::null(), |json, _| JsonValue::from([json]));
    let twice = || JsonValue::object().field("b/c~", 1).field("b/c~", 2);
    for (request, expected) in [
        (
            plain().json("a", JsonValue::array([JsonValue::null(), twice().into()])),
            "at \"/a/1/b~1c~0\": it is there twice",
        ),
        (plain().json("a", nested(32)), "at \"/a/0/0"),
        (plain().json_body(nested(33)), "0/0\": it is nested more than 32 deep"),
        (
            plain().json_body(JsonValue::number("s3cret")),
            "at \"\": it is no number as json has it; one is 5, and one 1.50",
        ),
    ] {
        let error = endpoint(request).build(Scripted::fails("unused").transport()).unwrap_err();
        assert_eq!(error.kind(), Declaration);
        let error = error.to_string();
        assert!(
            error.starts_with("a token request's json can't be sent, at ") && error.contains(expected),
            "{error}"
        );
        assert!(!error.contains("s3cret"));
    }
    for request in [plain().json("a", nested(31)), plain().json_body(nested(32))] {
        assert!(endpoint(request).build(Scripted::fails("unused").transport()).is_ok());
    }
}

#[test]
fn loopback_needs_no_tls() {
    for url in ["http://localhost:1/token", "http://127.0.0.1/token", "http://[::1]:8080/token"] {
        let endpoint = endpoint(TokenRequest::post(url)).base_url("http://127.0.0.1:9");
        assert!(endpoint.build(Scripted::fails("unused").transport()).is_ok(), "{url}");
    }
}

#[test]
fn plain_text_has_to_be_allowed() {
    let elsewhere =
        || endpoint(TokenRequest::post("http://10.1.2.3/token")).base_url("http://api.example.com/v1");
    let error = elsewhere().build(Scripted::fails("unused").transport()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "http://api.example.com:80/v1 would be sent secrets in plain text; use https, or a loopback host, or \
         allow_plaintext_secrets if everybody on the way may read them"
    );
    let parts = elsewhere().allow_plaintext_secrets().parts(Scripted::fails("unused").transport()).unwrap();
    assert_eq!(parts.origin.to_string(), "http://api.example.com:80/v1");
}

#[test]
fn a_metadata_service_is_asked_by_nobody_whichever_way_it_is_written() {
    for host in METADATA {
        for endpoint in [
            endpoint(TokenRequest::post(format!("http://{host}/latest/api/token"))),
            endpoint(plain()).base_url(format!("https://{host}")),
        ] {
            let refused = endpoint.allow_plaintext_secrets().build(Scripted::fails("unused").transport());
            assert_eq!(refused.expect_err(host).kind(), MetadataHost, "{host}");
        }
    }
}

#[test]
fn parts_carry_what_was_declared() {
    let placement = crate::auth::Placement::bare("X-Key").unwrap();
    let parts = endpoint(plain())
        .renewal(crate::token::Renewal::RevokesPrevious)
        .placement(placement.clone())
        .parts(Scripted::fails("unused").transport())
        .unwrap();
    assert_eq!(parts.origin, crate::auth::Origin::parse(API).unwrap());
    assert_eq!(parts.placement, placement);
    let description = parts.credential.describe();
    assert_eq!((description.name(), description.renewal), ("Acme", crate::token::Renewal::RevokesPrevious));
}
