//! A JWT where a file has a value: what signs it, and what it says. It is made anew each time that it is sent.

use std::{
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

use secrecy::ExposeSecret;

use super::{
    claim::{Claims, claims},
    node::join,
    value::{Table, Value, within},
    word::{secret, source},
};
use crate::{
    credential::oauth2::{JwtAlgorithm, JwtAssertion, JwtKey, LIFETIME, Outline, Refusal, is_of_another_key},
    error::{ConfigError, ConfigErrorKind},
    secret::{Ask, Fill, SecretSource, Supplied, Supply},
};

const KEYS: [&str; 14] = [
    "algorithm",
    "key",
    "issuer",
    "subject",
    "audience",
    "lifetime",
    "back_dated",
    "key_id",
    "x5t",
    "x5t_s256",
    "typ",
    "claims",
    "without_claims",
    "headers",
];

/// What a file says of a JWT. Whatever it refers to is read each time that one is made.
#[derive(Clone)]
struct Declared {
    /// Where in the file it is.
    path: String,
    algorithm: JwtAlgorithm,
    key: SecretSource,
    issuer: SecretSource,
    subject: Option<SecretSource>,
    audience: Option<SecretSource>,
    key_id: Option<SecretSource>,
    x5t: Option<SecretSource>,
    x5t_s256: Option<SecretSource>,
    typ: Option<SecretSource>,
    lifetime: Option<Duration>,
    back_dated: Option<Duration>,
    claims: Claims,
    without_claims: Vec<String>,
    headers: Claims,
}

/// The JWT that a table of one key, `jwt`, declares.
pub(super) fn jwt(value: Value) -> Result<SecretSource, ConfigError> {
    let value = value.table(&["jwt"])?.need("jwt")?;
    let path = value.path().to_owned();
    let mut table = value.table(&KEYS)?;
    let name = table.need("algorithm")?;
    let algorithm: JwtAlgorithm = name.text()?.parse().map_err(|error| within(name.path(), &error))?;
    let key = secret(&table.need("key")?)?;
    let issuer = source(&table.need("issuer")?)?;
    let mut optional = |key| table.take(key).as_ref().map(source).transpose();
    let (subject, audience, key_id) = (optional("subject")?, optional("audience")?, optional("key_id")?);
    let (x5t, x5t_s256, typ) = (optional("x5t")?, optional("x5t_s256")?, optional("typ")?);
    let declared = Declared {
        path,
        algorithm,
        key,
        issuer,
        subject,
        audience,
        key_id,
        x5t,
        x5t_s256,
        typ,
        lifetime: seconds(&mut table, "lifetime")?,
        back_dated: seconds(&mut table, "back_dated")?,
        claims: table.take("claims").map(claims).transpose()?.unwrap_or_default(),
        without_claims: names(&mut table, "without_claims")?,
        headers: table.take("headers").map(claims).transpose()?.unwrap_or_default(),
    };
    declared.check_names()?;
    Ok(SecretSource(Supply::Ask(Arc::new(declared))))
}

fn seconds(table: &mut Table, key: &str) -> Result<Option<Duration>, ConfigError> {
    let Some(value) = table.take(key) else { return Ok(None) };
    match u64::try_from(value.integer()?) {
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
        Err(_) => Err(value.refuse("write a number of seconds that is not negative")),
    }
}

fn names(table: &mut Table, key: &str) -> Result<Vec<String>, ConfigError> {
    let Some(value) = table.take(key) else { return Ok(Vec::new()) };
    value.one_or_more()?.iter().map(|value| value.text().map(str::to_owned)).collect()
}

impl Declared {
    /// An error of the library's, about one of the keys.
    fn within(&self, key: &str, error: &ConfigError) -> ConfigError {
        within(&join(&self.path, key), error)
    }

    /// What can be told before anything that it refers to is there.
    fn check_names(&self) -> Result<(), ConfigError> {
        let of_key = [
            ("kid", self.key_id.is_some()),
            ("x5t", self.x5t.is_some()),
            ("x5t#S256", self.x5t_s256.is_some()),
        ];
        let outline = Outline {
            claims: self.claims.iter().map(|(name, _)| &**name).collect(),
            left_out: self.without_claims.iter().map(|name| &**name).collect(),
            headers: self.headers.iter().map(|(name, _)| &**name).collect(),
            of_key: of_key.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect(),
            lifetime: self.lifetime.unwrap_or(LIFETIME),
            back_dated: self.back_dated,
        };
        let Some(refusal) = outline.refusal() else { return Ok(()) };
        let key = match &refusal {
            Refusal::Claim(name, _) => join("claims", name),
            Refusal::LeftOut(_) => "without_claims".to_owned(),
            Refusal::Header(name) => join("headers", name),
            Refusal::Span { .. } if self.back_dated.is_some() => "back_dated".to_owned(),
            Refusal::Span { .. } => "lifetime".to_owned(),
        };
        Err(self.refuse(&key, refusal.words()))
    }

    fn refuse(&self, key: &str, why: impl Display) -> ConfigError {
        ConfigError::new(ConfigErrorKind::Declaration, format!("{}.{key}: {why}", self.path))
    }

    /// What it refers to, by the keys that do.
    fn sources_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut SecretSource)> + Send {
        let claims = self.claims.iter_mut().flat_map(|(_, claim)| claim.sources_mut());
        let headers = self.headers.iter_mut().flat_map(|(_, claim)| claim.sources_mut());
        let one = [
            ("key", Some(&mut self.key)),
            ("issuer", Some(&mut self.issuer)),
            ("subject", self.subject.as_mut()),
            ("audience", self.audience.as_mut()),
            ("key_id", self.key_id.as_mut()),
            ("x5t", self.x5t.as_mut()),
            ("x5t_s256", self.x5t_s256.as_mut()),
            ("typ", self.typ.as_mut()),
        ];
        let one = one.into_iter().filter_map(|(key, source)| Some((key, source?)));
        let claims = claims.map(|source| ("claims", source));
        one.chain(claims).chain(headers.map(|source| ("headers", source)))
    }

    /// With all that it refers to.
    async fn read(&self) -> Result<Self, ConfigError> {
        let mut read = self.clone();
        for (key, source) in read.sources_mut() {
            let secret = source.0.read("secret", "").await.map_err(|error| {
                let words = format!("{}.{key} can't be had", self.path);
                ConfigError::new(ConfigErrorKind::Secret, words).with_source(error)
            })?;
            *source = SecretSource::fixed(secret);
        }
        Ok(read)
    }

    /// The same, as it is now.
    fn peek(&self) -> Result<Self, ConfigError> {
        let mut read = self.clone();
        for (key, source) in read.sources_mut() {
            let secret = source.0.peek("secret").map_err(|error| self.within(key, &error))?;
            *source = SecretSource::fixed(secret);
        }
        Ok(read)
    }

    /// The JWT that it declares, once everything has been read.
    fn assertion(&self) -> Result<JwtAssertion, ConfigError> {
        let mut key = JwtKey::new(self.algorithm, text(&self.key).as_bytes())
            .map_err(|error| self.within("key", &error))?;
        if let Some(id) = &self.key_id {
            key = key.key_id(text(id).to_owned());
        }
        if let Some(certificate) = &self.x5t {
            key = key.x5t(text(certificate).as_bytes()).map_err(|error| self.within("x5t", &error))?;
        }
        if let Some(certificate) = &self.x5t_s256 {
            key = key
                .x5t_s256(text(certificate).as_bytes())
                .map_err(|error| self.within("x5t_s256", &error))?;
        }
        let mut jwt = JwtAssertion::new(key, text(&self.issuer).to_owned());
        if let Some(subject) = &self.subject {
            jwt = jwt.subject(text(subject).to_owned());
        }
        if let Some(audience) = &self.audience {
            jwt = jwt.audience(text(audience).to_owned());
        }
        if let Some(typ) = &self.typ {
            jwt = jwt.typ(text(typ).to_owned());
        }
        if let Some(lifetime) = self.lifetime {
            jwt = jwt.lifetime(lifetime);
        }
        if let Some(by) = self.back_dated {
            jwt = jwt.back_dated(by);
        }
        for (name, claim) in &self.claims {
            jwt = jwt.claim(name.clone(), claim.json());
        }
        for (name, header) in &self.headers {
            jwt = jwt.header(name.clone(), header.json());
        }
        Ok(self.without_claims.iter().cloned().fold(jwt, JwtAssertion::without_claim))
    }
}

impl Ask for Declared {
    fn ask(&self, audience: &str) -> Supplied {
        let (declared, audience) = (self.clone(), audience.to_owned());
        Box::pin(async move { declared.read().await?.assertion()?.ask(&audience).await })
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.peek()?.assertion()?.check()
    }

    fn inputs(&self) -> Vec<Arc<str>> {
        self.clone().sources_mut().flat_map(|(_, source)| source.0.inputs()).collect()
    }

    fn filled(&self, fill: &Fill<'_>) -> Option<Arc<dyn Ask>> {
        if self.inputs().is_empty() {
            return None;
        }
        let mut filled = self.clone();
        filled.sources_mut().for_each(|(_, source)| source.0.fill(fill));
        Some(Arc::new(filled))
    }

    fn differs_from(&self, made: &str) -> bool {
        is_of_another_key(self.algorithm, &self.key, made)
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[jwt by {:?}]", self.key)
    }
}

/// What was read.
fn text(source: &SecretSource) -> &str {
    source.0.fixed().map_or("", ExposeSecret::expose_secret)
}
