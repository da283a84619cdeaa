//! A vendor's layer without the `?`.
//~ Result<AuthLayer, ConfigError>
//~ Layer<

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};
use tower_reauth::{ApiVideo, Transport};

fn stack(transport: Transport) {
    let client = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let _ = ServiceBuilder::new().layer(ApiVideo::sandbox("key").layer(transport)).service(client);
}

fn main() {}
