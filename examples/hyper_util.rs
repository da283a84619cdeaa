//! hyper-util's pooled client beneath the layer, and for the token requests as well.
//!
//! ```text
//! cargo run --example hyper_util
//! ```

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use bytes::Bytes;
use http::{Request, StatusCode, header::ACCEPT};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy, rt::TokioExecutor};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_reauth::{
    ApiVideo, AuthOutcome, BoxError, Transport,
    testing::{FakeApiVideo, Revoked},
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // In place of the vendor: a program calls `ApiVideo::sandbox(key)` without a base URL.
    let vendor = FakeApiVideo::new("an-api-key");
    let served = vendor.serve().await?;
    let videos = served.url("/videos");

    // A program that speaks to the world calls `build` in place of `build_http`, with a connector for TLS, such as
    // that of hyper-rustls.
    let client = legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let auth =
        ApiVideo::sandbox("an-api-key").base_url(served.origin()).layer(Transport::new(client.clone()))?;
    let mut api = ServiceBuilder::new().layer(auth).service(client);

    for expired in [false, true] {
        if expired {
            vendor.controls().revoke(Revoked::Expired);
        }
        let request = Request::get(&videos).header(ACCEPT, "application/json").body(Full::default())?;
        let response = api.ready().await?.call(request).await?;
        let replayed = response.extensions().get().is_some_and(AuthOutcome::replayed);
        println!("{}, by a replay: {replayed}", response.status());
        assert_eq!((response.status(), replayed), (StatusCode::OK, expired));
        // Read to its end, so that the connection can be used again.
        response.into_body().collect().await?;
    }

    let counts = vendor.counts();
    println!("{} sends, {} for a token, {} to renew it", counts.api_calls, counts.acquires, counts.refreshes);
    assert_eq!((counts.api_calls, counts.acquires, counts.refreshes), (3, 1, 1));
    vendor.assert_no_refusals();
    Ok(())
}
