//! [`JwtAssertion`]: what a JWT says, and that it is made anew whenever one is sent.

use std::{
    borrow::Cow,
    future::ready,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    error::Unspecified,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    algorithm::JwtAlgorithm,
    key::JwtKey,
    outline::{LIFETIME, Outline, back},
};
use crate::{
    credential::{
        JsonValue, Param,
        oauth2::{assertion::Assertion, client_authentication::ClientAuthentication, text::Text},
    },
    error::{BoxError, ConfigError, ConfigErrorKind},
    secret::{Ask, Fill, SecretSource, Supplied, Supply},
};

/// A JWT to be signed for each attempt, with an id (`jti`) that is used once: an [`Assertion`] by itself, and wherever
/// else a secret is wanted, a [`SecretSource`] or [`Param`].
///
/// It says of itself `iss`, `sub`, `aud`, `iat`, `nbf`, `exp` and `jti` (RFC 7523 §3).
///
/// # Errors
///
/// Nothing is refused here, but by what it is given to, when that is built: with
/// [`ConfigErrorKind::Declaration`], a claim or a header that the JWT has by itself, or a lifetime that makes no sense.
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
///
/// A JWT that is itself what the token request is authorized by:
///
/// ```
/// use tower_reauth::{ConfigError, TokenEndpoint, TokenRequest, oauth2::{JwtAssertion, JwtKey}};
///
/// fn vendor(pem: &[u8]) -> Result<TokenEndpoint, ConfigError> {
///     let jwt = JwtAssertion::new(JwtKey::rs256(pem)?, "my-app");
///     let acquire = TokenRequest::post("/installations/7/tokens").bearer(jwt);
///     Ok(TokenEndpoint::new("Acme", "https://api.acme.example", acquire))
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct JwtAssertion {
    key: Key,
    issuer: Text,
    subject: Option<Text>,
    audience: Option<Text>,
    lifetime: Duration,
    back_dated: Option<Duration>,
    claims: Map<String, Value>,
    left_out: Vec<Cow<'static, str>>,
    typ: Cow<'static, str>,
    header: Map<String, Value>,
}

#[derive(Clone, Debug)]
enum Key {
    Here(JwtKey),
    Read(JwtAlgorithm, SecretSource),
}

impl JwtAssertion {
    /// A JWT that `issuer` (`iss`) signs about itself (`sub`).
    pub fn new(key: JwtKey, issuer: impl Into<Text>) -> Self {
        Self::by(Key::Here(key), issuer.into())
    }

    /// The same, with a key that is read for each JWT, so that it may be replaced without a restart, and is tried at once if the
    /// one before it was refused. It is what [`JwtKey::new`] takes for `algorithm`. What names it, such as `kid`, is a [`header`](Self::header).
    ///
    /// # Errors
    ///
    /// As of [`JwtAssertion`]: with [`ConfigErrorKind::Secret`], a key that isn't there when what it is given to is built, or is
    /// none of the algorithm. Later that is a transient failure.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::oauth2::{ClientAuthentication, JwtAlgorithm, JwtAssertion, SecretSource};
    ///
    /// let key = SecretSource::file("/run/secrets/client.pem");
    /// let jwt = JwtAssertion::reading(JwtAlgorithm::Es256, key, "my-service").header("kid", "2026-01");
    /// let client = ClientAuthentication::assertion("my-service", jwt);
    /// ```
    pub fn reading(algorithm: JwtAlgorithm, key: impl Into<SecretSource>, issuer: impl Into<Text>) -> Self {
        Self::by(Key::Read(algorithm, key.into()), issuer.into())
    }

    fn by(key: Key, issuer: Text) -> Self {
        Self {
            key,
            issuer,
            subject: None,
            audience: None,
            lifetime: LIFETIME,
            back_dated: None,
            claims: Map::new(),
            left_out: Vec::new(),
            typ: "JWT".into(),
            header: Map::new(),
        }
    }

    /// Sets whom the JWT is about. By default the issuer.
    pub fn subject(mut self, subject: impl Into<Text>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets for whom the JWT is. By default for the server: its issuer if that is known, else its token endpoint
    /// (RFC 7523 §3). In a [`TokenRequest`](crate::TokenRequest), which knows of no server, there is none by default.
    pub fn audience(mut self, audience: impl Into<Text>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets how long each JWT is valid, to the second: the time from its `iat` to its `exp`, which is what servers set a
    /// bound to. By default 3 min, of which 2 are left when it is made, since it is [back-dated](Self::back_dated).
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets how far `iat` and `nbf` are in the past, to the second: many servers refuse a JWT from the future, and their
    /// clock may be behind ours. It has to be less than the [`lifetime`](Self::lifetime). By default 60 s, but no more
    /// than half of the lifetime.
    pub fn back_dated(mut self, by: Duration) -> Self {
        self.back_dated = Some(by);
        self
    }

    /// Adds a claim of the server's own, or gives that one another value. One that the JWT has by itself is refused,
    /// unless it is [left out](Self::without_claim). `Debug` shows it.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves out `sub`, `aud`, `iat`, `nbf` or `jti`, for servers that don't know it, or want another value than text
    /// there: that is then a [`claim`](Self::claim).
    pub fn without_claim(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.left_out.push(name.into());
        self
    }

    /// Sets `typ` in the header (RFC 7515 §4.1.9), such as `client-authentication+jwt`. By default `JWT`.
    pub fn typ(mut self, typ: impl Into<Cow<'static, str>>) -> Self {
        self.typ = typ.into();
        self
    }

    /// Adds a header of the server's own, or gives that one another value. Those that the [`JwtKey`] sets, `alg` among
    /// them, and `typ` are refused. `Debug` shows it.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    fn has(&self, claim: &str) -> bool {
        !self.left_out.iter().any(|left_out| left_out == claim)
    }

    /// RFC 7523 §3.
    fn sign(&self, key: &JwtKey, audience: &str) -> Result<SecretString, BoxError> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).map_err(|Unspecified| "the system has no random numbers")?;
        let issued_at = unix_time().saturating_sub(back(self.lifetime, self.back_dated));
        let read = |what: &str, text: &Text| text.clone().settled(what);
        let issuer = read("issuer of a jwt", &self.issuer)?;
        let subject = self.subject.as_ref().map(|text| read("subject of a jwt", text)).transpose()?;
        let own = self.audience.as_ref().map(|text| read("audience of a jwt", text)).transpose()?;
        let audience = own.as_deref().unwrap_or(audience);
        let mut claims = self.claims.clone();
        let mut claim = |name: &str, value: Value| {
            if self.has(name) {
                claims.insert(name.to_owned(), value);
            }
        };
        claim("iss", (&*issuer).into());
        claim("sub", subject.as_deref().unwrap_or(&issuer).into());
        if !audience.is_empty() {
            claim("aud", audience.into());
        }
        claim("iat", issued_at.into());
        claim("nbf", issued_at.into());
        claim("exp", issued_at.saturating_add(self.lifetime.as_secs()).into());
        claim("jti", BASE64_URL_SAFE_NO_PAD.encode(id).into());
        let mut header = self.header.clone();
        header.insert("typ".to_owned(), (&*self.typ).into());
        let jwt = key.sign(header, claims, &random).map_err(|Unspecified| "the key can't sign")?;
        Ok(jwt.into())
    }

    /// What it says of itself, by its name in errors.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &Text)> {
        let optional = [("subject of a jwt", &self.subject), ("audience of a jwt", &self.audience)];
        let optional = optional.into_iter().filter_map(|(what, text)| Some((what, text.as_ref()?)));
        [("issuer of a jwt", &self.issuer)].into_iter().chain(optional)
    }

    fn outline(&self) -> Outline<'_> {
        Outline {
            claims: self.claims.keys().map(|name| &**name).collect(),
            left_out: self.left_out.iter().map(|name| &**name).collect(),
            headers: self.header.keys().map(|name| &**name).collect(),
            of_key: match &self.key {
                Key::Here(key) => key.header().map(|(name, _)| name).collect(),
                Key::Read(..) => Vec::new(),
            },
            lifetime: self.lifetime,
            back_dated: self.back_dated,
        }
    }
}

impl Ask for JwtAssertion {
    fn ask(&self, audience: &str) -> Supplied {
        match &self.key {
            Key::Here(key) => Box::pin(ready(self.sign(key, audience))),
            Key::Read(algorithm, source) => {
                let (jwt, algorithm, source) = (self.clone(), *algorithm, source.clone());
                let audience = audience.to_owned();
                Box::pin(async move {
                    let key = source.0.read("key of a jwt", "").await?;
                    jwt.sign(&JwtKey::new(algorithm, key.expose_secret().as_bytes())?, &audience)
                })
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if let Some(refusal) = self.outline().refusal() {
            return Err(ConfigError::new(ConfigErrorKind::Declaration, refusal.words()));
        }
        self.texts().try_for_each(|(what, text)| text.clone().settled(what).map(drop))?;
        match &self.key {
            Key::Here(_) => Ok(()),
            Key::Read(algorithm, source) => {
                let key = source.0.peek("key of a jwt")?;
                // Only asking would tell.
                if matches!(source.0, Supply::Ask(_)) {
                    return Ok(());
                }
                JwtKey::new(*algorithm, key.expose_secret().as_bytes()).map(drop)
            }
        }
    }

    fn inputs(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.texts().flat_map(|(_, text)| text.inputs()).collect();
        if let Key::Read(_, source) = &self.key {
            names.extend(source.0.inputs());
        }
        names
    }

    fn filled(&self, fill: &Fill<'_>) -> Option<Arc<dyn Ask>> {
        if self.inputs().is_empty() {
            return None;
        }
        let mut filled = self.clone();
        filled.issuer.fill(fill);
        filled.subject.iter_mut().chain(&mut filled.audience).for_each(|text| text.fill(fill));
        if let Key::Read(_, source) = &mut filled.key {
            source.0.fill(fill);
        }
        Some(Arc::new(filled))
    }

    fn differs_from(&self, made: &str) -> bool {
        match &self.key {
            Key::Here(_) => false,
            Key::Read(algorithm, source) => is_of_another_key(*algorithm, source, made),
        }
    }
}

/// Whether the key in `source` is by now another one than that which has signed `jwt`, as far as can be told without waiting.
pub(crate) fn is_of_another_key(algorithm: JwtAlgorithm, source: &SecretSource, jwt: &str) -> bool {
    // Who asks for it has no key at hand.
    if matches!(source.0, Supply::Ask(_)) {
        return false;
    }
    let key =
        source.0.peek("key of a jwt").and_then(|key| JwtKey::new(algorithm, key.expose_secret().as_bytes()));
    key.is_ok_and(|key| !key.has_signed(jwt))
}

impl From<JwtAssertion> for Assertion {
    fn from(assertion: JwtAssertion) -> Self {
        Self(Supply::Ask(Arc::new(assertion)))
    }
}

/// A JWT that is made anew each time the secret is read.
impl From<JwtAssertion> for SecretSource {
    fn from(assertion: JwtAssertion) -> Self {
        Self(Supply::Ask(Arc::new(assertion)))
    }
}

/// A JWT that is made anew for each request.
impl From<JwtAssertion> for Param {
    fn from(assertion: JwtAssertion) -> Self {
        Self::secret(assertion)
    }
}

/// A JWT that is made anew for each request.
impl From<JwtAssertion> for JsonValue {
    fn from(assertion: JwtAssertion) -> Self {
        Param::from(assertion).into()
    }
}

impl ClientAuthentication {
    /// `private_key_jwt`: a JWT that the client signs about itself (RFC 7523 §2.2, OpenID Connect Core §9). For one that
    /// says more, or something else, there is [`assertion`](Self::assertion).
    pub fn private_key_jwt(id: impl Into<Text>, key: JwtKey) -> Self {
        let id: Text = id.into();
        Self::assertion(id.clone(), JwtAssertion::new(key, id))
    }

    /// `client_secret_jwt`: the same with the client's secret, by HS256, so that the secret itself isn't sent (OpenID Connect
    /// Core §9). It has 32 bytes or more. For another algorithm there is [`JwtAssertion::reading`].
    pub fn secret_jwt(id: impl Into<Text>, secret: impl Into<SecretSource>) -> Self {
        let id: Text = id.into();
        Self::assertion(id.clone(), JwtAssertion::reading(JwtAlgorithm::Hs256, secret, id))
    }
}

/// The time as JWTs have it.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
