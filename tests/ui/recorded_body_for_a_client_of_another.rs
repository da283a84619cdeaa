//! A recording layer over a client that takes one type of body only.
//~ ReplayBody

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_reauth::{AuthLayer, RecordBodies};

async fn call(auth: AuthLayer) {
    let client = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service =
        ServiceBuilder::new().layer(auth.record_bodies(RecordBodies::DEFAULT_LIMIT)).service(client);
    let _ = ServiceExt::oneshot(service, Request::new(Full::<Bytes>::default())).await;
}

fn main() {}
