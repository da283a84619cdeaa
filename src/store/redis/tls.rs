//! Which cryptography TLS to Redis has.

use rustls::crypto::{CryptoProvider, ring};

/// Lets rustls have ring, if the program hasn't chosen anything. The client asks for the process's provider, and panics if
/// several crates have brought one each, and nobody has chosen.
pub(super) fn choose_provider() {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may have been faster: then there is one.
        let _ = ring::default_provider().install_default();
    }
}
