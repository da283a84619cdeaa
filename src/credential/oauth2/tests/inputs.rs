//! Many credentials of one grant, which differ in what its inputs are filled with.

use super::*;
use crate::{
    credential::{Param, scripted::printed, temp_file::TempFile},
    error::{AcquireErrorKind, ConfigError, ConfigErrorKind},
    secret::SecretSource,
};

fn input(name: &'static str) -> SecretSource {
    SecretSource::input(name)
}

/// What is asked with a client that is each customer's own.
fn customers(server: impl Into<AuthorizationServer>) -> ClientCredentials {
    ClientCredentials::new(server, ClientAuthentication::secret_post(input("id"), input("secret")))
}

fn filled(pattern: &OAuth2Credential, inputs: &[(&str, &str)]) -> OAuth2Credential {
    inputs.iter().fold(pattern.clone(), |filled, (name, value)| filled.with_input(name, *value).unwrap())
}

/// The body of the only request that `credential` sends.
async fn body(credential: &OAuth2Credential, server: &Server) -> String {
    let before = server.seen().len();
    acquire(credential).await.unwrap();
    assert_eq!(server.seen().len(), before + 1);
    server.seen()[before].body.clone()
}

/// A grant whose parts are what somebody has of that name.
type Build = fn(&dyn Fn(&'static str) -> SecretSource, Transport) -> Result<OAuth2Credential, ConfigError>;

/// Each grant, with what it sends.
const GRANTS: [(Build, &str); 7] = [
    (
        |of, transport| {
            let client = ClientAuthentication::secret_post(of("id"), of("secret"));
            ClientCredentials::new(URL, client).scope(of("scope")).audience(of("audience")).build(transport)
        },
        "grant_type=client_credentials&audience=my-audience&scope=my-scope&client_id=my-id&client_secret=my-secret",
    ),
    (
        |of, transport| {
            let client = ClientAuthentication::public(of("id"));
            Password::new(URL, client, of("user"), of("password")).build(transport)
        },
        "grant_type=password&username=my-user&password=my-password&client_id=my-id",
    ),
    (
        |of, transport| {
            JwtBearer::new(URL, ClientAuthentication::unidentified(), of("assertion")).build(transport)
        },
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=my-assertion",
    ),
    (
        |of, transport| {
            let nobody = ClientAuthentication::unidentified();
            let exchange = TokenExchange::new(URL, nobody, of("subject"), "a").actor(of("actor"), "b");
            exchange.resource(of("my")).build(transport)
        },
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&resource=my%3Amy&\
         subject_token=my-subject&subject_token_type=a&actor_token=my-actor&actor_token_type=b",
    ),
    (
        |of, transport| {
            ExtensionGrant::new(URL, ClientAuthentication::public(of("id")), "own")
                .param("realm", of("realm"))
                .acquire_param("code", of("code"))
                .build(transport)
        },
        "grant_type=own&realm=my-realm&code=my-code&client_id=my-id",
    ),
    (
        |of, transport| {
            let client = ClientAuthentication::secret_post(of("id"), of("secret"));
            RefreshToken::new(URL, client, of("login")).scope(of("scope")).build(transport)
        },
        "grant_type=refresh_token&refresh_token=my-login&scope=my-scope&client_id=my-id&client_secret=my-secret",
    ),
    (
        // One name may be in several places.
        |of, transport| {
            let client = ClientAuthentication::secret_post(of("id"), of("id"));
            RefreshToken::new(URL, client, of("id")).build(transport)
        },
        "grant_type=refresh_token&refresh_token=my-id&client_id=my-id&client_secret=my-id",
    ),
];

fn value(name: &str) -> String {
    if name == "my" { "my:my".to_owned() } else { format!("my-{name}") }
}

#[tokio::test]
async fn each_grant_sends_what_is_filled_in_as_if_it_had_been_declared() {
    let server = Server::healthy();
    for (build, expected) in GRANTS {
        let declared = build(&|name| value(name).into(), server.transport()).unwrap();
        assert_eq!(body(&declared, &server).await, expected);
        let pattern = build(&|name| input(name), server.transport()).unwrap();
        let error = pattern.with_input("nobody", "x").unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Input);
        let words = error.to_string();
        let (_, names) = words.split_once(" has no input \"nobody\"; its inputs are ").unwrap();
        let each: Vec<_> = names.split(", ").map(|name| (name, value(name))).collect();
        let each: Vec<_> = each.iter().map(|(name, value)| (*name, &**value)).collect();
        for order in [each.clone(), each.iter().rev().copied().collect()] {
            assert_eq!(body(&filled(&pattern, &order), &server).await, expected);
        }
        let sent = server.seen().len();
        for missing in 0..each.len() {
            let mut some = each.clone();
            let (name, _) = some.remove(missing);
            let some = filled(&pattern, &some);
            let error = acquire(&some).await.unwrap_err();
            assert_eq!(error.kind(), AcquireErrorKind::Rejected);
            assert!(error.to_string().contains(&format!("input:{name}")), "{name}: {error}");
            let error = Credential::revoke(&some, &AccessToken::new("t").unwrap()).await.unwrap_err();
            assert!(error.kind() != AcquireErrorKind::Transient, "{error}");
        }
        assert_eq!(server.seen().len(), sent, "nothing is sent before all is there");
    }
}

#[tokio::test]
async fn a_secret_is_read_each_time_and_text_once() {
    let server = Server::healthy();
    let (id, secret) = (TempFile::new("input id", "one\n"), TempFile::new("input secret", "1\n"));
    let pattern = customers(URL).build(server.transport()).unwrap();
    let pattern = pattern.with_input("id", SecretSource::file(id.path())).unwrap();
    let customer = pattern.with_input("secret", SecretSource::file(secret.path())).unwrap();
    for written in ["1", "2"] {
        id.write(format!("id-{written}"));
        secret.write(written);
        let expected = format!("grant_type=client_credentials&client_id=one&client_secret={written}");
        assert_eq!(body(&customer, &server).await, expected);
    }
}

#[tokio::test]
async fn text_of_a_source_that_is_no_input_is_read_when_the_credential_is_built() {
    let server = Server::healthy();
    let file = TempFile::new("text", "read write\n");
    let scope = || SecretSource::file(file.path());
    let built = ClientCredentials::new(URL, basic()).scope(scope()).build(server.transport()).unwrap();
    assert_eq!(body(&built, &server).await, "grant_type=client_credentials&scope=read%20write");
    file.write("");
    let error = ClientCredentials::new(URL, basic()).scope(scope()).build(server.transport()).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Secret);
    assert!(error.to_string().starts_with("the scope in file:"), "{error}");
    let asked = SecretSource::from_fn(|| async { Ok("read".into()) });
    let error = ClientCredentials::new(URL, basic()).scope(asked).build(server.transport()).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert_eq!(
        error.to_string(),
        "the scope has to be known when the credential is built; give it as text, or by a variable or a file"
    );
}

#[test]
fn what_can_not_be_filled_in_is_refused_and_not_shown() {
    let nobody = Server::healthy().transport();
    let pattern = customers(input("server")).scope(input("scope")).resource(input("resource"));
    let pattern = pattern.param("realm", Param::secret(input("realm"))).build(nobody.clone()).unwrap();
    for (name, value, kind) in [
        ("nobody", "s3cret", ConfigErrorKind::Input),
        ("id", "", ConfigErrorKind::Secret),
        ("id", "s3\u{7}cret", ConfigErrorKind::Declaration),
        ("secret", "", ConfigErrorKind::Secret),
        ("realm", "", ConfigErrorKind::Secret),
        ("scope", "two  spaces", ConfigErrorKind::Declaration),
        ("resource", "relative", ConfigErrorKind::Url),
        ("server", "server.example.com", ConfigErrorKind::Url),
        ("server", "http://server.example.com/token", ConfigErrorKind::InsecureUrl),
        ("server", "https://169.254.169.254/token", ConfigErrorKind::MetadataHost),
    ] {
        let error = pattern.with_input(name, value).unwrap_err();
        assert_eq!(error.kind(), kind, "{name} = {value}: {error}");
        assert!(!printed(&error).contains("s3"), "{error}");
    }
    let asked = || SecretSource::from_fn(|| async { Ok("s3cret".into()) });
    assert_eq!(pattern.with_input("id", asked()).unwrap_err().kind(), ConfigErrorKind::Input);
    pattern.with_input("secret", asked()).unwrap();
    let whole = ClientCredentials::new(URL, basic()).name("Acme").build(nobody).unwrap();
    let error = whole.with_input("id", "x").unwrap_err();
    assert_eq!(error.to_string(), "Acme has no input \"id\"; it has none");
}

#[tokio::test]
async fn what_is_filled_in_is_shown_by_no_error() {
    let refusal = json!({"error": "invalid_client", "error_description": "s3cret is wrong"});
    let server = Server::answering([(401, refusal)]);
    let pattern = customers(URL).build(server.transport()).unwrap();
    let customer = filled(&pattern, &[("id", "7F3A"), ("secret", "s3cret")]);
    let error = acquire(&customer).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Rejected);
    let shown = printed(&error) + &format!("{customer:?} {:?}", Credential::describe(&customer).whole());
    assert!(shown.contains("is wrong") && !shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_secret_that_was_refused_is_one_customers_alone() {
    let server = Server::answering([(401, json!({"error": "invalid_client"}))]);
    let file = TempFile::new("refused customer", "one");
    let pattern = customers(URL).build(server.transport()).unwrap().with_input("id", "7F3A").unwrap();
    let [one, other] =
        [(); 2].map(|()| pattern.with_input("secret", SecretSource::file(file.path())).unwrap());
    acquire(&one).await.unwrap_err();
    file.write("two");
    assert!(Credential::has_new_secret(&one));
    assert!(!Credential::has_new_secret(&other) && !Credential::has_new_secret(&pattern));
}

#[tokio::test]
async fn a_login_of_a_customers_client_has_its_own_refresh_token() {
    let server = Server::answering([
        (200, with_refresh("a1", "anna-2")),
        (200, with_refresh("b1", "ben-2")),
        (200, token("a2")),
        (200, token("c1")),
    ]);
    let client = ClientAuthentication::secret_post(input("id"), input("secret"));
    let pattern = RefreshToken::new(URL, client, input("login")).build(server.transport()).unwrap();
    let acme = filled(&pattern, &[("id", "acme"), ("secret", "s")]);
    let [anna, ben] = ["anna-1", "ben-1"].map(|login| acme.with_refresh_token(login).unwrap());
    for who in [&anna, &ben, &anna] {
        acquire(who).await.unwrap();
    }
    // Made of one that has a newer refresh token, it begins with what it was made with.
    let another = anna.with_input("secret", "t").unwrap();
    acquire(&another).await.unwrap();
    let sent: Vec<_> =
        server.seen().iter().map(|seen| seen.field("refresh_token").unwrap().to_owned()).collect();
    assert_eq!(sent, ["anna-1", "ben-1", "anna-2", "anna-1"]);
    assert!(server.seen().iter().all(|seen| seen.field("client_id") == Some("acme")));
    assert!(another.refresh_token().is_none() && ben.refresh_token().is_some());
}

#[tokio::test]
async fn what_saves_a_login_goes_on_to_save_it_when_more_is_filled_in() {
    let server = Server::answering([(200, with_refresh("a1", "anna-2"))]);
    let client = ClientAuthentication::secret_post("id", input("secret"));
    let saved = Arc::new(Mutex::new(Vec::new()));
    let pattern = RefreshToken::new(URL, client, input("login")).build(server.transport()).unwrap();
    let seen = saved.clone();
    let login = pattern
        .with_persisted_refresh_token("anna-1", move |token| {
            seen.lock().unwrap().push(token);
            ready(Ok(()))
        })
        .unwrap();
    acquire(&login.with_input("secret", "s").unwrap()).await.unwrap();
    assert_eq!(saved.lock().unwrap().len(), 1);
    assert!(login.refresh_token().is_none(), "it is another's");
}

#[tokio::test]
async fn what_saves_one_login_never_saves_another() {
    let server = Server::answering([(200, with_refresh("a1", "anna-2"))]);
    let saved = Arc::new(Mutex::new(Vec::new()));
    let seen = saved.clone();
    let pattern = RefreshToken::new(URL, basic(), input("login")).persist(move |token| {
        seen.lock().unwrap().push(token);
        ready(Ok(()))
    });
    let pattern = pattern.build(server.transport()).unwrap();
    for anna in [pattern.with_input("login", "anna-1"), pattern.with_refresh_token("anna-1")] {
        let anna = anna.unwrap();
        acquire(&anna).await.unwrap();
        assert!(anna.refresh_token().is_some());
    }
    assert_eq!(saved.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn each_customers_server_is_asked_and_no_other() {
    let server = Server::healthy();
    let pattern = customers(input("server")).build(server.transport()).unwrap();
    for host in ["one", "two"] {
        let url = format!("https://{host}.example.com/token");
        let customer = filled(&pattern, &[("server", &url), ("id", "i"), ("secret", "s")]);
        acquire(&customer).await.unwrap();
        assert_eq!(server.seen().last().unwrap().url, url);
        assert_eq!(Credential::describe(&customer).asked(), url, "by which those who ask it are counted");
    }
}

#[tokio::test]
async fn an_issuer_is_discovered_once_for_those_who_have_it_and_by_nobody_else() {
    let metadata = |host: &str| {
        let issuer = format!("https://{host}.example.com");
        (200, json!({"issuer": issuer, "token_endpoint": format!("{issuer}/{host}-token")}))
    };
    let server = Server::answering([
        metadata("one"),
        (200, token("a")),
        (200, token("b")),
        metadata("two"),
        (200, token("c")),
        (200, token("d")),
    ]);
    let pattern =
        customers(AuthorizationServer::discover(input("issuer"))).build(server.transport()).unwrap();
    let pattern = pattern.with_input("id", "i").unwrap();
    for host in ["one", "two"] {
        let issuers = pattern.with_input("issuer", format!("https://{host}.example.com")).unwrap();
        for secret in ["s", "t"] {
            acquire(&issuers.with_input("secret", secret).unwrap()).await.unwrap();
        }
    }
    let asked: Vec<_> = server.seen().iter().map(|seen| seen.url.clone()).collect();
    let of = |host: &str| {
        let url = |path: &str| format!("https://{host}.example.com/{path}");
        let token = url(&format!("{host}-token"));
        [url(".well-known/oauth-authorization-server"), token.clone(), token]
    };
    assert_eq!(asked, [of("one"), of("two")].concat());
}

#[cfg(feature = "jwt")]
mod jwt {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const EC: &str = include_str!("keys/rfc7515-a3-pkcs8.pem");
    const ED: &str = include_str!("keys/rfc8037-a-pkcs8.pem");

    fn claims(jwt: &str) -> Value {
        let claims = jwt.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_jwt_is_about_whom_it_is_filled_in_for() {
        let server = Server::healthy();
        let key = JwtKey::es256(EC.as_bytes()).unwrap();
        let jwt = JwtAssertion::new(key, "robot").subject(input("user")).audience(input("audience"));
        let pattern = JwtBearer::new(URL, ClientAuthentication::unidentified(), jwt);
        let pattern = pattern.build(server.transport()).unwrap();
        let error = acquire(&pattern.with_input("user", "anna").unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), AcquireErrorKind::Rejected);
        assert!(error.to_string().contains("input:audience") && server.seen().is_empty(), "{error}");
        for user in ["anna", "ben", "anna"] {
            let customer = filled(&pattern, &[("user", user), ("audience", "us")]);
            acquire(&customer).await.unwrap();
            let sent = claims(server.seen().last().unwrap().field("assertion").unwrap());
            assert_eq!(
                (&sent["iss"], &sent["sub"], &sent["aud"]),
                (&"robot".into(), &user.into(), &"us".into())
            );
        }
        assert_eq!(pattern.with_input("user", "").unwrap_err().kind(), ConfigErrorKind::Secret);
        let asked = SecretSource::from_fn(|| async { Ok("anna".into()) });
        assert_eq!(
            filled(&pattern, &[("audience", "us")]).with_input("user", asked).unwrap_err().kind(),
            ConfigErrorKind::Input
        );
    }

    #[tokio::test]
    async fn each_client_signs_by_its_own_key() {
        let server = Server::healthy();
        let jwt = JwtAssertion::reading(JwtAlgorithm::Es256, input("key"), input("id"));
        let client = ClientAuthentication::assertion(input("id"), jwt);
        let pattern = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
        let file = TempFile::new("customers key", EC);
        for id in ["one", "two"] {
            let customer = pattern.with_input("id", id).unwrap();
            let customer = customer.with_input("key", SecretSource::file(file.path())).unwrap();
            acquire(&customer).await.unwrap();
            let seen = server.seen().pop().unwrap();
            assert_eq!(seen.field("client_id"), Some(id));
            let jwt = seen.field("client_assertion").unwrap().to_owned();
            assert_eq!((&claims(&jwt)["iss"], &claims(&jwt)["sub"]), (&id.into(), &id.into()));
            assert!(JwtKey::es256(EC.as_bytes()).unwrap().has_signed(&jwt));
        }
        let customer = filled(&pattern, &[("id", "i")]);
        for (key, kind) in [(ED, ConfigErrorKind::Secret), ("s3cret", ConfigErrorKind::Secret)] {
            let error = customer.with_input("key", key).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(!printed(&error).contains("s3cret"));
        }
    }

    #[tokio::test]
    async fn a_key_that_was_refused_and_replaced_is_one_customers_alone() {
        let server = Server::answering([(401, json!({"error": "invalid_client"}))]);
        let other = JwtKey::new(JwtAlgorithm::Hs256, &[b'b'; 32]).unwrap();
        let client = ClientAuthentication::secret_jwt("id", input("secret"));
        let pattern = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
        let file = TempFile::new("refused key", [b'a'; 32]);
        let [one, two] =
            [(); 2].map(|()| pattern.with_input("secret", SecretSource::file(file.path())).unwrap());
        acquire(&one).await.unwrap_err();
        file.write([b'b'; 32]);
        assert!(Credential::has_new_secret(&one) && !Credential::has_new_secret(&two));
        acquire(&one).await.unwrap_err();
        assert!(other.has_signed(server.seen().last().unwrap().field("client_assertion").unwrap()));
    }
}
