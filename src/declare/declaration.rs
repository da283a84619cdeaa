//! [`Declaration`]: what a file as a whole declares, and what becomes of it.

use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    answer, condition,
    inputs::Open,
    metadata::{Metadata, metadata},
    node::Node,
    request, rules,
    value::{Table, Value, within},
    word,
};
use crate::{
    auth::{AuthLayer, Origin, Placement, Plaintext},
    credential::{BaseUrl, BoxCredential, Parts, StaticToken, TokenEndpoint},
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
    signature::Signatures,
    token::{AccessToken, Renewal},
    transport::Transport,
};

const KEYS: [&str; 17] = [
    "name",
    "base_url",
    "other_origins",
    "inputs",
    "acquire",
    "key",
    "basic",
    "metadata",
    "refresh",
    "revoke",
    "answer",
    "renewal",
    "placement",
    "rules",
    "rfc6750",
    "reason",
    "allow_plaintext_secrets",
];

/// A vendor, as a file declares it: see the [module's tables](crate::declare) of all keys.
///
/// It is checked when it is deserialised: an error names the key, such as `rules[2].when.json`, and repeats nothing that
/// may be a secret. Of the secrets only the references are known by then; whether they are there shows when the layer
/// is built. `Debug` shows the references. Errors of the format itself, such as a quote that isn't closed, are its
/// reader's, and may show the line.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, BoxError, Declaration, Transport};
///
/// fn layer(transport: Transport) -> Result<AuthLayer, BoxError> {
///     let file = std::fs::read_to_string("vendor.toml")?;
///     let vendor: Declaration = toml::from_str(&file)?;
///     Ok(vendor.layer(transport)?)
/// }
///
/// let literal = toml::from_str::<Declaration>("name = 'Acme'\nbase_url = 'https://acme.example'\nkey = 'hunter2'");
/// let error = literal.unwrap_err().to_string();
/// assert!(error.starts_with("key: secrets don't belong into this file; write env:NAME"));
/// assert!(!error.contains("hunter2"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Declaration(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Its tokens have to be asked for.
    Endpoint(Box<TokenEndpoint>),
    /// It takes a key as it is, or the machine's identity.
    Static(Box<Static>),
    /// It isn't whole before its inputs are filled.
    Open(Box<Open>),
    /// One of them was given an input that it doesn't have.
    Strange(Box<Self>, String),
}

#[derive(Clone, Debug)]
pub(super) struct Static {
    name: String,
    base_url: String,
    others: Vec<String>,
    plaintext: Plaintext,
    key: Key,
    signatures: Signatures,
    placement: Placement,
}

#[derive(Clone, Debug)]
enum Key {
    Plain(SecretSource),
    Basic { user: SecretSource, password: Option<SecretSource> },
    Metadata(Metadata),
}

impl Declaration {
    /// The vendor's name, for logs and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The names of the inputs that the file leaves open, each of which is to be [filled](Self::input).
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        let open = match &self.0 {
            Kind::Open(open) => Some(open),
            _ => None,
        };
        open.into_iter().flat_map(|open| open.names())
    }

    /// Fills the input `name`, which the file has as `input:name`, or in the braces of a URL as `{name}`.
    ///
    /// One in a URL can't change later, and is one label of a host or one segment of a path, or one of those that the file
    /// lists: it never leads elsewhere than the file says. Any other may be a secret that changes, as everywhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{AuthLayer, BoxError, Declaration, SecretSource, Transport};
    ///
    /// const SHOP: &str = r#"
    ///     name = "Shop"
    ///     base_url = "https://{shop}.shops.example.com"
    ///
    ///     [acquire]
    ///     request = "POST /oauth/token"
    ///     json = { id = "input:client_id", secret = "input:client_secret" }
    /// "#;
    ///
    /// fn layer(transport: Transport) -> Result<AuthLayer, BoxError> {
    ///     let shop: Declaration = toml::from_str(SHOP)?;
    ///     assert!(shop.inputs().eq(["client_id", "client_secret", "shop"]));
    ///     let shop = shop
    ///         .input("shop", "acme")
    ///         .input("client_id", "7F3A")
    ///         .input("client_secret", SecretSource::file("/run/secrets/shop"));
    ///     Ok(shop.layer(transport)?)
    /// }
    /// # let _ = layer;
    /// ```
    pub fn input(self, name: impl Into<String>, source: impl Into<SecretSource>) -> Self {
        Self(match self.0 {
            Kind::Open(mut open) => {
                open.fill(name.into(), source.into());
                Kind::Open(open)
            }
            kind => Kind::Strange(Box::new(kind), name.into()),
        })
    }

    /// Replaces the origin of the API: a staging host, a gateway, or a server on loopback in tests. Token requests
    /// that are declared with a path go there as well, beneath the origin's own path if it has one. Tokens go nowhere else
    /// then, whatever the file's `other_origins` are; an input `base_url` that is [filled](Self::input) leaves them alone.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self(match self.0 {
            Kind::Endpoint(endpoint) => Kind::Endpoint(Box::new(endpoint.base_url(base_url.into()))),
            Kind::Static(declared) => {
                Kind::Static(Box::new(Static { base_url: base_url.into(), others: Vec::new(), ..*declared }))
            }
            Kind::Open(mut open) => {
                open.set("base_url", Node::Text(base_url.into()));
                open.remove("other_origins");
                Kind::Open(open)
            }
            Kind::Strange(kind, name) => Kind::Strange(Box::new(Self(*kind).base_url(base_url).0), name),
        })
    }

    /// Lets secrets and tokens travel in plain text over `http` to any host, as the file's key of this name does.
    pub fn allow_plaintext_secrets(self) -> Self {
        Self(match self.0 {
            Kind::Endpoint(endpoint) => Kind::Endpoint(Box::new(endpoint.allow_plaintext_secrets())),
            Kind::Static(declared) => {
                Kind::Static(Box::new(Static { plaintext: Plaintext::Allowed, ..*declared }))
            }
            Kind::Open(mut open) => {
                open.set("allow_plaintext_secrets", Node::Flag(true));
                Kind::Open(open)
            }
            Kind::Strange(kind, name) => {
                Kind::Strange(Box::new(Self(*kind).allow_plaintext_secrets().0), name)
            }
        })
    }

    /// The credential, and what belongs to it. Token requests are sent with `transport`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`](crate::ConfigErrorKind::Secret) if a secret's variable or file can't be read, is
    /// empty, or has to go where it can't; [`ConfigErrorKind::Input`](crate::ConfigErrorKind::Input) if an input isn't
    /// [filled](Self::input), isn't the file's, or can't be where it is; and the other errors of [`TokenEndpoint::build`]
    /// if [`base_url`](Self::base_url) was given what is none.
    pub fn parts(self, transport: impl Into<Transport>) -> Result<Parts<BoxCredential>, ConfigError> {
        match self.0 {
            Kind::Endpoint(endpoint) => {
                let Parts { credential, origin, signatures, placement } = endpoint.parts(transport)?;
                Ok(Parts { credential: BoxCredential::new(credential), origin, signatures, placement })
            }
            Kind::Static(declared) => declared.parts(),
            Kind::Open(open) => Self::read_whole(open.whole("Declaration::input")?)?.parts(transport),
            Kind::Strange(kind, name) => {
                let words = format!("{} has no inputs, so {name:?} isn't one of them", kind.name());
                Err(ConfigError::new(ConfigErrorKind::Input, words))
            }
        }
    }

    /// The layer, with origin, signatures and placement set.
    ///
    /// # Errors
    ///
    /// Those of [`parts`](Self::parts).
    pub fn layer(self, transport: impl Into<Transport>) -> Result<AuthLayer, ConfigError> {
        Ok(self.parts(transport)?.into_layer())
    }

    pub(super) fn read(node: Node) -> Result<Self, ConfigError> {
        let (node, listed) = without_inputs(node);
        match Open::read(node, listed)? {
            Ok(open) => {
                let _ = Self::read_whole(open.with_stand_ins()?)?;
                Ok(Self(Kind::Open(Box::new(open))))
            }
            Err(node) => Self::read_whole(node),
        }
    }

    /// Reads a file that leaves nothing open.
    pub(super) fn read_whole(node: Node) -> Result<Self, ConfigError> {
        let mut table = Value::root(node).table(&KEYS)?;
        let name = named(&table.need("name")?)?;
        let plaintext = table.take("allow_plaintext_secrets").map(|value| value.flag()).transpose()?;
        let plaintext = if plaintext.unwrap_or_default() { Plaintext::Allowed } else { Plaintext::Refused };
        let base_url = table.need("base_url")?;
        let base =
            BaseUrl::parse(base_url.text()?, plaintext).map_err(|error| within(base_url.path(), &error))?;
        let base_url = base_url.text()?.to_owned();
        let others = other_origins(&mut table, plaintext)?;
        let signatures = signatures(&mut table)?;
        let placement = table.take("placement").map(placement).transpose()?;
        let sources = ["acquire", "key", "basic", "metadata"];
        let Some((source, value)) = table.take_one_of(&sources)? else {
            let words = "one of acquire, key, basic and metadata has to say where tokens come from";
            return Err(table.refuse(words));
        };
        let declared = match &*source {
            "acquire" => {
                let acquire = request::first(value, &base)?;
                let endpoint = TokenEndpoint::new(name, base_url, acquire).signatures(signatures);
                let mut endpoint = others.into_iter().fold(endpoint, TokenEndpoint::other_origin);
                if plaintext == Plaintext::Allowed {
                    endpoint = endpoint.allow_plaintext_secrets();
                }
                if let Some(value) = table.take("refresh") {
                    endpoint = endpoint.refresh(request::about_token(value, &base)?);
                }
                if let Some(value) = table.take("revoke") {
                    endpoint = endpoint.revoke(request::about_token(value, &base)?);
                }
                if let Some(value) = table.take("renewal") {
                    endpoint = endpoint.renewal(renewal(&value)?);
                }
                if let Some(value) = table.take("answer") {
                    endpoint = answer::answer(value, endpoint)?;
                }
                Kind::Endpoint(Box::new(endpoint.placement(placement.unwrap_or_default())))
            }
            source => {
                let (key, usual) = match source {
                    "key" => (Key::Plain(word::secret(&value)?), Placement::default()),
                    "metadata" => (Key::Metadata(metadata(value)?), Placement::default()),
                    _ => {
                        let (user, password) = request::user(value)?;
                        (Key::Basic { user, password }, Placement::with_scheme("Authorization", "Basic")?)
                    }
                };
                let placement = placement.unwrap_or(usual);
                Kind::Static(Box::new(Static {
                    name,
                    base_url,
                    others,
                    plaintext,
                    key,
                    signatures,
                    placement,
                }))
            }
        };
        table.end(&source)?;
        Ok(Self(declared))
    }
}

impl Kind {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Endpoint(endpoint) => endpoint.name(),
            Self::Static(declared) => &declared.name,
            Self::Open(open) => open.name(),
            Self::Strange(kind, _) => kind.name(),
        }
    }
}

impl Static {
    fn parts(self) -> Result<Parts<BoxCredential>, ConfigError> {
        self.check_placement()?;
        let Parts { credential: (), origin, signatures, placement } = self.parts_without_credential()?;
        let token = match self.key {
            Key::Plain(key) => StaticToken::new(key)?,
            Key::Basic { user, password: None } => StaticToken::basic(user)?,
            Key::Basic { user, password: Some(password) } => {
                StaticToken::basic_with_password(user, password)?
            }
            Key::Metadata(metadata) => {
                let credential = BoxCredential::new(metadata.build(self.name)?);
                return Ok(Parts { credential, origin, signatures, placement });
            }
        };
        Ok(Parts { credential: BoxCredential::new(token.name(self.name)), origin, signatures, placement })
    }

    /// Whether its tokens are a metadata service's, and no key.
    pub(super) fn asks_metadata(&self) -> bool {
        matches!(self.key, Key::Metadata(_))
    }

    pub(super) fn parts_without_credential(&self) -> Result<Parts<()>, ConfigError> {
        Ok(Parts {
            credential: (),
            origin: Origin::of_base_urls(&self.base_url, &self.others, self.plaintext)?,
            signatures: self.signatures.clone(),
            placement: self.placement.clone(),
        })
    }

    /// A key is known by now, and whether it can be where it is placed as well. One for Basic can be anywhere.
    fn check_placement(&self) -> Result<(), ConfigError> {
        let Key::Plain(key) = &self.key else { return Ok(()) };
        let key = key.0.peek("key")?;
        match AccessToken::new(key.expose_secret()) {
            Ok(token) if !self.placement.carries(&token) => {
                let words = "the key has a quote, comma, semicolon or backslash, which no cookie can have; place it in a \
                             header";
                Err(ConfigError::new(ConfigErrorKind::Secret, words))
            }
            _ => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Declaration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Node::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What inputs may be, and the rest of the file.
fn without_inputs(node: Node) -> (Node, Option<Value>) {
    let Node::Table(mut entries) = node else { return (node, None) };
    let inputs = entries.iter().position(|(key, _)| key == "inputs");
    let listed = inputs.map(|index| Value::at("inputs", entries.remove(index).1));
    (Node::Table(entries), listed)
}

fn named(value: &Value) -> Result<String, ConfigError> {
    match value.text()?.trim() {
        "" => Err(value.refuse("it is empty")),
        name => Ok(name.to_owned()),
    }
}

/// Where else tokens go.
fn other_origins(table: &mut Table, plaintext: Plaintext) -> Result<Vec<String>, ConfigError> {
    let listed = table.take("other_origins").map(Value::one_or_more).transpose()?;
    let check = |value: Value| {
        Origin::of_base_url(value.text()?, plaintext).map_err(|error| within(value.path(), &error))?;
        value.text().map(ToOwned::to_owned)
    };
    listed.into_iter().flatten().map(check).collect()
}

/// The rules given, and those of RFC 6750 after them, or in their place.
fn signatures(table: &mut Table) -> Result<Signatures, ConfigError> {
    let reason = table.take("reason").map(condition::subject).transpose()?;
    if reason.is_some() && !table.has("rules") {
        return Err(table.refuse_key("reason", "it doesn't go without rules"));
    }
    let given = table.take("rules").map(|value| rules::rules(value, reason.as_ref())).transpose()?;
    let rfc6750 = table.take("rfc6750").map(|value| value.flag()).transpose()?;
    let given_alone = given.is_some();
    let given = given.unwrap_or_default();
    Ok(if rfc6750.unwrap_or(!given_alone) { given.then(Signatures::oauth2()) } else { given })
}

fn placement(value: Value) -> Result<Placement, ConfigError> {
    let path = value.path().to_owned();
    let mut table = value.table(&["header", "scheme", "template", "cookie", "query_visible_in_logs"])?;
    let Some((kind, name)) = table.take_one_of(&["header", "cookie", "query_visible_in_logs"])? else {
        return Err(table.refuse_key("header", "it is missing"));
    };
    let placement = match &*kind {
        "header" => match table.take_one_of(&["scheme", "template"])? {
            Some((form, text)) if form == "scheme" => Placement::with_scheme(name.text()?, text.text()?),
            Some((_, text)) => Placement::template(name.text()?, text.text()?),
            None => Placement::bare(name.text()?),
        },
        "cookie" => Placement::cookie(name.text()?),
        _ => Placement::query_visible_in_logs(name.text()?),
    };
    table.end(&kind)?;
    placement.map_err(|error| within(&path, &error))
}

fn renewal(value: &Value) -> Result<Renewal, ConfigError> {
    match value.text()? {
        "keeps-previous" => Ok(Renewal::KeepsPrevious),
        "revokes-previous" => Ok(Renewal::RevokesPrevious),
        _ => Err(value.refuse("there are keeps-previous and revokes-previous")),
    }
}
