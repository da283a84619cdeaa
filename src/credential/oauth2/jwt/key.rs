//! [`JwtKey`]: a private key or a shared secret, the algorithm that it signs with, and how a JWT names it.

use std::{borrow::Cow, fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256},
    error::Unspecified,
    hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Map, Value};

use super::{algorithm::JwtAlgorithm, signed::is_signed, thumbprint::thumbprint};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::private_key_pem,
};

/// A private key that signs JWTs, or a secret that the server has as well. Clones share it. `Debug` doesn't show it.
///
/// Its PEM may be as a variable or another system keeps it: with the two characters `\n` in place of line breaks, in one
/// line, with CRLF or a byte order mark, in quotes, or in base64 as a whole. Where it is another thing, such as an encrypted
/// key or a certificate, the error says so, and which command makes a key of it.
///
/// # Examples
///
/// ```
/// use tower_reauth::{ConfigError, oauth2::JwtKey};
///
/// fn key(pem: &[u8]) -> Result<JwtKey, ConfigError> {
///     Ok(JwtKey::es256(pem)?.key_id("2026-01"))
/// }
///
/// /// For a server that finds the public key by a certificate which was uploaded there.
/// fn key_of_a_certificate(pem: &[u8], certificate: &[u8]) -> Result<JwtKey, ConfigError> {
///     JwtKey::ps256(pem)?.x5t_s256(certificate)
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwtKey {
    pair: Arc<Pair>,
    algorithm: JwtAlgorithm,
    key_id: Option<Cow<'static, str>>,
    x5t: Option<String>,
    x5t_s256: Option<String>,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Hmac(hmac::Key),
}

impl Pair {
    /// The signature as RFC 7518 §3 and RFC 8037 §3.1 have it.
    fn sign(&self, message: &[u8], random: &SystemRandom) -> Result<Vec<u8>, Unspecified> {
        Ok(match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, random, message, &mut signature)?;
                signature
            }
            Self::Ecdsa(pair) => pair.sign(random, message)?.as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        })
    }

    /// The public key as certificates have it, if there is one.
    fn public(&self) -> Option<&[u8]> {
        Some(match self {
            Self::Rsa(pair, _) => pair.public_key().as_ref(),
            Self::Ecdsa(pair) => pair.public_key().as_ref(),
            Self::EdDsa(pair) => pair.public_key().as_ref(),
            Self::Hmac(_) => return None,
        })
    }
}

impl JwtKey {
    /// A key for `algorithm`: what its own function takes, such as [`rs256`](Self::rs256).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn new(algorithm: JwtAlgorithm, key: &[u8]) -> Result<Self, ConfigError> {
        let pair = match algorithm {
            JwtAlgorithm::Rs256 => rsa(&RSA_PKCS1_SHA256, key),
            JwtAlgorithm::Rs384 => rsa(&RSA_PKCS1_SHA384, key),
            JwtAlgorithm::Rs512 => rsa(&RSA_PKCS1_SHA512, key),
            JwtAlgorithm::Ps256 => rsa(&RSA_PSS_SHA256, key),
            JwtAlgorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "p-256", key),
            JwtAlgorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "p-384", key),
            JwtAlgorithm::EdDsa => ed25519(key),
            JwtAlgorithm::Hs256 => secret(HMAC_SHA256, algorithm, key),
            JwtAlgorithm::Hs384 => secret(HMAC_SHA384, algorithm, key),
            JwtAlgorithm::Hs512 => secret(HMAC_SHA512, algorithm, key),
        }?;
        Ok(Self { pair: Arc::new(pair), algorithm, key_id: None, x5t: None, x5t_s256: None })
    }

    /// Signs with RS256: RSASSA-PKCS1-v1_5 with SHA-256, a key of 2048 to 4096 bits, in PEM (PKCS#8 or PKCS#1).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn rs256(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Rs256, pem)
    }

    /// As [`rs256`](Self::rs256), with SHA-384.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn rs384(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Rs384, pem)
    }

    /// As [`rs256`](Self::rs256), with SHA-512.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn rs512(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Rs512, pem)
    }

    /// Signs with PS256: RSASSA-PSS with SHA-256, with a key as [`rs256`](Self::rs256) takes it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn ps256(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Ps256, pem)
    }

    /// Signs with ES256: ECDSA with P-256 and SHA-256, a key in PEM (PKCS#8).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn es256(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Es256, pem)
    }

    /// Signs with ES384: ECDSA with P-384 and SHA-384, a key in PEM (PKCS#8).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn es384(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Es384, pem)
    }

    /// Signs with EdDSA (RFC 8037): a key for Ed25519 in PEM (PKCS#8).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn eddsa(pem: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::EdDsa, pem)
    }

    /// Signs with HS256: HMAC with SHA-256, and a secret of 32 bytes or more that the server has as well. It is taken as it
    /// is, byte for byte.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is shorter, which RFC 7518 §3.2 forbids.
    pub fn hs256(secret: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Hs256, secret)
    }

    /// As [`hs256`](Self::hs256), with SHA-384 and 48 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is shorter.
    pub fn hs384(secret: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Hs384, secret)
    }

    /// As [`hs256`](Self::hs256), with SHA-512 and 64 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is shorter.
    pub fn hs512(secret: &[u8]) -> Result<Self, ConfigError> {
        Self::new(JwtAlgorithm::Hs512, secret)
    }

    /// Sets the key's id, `kid` in the header, by which the server finds the public key. By default there is none.
    pub fn key_id(mut self, key_id: impl Into<Cow<'static, str>>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// Names the key's certificate, in PEM or DER, by its SHA-256 thumbprint: `x5t#S256` in the header (RFC 7515
    /// §4.1.8). By default it isn't named.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no certificate, or one of another key.
    pub fn x5t_s256(mut self, certificate: &[u8]) -> Result<Self, ConfigError> {
        self.x5t_s256 = Some(self.thumbprint(certificate, &SHA256)?);
        Ok(self)
    }

    /// Names the key's certificate by its SHA-1 thumbprint: `x5t` in the header (RFC 7515 §4.1.7), for servers that
    /// don't know [`x5t_s256`](Self::x5t_s256). Both may be there.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no certificate, or one of another key.
    pub fn x5t(mut self, certificate: &[u8]) -> Result<Self, ConfigError> {
        self.x5t = Some(self.thumbprint(certificate, &SHA1_FOR_LEGACY_USE_ONLY)?);
        Ok(self)
    }

    fn thumbprint(&self, certificate: &[u8], digest: &'static Algorithm) -> Result<String, ConfigError> {
        match self.pair.public() {
            Some(public) => thumbprint(certificate, public, digest),
            None => {
                Err(ConfigError::new(ConfigErrorKind::Secret, "a secret that is shared has no certificate"))
            }
        }
    }

    /// Whether it is the one that signed `jwt`.
    pub(in crate::credential::oauth2) fn has_signed(&self, jwt: &str) -> bool {
        let Some((message, signature)) = jwt.rsplit_once('.') else { return false };
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
        match &*self.pair {
            Pair::Hmac(key) => hmac::verify(key, message.as_bytes(), &signature).is_ok(),
            pair => {
                pair.public().is_some_and(|public| is_signed(self.algorithm, public, message, &signature))
            }
        }
    }

    /// What the header says of the key.
    pub(super) fn header(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = [
            ("kid", self.key_id.as_deref()),
            ("x5t", self.x5t.as_deref()),
            ("x5t#S256", self.x5t_s256.as_deref()),
        ];
        let names = names.into_iter().filter_map(|(name, value)| Some((name, value?)));
        names.chain([("alg", self.algorithm.name())])
    }

    /// The JWT with these claims. What `header` says of the key is replaced by what is true.
    pub(super) fn sign(
        &self,
        mut header: Map<String, Value>,
        claims: Map<String, Value>,
        random: &SystemRandom,
    ) -> Result<String, Unspecified> {
        header.extend(self.header().map(|(name, value)| (name.to_owned(), value.into())));
        let part = |object| BASE64_URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
        let mut jwt = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(jwt.as_bytes(), random)?;
        jwt.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(jwt)
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm.name())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn rsa(encoding: &'static dyn RsaEncoding, pem: &[u8]) -> Result<Pair, ConfigError> {
    match private_key(pem)? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(unusable("rsa", "it is in another format than pkcs#8 or pkcs#1")),
    }
    .map(|pair| Pair::Rsa(pair, encoding))
    .map_err(|error| unusable("rsa", &error.to_string()))
}

fn ecdsa(signing: &'static EcdsaSigningAlgorithm, kind: &str, pem: &[u8]) -> Result<Pair, ConfigError> {
    let der = pkcs8(pem, kind)?;
    EcdsaKeyPair::from_pkcs8(signing, der.secret_pkcs8_der(), &SystemRandom::new())
        .map(Pair::Ecdsa)
        .map_err(|error| unusable(kind, &error.to_string()))
}

fn ed25519(pem: &[u8]) -> Result<Pair, ConfigError> {
    // OpenSSL doesn't write the public key beside the private one.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8(pem, "ed25519")?.secret_pkcs8_der())
        .map(Pair::EdDsa)
        .map_err(|error| unusable("ed25519", &error.to_string()))
}

/// RFC 7518 §3.2.
fn secret(hash: hmac::Algorithm, algorithm: JwtAlgorithm, secret: &[u8]) -> Result<Pair, ConfigError> {
    let refuse = |words| Err(ConfigError::new(ConfigErrorKind::Secret, words));
    let needed = hash.digest_algorithm().output_len();
    if is_pem(secret) {
        return refuse(format!(
            "it is pem, whereas the secret of {algorithm} is one that the server has too; a private key has another \
             algorithm, such as RS256 or ES256"
        ));
    }
    if secret.len() < needed {
        return refuse(format!(
            "the secret is too short for {algorithm}, which needs {needed} bytes or more; have the server make a longer one"
        ));
    }
    Ok(Pair::Hmac(hmac::Key::new(hash, secret)))
}

fn is_pem(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"-----BEGIN ").is_some()
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, ConfigError> {
    let pem = &private_key_pem(pem)?;
    // The parser's errors may show a line of the file.
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        let words = "there is no private key in the pem; it begins with -----BEGIN PRIVATE KEY-----";
        ConfigError::new(ConfigErrorKind::Secret, words)
    })
}

fn pkcs8(pem: &[u8], kind: &str) -> Result<rustls_pki_types::PrivatePkcs8KeyDer<'static>, ConfigError> {
    match private_key(pem)? {
        PrivateKeyDer::Pkcs8(der) => Ok(der),
        _ => Err(unusable(kind, "it is not in pkcs#8; openssl pkcs8 -topk8 -nocrypt converts it")),
    }
}

fn unusable(kind: &str, why: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Secret, format!("the pem holds no usable {kind} key: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature in base64, of the message whose parts are in base64.
    fn sign(key: &JwtKey, message: &str) -> String {
        let signature = key.pair.sign(message.as_bytes(), &SystemRandom::new()).expect("it signs");
        BASE64_URL_SAFE_NO_PAD.encode(signature)
    }

    #[test]
    fn rfc_7515_a_2_rs256() {
        let message = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                       cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let expected = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_\
                        O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIAR\
                        NPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvh\
                        J1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        for pem in [
            &include_bytes!("../tests/keys/rfc7515-a2-pkcs8.pem")[..],
            include_bytes!("../tests/keys/rfc7515-a2-pkcs1.pem"),
        ] {
            assert_eq!(sign(&JwtKey::rs256(pem).expect("a key"), message), expected);
        }
    }

    #[test]
    fn rfc_7515_a_1_hs256() {
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).expect("base64");
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                       Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        assert_eq!(
            sign(&JwtKey::hs256(&secret).expect("a secret"), message),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
    }

    #[test]
    fn rfc_8037_a_4_eddsa() {
        let key = JwtKey::eddsa(include_bytes!("../tests/keys/rfc8037-a-pkcs8.pem")).expect("a key");
        assert_eq!(
            sign(&key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn a_key_knows_what_it_has_signed() {
        let rsa = include_bytes!("../tests/keys/rfc7515-a2-pkcs8.pem");
        let secret = [b's'; 64];
        for key in [
            JwtKey::rs256(rsa),
            JwtKey::rs384(rsa),
            JwtKey::rs512(rsa),
            JwtKey::ps256(rsa),
            JwtKey::es256(include_bytes!("../tests/keys/rfc7515-a3-pkcs8.pem")),
            JwtKey::es384(include_bytes!("../tests/keys/rfc6979-a26-pkcs8.pem")),
            JwtKey::eddsa(include_bytes!("../tests/keys/rfc8037-a-pkcs8.pem")),
            JwtKey::hs256(&secret),
            JwtKey::hs384(&secret),
            JwtKey::hs512(&secret),
        ] {
            let key = key.expect("a key");
            let claims = Map::from_iter([("iss".to_owned(), "me".into())]);
            let jwt = key.sign(Map::new(), claims, &SystemRandom::new()).expect("it signs");
            assert!(key.has_signed(&jwt), "{key:?}");
            let (_, signature) = jwt.rsplit_once('.').expect("a signature");
            for other in
                [jwt.replacen('e', "f", 1), format!("e30.e30.{signature}"), "e30.e30.".into(), String::new()]
            {
                assert!(!key.has_signed(&other), "{key:?} {other}");
            }
        }
    }
}
