//! [`Roots`]: whom a client trusts.

use rustls::RootCertStore;

use crate::error::{ConfigError, ConfigErrorKind};

/// Which root certificates a [`Client`](super::Client) trusts, beside those given with
/// [`ClientBuilder::root_pem`](super::ClientBuilder::root_pem) and
/// [`ClientBuilder::root_der`](super::ClientBuilder::root_der).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// The operating system's, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. What can't be read is
    /// skipped; it is an error if nothing is left.
    #[default]
    System,
    /// Mozilla's, as compiled into the program: for containers that have none. They are as old as the build.
    Bundled,
    /// No others: only those that were given.
    Given,
}

impl Roots {
    /// These and `extra`.
    pub(super) fn with(self, extra: RootCertStore) -> Result<RootCertStore, ConfigError> {
        let mut trusted = match self {
            Self::System => system()?,
            Self::Bundled => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            Self::Given if extra.is_empty() => {
                return Err(tls("no root certificate was given; add one with root_pem or root_der"));
            }
            Self::Given => RootCertStore::empty(),
        };
        trusted.roots.extend(extra.roots);
        Ok(trusted)
    }
}

fn system() -> Result<RootCertStore, ConfigError> {
    let found = rustls_native_certs::load_native_certs();
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(found.certs);
    if !trusted.is_empty() {
        return Ok(trusted);
    }
    let error = tls(
        "the system has no usable root certificates; install them (often a package called ca-certificates), set \
         SSL_CERT_FILE to a PEM file, or choose Roots::Bundled",
    );
    Err(match found.errors.into_iter().next() {
        Some(cause) => error.with_source(cause),
        None => error,
    })
}

fn tls(message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Tls, message)
}
