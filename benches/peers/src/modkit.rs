//! cf-modkit-auth: a Tower layer that refreshes on a 401. Its inner service must fail as its own client does.

use std::convert::Infallible;

use modkit_auth::oauth2::{BearerAuthAutoRefreshLayer, OAuthClientConfig, SecretString, Token};
use modkit_http::{HttpClientConfig, HttpError};
use tower::{BoxError, Layer, ServiceExt};
use url::Url;

use crate::{
    Peers,
    baseline::{Checked, through},
    support::{Inner, Work},
    timing::Posted,
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let calls = peers.endpoint.calls();
    let config = OAuthClientConfig {
        token_endpoint: Some(Url::parse(&peers.endpoint.url())?),
        client_id: "bench".into(),
        client_secret: SecretString::new("secret"),
        http_config: Some(HttpClientConfig::for_testing()),
        ..Default::default()
    };
    let layer = BearerAuthAutoRefreshLayer::new(peers.runtime.block_on(Token::new(config))?);
    let error: fn(Infallible) -> HttpError = |never| match never {};
    through(&mut layer.layer(ServiceExt::<Posted>::map_err(Checked, error)), Work::new().request());
    let service = layer.layer(ServiceExt::<Posted>::map_err(Inner, error));
    peers.add("cf-modkit-auth (one refresh in 15 min, 401 only)", service, through);
    assert_eq!(peers.endpoint.calls(), calls + 1, "the token was cached");
    Ok(())
}
