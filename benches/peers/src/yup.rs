//! yup-oauth2: an authenticator that hands out tokens. The program makes a header of them.

use http::{HeaderValue, header::AUTHORIZATION};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use yup_oauth2::{CustomHyperClientBuilder, ServiceAccountAuthenticator, ServiceAccountKey};

use tower::BoxError;

use crate::{Peers, assert_authorized, gcp::account, now, send, support::Work, timing::Posted};

const SCOPES: [&str; 1] = ["https://example.com/auth/things"];

type Authenticator =
    yup_oauth2::authenticator::Authenticator<hyper_util::client::legacy::connect::HttpConnector>;

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = peers.endpoint.calls();
    let key: ServiceAccountKey = serde_json::from_value(account(peers.endpoint))?;
    let client = CustomHyperClientBuilder::from(Client::builder(TokioExecutor::new()).build_http());
    let authenticator =
        peers.runtime.block_on(ServiceAccountAuthenticator::with_client(key, client).build())?;
    peers.runtime.block_on(authenticator.token(&SCOPES))?;
    let mut request = Work::new().request();
    authorize(&authenticator, &mut request);
    assert_authorized(request.headers());
    peers.add("yup-oauth2 (no replay, no refresh on a 401)", authenticator, |authenticator, mut request| {
        authorize(authenticator, &mut request);
        send(request);
    });
    assert_eq!(peers.endpoint.calls(), calls + 1, "the token was cached");
    Ok(())
}

fn authorize(authenticator: &Authenticator, request: &mut Posted) {
    let token = now(authenticator.token(&SCOPES)).expect("a token");
    let value = format!("Bearer {}", token.token().expect("an access token"));
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&value).expect("valid"));
}
