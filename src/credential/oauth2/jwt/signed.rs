//! Whether a signature is that of a key's other half. Only our own are looked at: was it still the same key?

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::algorithm::JwtAlgorithm;

/// Whether `signature` is that of `message`, by the private key of `public`.
pub(super) fn is_signed(algorithm: JwtAlgorithm, public: &[u8], message: &str, signature: &[u8]) -> bool {
    let algorithm: &dyn VerificationAlgorithm = match algorithm {
        JwtAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        JwtAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        JwtAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        JwtAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        JwtAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
        JwtAlgorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
        JwtAlgorithm::EdDsa => &ED25519,
        // These have no other half.
        JwtAlgorithm::Hs256 | JwtAlgorithm::Hs384 | JwtAlgorithm::Hs512 => return false,
    };
    UnparsedPublicKey::new(algorithm, public).verify(message.as_bytes(), signature).is_ok()
}
