//! Lifetimes by the clocks that programs have: the kernel's coarse one, as long as the answer isn't close, and then the
//! exact one.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use tokio::{
    runtime::Builder,
    time::{Instant, sleep},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_reauth::{AccessToken, Acquire, AcquireError, AuthLayer, Credential, Origin, RefreshPolicy};

const LIFETIME: Duration = Duration::from_millis(600);
/// Between when the layer begins to count and when the credential is asked.
const SLACK: Duration = Duration::from_millis(30);

/// When each token was asked for, by its number.
#[derive(Clone, Default)]
struct Tokens(Arc<Mutex<Vec<Instant>>>);

impl Credential for Tokens {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let mut asked_at = self.0.lock().expect("no panic");
        let token = AccessToken::new(asked_at.len().to_string())?.with_lifetime(LIFETIME);
        asked_at.push(Instant::now());
        Ok(token)
    }
}

/// Sends requests for three lifetimes, and says how old the tokens on them were.
fn ages(tokens: &Tokens, policy: RefreshPolicy) -> Vec<Duration> {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let ages = Arc::new(Mutex::new(Vec::new()));
    let client = {
        let (tokens, ages) = (tokens.clone(), ages.clone());
        service_fn(move |request: Request<Full<Bytes>>| {
            let value = request.headers()[AUTHORIZATION].to_str().expect("text").to_owned();
            let number: usize = value.strip_prefix("Bearer ").expect("a token").parse().expect("a number");
            ages.lock().expect("no panic").push(tokens.0.lock().expect("no panic")[number].elapsed());
            std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        })
    };
    let origin = Origin::parse("https://api.test").expect("an origin");
    let mut service = AuthLayer::new(origin, tokens.clone()).policy(policy).layer(client);
    runtime.block_on(async {
        let begun = Instant::now();
        while begun.elapsed() < 3 * LIFETIME {
            let request = Request::get("https://api.test/").body(Full::default()).expect("valid");
            service.ready().await.expect("ready").call(request).await.expect("an answer");
            sleep(Duration::from_millis(1)).await;
        }
    });
    drop(service);
    Arc::into_inner(ages).expect("nobody else has them").into_inner().expect("no panic")
}

#[test]
fn an_expired_token_is_never_sent_and_one_that_is_not_is_not_replaced() {
    let tokens = Tokens::default();
    let ages = ages(&tokens, RefreshPolicy::default().early(0.0, Duration::ZERO));
    assert_not_late(&ages);
    assert!(ages.iter().max() > Some(&(LIFETIME * 3 / 4)), "they are used nearly to their end");
    let asked_at = tokens.0.lock().expect("no panic");
    assert!((2..=4).contains(&asked_at.len()), "{} tokens in three lifetimes", asked_at.len());
    for (one, next) in asked_at.iter().zip(&asked_at[1..]) {
        assert!(*next - *one >= LIFETIME - SLACK, "replaced after {:?}", *next - *one);
    }
}

#[test]
fn a_stale_token_is_renewed_in_time() {
    let tokens = Tokens::default();
    let window = LIFETIME / 2;
    let ages = ages(&tokens, RefreshPolicy::default().early(0.5, window));
    assert_not_late(&ages);
    let asked_at = tokens.0.lock().expect("no panic");
    assert!((3..=8).contains(&asked_at.len()), "{} tokens in three lifetimes", asked_at.len());
    for (one, next) in asked_at.iter().zip(&asked_at[1..]) {
        assert!(*next - *one >= LIFETIME - window - SLACK, "renewed after {:?}", *next - *one);
    }
}

/// Between the layer's look at the clock and the client's lies next to nothing, unless this thread has to wait.
fn assert_not_late(ages: &[Duration]) {
    let late = ages.iter().filter(|age| **age > LIFETIME).count();
    assert!(late <= ages.len() / 100, "{late} of {} were late", ages.len());
}
