//! reqwest's client beneath the layer, and for the token requests as well.
//!
//! ```text
//! cargo run --example reqwest
//! ```
//!
//! reqwest is a Tower service for requests of its own; [`over`] makes it one for those of the crate `http`. For `https`
//! without another crypto library, take it with `default-features = false` and the feature `rustls-no-provider`, and
//! call `rustls::crypto::ring::default_provider().install_default()` first.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, LOCATION},
};
use http_body_util::BodyExt;
use reqwest::redirect::Policy;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_reauth::{
    ApiVideo, AuthOutcome, BoxError, Transport,
    testing::{Answer, FakeApiVideo, On, Revoked, Times},
};

/// reqwest's client, for requests whose body is anything that it takes: `Bytes`, `String`, or a `reqwest::Body`.
fn over<B: Into<reqwest::Body>>(
    client: reqwest::Client,
) -> impl Service<Request<B>, Response = Response<reqwest::Body>, Error = reqwest::Error, Future: Send> + Clone
{
    service_fn(move |request: Request<B>| {
        let (client, request) = (client.clone(), reqwest::Request::try_from(request));
        async move { Ok(client.execute(request?).await?.into()) }
    })
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // In place of the vendor: a program calls `ApiVideo::sandbox(key)` without a base URL.
    let vendor = FakeApiVideo::new("an-api-key");
    let served = vendor.serve().await?;
    let videos = served.url("/videos");

    // reqwest follows redirects, and token requests must not: see below.
    let client = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let auth =
        ApiVideo::sandbox("an-api-key")
            .base_url(served.origin())
            .layer(Transport::new(over::<Bytes>(client.clone())))?;
    let mut api = ServiceBuilder::new().layer(auth).service(over::<Bytes>(client));

    for expired in [false, true] {
        if expired {
            vendor.controls().revoke(Revoked::Expired);
        }
        let request = Request::get(&videos).header(ACCEPT, "application/json").body(Bytes::new())?;
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

    assert!(!is_the_key_taken_along(Policy::none()).await?);
    assert!(is_the_key_taken_along(Policy::default()).await?);
    println!("with reqwest's own policy, a redirected token request hands the key to a stranger");
    Ok(())
}

/// Whether the key reaches a stranger to whom the token endpoint redirects.
async fn is_the_key_taken_along(policy: Policy) -> Result<bool, BoxError> {
    let (vendor, stranger) = (FakeApiVideo::new("an-api-key"), FakeApiVideo::new("another-key"));
    let (served, elsewhere) = (vendor.serve().await?, stranger.serve().await?);
    let there = HeaderValue::try_from(elsewhere.url("/auth/api-key"))?;
    let redirect = Answer::new(StatusCode::TEMPORARY_REDIRECT).header(LOCATION, there);
    vendor.controls().fail(On::Tokens, Times::Next(1), redirect);

    let client = over::<Bytes>(reqwest::Client::builder().redirect(policy).build()?);
    let auth = ApiVideo::sandbox("an-api-key").base_url(served.origin()).layer(Transport::new(client))?;
    let no_token = auth.tokens().get(std::time::Duration::ZERO).await;
    assert!(no_token.is_err());
    Ok(stranger.requests().iter().any(|request| request.body().ends_with(br#""an-api-key"}"#)))
}
