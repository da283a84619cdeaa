//! A client of another crate, not made a transport.
//~ Into<Transport>

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::service_fn;
use tower_reauth::ApiVideo;

fn main() {
    let client = service_fn(|_: Request<Full<Bytes>>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let _ = ApiVideo::sandbox("key").layer(client);
}
