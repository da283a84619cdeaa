//! [`JwtKey`] and [`JwtAssertion`]: JWTs that we sign (RFC 7523), in JWS compact serialization (RFC 7515 §7.1).
//!
//! Nothing here verifies a JWT.

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    error::Unspecified,
    rand::{SecureRandom, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{assertion::Assertion, client_authentication::ClientAuthentication};
use crate::{
    error::{BoxError, ConfigError, ConfigErrorKind},
    secret::Supply,
};

/// A private key that signs JWTs. Clones share it. `Debug` doesn't show it.
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
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwtKey {
    pair: Arc<Pair>,
    key_id: Option<Cow<'static, str>>,
}

enum Pair {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Pair {
    /// The signature as RFC 7518 §3 and RFC 8037 §3.1 have it.
    fn sign(&self, message: &[u8], random: &SystemRandom) -> Result<Vec<u8>, Unspecified> {
        Ok(match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, random, message, &mut signature)?;
                signature
            }
            Self::Es256(pair) => pair.sign(random, message)?.as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        })
    }
}

impl JwtKey {
    /// Signs with RS256: RSASSA-PKCS1-v1_5 with SHA-256, a key of 2048 to 4096 bits, in PEM (PKCS#8 or PKCS#1).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn rs256(pem: &[u8]) -> Result<Self, ConfigError> {
        match private_key(pem)? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(unusable("rsa", "it is in another format than pkcs#8 or pkcs#1")),
        }
        .map(|pair| Self::new(Pair::Rs256(pair)))
        .map_err(|error| unusable("rsa", &error.to_string()))
    }

    /// Signs with ES256: ECDSA with P-256 and SHA-256, a key in PEM (PKCS#8).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn es256(pem: &[u8]) -> Result<Self, ConfigError> {
        let der = pkcs8(pem, "p-256")?;
        let der = der.secret_pkcs8_der();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
            .map(|pair| Self::new(Pair::Es256(pair)))
            .map_err(|error| unusable("p-256", &error.to_string()))
    }

    /// Signs with EdDSA (RFC 8037): a key for Ed25519 in PEM (PKCS#8).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`] if it is no such key.
    pub fn eddsa(pem: &[u8]) -> Result<Self, ConfigError> {
        // OpenSSL doesn't write the public key beside the private one.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8(pem, "ed25519")?.secret_pkcs8_der())
            .map(|pair| Self::new(Pair::EdDsa(pair)))
            .map_err(|error| unusable("ed25519", &error.to_string()))
    }

    /// Sets the key's id, `kid` in the header, by which the server finds the public key. By default there is none.
    pub fn key_id(mut self, key_id: impl Into<Cow<'static, str>>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    fn new(pair: Pair) -> Self {
        Self { pair: Arc::new(pair), key_id: None }
    }

    fn algorithm(&self) -> &'static str {
        match *self.pair {
            Pair::Rs256(_) => "RS256",
            Pair::Es256(_) => "ES256",
            Pair::EdDsa(_) => "EdDSA",
        }
    }

    /// The JWT with these claims.
    fn sign(&self, claims: Map<String, Value>, random: &SystemRandom) -> Result<String, Unspecified> {
        let mut header =
            Map::from_iter([("alg".into(), self.algorithm().into()), ("typ".into(), "JWT".into())]);
        if let Some(key_id) = &self.key_id {
            header.insert("kid".into(), (&**key_id).into());
        }
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
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A JWT to be signed for each attempt, with an id (`jti`) that is used once: an [`Assertion`] by itself.
///
/// # Examples
///
/// A service account, as some servers have it:
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::{
///     AuthLayer, ConfigError, Transport,
///     oauth2::{ClientAuthentication, JwtAssertion, JwtBearer, JwtKey},
/// };
///
/// fn layer(pem: &[u8], transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let assertion = JwtAssertion::new(JwtKey::rs256(pem)?, "robot@project.example.com")
///         .claim("scope", "videos.read")
///         .lifetime(Duration::from_secs(60 * 60));
///     JwtBearer::new("https://login.example.com/token", ClientAuthentication::unidentified(), assertion)
///         .layer("https://api.example.com", transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct JwtAssertion {
    key: JwtKey,
    issuer: Cow<'static, str>,
    subject: Option<Cow<'static, str>>,
    audience: Option<Cow<'static, str>>,
    lifetime: Duration,
    claims: Map<String, Value>,
}

impl JwtAssertion {
    /// A JWT that `issuer` (`iss`) signs about itself (`sub`).
    pub fn new(key: JwtKey, issuer: impl Into<Cow<'static, str>>) -> Self {
        Self {
            key,
            issuer: issuer.into(),
            subject: None,
            audience: None,
            lifetime: Duration::from_secs(120),
            claims: Map::new(),
        }
    }

    /// Sets whom the JWT is about. By default the issuer.
    pub fn subject(mut self, subject: impl Into<Cow<'static, str>>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets for whom the JWT is. By default for the server: its issuer if that is known, else its token endpoint
    /// (RFC 7523 §3).
    pub fn audience(mut self, audience: impl Into<Cow<'static, str>>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets how long each JWT is valid, to the second. By default 2 min.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Adds a claim of the server's own. Those of RFC 7523 can't be replaced by one. `Debug` shows it.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// RFC 7523 §3.
    fn sign(&self, audience: &str) -> Result<SecretString, BoxError> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).map_err(|Unspecified| "the system has no random numbers")?;
        let now = unix_time();
        let subject = self.subject.as_deref().unwrap_or(&self.issuer);
        let mut claims = self.claims.clone();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", (&*self.issuer).into());
        claim("sub", subject.into());
        claim("aud", self.audience.as_deref().unwrap_or(audience).into());
        claim("iat", now.into());
        claim("exp", now.saturating_add(self.lifetime.as_secs()).into());
        claim("jti", BASE64_URL_SAFE_NO_PAD.encode(id).into());
        let jwt = self.key.sign(claims, &random).map_err(|Unspecified| "the key can't sign")?;
        Ok(jwt.into())
    }
}

impl From<JwtAssertion> for Assertion {
    fn from(assertion: JwtAssertion) -> Self {
        Self(Supply::Ask(Arc::new(move |audience| Box::pin(std::future::ready(assertion.sign(audience))))))
    }
}

impl ClientAuthentication {
    /// `private_key_jwt`: a JWT that the client signs about itself (RFC 7523 §2.2, OpenID Connect Core §9).
    pub fn private_key_jwt(id: impl Into<Cow<'static, str>>, key: JwtKey) -> Self {
        let id = id.into();
        Self::assertion(id.clone(), JwtAssertion::new(key, id))
    }
}

/// The time as JWTs have it.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, ConfigError> {
    let pem = &crate::secret::private_key_pem(pem)?;
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
            &include_bytes!("tests/keys/rfc7515-a2-pkcs8.pem")[..],
            include_bytes!("tests/keys/rfc7515-a2-pkcs1.pem"),
        ] {
            assert_eq!(sign(&JwtKey::rs256(pem).expect("a key"), message), expected);
        }
    }

    #[test]
    fn rfc_8037_a_4_eddsa() {
        let key = JwtKey::eddsa(include_bytes!("tests/keys/rfc8037-a-pkcs8.pem")).expect("a key");
        assert_eq!(
            sign(&key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }
}
