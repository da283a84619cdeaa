//! Credentials, and the layer that uses them.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;
use tokio::{runtime::Runtime, time::Instant};
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AuthLayer, Credential, Origin, Rule, Signatures, signature::json,
};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";

/// Hands out a token that is good for an hour, and after [`TOKEN`] another one each time; and counts.
#[derive(Clone, Default)]
pub(crate) struct Counted {
    calls: Arc<AtomicUsize>,
}

impl Counted {
    /// How many tokens it has handed out.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

impl Credential for Counted {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let token = match self.calls.fetch_add(1, Relaxed) {
            0 => TOKEN.to_owned(),
            before => format!("{TOKEN}-{before}"),
        };
        Ok(AccessToken::new(token)?.with_lifetime(HOUR))
    }
}

/// Hands out a token that should be renewed at once. Renewing it takes for ever, or fails.
pub(crate) struct Stale {
    first: AtomicBool,
    fails: bool,
}

impl Stale {
    pub(crate) fn new(fails: bool) -> Self {
        Self { first: AtomicBool::new(true), fails }
    }
}

impl Credential for Stale {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        match (self.first.swap(false, Relaxed), self.fails) {
            (true, _) => {
                let long_ago = Instant::now() - HOUR * 9 / 10;
                Ok(AccessToken::new(TOKEN)?.with_lifetime(HOUR).with_requested_at(long_ago))
            }
            (false, true) => Err(AcquireError::transient("out of order")),
            (false, false) => pending().await,
        }
    }
}

/// A layer with [`signatures`].
pub(crate) fn layer(credential: impl Credential) -> AuthLayer {
    let origin = Origin::parse("https://api.example.com").expect("an origin");
    AuthLayer::new(origin, credential).signatures(signatures())
}

/// The same layer, once it has a token.
pub(crate) fn warmed<K>(runtime: &Runtime, auth: AuthLayer<K>) -> AuthLayer<K> {
    runtime.block_on(auth.tokens().get(Duration::ZERO)).expect("a token");
    auth
}

/// One rule, for a 401 with a certain body.
pub(crate) fn signatures() -> Signatures {
    let expired = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"));
    Signatures::new().rule(expired)
}
