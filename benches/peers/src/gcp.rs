//! gcp_auth: a provider that hands out tokens. The program makes a header of them.

use std::sync::Arc;

use gcp_auth::{CustomServiceAccount, TokenProvider};
use http::{HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};

use tower::BoxError;

use crate::{Peers, assert_authorized, endpoint::Endpoint, now, send, support::Work, timing::Posted};

const SCOPES: &[&str] = &["https://example.com/auth/things"];

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = peers.endpoint.calls();
    let provider = Arc::new(CustomServiceAccount::from_json(&account(peers.endpoint).to_string())?);
    peers.runtime.block_on(provider.token(SCOPES))?;
    let mut request = Work::new().request();
    authorize(&provider, &mut request);
    assert_authorized(request.headers());
    peers.add("gcp_auth (no replay, no refresh on a 401)", provider, |provider, mut request| {
        authorize(provider, &mut request);
        send(request);
    });
    assert_eq!(peers.endpoint.calls(), calls + 1, "the token was cached");
    Ok(())
}

fn authorize(provider: &CustomServiceAccount, request: &mut Posted) {
    let token = now(provider.token(SCOPES)).expect("a token");
    let value = format!("Bearer {}", token.as_str());
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&value).expect("valid"));
}

/// A service account whose token endpoint is ours. Its key is that of RFC 7515, appendix A.2.
pub(crate) fn account(endpoint: &Endpoint) -> Value {
    json!({
        "type": "service_account",
        "project_id": "bench",
        "private_key_id": "1",
        "private_key": include_str!("../../../src/credential/oauth2/tests/keys/rfc7515-a2-pkcs8.pem"),
        "client_email": "bench@example.com",
        "token_uri": endpoint.url(),
    })
}
