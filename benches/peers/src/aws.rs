//! aws-smithy-runtime: the lazy identity cache, and the signer of its bearer scheme. Requests are of its own type.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::SystemTime,
};

use aws_smithy_async::{rt::sleep::TokioSleep, time::SystemTimeSource};
use aws_smithy_runtime::client::{auth::http::BearerAuthScheme, identity::IdentityCache};
use aws_smithy_runtime_api::client::{
    auth::{AuthScheme, AuthSchemeEndpointConfig},
    identity::{
        Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
        SharedIdentityResolver, http::Token,
    },
    orchestrator::HttpRequest,
    runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};

use tower::BoxError;

use crate::{
    Peers, now,
    support::{HOUR, TOKEN, Work},
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = Arc::<AtomicUsize>::default();
    let components = RuntimeComponentsBuilder::for_tests()
        .with_time_source(Some(SystemTimeSource::new()))
        .with_sleep_impl(Some(TokioSleep::new()))
        .build()?;
    let peer = Peer {
        cache: IdentityCache::lazy().build(),
        resolver: SharedIdentityResolver::new(Counted { calls: calls.clone() }),
        components,
        scheme: Arc::new(BearerAuthScheme::new()),
    };
    peers.runtime.block_on(peer.cache.resolve_cached_identity(
        peer.resolver.clone(),
        &peer.components,
        &ConfigBag::base(),
    ))?;
    let mut request = make(&Work::new());
    peer.sign(&mut request);
    assert_eq!(request.headers().get("authorization"), Some(&*format!("Bearer {TOKEN}")));
    peers.add_own(
        "aws LazyCache + bearer signer (no replay, no refresh on a 401)",
        peer,
        make,
        |peer, mut request| {
            peer.sign(&mut request);
            drop(std::hint::black_box(request));
        },
    );
    assert_eq!(calls.load(Relaxed), 1, "the token was cached");
    Ok(())
}

fn make(work: &Work) -> HttpRequest {
    let request = work.request().map(|_| SdkBody::from([b'x'; 200].as_slice()));
    HttpRequest::try_from(request).expect("valid")
}

#[derive(Clone)]
struct Peer {
    cache: SharedIdentityCache,
    resolver: SharedIdentityResolver,
    components: RuntimeComponents,
    scheme: Arc<BearerAuthScheme>,
}

impl Peer {
    fn sign(&self, request: &mut HttpRequest) {
        let config = ConfigBag::base();
        let identity =
            now(self.cache.resolve_cached_identity(self.resolver.clone(), &self.components, &config));
        let (identity, endpoint) = (identity.expect("an identity"), AuthSchemeEndpointConfig::empty());
        let signer = self.scheme.signer();
        signer.sign_http_request(request, &identity, endpoint, &self.components, &config).expect("signed");
    }
}

#[derive(Debug)]
struct Counted {
    calls: Arc<AtomicUsize>,
}

impl ResolveIdentity for Counted {
    fn resolve_identity<'a>(&'a self, _: &'a RuntimeComponents, _: &'a ConfigBag) -> IdentityFuture<'a> {
        self.calls.fetch_add(1, Relaxed);
        let expires_at = Some(SystemTime::now() + HOUR);
        IdentityFuture::ready(Ok(Identity::new(Token::new(TOKEN, expires_at), expires_at)))
    }
}
