//! The event of a connection that goes through a proxy.

use http::Uri;
use tracing::debug;

/// Of `proxy` only host and port, and of `origin` what an origin is made of: passwords and secrets are in the rest.
pub(crate) fn tell_tunnel(proxy: &str, origin: &Uri) {
    debug!(
        proxy,
        scheme = origin.scheme_str(),
        host = origin.host(),
        port = origin.port_u16(),
        "connecting through a proxy"
    );
}
