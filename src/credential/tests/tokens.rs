//! A secret that is another credential's token.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};

use super::*;
use crate::{
    credential::scripted::printed,
    error::{AuthErrorKind, BoxError},
    secret::SecretSource,
    token::{RefreshPolicy, TokenCache},
    transport::Transport,
};

const URL: &str = "https://server.example.com/token";

/// A platform that hands out `inner-1`, `inner-2` and so on, and a server that takes them while they are good.
#[derive(Clone)]
struct World(Arc<Inside>);

struct Inside {
    handed: AtomicUsize,
    /// Those before this one aren't taken any more.
    good_from: AtomicUsize,
    /// What the server has been shown.
    shown: Mutex<Vec<String>>,
    refusal: (u16, &'static str),
}

impl World {
    fn new(refusal: (u16, &'static str)) -> Self {
        let (handed, good_from) = (AtomicUsize::new(0), AtomicUsize::new(1));
        Self(Arc::new(Inside { handed, good_from, shown: Mutex::default(), refusal }))
    }

    fn cache(&self) -> TokenCache {
        let world = self.clone();
        TokenCache::new(from_fn(move |_, _| {
            let number = world.0.handed.fetch_add(1, SeqCst) + 1;
            async move { Ok(AccessToken::new(format!("inner-{number}"))?) }
        }))
    }

    fn expire(&self) {
        self.0.good_from.store(self.0.handed.load(SeqCst) + 1, SeqCst);
    }

    fn shown(&self) -> Vec<String> {
        std::mem::take(&mut self.0.shown.lock().unwrap())
    }

    fn transport(&self) -> Transport {
        let world = self.clone();
        Transport::new(tower::service_fn(move |request: Request<Full<Bytes>>| {
            let world = world.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let bearer = head.headers.get("authorization").and_then(|value| value.to_str().ok());
                let text = format!("{} {}", bearer.unwrap_or_default(), String::from_utf8_lossy(&body));
                let number: usize = text
                    .split("inner-")
                    .nth(1)
                    .and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok())
                    .ok_or("no token of the platform")?;
                world.0.shown.lock().unwrap().push(format!("inner-{number}"));
                let (status, body) = match number >= world.0.good_from.load(SeqCst) {
                    true => (200, r#"{"access_token":"outer","token_type":"Bearer"}"#),
                    false => world.0.refusal,
                };
                Ok::<_, BoxError>(Response::builder().status(status).body(Full::<Bytes>::from(body))?)
            }
        }))
    }
}

fn bearer(world: &World, tokens: SecretSource) -> EndpointCredential {
    let request = TokenRequest::post("/token").bearer(tokens);
    let endpoint = TokenEndpoint::new("server", "https://server.example.com", request).token("/access_token");
    endpoint.build(world.transport()).unwrap()
}

/// What is the same for all who are shown such a token: it is kept while it is taken, and replaced once when it isn't.
async fn is_kept_and_replaced<C: Credential>(world: &World, cache: &TokenCache, credential: &C) {
    for _ in 0..2 {
        acquire(credential, Reason::Cold, None).await.unwrap();
        assert_eq!(world.shown(), ["inner-1"]);
    }
    assert!(credential.current_secret().is_none(), "another process has another one");
    // Many times, each after it was taken: that is no row of rejections that nothing comes of.
    for number in 1..10 {
        world.expire();
        assert_eq!(acquire(credential, Reason::Cold, None).await.unwrap().expose_secret(), "outer");
        assert_eq!(world.shown(), [format!("inner-{number}"), format!("inner-{}", number + 1)]);
    }
    assert_eq!(cache.try_get().unwrap().token().expose_secret(), "inner-10");
    // One that is refused as well isn't sent a third time, nor is a third one asked for.
    world.0.good_from.store(100, SeqCst);
    let error = acquire(credential, Reason::Cold, None).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Rejected, "{error:?}");
    assert_eq!(world.shown(), ["inner-10", "inner-11"]);
    assert_eq!(world.0.handed.load(SeqCst), 11);
    assert!(!credential.has_new_secret());
    // If the platform has another one meanwhile, that ends the waiting.
    cache.invalidate();
    cache.get(Duration::ZERO).await.unwrap();
    assert!(credential.has_new_secret());
}

fn policy() -> RefreshPolicy {
    // So many rejections at once are more than a budget has.
    RefreshPolicy::default().budget(1000, Duration::from_secs(1))
}

#[tokio::test(start_paused = true)]
async fn a_bearer_of_a_token_request() {
    let world = World::new((401, "{}"));
    let cache = world.cache();
    cache.set_policy(policy());
    is_kept_and_replaced(&world, &cache, &bearer(&world, SecretSource::tokens(cache.clone()))).await;
}

#[cfg(feature = "oauth2")]
#[tokio::test(start_paused = true)]
async fn a_grant_or_an_assertion_of_oauth() {
    use crate::credential::oauth2::{ClientAuthentication, ClientCredentials, JwtBearer, TokenExchange};

    let grant = || World::new((400, r#"{"error":"invalid_grant"}"#));
    let client = || World::new((401, r#"{"error":"invalid_client"}"#));
    let public = || ClientAuthentication::public("me");
    for (world, which) in
        [(grant(), 0), (World::new((400, r#"{"error":"invalid_request"}"#)), 1), (client(), 2)]
    {
        let cache = world.cache();
        cache.set_policy(policy());
        let tokens = SecretSource::tokens(cache.clone());
        let credential = match which {
            0 => JwtBearer::new(URL, public(), tokens).build(world.transport()),
            1 => TokenExchange::new(URL, public(), tokens, "urn:ietf:params:oauth:token-type:jwt")
                .build(world.transport()),
            _ => ClientCredentials::new(URL, ClientAuthentication::assertion("me", tokens))
                .build(world.transport()),
        };
        is_kept_and_replaced(&world, &cache, &credential.unwrap()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_had_is_not_asked_for_in_a_loop() {
    let world = World::new((401, "{}"));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let inner = TokenCache::new(from_fn(move |_, _| {
        counted.fetch_add(1, SeqCst);
        async { Err(AcquireError::rejected("wrong password")) }
    }));
    let outer = TokenCache::new(bearer(&world, SecretSource::tokens(inner)));
    for _ in 0..3 {
        let error = outer.get(Duration::ZERO).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::NoSecret);
        let words = printed(&error);
        assert!(words.contains("wrong password"), "{words}");
        let wait = error.retry_at().unwrap().saturating_duration_since(Instant::now());
        assert!(wait > Duration::from_secs(20), "as long as the password is not tried again: {wait:?}");
    }
    assert_eq!((calls.load(SeqCst), world.shown()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_comes_late_throws_no_fresh_token_away() {
    let world = World::new((401, "{}"));
    let cache = world.cache();
    let credential = bearer(&world, SecretSource::tokens(cache.clone()));
    acquire(&credential, Reason::Cold, None).await.unwrap();
    world.expire();
    // Somebody else has found out already.
    cache.reject(&cache.try_get().unwrap()).await.unwrap();
    acquire(&credential, Reason::Cold, None).await.unwrap();
    assert_eq!((world.0.handed.load(SeqCst), world.shown()), (2, vec!["inner-1".into(), "inner-2".into()]));
}
