//! A client that can't be cloned beneath the layer.
//~ Client: Clone
//~ AuthLayer

use tower::ServiceBuilder;
use tower_reauth::AuthLayer;

struct Client;

fn stack(auth: AuthLayer) {
    let _ = ServiceBuilder::new().layer(auth).service(Client);
}

fn main() {}
