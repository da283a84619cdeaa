//! Many credentials of one file, which differ in what its inputs are filled with.

use super::*;
use crate::{
    credential::{BoxCredential, Parts},
    declare::Pattern,
    error::{AcquireErrorKind, ConfigError, ConfigErrorKind},
    store::SharedSlot,
    testing::MemoryStore,
};

const SHOP: &str = "
    name = 'Shop'
    base_url = 'https://{shop}.shops.example.com'
    other_origins = ['https://content.example.com', 'https://{region}.up.example.com']
    [acquire]
    request = 'POST https://login-{region}.example.com/{tenant}/token'
    basic = { user = 'input:client_id', password = 'input:client_secret' }
    form.shop = 'input:shop'
    [refresh]
    request = 'POST /refresh'
    form = { token = 'token:refresh', key = 'input:client_secret' }
    [revoke]
    request = 'DELETE /{tenant}/token'
    bearer = 'token:access'
    [[rules]]
    verdict = 'expired'
    status = 419
    [inputs]
    region = ['eu', 'us.west']
";

const INPUTS: [(&str, &str); 5] = [
    ("shop", "acme"),
    ("region", "us.west"),
    ("tenant", "t1"),
    ("client_id", "id"),
    ("client_secret", "s3cret"),
];

fn nowhere() -> crate::transport::Transport {
    Scripted::fails("nothing is sent").transport()
}

fn slot(subject: Option<&str>) -> SharedSlot {
    let slot = SharedSlot::plain(MemoryStore::new(), "test").unwrap();
    subject.into_iter().fold(slot, |slot, subject| slot.subject(subject))
}

/// Where the credential's token is in a slot of somebody.
fn place(credential: &BoxCredential) -> String {
    credential.describe().shelf(&slot(Some("us"))).unwrap().slot().to_string()
}

/// As a program does it that fills `some` for all, and the rest for each.
fn through_a_pattern(
    file: &str,
    some: &[(&str, &str)],
    each: &[(&str, &str)],
    server: &Scripted,
) -> Parts<BoxCredential> {
    let open = some.iter().fold(toml(file), |open, (name, value)| open.input(*name, *value));
    let pattern = open.pattern(server.transport()).unwrap();
    let whole = each.iter().fold(pattern, |pattern, (name, value)| pattern.with_input(name, *value).unwrap());
    assert_eq!(whole.inputs().count(), 0);
    whole.parts().unwrap()
}

/// What is sent for a token, for a newer one, and to give one back, where that can be.
async fn wire(credential: &BoxCredential, server: &Scripted) -> String {
    let mut sent = Vec::new();
    let mut note = || {
        sent.push(server.wire());
        server.forget();
    };
    server.forget();
    let token = credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap().with_refresh_token("r");
    note();
    credential.acquire(Acquire::new(Reason::Expired, Some(&token))).await.unwrap();
    note();
    if credential.revoke(&token).await.is_ok() {
        note();
    }
    sent.join("\n")
}

#[tokio::test]
async fn each_credential_asks_as_if_it_were_declared_by_itself_and_its_token_goes_nowhere_else() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let others = [
        ("shop", "umbrella"),
        ("region", "eu"),
        ("tenant", "t2"),
        ("client_id", "i"),
        ("client_secret", "s"),
    ];
    for inputs in [INPUTS, others] {
        let declared = inputs.iter().fold(toml(SHOP), |shop, (name, value)| shop.input(*name, *value));
        let declared = declared.parts(server.transport()).unwrap();
        let expected = wire(&declared.credential, &server).await;
        assert!(expected.contains("POST ") && expected.contains("DELETE "), "{expected}");
        for filled_for_all in 0..=inputs.len() {
            let (some, each) = inputs.split_at(filled_for_all);
            let made = through_a_pattern(SHOP, some, each, &server);
            assert_eq!(wire(&made.credential, &server).await, expected, "{filled_for_all}");
            assert_eq!(made.origin, declared.origin, "{filled_for_all}");
            assert_eq!(place(&made.credential), place(&declared.credential));
        }
    }
}

#[tokio::test]
async fn every_kind_of_file_has_patterns() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    for (file, sent) in [
        ("acquire.request = 'POST /t'\nacquire.form.key = 'input:key'", "key=K"),
        (
            "acquire.request = 'POST /t'\nacquire.json = { deep = [{ key = 'input:key' }] }",
            r#"[{"key":"K"}]"#,
        ),
        ("acquire.request = 'POST /t'\nacquire.headers.X-Key = 'input:key'", "x-key*: K"),
        ("acquire.request = 'POST /{key}/t'", "POST https://api.acme.example/K/t"),
        ("acquire.request = 'POST /t'\nacquire.bearer = 'input:key'", "authorization*: Bearer K"),
    ] {
        let made = through_a_pattern(&format!("{ACME}{file}"), &[], &[("key", "K")], &server);
        let wire = wire(&made.credential, &server).await;
        assert!(wire.contains(sent), "no {sent} in {wire}");
    }
    let token = async |made: Parts<BoxCredential>| {
        let token = made.credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
        token.expose_secret().to_owned()
    };
    let key = || format!("{ACME}key = 'input:key'\nplacement.header = 'X-Key'");
    for each in ["one", "two"] {
        assert_eq!(token(through_a_pattern(&key(), &[], &[("key", each)], &server)).await, each);
    }
    let basic = format!("{ACME}basic = {{ user = 'input:user', password = 'text:x' }}");
    assert_eq!(token(through_a_pattern(&basic, &[], &[("user", "u")], &server)).await, "dTp4");
    #[cfg(feature = "client")]
    {
        let vm = "metadata = { service = 'azure-vm', resource = 'text:https://a.example', client_id = 'input:id' }";
        let made = through_a_pattern(&format!("{ACME}{vm}"), &[], &[("id", "7F3A")], &server);
        assert_eq!(made.credential.describe().name(), "Acme");
    }
}

#[test]
fn what_is_the_same_for_all_is_known_before_anything_is_filled() {
    let shop = toml(SHOP).input("region", "eu").pattern(nowhere()).unwrap();
    assert_eq!(shop.name(), "Shop");
    assert!(shop.inputs().eq(["client_id", "client_secret", "shop", "tenant"]));
    let some = shop.with_input("shop", "acme").unwrap();
    assert!(some.inputs().eq(["client_id", "client_secret", "tenant"]));
    assert_eq!(shop.inputs().count(), 4, "it is another one's");
    assert_eq!(shop.placement(), &Placement::default());
    let whole = [("shop", "a"), ("tenant", "t"), ("client_id", "i"), ("client_secret", "s")];
    let whole =
        whole.into_iter().fold(shop.clone(), |shop, (name, value)| shop.with_input(name, value).unwrap());
    assert_eq!(format!("{:?}", shop.signatures()), format!("{:?}", whole.parts().unwrap().signatures));
}

#[test]
fn what_can_not_be_filled_in_is_refused_by_its_name_and_not_shown() {
    let shop = toml(SHOP).input("region", "eu").pattern(nowhere()).unwrap();
    let refused = |name: &str, source: SecretSource| shop.with_input(name, source).unwrap_err();
    let error = refused("shops", "acme".into());
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert_eq!(
        error.to_string(),
        "Shop has no input \"shops\"; its inputs are client_id, client_secret, region, shop, tenant"
    );
    let error = refused("region", "us.west".into());
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert_eq!(error.to_string(), "the input region of Shop was filled for the whole pattern");
    for (name, value, kind) in [
        ("shop", "evil.example/", ConfigErrorKind::Input),
        ("shop", "user@evil", ConfigErrorKind::Input),
        ("tenant", "../admin", ConfigErrorKind::Input),
        ("tenant", "", ConfigErrorKind::Secret),
        ("client_secret", "", ConfigErrorKind::Secret),
    ] {
        let error = refused(name, value.into());
        assert_eq!(error.kind(), kind, "{name} = {value}: {error}");
        assert!(value.is_empty() || !error.to_string().contains(value), "{error}");
    }
    let asked = || SecretSource::from_fn(|| async { Ok("acme".into()) });
    assert_eq!(refused("shop", asked()).kind(), ConfigErrorKind::Input);
    assert!(shop.with_input("client_secret", asked()).is_ok());
    let open = toml(SHOP).pattern(nowhere()).unwrap();
    let error = open.with_input("region", "us").unwrap_err();
    assert_eq!(error.to_string(), "the input region of Shop is one of eu, us.west");
    let error = shop.with_input("shop", "acme").unwrap().parts().unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert_eq!(
        error.to_string(),
        "the inputs client_id, client_secret, tenant of Shop are not filled; fill each with Pattern::with_input"
    );
    let error = |error: Result<_, ConfigError>| error.map(drop as fn(Pattern)).unwrap_err();
    let strange = error(toml(SHOP).input("shops", "acme").pattern(nowhere()));
    assert!(strange.to_string().starts_with("Shop has no input \"shops\""), "{strange}");
    let strange = error(acme("key = 'env:CARGO_PKG_NAME'").input("key", "k").pattern(nowhere()));
    assert_eq!(strange.to_string(), "Acme has no inputs, so \"key\" isn't one of them");
    let none = acme("key = 'env:CARGO_PKG_NAME'").pattern(nowhere()).unwrap();
    assert_eq!(
        none.with_input("key", "k").unwrap_err().to_string(),
        "Acme has no inputs, so \"key\" isn't one of them"
    );
    none.parts().unwrap();
}

#[test]
fn a_base_url_that_is_each_customers_own_is_checked_as_any_other() {
    let file =
        "name = 'Acme'\nbase_url = 'input:base_url'\nacquire.request = 'POST /t'\nacquire.form.k = 'input:k'";
    let pattern = toml(file).pattern(nowhere()).unwrap().with_input("k", "s3cret").unwrap();
    let origin = |url: &str| pattern.with_input("base_url", url)?.parts().map(|parts| parts.origin);
    assert_eq!(origin("https://a.example/v1").unwrap(), Origin::parse("https://a.example/v1").unwrap());
    for (url, kind) in [
        ("http://a.example", ConfigErrorKind::InsecureUrl),
        ("https://169.254.169.254", ConfigErrorKind::MetadataHost),
        ("a.example", ConfigErrorKind::Url),
    ] {
        assert_eq!(origin(url).unwrap_err().kind(), kind, "{url}");
    }
    let allowed = toml(file).allow_plaintext_secrets().pattern(nowhere()).unwrap();
    let allowed =
        allowed.with_input("k", "s3cret").unwrap().with_input("base_url", "http://a.example").unwrap();
    assert!(allowed.parts().is_ok());
}

#[tokio::test]
async fn nothing_of_one_reaches_another() {
    let refusal = r#"{"error":"invalid_client","error_description":"s3cret-1 is wrong"}"#;
    let server = Scripted::answers(401, &[], refusal);
    let file = TempFile::new("pattern", "s3cret-1");
    let open = format!("{ACME}acquire.request = 'POST /{{tenant}}/t'\nacquire.form.key = 'input:key'");
    let pattern = toml(&open).pattern(server.transport()).unwrap();
    let of = |tenant: &str| {
        let key = SecretSource::file(file.path());
        pattern
            .with_input("tenant", tenant)
            .unwrap()
            .with_input("key", key)
            .unwrap()
            .parts()
            .unwrap()
            .credential
    };
    let [one, two] = ["one", "two"].map(of);
    let error = one.acquire(Acquire::new(Reason::Cold, None)).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Rejected);
    assert!(!printed(&error).contains("s3cret-1"));
    file.write("s3cret-2");
    assert!(one.has_new_secret() && !two.has_new_secret());
    assert_ne!(place(&one), place(&two), "whatever the slot's subject is");
    let unnamed = slot(None);
    assert_eq!(one.describe().shelf(&unnamed).err().map(|error| error.kind()), Some(ConfigErrorKind::Store));
    let unfilled = format!("{pattern:?} {one:?}");
    assert!(!unfilled.contains("s3cret"), "{unfilled}");
}

#[cfg(feature = "jwt")]
#[tokio::test]
async fn a_jwt_is_signed_by_each_with_what_is_its_own() {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let file = "
        acquire.request = 'POST /t'
        [acquire.form.assertion.jwt]
        algorithm = 'HS256'
        key = 'input:key'
        issuer = 'text:robot'
        subject = 'input:user'
        claims.groups = ['input:group']
    ";
    let pattern = toml(&format!("{ACME}{file}")).pattern(server.transport()).unwrap();
    assert!(pattern.inputs().eq(["group", "key", "user"]));
    let mut signatures = Vec::new();
    for (user, key) in [("anna", [b'a'; 32]), ("ben", [b'b'; 32]), ("ben", [b'c'; 32])] {
        let one = pattern.with_input("user", user).unwrap().with_input("group", "g").unwrap();
        let one = one.with_input("key", String::from_utf8(key.to_vec()).unwrap()).unwrap().parts().unwrap();
        one.credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
        let wire = server.wire();
        let mut parts = wire.rsplit("assertion=").next().unwrap().trim().split('.').skip(1);
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            (&claims["sub"], &claims["iss"], &claims["groups"][0]),
            (&user.into(), &"robot".into(), &"g".into())
        );
        signatures.push(parts.next().unwrap().to_owned());
        server.forget();
    }
    let short = pattern.with_input("user", "u").unwrap().with_input("group", "g").unwrap();
    let error = short.with_input("key", "short").unwrap().parts().unwrap_err();
    assert!(error.to_string().starts_with("acquire.form.assertion.jwt.key: "), "{error}");
}
