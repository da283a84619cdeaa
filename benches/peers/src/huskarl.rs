//! huskarl: an authorizer that makes headers from a cached token. The program puts them on the request, and shows it the
//! answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::SystemTime,
};

use huskarl::{
    authorizer::HttpAuthorizer,
    cache::{InMemoryTokenCache, TokenError, TokenSource},
    core::platform::MaybeSendBoxFuture,
    grant::core::{RawTokenResponse, TokenResponse},
};

use tower::BoxError;

use crate::{
    Peers, assert_authorized, now, send,
    support::{TOKEN, Work},
    timing::Posted,
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = Arc::<AtomicUsize>::default();
    let cache = InMemoryTokenCache::builder().source(Counted { calls: calls.clone() }).build();
    let authorizer = Arc::new(HttpAuthorizer::builder().cache(cache).build());
    let mut request = Work::new().request();
    peers.runtime.block_on(authorizer.get_headers(request.method(), request.uri()))?;
    authorize(&authorizer, &mut request);
    assert_authorized(request.headers());
    peers.add("huskarl (no replay)", authorizer, |authorizer, mut request| {
        authorize(authorizer, &mut request);
        let uri = request.uri().clone();
        let response = send(request);
        authorizer.process_response(&uri, response.headers());
    });
    assert_eq!(calls.load(Relaxed), 1, "the token was cached");
    Ok(())
}

fn authorize(authorizer: &HttpAuthorizer, request: &mut Posted) {
    let headers = now(authorizer.get_headers(request.method(), request.uri())).expect("headers");
    request.headers_mut().extend(headers);
}

struct Counted {
    calls: Arc<AtomicUsize>,
}

impl TokenSource for Counted {
    fn token(&self) -> MaybeSendBoxFuture<'_, Result<Arc<TokenResponse>, TokenError>> {
        self.calls.fetch_add(1, Relaxed);
        let response = RawTokenResponse::builder()
            .access_token(TOKEN)
            .token_type("Bearer")
            .expires_in(3600)
            .build()
            .into_token_response(None, SystemTime::now());
        Box::pin(async move { Ok(Arc::new(response.map_err(huskarl::core::Error::from)?)) })
    }
}
