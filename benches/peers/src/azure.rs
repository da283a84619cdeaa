//! azure_core's policy for bearer tokens. Requests are of its own type.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{
        AsyncRawResponse, Context, Method, Request, StatusCode, Url,
        headers::{AUTHORIZATION, Headers},
        policies::{Policy, PolicyResult, auth::BearerTokenAuthorizationPolicy},
    },
    time::OffsetDateTime,
};

use tower::BoxError;

use crate::{
    Peers, now,
    support::{HOUR, TOKEN, Work},
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = Arc::<AtomicUsize>::default();
    let credential = Arc::new(Counted { calls: calls.clone() });
    let policy = BearerTokenAuthorizationPolicy::new(credential, ["scope"]);
    let peer = Peer { policy, last: [Arc::new(Last)] };
    peer.send(make(&Work::new()));
    peers.add_own("azure_core bearer policy (no replay by itself)", peer, make, |peer, request| {
        peer.send(request)
    });
    assert_eq!(calls.load(Relaxed), 1, "the token was cached");
    Ok(())
}

fn make(work: &Work) -> Request {
    let (head, _) = work.request().into_parts();
    let mut request = Request::new(Url::parse(&head.uri.to_string()).expect("valid"), Method::Post);
    for (name, value) in &head.headers {
        let value = value.to_str().expect("text").to_owned();
        request.insert_header(name.as_str().to_owned(), value);
    }
    request.set_body(vec![b'x'; 200]);
    request
}

#[derive(Clone)]
struct Peer {
    policy: BearerTokenAuthorizationPolicy,
    last: [Arc<dyn Policy>; 1],
}

impl Peer {
    fn send(&self, mut request: Request) {
        let response = now(self.policy.send(&Context::new(), &mut request, &self.last)).expect("an answer");
        std::hint::black_box((request, response));
    }
}

/// The trivial client.
#[derive(Debug)]
struct Last;

#[async_trait]
impl Policy for Last {
    async fn send(&self, _: &Context, request: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        assert!(request.headers().get_optional_str(&AUTHORIZATION).is_some());
        Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), Vec::new()))
    }
}

#[derive(Debug)]
struct Counted {
    calls: Arc<AtomicUsize>,
}

#[async_trait]
impl TokenCredential for Counted {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.calls.fetch_add(1, Relaxed);
        Ok(AccessToken::new(TOKEN, OffsetDateTime::now_utc() + HOUR))
    }
}
