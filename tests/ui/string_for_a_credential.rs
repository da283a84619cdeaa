//! A key where a credential belongs.
//~ `&str` is not a credential
//~ expected something that can obtain tokens
//~ use one of the vendors, `StaticToken::new(..)` for a fixed key, `from_fn(..)` for a closure, or implement `Credential`

use tower_reauth::{AuthLayer, Origin};

fn layer(origin: Origin) -> AuthLayer {
    AuthLayer::new(origin, "a-key")
}

fn main() {}
