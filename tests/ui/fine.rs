//! Nothing is wrong here: what the others do, done right.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_reauth::{ApiVideo, Auth, AuthLayer, BoxError, Origin, StaticToken, Transport};

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

/// What other mistakes a box, in a web framework's state and in a task.
fn shared() -> Result<(), BoxError> {
    fn with_state<S: Clone + Send + Sync + 'static>(_: S) {}
    fn spawn<F: Future + Send + 'static>(_: F) {}

    let fixed = AuthLayer::new(Origin::parse("https://api.example.com")?, StaticToken::new("key")?);
    let boxed = BoxCloneSyncService::new(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let api: Auth<_> = fixed.layer(boxed);
    with_state(api.clone());
    with_state(BoxCloneSyncService::new(api.clone()));
    spawn(api.oneshot(Request::new(Full::<Bytes>::default())));
    Ok(())
}

fn main() {
    drop(call());
    drop(shared());
}
