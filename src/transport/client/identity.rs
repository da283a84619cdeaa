//! [`Identity`]: a client certificate and its key.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, Error as TlsError, RootCertStore,
    client::ResolvesClientCert,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
    sign::{CertifiedKey, SingleCertAndKey},
};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::{certificates_pem, private_key_pem},
};

/// A certificate with which a client says who it is, and the private key that belongs to it (RFC 8446 §4.4.2, RFC 5246
/// §7.4.6).
///
/// Servers that ask for one get it, whichever they are; a proxy doesn't. Some authorization servers take it for the
/// client's credentials (RFC 8705 §2), and bind tokens to it.
///
/// # Examples
///
/// ```no_run
/// use tower_reauth::client::{Client, Identity};
///
/// # fn run() -> Result<(), tower_reauth::BoxError> {
/// let identity = Identity::from_pem(&std::fs::read("client.crt")?, &std::fs::read("client.key")?)?;
/// let client = Client::builder().identity(identity).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
}

impl Identity {
    /// The certificates in `chain`, the client's own first and those of its issuers after it, with the private key in
    /// `key`. Both are PEM text, and may be the same text. The key is RSA, ECDSA (P-256 or P-384) or Ed25519, as PKCS#8,
    /// PKCS#1 or SEC1. The PEM may be as a variable or another system keeps it: with the two characters `\n` in place of line
    /// breaks, in one line, or in base64 as a whole.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if there is no key, or it is encrypted, and [`ConfigErrorKind::Tls`] if there is no
    /// certificate, if the key is of another kind or doesn't belong to the first certificate, and if that has expired. One
    /// that expires later is for the server to refuse, and the client's error says that it did.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, ConfigError> {
        let chain = certificates(chain)?;
        let key = private_key(key)?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(unusable)?;
        if has_expired(&certified.cert) {
            return Err(tls("the client certificate has expired; get a new one from whoever issued it"));
        }
        Ok(Self { certified: Arc::new(certified) })
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.certified.cert.len()).finish_non_exhaustive()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let chain = CertificateDer::pem_slice_iter(&certificates_pem(pem)?).collect::<Result<Vec<_>, _>>();
    // The parser's own text is left out: it may quote what it was given.
    chain.map_err(|_| tls("the client certificate is malformed"))
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, ConfigError> {
    let pem = private_key_pem(pem)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| tls("the private key of the client certificate is malformed"))
}

fn unusable(error: TlsError) -> ConfigError {
    match error {
        TlsError::InconsistentKeys(_) => tls(
            "the private key does not belong to the client certificate, which must be the first one in its PEM text, \
             before those of its issuers",
        ),
        TlsError::InvalidCertificate(_) => tls("the client certificate is malformed"),
        _ => tls(
            "the private key of the client certificate can't be used; it must be RSA of 2048 bits or more, ECDSA on \
             P-256 or P-384, or Ed25519",
        ),
    }
    .with_source(error)
}

/// Whether the first certificate is past its time. Nobody is asked whether it is to be trusted: that is the server's
/// business, and what else is wrong with it as well.
fn has_expired(chain: &[CertificateDer<'static>]) -> bool {
    let Some((own, issuers)) = chain.split_first() else { return false };
    // The verifier looks at the time before it looks for an issuer, and wants to know some.
    let anybody = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(ring::default_provider());
    let Ok(verifier) = WebPkiClientVerifier::builder_with_provider(Arc::new(anybody), provider).build()
    else {
        return false;
    };
    matches!(
        verifier.verify_client_cert(own, issuers, UnixTime::now()),
        Err(TlsError::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        ))
    )
}

fn tls(message: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Tls, message)
}

#[cfg(test)]
mod tests;
