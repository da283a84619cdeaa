//! A credential that counts how often it is asked, and the layer that uses it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AuthLayer, Credential, Origin, Rule, Signatures, signature::json,
};

pub const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";

/// Hands out a token that is good for an hour, and counts.
#[derive(Clone, Default)]
pub struct Counted {
    calls: Arc<AtomicUsize>,
}

impl Counted {
    /// How many tokens it has handed out.
    pub fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

impl Credential for Counted {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        self.calls.fetch_add(1, Relaxed);
        Ok(AccessToken::new(TOKEN)?.with_lifetime(Duration::from_secs(3600)))
    }
}

/// A layer with [`signatures`].
pub fn layer(credential: impl Credential) -> AuthLayer {
    let origin = Origin::parse("https://api.example.com").expect("an origin");
    AuthLayer::new(origin, credential).signatures(signatures())
}

/// One rule, for a 401 with a certain body.
pub fn signatures() -> Signatures {
    let expired = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt expired"));
    Signatures::new().rule(expired)
}
