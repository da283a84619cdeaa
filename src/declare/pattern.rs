//! [`Pattern`]: what a file declares, of which many credentials are made that differ in its inputs.

use std::sync::Arc;

use super::{
    declaration::{Declaration, Kind},
    inputs::Open,
    node::Node,
    places::texts,
};
use crate::{
    auth::Placement,
    credential::{BoxCredential, EndpointCredential, Parts, RequestUrls, TokenEndpoint},
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
    signature::Signatures,
    transport::Transport,
};

/// A [`Declaration`] of which many credentials are made, one for each of many [tenants](crate::Tenants), that differ in what
/// its inputs are filled with. What is the same for them exists once: requests, answers, rules, transport. Clones share it.
///
/// A credential has of its own what fills its inputs, and each URL as a whole that one of them is in. Where the file has a `key`,
/// a `basic` or a `metadata`, there is nothing to share, and each is made of all of the file.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, BoxError, Declaration, Tenant, Tenants, Transport};
/// # async fn account_of(customer: &str) -> Result<(String, String), BoxError> { Ok((customer.into(), customer.into())) }
///
/// const SHOP: &str = r#"
///     name = "Shop"
///     base_url = "https://{shop}.shops.example.com"
///
///     [acquire]
///     request = "POST /oauth/token"
///     json = { app = "input:app", key = "input:api_key" }
/// "#;
///
/// fn tenants(transport: Transport) -> Result<AuthLayer<tower_reauth::CloneBodies, Tenants<String>>, BoxError> {
///     let shop: Declaration = toml::from_str(SHOP)?;
///     // What is the same for all customers.
///     let shop = shop.input("app", "my-app").pattern(transport)?;
///     assert!(shop.inputs().eq(["api_key", "shop"]));
///     let (signatures, placement) = (shop.signatures().clone(), shop.placement().clone());
///     let tenants = Tenants::new(move |customer: String| {
///         let shop = shop.clone();
///         async move {
///             let (name, key) = account_of(&customer).await?;
///             let parts = shop.with_input("shop", name)?.with_input("api_key", key)?.parts()?;
///             Ok(Tenant::new(parts.credential).origin(parts.origin))
///         }
///     });
///     Ok(AuthLayer::tenants(tenants).signatures(signatures).placement(placement))
/// }
/// # let _ = tenants;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Pattern {
    plan: Arc<Plan>,
    open: Open,
}

#[derive(Debug)]
struct Plan {
    made: Made,
    transport: Transport,
    signatures: Signatures,
    placement: Placement,
    /// The inputs that each credential fills.
    left: Vec<String>,
}

#[derive(Debug)]
enum Made {
    /// Its credentials share this one's plan. In place of open URLs there are stand-ins.
    Endpoint { credential: EndpointCredential, endpoint: Box<TokenEndpoint> },
    /// It has nothing to share.
    Alone(Declaration),
}

impl Declaration {
    /// A pattern for credentials that differ in the inputs that aren't [filled](Self::input) yet: see [`Pattern`]. Token requests
    /// are sent with `transport`.
    ///
    /// # Errors
    ///
    /// Those of [`parts`](Self::parts), but for inputs that aren't filled.
    pub fn pattern(self, transport: impl Into<Transport>) -> Result<Pattern, ConfigError> {
        let transport = transport.into();
        let (open, half) = match self.0 {
            Kind::Open(open) => (*open.clone(), Self::read_whole(open.half_open()?)?),
            kind => (Open::nothing(kind.name().to_owned()), Self(kind)),
        };
        let (made, Parts { signatures, placement, .. }) = match half.0 {
            Kind::Endpoint(endpoint) => {
                let parts = endpoint.parts_without_credential()?;
                let credential = endpoint.clone().build(transport.clone())?;
                (Made::Endpoint { credential, endpoint }, parts)
            }
            Kind::Static(declared) => {
                let parts = declared.parts_without_credential()?;
                (Made::Alone(Self(Kind::Static(declared))), parts)
            }
            // It was given an input that it doesn't have.
            kind => {
                let parts = Self(kind.clone()).parts(transport.clone())?.without_credential();
                (Made::Alone(Self(kind)), parts)
            }
        };
        let left = open.missing().map(ToOwned::to_owned).collect();
        Ok(Pattern { plan: Arc::new(Plan { made, transport, signatures, placement, left }), open })
    }
}

impl Pattern {
    /// The vendor's name, for logs and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        self.open.name()
    }

    /// The names of the inputs that are still to be [filled](Self::with_input).
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.open.missing()
    }

    /// Which responses of the API mean what, whoever asks.
    pub fn signatures(&self) -> &Signatures {
        &self.plan.signatures
    }

    /// Where in a request the token goes.
    #[must_use]
    pub fn placement(&self) -> &Placement {
        &self.plan.placement
    }

    /// The same with `source` for the input of that name: see [`Declaration::input`], which says what it may be.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] of kind [`Input`](crate::ConfigErrorKind::Input) if there is no such input to fill, which lists those
    /// that there are, or if it can't be where it is; and of kind [`Secret`](crate::ConfigErrorKind::Secret) if its variable or
    /// file can't be read, or it is empty.
    pub fn with_input(&self, name: &str, source: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        let mut open = self.open.clone();
        if open.source(name).is_some() && !self.plan.left.iter().any(|left| left == name) {
            let words = format!("the input {name} of {} was filled for the whole pattern", self.name());
            return Err(ConfigError::new(ConfigErrorKind::Input, words));
        }
        open.fill(name.to_owned(), source.into());
        open.check(name)?;
        Ok(Self { plan: self.plan.clone(), open })
    }

    /// The credential of one, and what belongs to it.
    ///
    /// # Errors
    ///
    /// Those of [`Declaration::parts`]: [`Input`](crate::ConfigErrorKind::Input), with a list, if an input isn't filled.
    pub fn parts(&self) -> Result<Parts<BoxCredential>, ConfigError> {
        let whole = self.open.whole("Pattern::with_input")?;
        match &self.plan.made {
            Made::Alone(declared) if self.plan.left.is_empty() => {
                declared.clone().parts(self.plan.transport.clone())
            }
            Made::Alone(_) => Declaration::read_whole(whole)?.parts(self.plan.transport.clone()),
            Made::Endpoint { credential, endpoint } => {
                let (credential, parts) = self.of_one(credential, endpoint, &whole)?;
                let Parts { credential: (), origin, signatures, placement } = parts;
                Ok(Parts { credential: BoxCredential::new(credential), origin, signatures, placement })
            }
        }
    }

    fn of_one(
        &self,
        credential: &EndpointCredential,
        endpoint: &TokenEndpoint,
        whole: &Node,
    ) -> Result<(EndpointCredential, Parts<()>), ConfigError> {
        let own = self.open.urls_with(&self.plan.left, whole)?;
        let url = |path: &str| own.iter().find(|(known, _)| known == path).map(|(_, url)| &**url);
        // What is before it is the method.
        let request = |path: &str| url(path)?.split_once(' ').map(|(_, url)| url.trim().into());
        let requests = RequestUrls {
            acquire: request("acquire.request"),
            refresh: request("refresh.request"),
            revoke: request("revoke.request"),
        };
        let credential =
            credential.of_one(|name| self.open.source(name).cloned(), url("base_url"), requests)?;
        let tells_origin = |path: &str| path == "base_url" || path.starts_with("other_origins");
        let parts = if own.iter().any(|(path, _)| tells_origin(path)) {
            let base = texts(whole, "base_url").into_iter().next().unwrap_or_default();
            let there = endpoint.clone().base_url(base);
            let others = texts(whole, "other_origins").into_iter();
            others.fold(there, TokenEndpoint::other_origin).parts_without_credential()?
        } else {
            endpoint.parts_without_credential()?
        };
        Ok((credential, parts))
    }
}
