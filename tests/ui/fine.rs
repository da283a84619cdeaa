//! Nothing is wrong here: what the others do, done right.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_reauth::{ApiVideo, AuthLayer, BoxError, Origin, StaticToken, Transport};

fn client()
-> impl Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone
{
    service_fn(async |_: Request<Full<Bytes>>| Ok(Response::new(Full::default())))
}

async fn call() -> Result<(), BoxError> {
    let fixed = AuthLayer::new(Origin::parse("https://api.example.com")?, StaticToken::new("key")?);
    let video = ApiVideo::sandbox("key").layer(Transport::new(client()))?;
    let service = ServiceBuilder::new().layer(fixed).layer(video).service(client());
    service.oneshot(Request::new(Full::default())).await?;
    Ok(())
}

fn main() {
    drop(call());
}
