//! Inputs: what a file leaves open.

use super::*;
use crate::error::{ConfigError, ConfigErrorKind};

const SHOP: &str = "
    name = 'Shop'
    base_url = 'https://{shop}.shops.example.com'
    [acquire]
    request = 'POST https://login-{region}.example.com/{tenant}/token?v={version}'
    basic = { user = 'input:client_id', password = 'input:client_secret' }
    json = { shop = 'input:shop', deep = [{ key = 'input:client_secret' }] }
    query.n = ['text:1', 'input:tenant']
    headers.X-Id = 'input:client_id'
    [inputs]
    region = ['eu', 'us.west']
";

/// With all inputs, of which some are others.
fn filled(others: &[(&str, &str)]) -> Declaration {
    let mut inputs = vec![
        ("shop", "acme"),
        ("region", "us.west"),
        ("tenant", "t_1"),
        ("version", "2"),
        ("client_id", "id"),
        ("client_secret", "s3cret"),
    ];
    for (name, value) in others {
        inputs.retain(|(known, _)| known != name);
        inputs.push((name, value));
    }
    inputs.into_iter().fold(toml(SHOP), |shop, (name, value)| shop.input(name, value))
}

fn refused(declaration: Declaration) -> ConfigError {
    let transport = Scripted::fails("nothing is sent").transport();
    match declaration.parts(transport) {
        Ok(_) => panic!("it was built"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_is_filled_in_is_sent_and_goes_where_it_says() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let parts = filled(&[]).parts(server.transport()).unwrap();
    assert_eq!(parts.origin, Origin::parse("https://acme.shops.example.com").unwrap());
    parts.credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
    let wire = server.wire();
    for sent in [
        "POST https://login-us.west.example.com/t_1/token?v=2&n=1&n=t_1",
        "authorization*: Basic aWQ6czNjcmV0",
        "x-id*: id",
        r#""shop":"acme""#,
        r#""deep":[{"key":"s3cret"}]"#,
    ] {
        assert!(wire.contains(sent), "no {sent} in {wire}");
    }
}

#[tokio::test]
async fn a_secret_may_change_and_is_read_each_time() {
    let file = TempFile::new("input", "first");
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let open = toml(&format!("{ACME}[acquire]\nrequest = 'POST /t'\nform.key = 'input:key'"));
    let parts = open.input("key", SecretSource::file(file.path())).parts(server.transport()).unwrap();
    for written in ["first", "second"] {
        file.write(written);
        parts.credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
        assert!(server.wire().ends_with(&format!("key={written}")), "{}", server.wire());
        server.forget();
    }
}

#[test]
fn the_names_of_inputs_are_known_and_those_that_are_not_filled_are_listed() {
    let shop = toml(SHOP);
    assert_eq!(shop.name(), "Shop");
    let names = ["client_id", "client_secret", "region", "shop", "tenant", "version"];
    assert!(shop.inputs().eq(names));
    assert_eq!(acme("key = 'env:K'").inputs().count(), 0);
    let error = refused(shop.input("shop", "acme").input("client_secret", "s3cret").input("tenant", "t"));
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert_eq!(
        error.to_string(),
        "the inputs client_id, region, version of Shop are not filled; fill each with Declaration::input"
    );
    let error = refused(acme("key = 'input:key'"));
    assert_eq!(error.to_string(), "the input key of Acme is not filled; fill each with Declaration::input");
}

#[test]
fn an_input_that_the_file_does_not_have_is_refused() {
    let error = refused(filled(&[("shops", "acme")]));
    assert_eq!(
        error.to_string(),
        "Shop has no input \"shops\"; its inputs are client_id, client_secret, region, shop, tenant, version"
    );
    let error = refused(acme("key = 'env:K'").input("key", "s3cret").base_url("https://b.example"));
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert_eq!(error.to_string(), "Acme has no inputs, so \"key\" isn't one of them");
}

#[test]
fn an_input_in_a_url_leads_nowhere_else() {
    for (name, value) in [
        ("shop", "evil.example/"),
        ("shop", "evil.example"),
        ("shop", "a/b"),
        ("shop", "user@evil"),
        ("shop", "a:1"),
        ("tenant", "../admin"),
        ("tenant", ".."),
        ("tenant", "a?b"),
        ("version", "2&n=3"),
        ("region", "eu.evil"),
        ("region", "us"),
    ] {
        let error = refused(filled(&[(name, value)]));
        assert_eq!(error.kind(), ConfigErrorKind::Input, "{name} = {value}: {error}");
        assert!(error.to_string().starts_with(&format!("the input {name} of Shop is ")), "{error}");
        assert!(name == "region" || !error.to_string().contains(value), "it may be a secret: {error}");
    }
    let asked = SecretSource::from_fn(|| async { Ok("acme".into()) });
    let error = refused(filled(&[]).input("shop", asked));
    assert!(error.to_string().contains("has to be known when the layer is built"), "{error}");
}

#[test]
fn all_of_a_base_url_may_be_open() {
    let open = || toml("name = 'Acme'\nbase_url = 'input:base_url'\nkey = 'input:key'").input("key", "k");
    let origin = |declaration: Declaration| {
        declaration.parts(Scripted::fails("").transport()).map(|parts| parts.origin)
    };
    let expected = Origin::parse("https://acme.example:8200").unwrap();
    assert_eq!(origin(open().input("base_url", "https://acme.example:8200")).unwrap(), expected);
    assert_eq!(
        origin(open().base_url("https://acme.example:8200")).unwrap(),
        expected,
        "it is filled so too"
    );
    let error = origin(open().input("base_url", "http://acme.example")).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::InsecureUrl);
    assert!(origin(open().input("base_url", "http://acme.example").allow_plaintext_secrets()).is_ok());
    let error = origin(open().input("base_url", "https://169.254.169.254")).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::MetadataHost);
}

#[tokio::test]
async fn all_of_a_requests_url_may_be_open_and_is_checked_as_any_other() {
    let job = acme(
        "[acquire]\nrequest = 'GET input:url'\nquery.audience = 'input:audience'\nbearer = 'input:token'",
    );
    assert!(job.inputs().eq(["audience", "token", "url"]));
    let with = |url: &str| job.clone().input("audience", "a b").input("token", "t0ken").input("url", url);
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let url = "https://run.actions.example.com/124//idtoken/plan/job?api-version=2.0";
    let parts = with(url).parts(server.transport()).unwrap();
    parts.credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
    let sent = "GET https://run.actions.example.com/124//idtoken/plan/job?api-version=2.0&audience=a%20b";
    assert!(server.wire().contains(sent), "{}", server.wire());
    for (url, kind) in [
        ("http://run.actions.example.com/job", ConfigErrorKind::InsecureUrl),
        ("http://169.254.169.254/job", ConfigErrorKind::MetadataHost),
        ("https://169.254.169.254/job", ConfigErrorKind::MetadataHost),
        ("https://me:s3cret@run.actions.example.com", ConfigErrorKind::Url),
        ("run.actions.example.com/job", ConfigErrorKind::Url),
        ("https://run.actions.example.com/a b", ConfigErrorKind::Url),
    ] {
        let error = refused(with(url));
        assert_eq!(error.kind(), kind, "{url}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    // Who has to wait for it can't say it now.
    let asked = SecretSource::from_fn(|| async { Ok("https://a.example".into()) });
    let error = refused(with(url).input("url", asked));
    assert!(error.to_string().contains("has to be known when the layer is built"), "{error}");
    let strange = "acquire.request = 'GET input:Not a name'";
    let error = toml::from_str::<Declaration>(&format!("{ACME}{strange}")).unwrap_err().to_string();
    assert!(error.starts_with("acquire.request: an input's name has small letters"), "{error}");
}

#[test]
fn a_replaced_base_url_needs_its_inputs_no_more() {
    let inputs =
        [("region", "eu"), ("tenant", "t"), ("version", "2"), ("client_id", "i"), ("client_secret", "s")];
    let shop = inputs.into_iter().fold(toml(SHOP), |shop, (name, value)| shop.input(name, value));
    let error = refused(shop.clone().base_url("http://127.0.0.1:1"));
    assert!(
        error.to_string().starts_with("the input shop of Shop is not filled"),
        "it is sent as well: {error}"
    );
    let parts =
        shop.input("shop", "acme").base_url("http://127.0.0.1:1").parts(Scripted::fails("").transport());
    assert_eq!(parts.unwrap().origin, Origin::parse("http://127.0.0.1:1").unwrap());
}

#[test]
fn debug_shows_no_secret_and_says_what_is_open() {
    let shown = format!("{:?}", filled(&[("client_secret", "hunter2")]));
    assert!(!shown.contains("hunter2") && shown.contains("client_secret"), "{shown}");
}

#[test]
fn mistakes_are_refused_when_the_file_is_read() {
    for (file, expected) in [
        (
            "key = 'input:'",
            "key: an input's name has small letters, digits and underscores, and begins with a letter",
        ),
        (
            "key = 'input:Key'",
            "key: an input's name has small letters, digits and underscores, and begins with a letter",
        ),
        ("key = 'input:key'\ninputs.kye = ['a']", "inputs.kye: nothing in the file is input:kye"),
        (
            "key = 'input:key'\ninputs.key = []",
            "inputs.key: the list is empty; write something into it, or leave the key out",
        ),
        ("key = 'input:key'\ninputs.key = [1]", "inputs.key[0]: expected text, found a number"),
        ("key = 'input:key'\ninputs = 'key'", "inputs: expected a table, found text"),
        (
            "acquire.request = 'POST /{a'",
            "acquire.request: a brace stands alone; braces are around the name of an input, as in {account_id}",
        ),
        (
            "acquire.request = 'POST https://a.example:{port}/t'",
            "acquire.request: an input can't be a port, a user or a password",
        ),
        (
            "acquire.request = 'POST https://{host}/t'",
            "acquire.request: the input host could make any host of this; list what it may be in inputs.host, or write \
             input:host for all of base_url",
        ),
        (
            "acquire.request = 'POST https://api.{host}.com/t'",
            "acquire.request: the input host could make any host of this; list what it may be in inputs.host, or write \
             input:host for all of base_url",
        ),
        (
            "acquire.request = 'POST /t'\nacquire.form.a = 'inputs:a'",
            "acquire.form.a: secrets don't belong into this file; \
          write env:NAME for a variable or file:PATH for a file that has the secret, and text:WORDS for what is none",
        ),
        (
            "acquire.request = 'input:url'",
            "acquire.request: write a method in capitals, a space, and a path or a url: POST /token",
        ),
        ("key = 'input:key'\nrenewal = 'no'", "renewal: it doesn't go with key"),
    ] {
        let file = format!("{ACME}{file}");
        let error = toml::from_str::<Declaration>(&file).expect_err(&file);
        assert_eq!(error.message(), expected, "{file}");
    }
    let rule = "key = 'env:K'\nrules = [{ verdict = 'expired', when = { json = '/a', is = 'input:a' } }]";
    assert_eq!(acme(rule).inputs().count(), 0, "what the vendor says is the vendor's");
}

#[test]
fn tokens_may_go_to_other_origins_that_are_listed_or_have_inputs() {
    let parts =
        |declaration: Declaration| declaration.parts(Scripted::fails("nothing is sent").transport()).unwrap();
    let origin = |text: &str| Origin::parse(text).unwrap();
    let two = "other_origins = ['https://content.acme.example', 'https://{region}.up.acme.example/v1']";
    let file = format!("{ACME}{two}\nkey = 'input:key'");
    let both = || toml(&file).input("key", "k").input("region", "eu");
    let expected = origin("https://api.acme.example")
        .with_other(origin("https://content.acme.example"))
        .with_other(origin("https://eu.up.acme.example/v1"));
    assert_eq!(parts(both()).origin, expected);
    let elsewhere = "https://gateway.example";
    let moved = toml(&file).input("key", "k").input("region", "eu").base_url(elsewhere);
    assert_eq!(parts(moved).origin, origin(elsewhere), "nowhere else");
    for rest in ["basic = { user = 'text:u', password = 'text:p' }", "acquire.request = 'POST /t'"] {
        let one = || acme(&format!("other_origins = 'https://content.acme.example'\n{rest}"));
        let expected = origin("https://api.acme.example").with_other(origin("https://content.acme.example"));
        assert_eq!(parts(one()).origin, expected, "{rest}");
        assert_eq!(parts(one().base_url(elsewhere)).origin, origin(elsewhere), "{rest}");
    }
    let error = refused(toml(&file).input("key", "k").input("region", "eu/x"));
    assert_eq!(error.kind(), ConfigErrorKind::Input, "{error}");
    assert!(toml(&file).inputs().eq(["key", "region"]));
}
