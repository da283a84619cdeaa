//! A request body that isn't `Clone`, with a layer that clones bodies.
//~ a request body of type `Upload` can't be kept for a replay by `CloneBodies`
//~ this body can't be sent twice
//~ for any other body call `.record_bodies(RecordBodies::DEFAULT_LIMIT)` on the layer, or `.no_replay()`

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_reauth::AuthLayer;

struct Upload;

async fn call(auth: AuthLayer) {
    let client =
        service_fn(async |_: Request<Upload>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
    let service = ServiceBuilder::new().layer(auth).service(client);
    let _ = ServiceExt::oneshot(service, Request::new(Upload)).await;
}

fn main() {}
