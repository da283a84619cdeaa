//! Whose token it is, and for what it was asked.

use secrecy::SecretString;

use super::*;
use crate::{
    credential::{Param, temp_file::TempFile},
    error::{BoxError, ConfigErrorKind},
    store::SharedSlot,
    testing::MemoryStore,
    token::Description,
};

fn slot() -> SharedSlot {
    SharedSlot::plain(MemoryStore::new(), "test").expect("a name")
}

/// Where the credential's token is in a slot without a subject, if it can tell.
fn place(description: &Description) -> Option<String> {
    let shelf = description.shelf(&slot());
    if let Err(error) = &shelf {
        assert_eq!(error.kind(), ConfigErrorKind::Store);
        assert!(error.to_string().contains("give the slot a subject"), "{error}");
    }
    shelf.ok().map(|shelf| shelf.slot().to_string())
}

fn place_of(subject: &str, description: &Description) -> String {
    let shelf = description.shelf(&slot().subject(subject));
    shelf.expect("a subject is all that is missing").slot().to_string()
}

/// What a builder's credential says of itself. No secret is seen in it.
macro_rules! described {
    ($builder:expr) => {{
        let credential = $builder.build(Server::default().transport()).unwrap();
        let description = Credential::describe(&credential);
        for shown in [format!("{description:?}"), format!("{credential:?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        description
    }};
}

fn client(secret: &'static str) -> ClientAuthentication {
    ClientAuthentication::secret_basic("id", secret)
}

fn credentials() -> ClientCredentials {
    ClientCredentials::new(URL, client("s3cret-1"))
}

fn login() -> Password {
    Password::new(URL, client("s3cret-1"), "johndoe", "s3cret-2")
}

fn refresh(token: impl Into<SecretSource>) -> RefreshToken {
    RefreshToken::new(URL, client("s3cret-1"), token)
}

fn exchange() -> TokenExchange {
    TokenExchange::new(URL, client("s3cret-1"), "s3cret-2", TokenExchange::JWT)
}

async fn nothing(_: SecretString) -> Result<(), BoxError> {
    Ok(())
}

#[test]
fn a_secret_that_was_replaced_leaves_it_where_it_is() {
    let other = ClientAuthentication::secret_post("id", "s3cret-9");
    let pairs = [
        (described!(credentials()), described!(ClientCredentials::new(URL, other.clone()))),
        (described!(login()), described!(Password::new(URL, other.clone(), "johndoe", "s3cret-8"))),
        (described!(refresh("s3cret-3")), described!(RefreshToken::new(URL, other.clone(), "s3cret-3"))),
    ];
    for (one, other) in pairs {
        assert_eq!(place(&one).expect("told"), place(&other).expect("told"));
    }
    let exchanged = TokenExchange::new(URL, other, "s3cret-8", TokenExchange::JWT);
    assert_eq!(place_of("us", &described!(exchange())), place_of("us", &described!(exchanged)));
    let bearer = |secret: &'static str, assertion: &'static str| {
        described!(JwtBearer::new(URL, client(secret), SecretSource::fixed(assertion)))
    };
    assert_eq!(
        place_of("us", &bearer("s3cret-1", "s3cret-2")),
        place_of("us", &bearer("s3cret-8", "s3cret-9"))
    );
}

#[test]
fn another_server_client_user_grant_or_login_is_another_place_whatever_the_subject() {
    let as_other = ClientAuthentication::secret_basic("other", "s3cret-1");
    let discovered = AuthorizationServer::discover("https://server.example.com/token");
    let descriptions = [
        described!(credentials()),
        described!(ClientCredentials::new("https://other.example.com/token", client("s3cret-1"))),
        described!(ClientCredentials::new(URL, as_other.clone())),
        described!(credentials().scope("read")),
        described!(credentials().audience("read")),
        described!(credentials().resource("https://read.example.com")),
        described!(credentials().param("tenant", "a")),
        described!(credentials().param("tenant", "b")),
        described!(credentials().token("/id_token")),
        described!(login()),
        described!(Password::new(discovered, client("s3cret-1"), "johndoe", "s3cret-2")),
        described!(Password::new(URL, client("s3cret-1"), "janedoe", "s3cret-2")),
        described!(Password::new(URL, as_other.clone(), "johndoe", "s3cret-2")),
        described!(login().acquire_param("realm", "a")),
        described!(login().refresh_scope("read")),
        described!(refresh("s3cret-3")),
        described!(RefreshToken::new(URL, as_other, "s3cret-3")),
        described!(exchange()),
        described!(exchange().actor("s3cret-4", TokenExchange::ID_TOKEN)),
        described!(exchange().requested_token_type(TokenExchange::ACCESS_TOKEN)),
        described!(JwtBearer::new(URL, client("s3cret-1"), SecretSource::fixed("s3cret-2"))),
    ];
    let places = |subject| descriptions.iter().map(move |description| place_of(subject, description));
    let mut all: Vec<_> = places("us").chain(places("them")).collect();
    all.extend(descriptions.iter().filter_map(place));
    let told = all.len() - 2 * descriptions.len();
    assert_eq!(told, 17, "an exchange and an assertion don't tell");
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 2 * descriptions.len() + told);
}

#[test]
fn a_login_is_known_by_its_first_refresh_token_where_that_stays_the_same_and_there_is_no_subject() {
    let first = place(&described!(refresh("s3cret-3"))).expect("told");
    assert_ne!(first, place(&described!(refresh("s3cret-4"))).expect("another login"));
    let (one, other) = (described!(refresh("s3cret-3")), described!(refresh("s3cret-4")));
    assert_eq!(place_of("us", &one), place_of("us", &other), "the program knows better");
    let file = TempFile::new("identity-login", "s3cret-3");
    let from_file = described!(refresh(SecretSource::file(file.path())));
    assert_eq!(place(&from_file), None, "somebody may write another one there");
    assert_eq!(place_of("us", &from_file), place_of("us", &one));
    assert_eq!(
        place(&described!(refresh("s3cret-3").persist(nothing))),
        None,
        "the next start has another one"
    );
    let asked_for = refresh(SecretSource::from_fn(|| async { Ok("s3cret-3".into()) }));
    assert_eq!(place(&described!(asked_for)), None);
    // Set by Cargo for each test.
    let variable = described!(refresh(SecretSource::env("CARGO_PKG_NAME")));
    assert_eq!(place(&variable), place(&described!(refresh("tower-reauth"))));
}

#[test]
fn who_is_known_by_a_secret_alone_needs_a_subject() {
    let secret = || Param::secret("s3cret-7");
    let nobody = ClientAuthentication::unidentified;
    for description in [
        described!(exchange()),
        described!(JwtBearer::new(URL, nobody(), SecretSource::fixed("s3cret-2"))),
        described!(ClientCredentials::new(URL, nobody())),
        described!(credentials().param("tenant", secret())),
        described!(login().acquire_param("realm", secret())),
    ] {
        assert_eq!(place(&description), None, "{description:?}");
        assert_ne!(place_of("us", &description), place_of("them", &description));
    }
}

#[test]
fn customers_of_one_pattern_are_told_apart_or_need_a_subject() {
    let input = SecretSource::input;
    let client = |id: SecretSource| ClientAuthentication::secret_post(id, input("secret"));
    let transport = || Server::default().transport();
    let of = |pattern: &OAuth2Credential, inputs: &[(&str, &str)]| {
        let customer =
            inputs.iter().fold(pattern.clone(), |made, (name, value)| made.with_input(name, *value).unwrap());
        let description = Credential::describe(&customer);
        assert!(!format!("{description:?}").contains("s3cret"));
        description
    };
    // Text says whose it is, and what the pattern is asked is no other place than what is declared so.
    let own = ClientCredentials::new(input("server"), client(input("id")))
        .scope(input("scope"))
        .build(transport())
        .unwrap();
    let inputs =
        |server, id, scope, secret| [("server", server), ("id", id), ("scope", scope), ("secret", secret)];
    let all = [
        of(&own, &inputs(URL, "one", "read", "s3cret-1")),
        of(&own, &inputs(URL, "two", "read", "s3cret-1")),
        of(&own, &inputs(URL, "one", "write", "s3cret-1")),
        of(&own, &inputs("https://other.example.com/token", "one", "read", "s3cret-1")),
    ];
    let mut places: Vec<_> = all.iter().map(|description| place(description).expect("told")).collect();
    let declared =
        ClientCredentials::new(URL, ClientAuthentication::secret_post("one", "s3cret-9")).scope("read");
    assert_eq!(places[0], place(&described!(declared)).expect("told"));
    assert_eq!(places[0], place(&of(&own, &inputs(URL, "one", "read", "s3cret-2"))).expect("a new secret"));
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), all.len());
    let user = |name: SecretSource| {
        Password::new(URL, client(input("id")), name, input("password")).build(transport()).unwrap()
    };
    let with = |pattern: &OAuth2Credential, name| {
        of(pattern, &[("user", name), ("password", "s3cret-2"), ("id", "one"), ("secret", "s3cret-1")])
    };
    let anybody = user(input("user"));
    assert_ne!(place(&with(&anybody, "anna")).expect("told"), place(&with(&anybody, "ben")).expect("told"));
    let login = RefreshToken::new(URL, client("one".into()), input("login")).build(transport()).unwrap();
    let login = |token| place(&of(&login, &[("login", token), ("secret", "s3cret-1")])).expect("told");
    assert_ne!(login("s3cret-3"), login("s3cret-4"));
    // A secret that nothing else goes with says nothing, so that two customers would have one place.
    let one = ClientCredentials::new(URL, client("one".into())).build(transport()).unwrap();
    let anna = Password::new(URL, ClientAuthentication::public("one"), "anna", input("secret"))
        .build(transport())
        .unwrap();
    for pattern in [one, anna] {
        let description = of(&pattern, &[("secret", "s3cret-1")]);
        assert_eq!(place(&description), None);
        assert_ne!(place_of("us", &description), place_of("them", &description));
    }
}

#[test]
fn what_is_asked_for_is_no_part_of_a_login_and_has_no_order() {
    let read = described!(refresh("s3cret-3").scope("read")).whole();
    let both = described!(refresh("s3cret-3").scope("read write").audience("a").audience("b")).whole();
    let again = described!(refresh("s3cret-3").audience("b").scope("write read").audience("a")).whole();
    assert_eq!(place(&read), place(&both));
    assert_ne!(read.asks_for, both.asks_for);
    assert_eq!(both.asks_for, again.asks_for);
    assert_eq!(both.asks_for, "audience=a&audience=b&scope=read&scope=write&token=%2Faccess_token");
    // Where there is another way to log in, that asks for more than a refresh could.
    let both = described!(credentials().scope("read write"));
    assert_eq!(place(&both), place(&described!(credentials().scope("write read"))));
    assert_ne!(place(&both), place(&described!(credentials().scope("read"))));
}

/// A release that says something else here finds nothing of what the one before it has stored.
#[test]
fn what_is_stored_is_found_again_by_later_releases() {
    let told = [described!(credentials()), described!(login()), described!(refresh("s3cret-3"))];
    let mut places: Vec<_> = told.iter().map(|description| place(description).expect("told")).collect();
    places.push(place_of("us", &described!(exchange())));
    places.iter_mut().for_each(|place| place.truncate("test.".len() + 16));
    assert_eq!(
        places,
        ["test.6737d6e7643661da", "test.ead13dd4f67b40c0", "test.7b65140a1ab1205b", "test.4519692affe3b36a"]
    );
}
