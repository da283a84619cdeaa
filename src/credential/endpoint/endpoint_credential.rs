//! [`EndpointCredential`]: sends what a declaration says. What comes back is judged in `asked`.

use std::{
    borrow::Cow,
    error::Error as StdError,
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response};
use secrecy::SecretString;
use tokio::time::Instant;

#[cfg(feature = "serde")]
use super::urls::RequestUrls;
use super::{
    asked::Asked, base_url::BaseUrl, contract::Contract, judgement::Sent, request::TokenRequest, urls::Urls,
};
use crate::{
    credential::no_input::no_input,
    error::{AcquireError, AcquireErrorKind, ConfigError},
    secret::{SecretSource, Supply, all_at_hand},
    token::{AccessToken, Acquire, Credential, Description, Grants},
    transport::Transport,
};

/// The credential that a [`TokenEndpoint`](crate::TokenEndpoint) declares.
///
/// Network errors, 408, 425, 429 and 5xx are transient, as is what the vendor is declared to mean by "later". The
/// credentials are refused (or, where it answers a refresh, only that grant) by 401, by the codes of RFC 6749 §5.2 in any
/// 4xx, and by what the vendor is declared to refuse them with. A refusal in other words may be about them, and is
/// [`Undeclared`](AcquireErrorKind::Undeclared). Any other 3xx or 4xx, and an answer that makes no sense, is about the
/// endpoint: [`AcquireErrorKind::Moved`] and its like.
///
/// Secrets that come from a [`SecretSource`](crate::SecretSource) are read for each request. If one can't be read, or can't be sent,
/// nothing is, and it [may be there later](crate::AcquireErrorKind::NoSecret). Once one that was refused has been replaced, calls don't wait for the
/// end of the fail-fast time, except where a source has to be asked ([`SecretSource::from_fn`](crate::SecretSource::from_fn)).
///
/// # Examples
///
/// ```
/// use tower_reauth::{ConfigError, EndpointCredential, Param, TokenEndpoint, TokenRequest, Transport};
///
/// fn credential(key: String, transport: Transport) -> Result<EndpointCredential, ConfigError> {
///     let request = TokenRequest::post("/token").json("key", Param::secret(key));
///     TokenEndpoint::new("Acme", "https://api.acme.example", request).build(transport)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct EndpointCredential {
    plan: Arc<Plan>,
    own: Arc<Own>,
}

/// What is the same whatever its inputs are filled with.
#[derive(Debug)]
struct Plan {
    contract: Contract,
    base: BaseUrl,
    transport: Transport,
    /// The names of the contract's inputs.
    inputs: Box<[Arc<str>]>,
}

/// What clones share, and nobody else. Of this there may be one for each of a million users.
#[derive(Debug)]
struct Own {
    /// What the inputs are filled with, in their order.
    inputs: Box<[Option<SecretSource>]>,
    /// Where it asks, if that isn't where the plan says.
    urls: Option<Box<Urls>>,
    refused: Mutex<Vec<Refused>>,
}

/// A secret that the server refused, perhaps among others.
#[derive(Debug)]
struct Refused {
    source: Supply,
    secret: SecretString,
}

impl EndpointCredential {
    /// With a contract that has been checked.
    pub(super) fn new(contract: Contract, base: BaseUrl, transport: Transport) -> Self {
        let inputs = contract.inputs();
        let own = Own { inputs: vec![None; inputs.len()].into(), urls: None, refused: Mutex::default() };
        Self { plan: Arc::new(Plan { contract, base, transport, inputs }), own: Arc::new(own) }
    }

    /// The same with `source` for the [input](SecretSource::input) of that name. What else is declared exists once for both, and
    /// the transport: so that is how many [tenants](crate::Tenants) are made, of which each has a secret of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{
    ///     BoxError, ConfigError, Param, SecretSource, Tenant, Tenants, TokenEndpoint, TokenRequest, Transport,
    /// };
    /// # async fn key_of(id: &str) -> Result<String, BoxError> { Ok(id.to_owned()) }
    ///
    /// fn tenants(transport: Transport) -> Result<Tenants<String>, ConfigError> {
    ///     let request = TokenRequest::post("/token").json("key", SecretSource::input("key"));
    ///     let anybody = TokenEndpoint::new("Acme", "https://api.acme.example", request).build(transport)?;
    ///     Ok(Tenants::new(move |id: String| {
    ///         let anybody = anybody.clone();
    ///         async move { Ok(Tenant::new(anybody.with_input("key", key_of(&id).await?)?)) }
    ///     }))
    /// }
    /// # let _ = tenants;
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] of kind [`Input`](crate::ConfigErrorKind::Input) if there is no such input, and otherwise those of
    /// [`TokenEndpoint::build`](crate::TokenEndpoint::build) that are about secrets.
    pub fn with_input(&self, name: &str, source: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        let plan = self.plan.clone();
        let Some(place) = plan.inputs.iter().position(|input| **input == *name) else {
            return Err(no_input(&plan.contract.name, name, &plan.inputs));
        };
        let mut inputs = self.own.inputs.clone();
        inputs[place] = Some(source.into());
        Self::checked(plan, inputs, self.own.urls.clone())
    }

    /// The same with what `fill` has for its inputs, which asks at `base`, if that is given, and sends its `requests` there.
    #[cfg(feature = "serde")]
    pub(crate) fn of_one(
        &self,
        fill: impl Fn(&str) -> Option<SecretSource>,
        base: Option<&str>,
        requests: RequestUrls,
    ) -> Result<Self, ConfigError> {
        let plan = self.plan.clone();
        let base = base.map(|base| plan.base.replaced(base)).transpose()?;
        let inputs = plan.inputs.iter().map(|name| fill(name)).collect();
        Self::checked(plan, inputs, Urls::some(base, requests))
    }

    fn checked(
        plan: Arc<Plan>,
        inputs: Box<[Option<SecretSource>]>,
        urls: Option<Box<Urls>>,
    ) -> Result<Self, ConfigError> {
        let filled = Self { plan, own: Arc::new(Own { inputs, urls, refused: Mutex::default() }) };
        filled.contract().check(filled.base())?;
        Ok(filled)
    }

    /// What paths are relative to.
    fn base(&self) -> &BaseUrl {
        let own = self.own.urls.as_ref().and_then(|urls| urls.base.as_ref());
        own.unwrap_or(&self.plan.base)
    }

    /// The contract, with what its inputs are filled with.
    fn contract(&self) -> Cow<'_, Contract> {
        let Plan { contract, inputs, .. } = &*self.plan;
        if inputs.is_empty() && self.own.urls.is_none() {
            return Cow::Borrowed(contract);
        }
        let fill = |name: &str| {
            let place = inputs.iter().position(|input| **input == *name)?;
            Some(self.own.inputs[place].clone()?.0)
        };
        let mut filled = contract.filled(&fill);
        if let Some(urls) = &self.own.urls {
            urls.put_into(&mut filled);
        }
        Cow::Owned(filled)
    }

    /// Asks with one grant: the refresh request's if `renewed` is given, else what the program configured.
    pub(in crate::credential) async fn obtain(
        &self,
        request: &TokenRequest,
        renewed: Option<&AccessToken>,
        previous: Option<&AccessToken>,
    ) -> Result<AccessToken, AcquireError> {
        let mut sent = request.with_secrets().await?;
        let mut result = self.exchange(&sent, renewed, previous).await;
        let kind = |result: &Result<_, AcquireError>| result.as_ref().err().map(AcquireError::kind);
        if kind(&result) == Some(AcquireErrorKind::Rejected)
            && replaces(request, &sent)
            && let Ok(other) = request.with_secrets().await
        {
            sent = other;
            result = self.exchange(&sent, renewed, previous).await;
        }
        match kind(&result) {
            None => each_sent(request, &sent).for_each(|(source, secret)| source.accept(secret)),
            Some(AcquireErrorKind::Rejected | AcquireErrorKind::Undeclared) => self.refuse(request, &sent),
            Some(_) => {}
        }
        result
    }

    /// One request, with the secrets of this moment, and what its answer brings.
    async fn exchange(
        &self,
        request: &TokenRequest,
        renewed: Option<&AccessToken>,
        previous: Option<&AccessToken>,
    ) -> Result<AccessToken, AcquireError> {
        let rendered =
            request.render(self.base(), renewed).map_err(|error| self.unsendable(error, renewed))?;
        let (requested_at, sent) = (Instant::now(), Sent::of(request, &rendered));
        let response = self.send(rendered, request, previous).await?;
        let contract = self.contract();
        let asked = Asked { contract: &contract, request, sent: &sent, renewed, previous };
        asked.token(&response).map(|token| token.with_requested_at(requested_at))
    }

    /// A request that can't be written: the token to be renewed doesn't fit into it, or a secret of this moment.
    fn unsendable(&self, error: ConfigError, renewed: Option<&AccessToken>) -> AcquireError {
        let words = format!("a token request of {} can't be written", self.plan.contract.name);
        let failed = match renewed {
            Some(_) => AcquireError::grant_rejected(words),
            None => AcquireError::transient(words),
        };
        failed.with_source(error)
    }

    /// Takes down which of the secrets that may change were refused.
    fn refuse(&self, request: &TokenRequest, sent: &TokenRequest) {
        *self.refused() = each_sent(request, sent)
            .filter(|(source, _)| source.may_change())
            .map(|(source, secret)| Refused { source: source.clone(), secret: secret.clone() })
            .collect();
    }

    fn refused(&self) -> MutexGuard<'_, Vec<Refused>> {
        self.own.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(
        &self,
        rendered: Request<Bytes>,
        request: &TokenRequest,
        previous: Option<&AccessToken>,
    ) -> Result<Response<Bytes>, AcquireError> {
        self.plan.transport.send(rendered).await.map_err(|error| {
            // Some clients put the URL into their errors, and there may be a secret in its query.
            let redactor = self.contract().redactor(request, previous, None);
            if redactor.is_shown_by(&error) {
                let sources = iter::successors(error.source(), |&error| error.source());
                let sources: Vec<String> = sources.map(ToString::to_string).collect();
                let cleaned = redactor.clean(&sources.join(": "));
                error.with_source(cleaned)
            } else {
                error
            }
        })
    }
}

impl Own {
    /// What it takes, in bytes.
    fn bytes(&self) -> usize {
        let texts = self.inputs.iter().flatten().map(|source| source.0.heap_bytes());
        let urls = self.urls.as_deref().map_or(0, Urls::bytes);
        size_of::<Self>() + 2 * size_of::<usize>() + size_of_val(&*self.inputs) + texts.sum::<usize>() + urls
    }
}

/// Where each secret comes from that was `sent`, and what it was.
fn each_sent<'a>(
    request: &'a TokenRequest,
    sent: &'a TokenRequest,
) -> impl Iterator<Item = (&'a Supply, &'a SecretString)> {
    let pairs = request.sources().zip(sent.sources());
    pairs.filter_map(|(source, sent)| Some((&source.0, sent.0.fixed()?)))
}

/// Tells the sources of what was `sent` that it was refused. Returns whether one of them has another for that reason.
fn replaces(request: &TokenRequest, sent: &TokenRequest) -> bool {
    each_sent(request, sent).filter(|(source, secret)| source.refuse(secret)).count() > 0
}

impl Credential for EndpointCredential {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let previous = acquire.previous();
        let renewed = previous.filter(|_| acquire.may_refresh());
        let contract = self.contract();
        match (&contract.refresh, renewed) {
            (Some(refresh), Some(token)) if refresh.can_use(token) => {
                self.obtain(refresh, renewed, previous).await
            }
            _ => self.obtain(&contract.acquire, None, previous).await,
        }
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        let contract = self.contract();
        let Some(request) = contract.revoke.as_ref().filter(|request| request.can_use(token)) else {
            let name = &self.plan.contract.name;
            return Err(AcquireError::unsupported(format!("{name} has no way to revoke this token")));
        };
        let request = &*request.with_secrets().await?;
        let rendered =
            request.render(self.base(), Some(token)).map_err(|error| self.unsendable(error, None))?;
        let sent = Sent::of(request, &rendered);
        let response = self.send(rendered, request, Some(token)).await?;
        let contract = self.contract();
        let asked = Asked { contract: &contract, request, sent: &sent, renewed: None, previous: Some(token) };
        asked.success(&response)
    }

    fn has_new_secret(&self) -> bool {
        self.refused().iter().any(|refused| refused.source.differs_from(&refused.secret))
    }

    fn current_secret(&self) -> Option<SecretString> {
        all_at_hand(self.contract().acquire.sources().map(|source| &source.0))
    }

    fn describe(&self) -> Description {
        let contract = &self.plan.contract;
        let grants = match contract.refresh {
            Some(_) => Grants::RefreshThenOther,
            None => Grants::Reusable,
        };
        let description = Description::new(contract.name.clone())
            .renewal(contract.renewal)
            .grants(grants)
            .endpoint(self.base().as_str().to_owned());
        let description = match Arc::strong_count(&self.plan) {
            1 => description,
            _ => description.heap_bytes(self.own.bytes()),
        };
        let asked = self.clone();
        description.told_by(move |description| asked.contract().identify(description, asked.base()))
    }
}
