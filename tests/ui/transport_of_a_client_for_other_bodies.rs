//! A client whose request bodies can't be made of a token request's.
//~ From<
//~ Transport::new

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use tower::service_fn;
use tower_reauth::Transport;

fn main() {
    let client = service_fn(|_: Request<Empty<Bytes>>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let _ = Transport::new(client);
}
