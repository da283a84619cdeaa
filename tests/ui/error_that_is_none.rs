//! A client whose error isn't an `Error`, nor can be made one.
//~ `Broken`
//~ Into<Box<

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_reauth::AuthLayer;

struct Broken;

async fn call(auth: AuthLayer) {
    let client = service_fn(async |_: Request<Full<Bytes>>| Err::<Response<Full<Bytes>>, _>(Broken));
    let service = ServiceBuilder::new().layer(auth).service(client);
    let _ = ServiceExt::oneshot(service, Request::new(Full::default())).await;
}

fn main() {}
