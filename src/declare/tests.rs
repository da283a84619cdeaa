//! What files say, and what is refused.

mod conditions;
mod inputs;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "client")]
mod metadata;
#[cfg(feature = "store")]
mod pattern;
mod refused;
mod trial;

use super::{
    declaration::{Declaration, Kind},
    trial::Trial,
};
use crate::{
    auth::{Origin, Placement},
    credential::{
        AnswerField, JsonValue, Param, TokenEndpoint, TokenRequest,
        scripted::{Scripted, printed},
        temp_file::TempFile,
    },
    observe::Reason,
    secret::SecretSource,
    signature::Signatures,
    token::{Acquire, Credential, Renewal},
};

const ACME: &str = "name = 'Acme'\nbase_url = 'https://api.acme.example'\n";

fn toml(text: &str) -> Declaration {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What a file with Acme's name and origin declares.
fn acme(rest: &str) -> Declaration {
    toml(&format!("{ACME}{rest}"))
}

/// What the same is in Rust, up to the secrets' sources.
fn endpoint(acquire: TokenRequest) -> TokenEndpoint {
    TokenEndpoint::new("Acme", "https://api.acme.example", acquire)
}

#[track_caller]
fn assert_declares(rest: &str, endpoint: &TokenEndpoint) {
    let Declaration(Kind::Endpoint(declared)) = acme(rest) else { panic!("a key: {rest}") };
    assert_eq!(format!("{declared:#?}"), format!("{endpoint:#?}"), "{rest}");
}

#[test]
fn requests_are_what_the_builder_makes_of_the_same() {
    let (env, file) = (|| SecretSource::env("KEY"), || SecretSource::file("/run/key"));
    for (request, expected) in [
        ("request = 'POST /token'", TokenRequest::post("/token")),
        ("request = 'GET  https://login.example.com/t '", TokenRequest::get("https://login.example.com/t")),
        (
            "request = 'PUT /token'\njson = { key = 'env:KEY' }",
            TokenRequest::new(http::Method::PUT, "/token").json("key", env()),
        ),
        (
            "request = 'POST /token'\njson = { n = 5, b = true, t = 'text:a:b', e = 'text:' }",
            TokenRequest::post("/token")
                .json("b", true)
                .json("e", Param::text(""))
                .json("n", 5)
                .json("t", Param::text("a:b")),
        ),
        (
            "request = 'POST /token'\n\
             form = { scope = ['text:a', 'text:b'] }\nquery.n = [1, true]\nheaders.X-N = ['text:1', 'text:2']",
            TokenRequest::post("/token")
                .form("scope", "a")
                .form("scope", "b")
                .query("n", 1)
                .query("n", true)
                .header("X-N", "1")
                .header("X-N", "2"),
        ),
        (
            "request = 'POST /token'\n[acquire.json]\na = { c = 'env:KEY', b = [1, true, {}, [], 'text:t'] }\n\
             n = ['json:null', 'json:-1.50', 'json:12345678901234567890123']\n\
             [[acquire.json.o]]\nid = 1\n[[acquire.json.o]]\nkey = 'file:/run/key'",
            TokenRequest::post("/token")
                .json(
                    "a",
                    JsonValue::object()
                        .field(
                            "b",
                            JsonValue::array([
                                JsonValue::from(1),
                                true.into(),
                                JsonValue::object().into(),
                                JsonValue::array::<JsonValue>([]),
                                "t".into(),
                            ]),
                        )
                        .field("c", env()),
                )
                .json("n", ["null", "-1.50", "12345678901234567890123"].map(JsonValue::number))
                .json("o", [JsonValue::object().field("id", 1), JsonValue::object().field("key", file())]),
        ),
        (
            "request = 'POST /token'\njson = [{ key = 'env:KEY' }, 'env:KEY']",
            TokenRequest::post("/token")
                .json_body([JsonValue::object().field("key", env()).into(), JsonValue::from(env())]),
        ),
        ("request = 'POST /token'\njson = {}", TokenRequest::post("/token").json_body(JsonValue::object())),
        ("request = 'POST /token'\njson = 'env:KEY'", TokenRequest::post("/token").json_body(env())),
        (
            "request = 'POST /token'\nform = { secret = 'file:/run/key' }\nquery = { 'a b' = 'env:KEY' }",
            TokenRequest::post("/token").form("secret", file()).query("a b", env()),
        ),
        (
            "request = 'POST /token'\nheaders = { X-Key = 'env:KEY', Accept = 'text:*/*' }\nbearer = 'file:/run/key'",
            TokenRequest::post("/token")
                .header("Accept", Param::text("*/*"))
                .header("X-Key", env())
                .bearer(Param::secret(file())),
        ),
        (
            "request = 'POST /token'\nbasic = { user = 'env:KEY', password = 'text:x' }",
            TokenRequest::post("/token").basic(env(), "x"),
        ),
        (
            "request = 'POST /token'\n\
             basic = { user = 'text:my id', password = 'file:/run/key', form_encoded = true }",
            TokenRequest::post("/token").basic_form_encoded(Param::text("my id"), file()),
        ),
        (
            "request = 'POST /token'\naccepts = 201",
            TokenRequest::post("/token").accepts([http::StatusCode::CREATED]),
        ),
        (
            "request = 'POST /token'\naccepts = [200, 302]",
            TokenRequest::post("/token").accepts([http::StatusCode::OK, http::StatusCode::FOUND]),
        ),
    ] {
        assert_declares(&format!("[acquire]\n{request}"), &endpoint(expected));
    }
    let (refresh, revoke) =
        (TokenRequest::post("/refresh"), TokenRequest::new(http::Method::DELETE, "/token"));
    assert_declares(
        "acquire.request = 'POST /token'\n[refresh]\nrequest = 'POST /refresh'\nform.token = 'token:refresh'\n\
         [revoke]\nrequest = 'DELETE /token'\nbearer = 'token:access'",
        &endpoint(TokenRequest::post("/token"))
            .refresh(refresh.form("token", Param::refresh_token()))
            .revoke(revoke.bearer(Param::access_token())),
    );
}

#[test]
fn answers_and_all_else_are_what_the_builder_makes_of_the_same() {
    let plain = || endpoint(TokenRequest::post("/token"));
    let seconds = std::time::Duration::from_secs;
    for (answer, expected) in [
        ("token = '/data/token'", plain().token("/data/token")),
        ("token = 'body'", plain().token(AnswerField::body())),
        ("token = 'header:X-Token'", plain().token(AnswerField::header("X-Token"))),
        ("refresh_token = '/r'", plain().refresh_token("/r")),
        ("lifetime = 600", plain().fixed_lifetime(seconds(600))),
        ("lifetime = '/ttl'", plain().lifetime("/ttl")),
        ("lifetime = 'unknown'", plain().unknown_lifetime()),
        ("lifetime = 'jwt'", plain().jwt_lifetime()),
        (
            "refusal = { status = [400, 422] }",
            plain().refusal(AnswerField::status(), 400).refusal(AnswerField::status(), 422),
        ),
        ("form = true", plain().form_answers()),
        ("form = false", plain()),
        (
            "later = { '/error' = ['busy', 'full'], '/code' = 7 }",
            plain().later("/code", 7).later("/error", "busy").later("/error", "full"),
        ),
        ("token_types = 'MAIN'", plain().token_type("MAIN")),
        ("token_types = ['a', 'b c']", plain().token_type("a").token_type("b c")),
        (
            "members = { instance_url = '/instance_url', id = 'header:X-Id' }",
            plain().member("id", AnswerField::header("X-Id")).member("instance_url", "/instance_url"),
        ),
        ("success = { '/ok' = true }", plain().success("/ok", true)),
        (
            "required = { '/ok' = true, status = 201 }",
            plain().required("/ok", true).required(AnswerField::status(), 201),
        ),
        (
            "refusal = { '/code' = [1, 'two'], '/dead' = true }",
            plain().refusal("/code", 1).refusal("/code", "two").refusal("/dead", true),
        ),
        ("messages = '/m'", plain().message("/m")),
        ("messages = ['/m', '/n']", plain().message("/m").message("/n")),
        ("retry_after = ['X-Wait', 'X-Reset']", plain().retry_after("X-Wait").retry_after("X-Reset")),
        ("strict = true", plain().strict()),
        ("strict = false", plain()),
    ] {
        assert_declares(&format!("acquire.request = 'POST /token'\n[answer]\n{answer}"), &expected);
    }
    let placement = |header, scheme| Placement::with_scheme(header, scheme).unwrap();
    for (rest, expected) in [
        ("renewal = 'revokes-previous'", plain().renewal(Renewal::RevokesPrevious)),
        ("renewal = 'keeps-previous'", plain()),
        ("placement = { header = 'X-Key' }", plain().placement(Placement::bare("X-Key").unwrap())),
        ("placement = { header = 'X-Key', scheme = 'Key' }", plain().placement(placement("X-Key", "Key"))),
        (
            "placement = { header = 'Authorization', template = 'Token token=\"{token}\"' }",
            plain().placement(Placement::template("Authorization", r#"Token token="{token}""#).unwrap()),
        ),
        ("placement = { cookie = 'session' }", plain().placement(Placement::cookie("session").unwrap())),
        (
            "placement = { query_visible_in_logs = 'access_token' }",
            plain().placement(Placement::query_visible_in_logs("access_token").unwrap()),
        ),
        ("rfc6750 = true", plain()),
        ("rfc6750 = false", plain().signatures(Signatures::new())),
    ] {
        assert_declares(&format!("acquire.request = 'POST /token'\n{rest}"), &expected);
    }
}

#[test]
fn json_says_the_same_as_toml() {
    let json = r#"{
        "rules": [{"when": {"has": {"json": "/c", "is": null}, "json": "/e/*"}, "verdict": "invalid"}],
        "name": "Acme", "base_url": "https://api.acme.example",
        "acquire": {"request": "POST /token", "form": {"key": "env:KEY", "n": -1}}
    }"#;
    let json: Declaration = serde_json::from_str(json).unwrap();
    let toml = acme(
        "[acquire]\nrequest = 'POST /token'\nform = { key = 'env:KEY', n = -1 }\n\
         [[rules]]\nverdict = 'invalid'\nwhen = { json = '/e/*', has = { json = '/c', is = 'NULL' } }",
    );
    // TOML has no null.
    let toml = format!("{toml:?}").replace("Text(\"NULL\")", "Null");
    assert_eq!(format!("{json:?}"), toml);
}

#[tokio::test]
async fn nested_json_is_sent_as_the_file_has_it() {
    let file = TempFile::new("declared-nested", "q\"uo\\te\r\n");
    let path = format!("file:{}", file.path().display());
    let json = serde_json::json!({
        "name": "Acme", "base_url": "https://api.acme.example",
        "acquire": { "request": "POST /token", "json": { "auth": [
            { "z": path, "a": "text:text:", "b": { "deep": [[], {}, null, true, "json:1.50"] } },
            18446744073709551615_u64, -9223372036854775808_i64,
        ] } },
    });
    // With the order of a file, which this crate's serde_json may not keep in a value.
    let text = json.to_string();
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let declared: Declaration = serde_json::from_str(&text).unwrap();
    let credential = declared.parts(server.transport()).unwrap().credential;
    Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap();
    let expected = "{\"auth\":[{\"a\":\"text:\",\"b\":{\"deep\":[[],{},null,true,1.50]},\"z\":\"q\\\"uo\\\\te\"},\
                    18446744073709551615,-9223372036854775808]}";
    assert!(server.wire().ends_with(expected), "{}", server.wire());

    let ordered = r#"{"name": "Acme", "base_url": "https://api.acme.example", "acquire": {
        "request": "POST /token", "json": { "z": 1, "a": { "y": 2, "b": 3 } } } }"#;
    server.forget();
    let declared: Declaration = serde_json::from_str(ordered).unwrap();
    let credential = declared.parts(server.transport()).unwrap().credential;
    Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap();
    assert!(server.wire().ends_with(r#"{"z":1,"a":{"y":2,"b":3}}"#), "{}", server.wire());
}

#[tokio::test]
async fn a_key_or_a_pair_is_a_credential_of_its_own() {
    let file = TempFile::new("declared-key", "s3cret\n");
    let reference = format!("'file:{}'", file.path().display());
    let basic = Placement::with_scheme("Authorization", "Basic").unwrap();
    for (rest, placement, token) in [
        (format!("key = {reference}"), Placement::bearer(), "s3cret"),
        (
            format!("key = {reference}\nplacement.header = 'X-Key'"),
            Placement::bare("X-Key").unwrap(),
            "s3cret",
        ),
        (format!("key = {reference}\nplacement.cookie = 's'"), Placement::cookie("s").unwrap(), "s3cret"),
        (format!("basic.user = {reference}"), basic.clone(), "czNjcmV0Og=="),
        (format!("basic = {{ user = 'text:me', password = {reference} }}"), basic.clone(), "bWU6czNjcmV0"),
        (
            format!("basic.user = {reference}\nplacement = {{ header = 'X-Key', scheme = 'Basic' }}"),
            Placement::with_scheme("X-Key", "Basic").unwrap(),
            "czNjcmV0Og==",
        ),
    ] {
        let declared = acme(&rest).base_url("http://127.0.0.1:9");
        assert_eq!(declared.name(), "Acme");
        let parts = declared.parts(Scripted::fails("unused").transport()).unwrap();
        assert_eq!(parts.origin, Origin::parse("http://127.0.0.1:9").unwrap());
        assert_eq!(parts.placement, placement);
        let credential = parts.credential;
        let description = Credential::describe(&credential);
        assert_eq!((description.name(), description.renewal), ("Acme", Renewal::KeepsPrevious));
        let acquired = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap();
        assert_eq!(acquired.expose_secret(), token);
    }
}

#[test]
fn what_is_not_there_shows_when_the_layer_is_built_and_is_named() {
    let transport = || Scripted::fails("unused").transport();
    for (rest, name) in [
        ("key = 'env:NO_SUCH_VARIABLE_4711'", "env:NO_SUCH_VARIABLE_4711"),
        ("key = 'file:/no/such/file'", "file:/no/such/file"),
        ("basic.user = 'env:NO_SUCH_VARIABLE_4711'", "env:NO_SUCH_VARIABLE_4711"),
        (
            "[acquire]\nrequest = 'GET /t'\nquery.key = 'env:NO_SUCH_VARIABLE_4711'",
            "env:NO_SUCH_VARIABLE_4711",
        ),
        ("[acquire]\nrequest = 'GET /t'\nbearer = 'file:/no/such/file'", "file:/no/such/file"),
    ] {
        let error = acme(rest).layer(transport()).unwrap_err();
        assert_eq!(error.kind(), crate::error::ConfigErrorKind::Secret);
        assert!(error.to_string().contains(name), "{error}");
    }
    for (rest, base_url) in
        [("key = 'env:PATH'", "http://example.com"), ("acquire.request = 'GET /t'", "http://example.com")]
    {
        let error = acme(rest).base_url(base_url).layer(transport()).unwrap_err();
        assert_eq!(error.kind(), crate::error::ConfigErrorKind::InsecureUrl, "{error}");
    }
}

#[test]
fn an_origin_with_a_path_and_plain_text_are_what_the_builder_makes_of_the_same() {
    assert_declares(
        "allow_plaintext_secrets = true\nacquire.request = 'POST http://10.1.2.3/token'",
        &endpoint(TokenRequest::post("http://10.1.2.3/token")).allow_plaintext_secrets(),
    );
    assert_declares(
        "allow_plaintext_secrets = false\nacquire.request = 'POST /token'",
        &endpoint(TokenRequest::post("/token")),
    );
    for source in ["key = 'env:PATH'", "acquire.request = 'POST /token'"] {
        let file =
            |base_url: &str, key: &str| format!("name = 'A'\nbase_url = '{base_url}'\n{key}\n{source}");
        let transport = || Scripted::fails("unused").transport();
        let beneath = toml(&file("https://gw.example/acme/", "")).parts(transport()).unwrap();
        assert_eq!(beneath.origin.to_string(), "https://gw.example:443/acme", "{source}");
        let plain =
            toml(&file("http://gw.example", "allow_plaintext_secrets = true")).parts(transport()).unwrap();
        assert_eq!(plain.origin.to_string(), "http://gw.example:80", "{source}");
        let plain = toml(&file("https://gw.example", "")).base_url("http://gw.example/acme");
        assert_eq!(
            plain.clone().parts(transport()).unwrap_err().kind(),
            crate::error::ConfigErrorKind::InsecureUrl
        );
        let plain = plain.allow_plaintext_secrets().parts(transport()).unwrap();
        assert_eq!(plain.origin.to_string(), "http://gw.example:80/acme", "{source}");
    }
}

#[test]
fn a_key_that_can_be_no_cookie_shows_when_the_layer_is_built() {
    let file = TempFile::new("declared-cookie", "k3y;k3y");
    let declared = |rest: &str| {
        let key = format!("key = 'file:{}'\n{rest}", file.path().display());
        acme(&key).layer(Scripted::fails("unused").transport())
    };
    let error = declared("placement.cookie = 'session'").unwrap_err();
    assert_eq!(error.kind(), crate::error::ConfigErrorKind::Secret);
    assert!(error.to_string().contains("semicolon") && !error.to_string().contains("k3y;"), "{error}");
    for fine in ["", "placement.query_visible_in_logs = 'key'", "placement.header = 'X-Key'"] {
        assert!(declared(fine).is_ok(), "{fine}");
    }
}

#[test]
fn debug_shows_references_and_no_secret() {
    let declared = acme(
        "[acquire]\nrequest = 'POST /token'\njson.key = 'env:PATH'\n\
         basic = { user = 'text:n0tice', password = 'file:/run/key' }",
    );
    let shown = format!("{declared:?} {declared:#?}");
    assert!(shown.contains("env:PATH") && shown.contains("file:/run/key"), "{shown}");
    assert!(!shown.contains(&std::env::var("PATH").unwrap()) && !shown.contains("n0tice"), "{shown}");
}
