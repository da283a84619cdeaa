//! The three ways in which a vendor is declared, and what has to come of an answer in each of them.

use std::{error::Error, iter, time::Duration};

use tower::Layer;
use tower_reauth::{
    AcquireErrorKind, AuthErrorKind, AuthLayer, BoxError, Declaration, Param, RefreshPolicy, SecretSource,
    TokenEndpoint, TokenRequest,
    oauth2::{ClientAuthentication, Password},
};

use super::world::World;
use crate::support::{Secrets, auth_error, client, get, send};

/// The file that all three read their secret from, and what is in it.
const SECRET_FILE: &str = "tests/declared/secrets/vervoe-secret";

/// What `TokenEndpoint`, a file and the builders of OAuth 2.0 each have a word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Endpoint,
    File,
    OAuth2,
}

pub(super) const WAYS: [Way; 3] = [Way::Endpoint, Way::File, Way::OAuth2];
/// Those that don't keep to RFC 6749 by the letter, unless they are told to.
pub(super) const LENIENT: [Way; 2] = [Way::Endpoint, Way::File];

/// The same settings, said in each way.
pub(super) struct Said {
    pub(super) endpoint: Box<dyn Fn(TokenEndpoint) -> TokenEndpoint>,
    pub(super) oauth2: Box<dyn Fn(Password) -> Password>,
    /// What the file's table `answer` has.
    pub(super) file: String,
    /// What the file has before its first table.
    pub(super) top: String,
}

/// Settings: what the table `answer` of a file says, and the methods of the builders that say the same.
macro_rules! said {
    ($file:expr $(; $(.$method:ident($($arg:expr),*))+)?) => {
        $crate::wire::ways::Said {
            endpoint: Box::new(move |builder| builder$($(.$method($($arg.clone()),*))+)?),
            oauth2: Box::new(move |builder| builder$($(.$method($($arg.clone()),*))+)?),
            file: $file.to_string(),
            top: String::new(),
        }
    };
}
pub(super) use said;

impl Said {
    /// The same, with `TokenEndpoint` and the file as strict as OAuth 2.0 is.
    pub(super) fn strictly(self) -> Self {
        let endpoint = self.endpoint;
        Self {
            endpoint: Box::new(move |builder| endpoint(builder).strict()),
            file: format!("{}\nstrict = true", self.file),
            ..self
        }
    }

    /// The layer for `world`, whose attempts follow each other at once.
    pub(super) fn layer(&self, way: Way, world: &World) -> AuthLayer {
        let moment = Duration::from_millis(1);
        self.with_default_policy(way, world).policy(RefreshPolicy::default().between_attempts(moment, moment))
    }

    pub(super) fn with_default_policy(&self, way: Way, world: &World) -> AuthLayer {
        let (origin, url) = (world.origin().to_owned(), world.url("/token?key=in-the-query"));
        let secret = SecretSource::file(SECRET_FILE);
        match way {
            Way::Endpoint => {
                let acquire = TokenRequest::post("/token").query("key", "in-the-query");
                let acquire = acquire.form("grant_type", "password").form("password", secret);
                let refresh = TokenRequest::post("/token").form("grant_type", "refresh_token");
                let refresh = refresh.form("refresh_token", Param::refresh_token());
                let endpoint = TokenEndpoint::new("Acme", origin, acquire).refresh(refresh);
                (self.endpoint)(endpoint).layer(client()).unwrap()
            }
            Way::File => self.declaration(&origin).layer(client()).unwrap(),
            Way::OAuth2 => {
                let password =
                    Password::new(url, ClientAuthentication::public("id"), "me", secret).name("Acme");
                (self.oauth2)(password).layer(&origin, client()).unwrap()
            }
        }
    }

    fn declaration(&self, origin: &str) -> Declaration {
        let Self { file, top, .. } = self;
        let answer = if file.trim().is_empty() { String::new() } else { format!("[answer]\n{file}") };
        let text = format!(
            "name = 'Acme'\nbase_url = '{origin}'\n{top}\n\
             [acquire]\nrequest = 'POST /token'\nquery = {{ key = 'text:in-the-query' }}\n\
             form = {{ grant_type = 'text:password', password = 'file:{SECRET_FILE}' }}\n\
             [refresh]\nrequest = 'POST /token'\n\
             form = {{ grant_type = 'text:refresh_token', refresh_token = 'token:refresh' }}\n{answer}\n"
        );
        toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// One call in each way, with this answer to the token request: the API gets `expected`, and nobody asks twice.
    pub(super) async fn assert_token(&self, ways: &[Way], answer: &[u8], expected: &str) {
        for way in ways {
            let world = World::answering([answer.to_vec()]).await;
            let service = self.layer(*way, &world).layer(client());
            let answered = send(&service, get(&world.url("/videos"))).await;
            let note = format!("{way:?}: {}", String::from_utf8_lossy(answer));
            let answered = answered.unwrap_or_else(|error| panic!("{note}\n{}", chain(&error).join("\n")));
            assert_eq!(answered.status(), 200, "{note}");
            assert_eq!(world.api_headers("authorization"), [format!("Bearer {expected}")], "{note}");
            assert_eq!(world.counts(), (1, 1), "{note}");
        }
    }

    /// How long the token of this answer lives, in each way, in which it has to be used all the same.
    pub(super) async fn lifetimes(&self, answer: &[u8]) -> Vec<Option<Duration>> {
        let mut lifetimes = Vec::new();
        for way in WAYS {
            let world = World::answering([answer.to_vec()]).await;
            let layer = self.layer(way, &world);
            send(&layer.layer(client()), get(&world.url("/videos"))).await.unwrap();
            assert_eq!(world.counts(), (1, 1), "{way:?}");
            lifetimes.push(layer.tokens().get(Duration::ZERO).await.unwrap().token().lifetime());
        }
        lifetimes
    }

    /// One call in each way, with this answer to every token request: there is no token, so nothing is sent, and the
    /// error is of this kind and says all of `words`.
    pub(super) async fn assert_refused(
        &self,
        ways: &[Way],
        answer: &[u8],
        kinds: (AuthErrorKind, AcquireErrorKind),
        words: &[&str],
    ) {
        for way in ways {
            let world = World::answering([answer.to_vec()]).await;
            let service = self.layer(*way, &world).layer(client());
            let note = format!("{way:?}: {}", String::from_utf8_lossy(answer));
            let Err(error) = send(&service, get(&world.url("/videos"))).await else { panic!("{note}") };
            let (auth, shown) = (auth_error(&error), chain(&error).join("\n"));
            assert_eq!(auth.kind(), kinds.0, "{note}\n{shown}");
            assert_eq!(auth.acquire_error().map(|error| error.kind()), Some(kinds.1), "{note}\n{shown}");
            let acquire = auth.acquire_error().unwrap().to_string();
            assert!(words.iter().all(|words| acquire.contains(words)), "{words:?}\n{note}\n{acquire}");
            assert!(!acquire.contains(char::is_control), "{acquire:?}");
            assert_shows_no_secret(&error);
            let (asked, sent) = world.counts();
            assert!((1..=3).contains(&asked) && sent == 0, "{note}: {asked} token requests, {sent} calls");
        }
    }
}

/// The secret, and what the query of the token request has.
pub(super) fn secrets() -> Secrets {
    let secret = std::fs::read_to_string(SECRET_FILE).unwrap();
    Secrets::new([secret.trim(), "in-the-query"])
}

#[track_caller]
pub(super) fn assert_shows_no_secret(error: &BoxError) {
    secrets().assert_not_in(&**error);
}

/// Each error of a chain, as a caller prints it.
pub(super) fn chain(error: &BoxError) -> Vec<String> {
    let first: &(dyn Error + 'static) = &**error;
    iter::successors(Some(first), |&error| error.source()).map(ToString::to_string).collect()
}
