//! Each request as it goes out, to the byte.

use http::Method;
use secrecy::SecretString;

use super::*;

async fn wire(request: TokenRequest) -> String {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    cold(endpoint(request), &server).await.unwrap();
    server.wire()
}

#[tokio::test]
async fn json_fields_keep_their_order_and_types() {
    let request = plain()
        .json("z", "text")
        .json("a", Param::secret("q\"uo\\te\nü"))
        .json("n", 5)
        .json("b", true)
        .json("na\"me", Param::text(String::from("own")));
    assert_eq!(
        wire(request).await,
        "POST https://api.example.com/token\naccept: application/json\ncontent-type: application/json\n\n\
         {\"z\":\"text\",\"a\":\"q\\\"uo\\\\te\\nü\",\"n\":5,\"b\":true,\"na\\\"me\":\"own\"}"
    );
}

#[tokio::test]
async fn nested_json_is_sent_as_it_is_written() {
    let secret = || Param::secret("q\"uo\\te\nü\u{1}");
    let user = JsonValue::object()
        .field("z", secret())
        .field("a", JsonValue::null())
        .field("n/~", JsonValue::number("1.50"));
    let request = plain()
        .json("auth", JsonValue::object().field("methods", ["password", "totp"]).field("user", user))
        .json("list", [JsonValue::object().field("id", 1), JsonValue::object()])
        .json(
            "mixed",
            JsonValue::array([JsonValue::from("a"), (-1).into(), true.into(), JsonValue::number(u64::MAX)]),
        )
        .json("empty", JsonValue::array::<&str>([]))
        .json("rest", serde_json::json!({ "é": [null, 0.5, u64::MAX, { "x": "y" }] }));
    let body = "{\"auth\":{\"methods\":[\"password\",\"totp\"],\
                \"user\":{\"z\":\"q\\\"uo\\\\te\\nü\\u0001\",\"a\":null,\"n/~\":1.50}},\
                \"list\":[{\"id\":1},{}],\"mixed\":[\"a\",-1,true,18446744073709551615],\"empty\":[],\
                \"rest\":{\"é\":[null,0.5,18446744073709551615,{\"x\":\"y\"}]}}";
    assert!(!format!("{request:?} {request:#?}").contains("uo"), "{request:?}");
    assert_eq!(
        wire(request).await,
        format!(
            "POST https://api.example.com/token\naccept: application/json\ncontent-type: application/json\n\n{body}"
        )
    );
    for (body, expected) in [
        (JsonValue::from([secret()]), r#"["q\"uo\\te\nü\u0001"]"#),
        (JsonValue::object().into(), "{}"),
        (JsonValue::array::<i64>([]), "[]"),
        (JsonValue::null(), "null"),
        ("text".into(), r#""text""#),
    ] {
        assert!(wire(plain().json_body(body)).await.ends_with(&format!("application/json\n\n{expected}")));
    }
}

#[tokio::test]
async fn nested_json_may_hold_what_is_renewed() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let token =
        JsonValue::object().field("refresh", Param::refresh_token()).field("access", Param::access_token());
    let endpoint = endpoint(plain()).refresh(TokenRequest::post("/refresh").json("tokens", [token]));
    renew(endpoint, &server).await.unwrap();
    let body = r#"{"tokens":[{"refresh":"old-refresh","access":"old-access"}]}"#;
    assert!(server.wire().ends_with(body), "{}", server.wire());
}

#[tokio::test]
async fn names_may_be_there_more_than_once_but_in_json() {
    let request =
        plain().form("scope", "a").form("resource", "x").form("scope", "b").query("q", 1).query("q", 2);
    let sent = wire(request).await;
    assert!(sent.starts_with("POST https://api.example.com/token?q=1&q=2\n"), "{sent}");
    assert!(sent.ends_with("\n\nscope=a&resource=x&scope=b"), "{sent}");
}

#[tokio::test]
async fn form_fields_are_percent_encoded() {
    let request = plain().form("grant_type", "client_credentials").form("s p", Param::secret("a+b&c=d %41ü"));
    assert_eq!(
        wire(request).await,
        "POST https://api.example.com/token\naccept: application/json\n\
         content-type: application/x-www-form-urlencoded\n\n\
         grant_type=client_credentials&s%20p=a%2Bb%26c%3Dd%20%2541%C3%BC"
    );
}

#[tokio::test]
async fn basic_is_sent_intact_and_sensitive() {
    for (password, encoded) in
        [("s:e", "a2V5OnM6ZQ=="), ("ü", "a2V5OsO8"), ("+", "a2V5Ois="), ("%41", "a2V5OiU0MQ==")]
    {
        assert_eq!(
            wire(TokenRequest::get("/token").basic("key", password)).await,
            format!(
                "GET https://api.example.com/token\naccept: application/json\nauthorization*: Basic {encoded}\n\n"
            )
        );
    }
}

#[tokio::test]
async fn a_query_is_appended_encoded() {
    let request = TokenRequest::get("/token?a=1").query("k", Param::secret("x y/&")).query("n", 2);
    assert_eq!(
        wire(request).await,
        "GET https://api.example.com/token?a=1&k=x%20y%2F%26&n=2\naccept: application/json\n\n"
    );
    let request = TokenRequest::get("/token").query("k", "v");
    assert!(wire(request).await.starts_with("GET https://api.example.com/token?k=v\n"));
}

#[tokio::test]
async fn declared_headers_replace_those_sent_by_themselves() {
    let request = plain()
        .json("a", 1)
        .header("accept", "*/*")
        .header("Content-Type", "application/vnd.acme+json")
        .header("X-Key", SecretString::from("s3cret"))
        .header("x-plain", "1")
        .header("x-plain", "2");
    assert_eq!(
        wire(request).await,
        "POST https://api.example.com/token\naccept: */*\ncontent-type: application/vnd.acme+json\n\
         x-key*: s3cret\nx-plain: 1\nx-plain: 2\n\n{\"a\":1}"
    );
}

#[tokio::test]
async fn the_token_endpoint_may_be_elsewhere() {
    let request = TokenRequest::new(Method::PUT, "https://login.example.org:8443/t?x#frag");
    assert!(wire(request).await.starts_with("PUT https://login.example.org:8443/t?x\n"));
}

#[tokio::test]
async fn paths_follow_the_base_url_and_absolute_urls_do_not() {
    for base in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
        let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
        cold(endpoint(plain()).base_url(base), &server).await.unwrap();
        assert!(server.wire().starts_with("POST http://127.0.0.1:8080/token\n"), "{}", server.wire());
    }
    for base in ["https://gw.example.com/vendor", "https://gw.example.com/vendor/"] {
        let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
        cold(endpoint(plain()).base_url(base), &server).await.unwrap();
        assert!(server.wire().starts_with("POST https://gw.example.com/vendor/token\n"), "{}", server.wire());
    }
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let elsewhere = endpoint(TokenRequest::post("https://login.example.org/t"));
    cold(elsewhere.base_url("http://[::1]:1/vendor"), &server).await.unwrap();
    assert!(server.wire().starts_with("POST https://login.example.org/t\n"));
}

#[tokio::test]
async fn a_refresh_sends_what_it_renews() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    renew(renewing(), &server).await.unwrap();
    assert_eq!(
        server.wire(),
        "POST https://api.example.com/refresh\naccept: application/json\ncontent-type: application/json\n\n\
         {\"refreshToken\":\"old-refresh\"}"
    );

    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let with_itself = endpoint(plain()).refresh(TokenRequest::post("/renew").bearer(Param::access_token()));
    renew(with_itself, &server).await.unwrap();
    assert_eq!(
        server.wire(),
        "POST https://api.example.com/renew\naccept: application/json\nauthorization*: Bearer old-access\n\
         content-length: 0\n\n"
    );
}

#[tokio::test]
async fn the_refresh_request_is_for_those_who_may_and_can() {
    let without = AccessToken::new("old").unwrap();
    for (reason, previous, path) in [
        (Reason::Expiring, Some(previous()), "/refresh"),
        (Reason::Expired, Some(previous()), "/refresh"),
        (Reason::Rejected, Some(previous()), "/token"),
        (Reason::Cold, None, "/token"),
        (Reason::Expired, Some(without), "/token"),
    ] {
        let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
        ask(renewing().build(server.transport()).unwrap(), reason, previous).await.unwrap();
        assert!(server.wire().starts_with(&format!("POST {API}{path}\n")), "{reason:?} {}", server.wire());
        assert_eq!(server.count(Method::POST), 1);
    }
}

#[tokio::test]
async fn revoking_sends_the_token_it_is_about() {
    let server = Scripted::answers(204, &[], "");
    let logout = TokenRequest::post("/logout").bearer(Param::access_token());
    let credential = endpoint(plain()).revoke(logout).build(server.transport()).unwrap();
    Credential::revoke(&credential, &previous()).await.unwrap();
    assert_eq!(
        server.wire(),
        "POST https://api.example.com/logout\naccept: application/json\nauthorization*: Bearer old-access\n\
         content-length: 0\n\n"
    );
}

#[tokio::test]
async fn what_cannot_be_revoked_sends_nothing() {
    let server = Scripted::answers(204, &[], "");
    let needs_refresh_token = TokenRequest::post("/revoke").form("token", Param::refresh_token());
    for endpoint in [endpoint(plain()), endpoint(plain()).revoke(needs_refresh_token)] {
        let credential = endpoint.build(server.transport()).unwrap();
        let error = Credential::revoke(&credential, &AccessToken::new("t").unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), crate::error::AcquireErrorKind::Unsupported);
    }
    assert_eq!(server.count(Method::POST), 0);
}

#[tokio::test]
async fn a_refresh_token_that_no_header_can_carry_is_a_spent_grant() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let endpoint = endpoint(plain()).refresh(TokenRequest::post("/renew").bearer(Param::refresh_token()));
    let token = AccessToken::new("t").unwrap().with_refresh_token("a\nb");
    let credential = endpoint.build(server.transport()).unwrap();
    let error = ask(credential, Reason::Expired, Some(token)).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::AcquireErrorKind::GrantRejected);
    assert_eq!(server.count(Method::POST), 0);
}
