//! A service in a web framework's state, over a box that isn't `Sync`. `BoxCloneSyncService` is.
//~ cannot be shared between threads safely
//~ CloneService
//~ Auth<BoxCloneService<

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::util::BoxCloneService;
use tower_reauth::{Auth, BoxError};

type Client = BoxCloneService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;

/// As axum's `with_state` has it.
fn with_state<S: Clone + Send + Sync + 'static>(_: S) {}

fn state(api: Auth<Client>) {
    with_state(api);
}

fn main() {}
