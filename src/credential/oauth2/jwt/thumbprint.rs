//! The thumbprint of a certificate, by which a JWT says which one belongs to its key (RFC 7515 §4.1.7 and §4.1.8).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use memchr::memmem;
use ring::digest::{Algorithm, digest};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::certificates_pem,
};

/// The digest of the first certificate in `pem_or_der`, which has to be about `public_key`.
pub(super) fn thumbprint(
    pem_or_der: &[u8],
    public_key: &[u8],
    algorithm: &'static Algorithm,
) -> Result<String, ConfigError> {
    let refuse = |words: &str| Err(ConfigError::new(ConfigErrorKind::Secret, words));
    let der = if is_der(pem_or_der) {
        CertificateDer::from(pem_or_der)
    } else {
        // As variables keep it, too, and with words for what there is in its place.
        let pem = certificates_pem(pem_or_der)
            .map_err(|error| ConfigError::new(ConfigErrorKind::Secret, error.to_string()))?;
        match CertificateDer::from_pem_slice(&pem) {
            Ok(der) => der,
            // The parser's errors may show a line of the file.
            Err(_) => return refuse("there is no certificate in the pem that can be read"),
        }
    };
    if !is_der(&der) {
        return refuse("the certificate is torn: its length is not what it says");
    }
    // A certificate has the public key as it is.
    if memmem::find(&der, public_key).is_none() {
        return refuse("the certificate belongs to another key; give the one that was issued for this key");
    }
    Ok(BASE64_URL_SAFE_NO_PAD.encode(digest(algorithm, &der)))
}

/// Whether it is one ASN.1 sequence and nothing else, as every certificate is (X.690 §8.1.3).
fn is_der(bytes: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = bytes else { return false };
    let (stated, content) = match usize::from(*length) {
        short @ ..0x80 => (short, rest),
        long => {
            let count = long - 0x80;
            let Some((length, content)) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))
            else {
                return false;
            };
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), content)
        }
    };
    stated == content.len()
}
