//! The same, called as a method. Then rustc says no more than this, which the crate's docs quote, with what to do.
//~ trait bounds were not satisfied
//~ Auth<

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
    let _ = service.oneshot(Request::new(Upload)).await;
}

fn main() {}
