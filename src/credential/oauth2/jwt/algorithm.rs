//! [`JwtAlgorithm`]: by which algorithm a JWT is signed, and its name.

use std::{fmt, str::FromStr};

use crate::error::{ConfigError, ConfigErrorKind};

/// By which algorithm a JWT is signed (RFC 7518 §3.1, RFC 8037 §3.1). Its name, such as `ES256`, is what a JWT's header has.
///
/// # Examples
///
/// ```
/// use tower_reauth::oauth2::JwtAlgorithm;
///
/// assert_eq!("ES256".parse::<JwtAlgorithm>()?, JwtAlgorithm::Es256);
/// assert_eq!(JwtAlgorithm::EdDsa.to_string(), "EdDSA");
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// `RS256`: RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// `RS384`: the same with SHA-384.
    Rs384,
    /// `RS512`: the same with SHA-512.
    Rs512,
    /// `PS256`: RSASSA-PSS with SHA-256.
    Ps256,
    /// `ES256`: ECDSA with P-256 and SHA-256.
    Es256,
    /// `ES384`: ECDSA with P-384 and SHA-384.
    Es384,
    /// `EdDSA`: Ed25519.
    EdDsa,
    /// `HS256`: HMAC with SHA-256, with a secret that the server has as well.
    Hs256,
    /// `HS384`: the same with SHA-384.
    Hs384,
    /// `HS512`: the same with SHA-512.
    Hs512,
}

impl JwtAlgorithm {
    const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }
}

impl fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// By its name, letter for letter.
///
/// # Errors
///
/// [`ConfigErrorKind::Declaration`] if there is none of that name here.
impl FromStr for JwtAlgorithm {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            let words = format!("there is no such algorithm here; there are {names}");
            ConfigError::new(ConfigErrorKind::Declaration, words)
        })
    }
}
