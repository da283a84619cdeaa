//! google-cloud-auth: credentials that make headers. The program puts them on the request.

use google_cloud_auth::credentials::{CacheableResource, Credentials, user_account};
use http::{Extensions, header::AUTHORIZATION};
use serde_json::json;

use tower::BoxError;

use crate::{Peers, assert_authorized, now, send, support::Work, timing::Posted};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = peers.endpoint.calls();
    let user = json!({
        "type": "authorized_user", "client_id": "bench", "client_secret": "secret", "refresh_token": "refresh",
    });
    let credentials = user_account::Builder::new(user).with_token_uri(peers.endpoint.url()).build()?;
    peers.runtime.block_on(credentials.headers(Extensions::new()))?;
    let mut request = Work::new().request();
    authorize(&credentials, &mut request);
    assert_authorized(request.headers());
    peers.add(
        "google-cloud-auth (no replay, no refresh on a 401)",
        credentials,
        |credentials, mut request| {
            authorize(credentials, &mut request);
            send(request);
        },
    );
    assert_eq!(peers.endpoint.calls(), calls + 1, "the token was cached");
    Ok(())
}

fn authorize(credentials: &Credentials, request: &mut Posted) {
    let headers = now(credentials.headers(Extensions::new())).expect("headers");
    let CacheableResource::New { data, .. } = headers else { panic!("no entity tag was given") };
    for (name, value) in &data {
        request.headers_mut().insert(name, value.clone());
    }
    debug_assert!(data.contains_key(AUTHORIZATION));
}
