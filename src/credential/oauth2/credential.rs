//! [`OAuth2Credential`]: asks a token endpoint with one grant, and revokes what came of it.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::{
    endpoints::Endpoints,
    grant::{Fields, Grant},
    identity::identify,
    rotation::{Persist, Rotation, Unsaved},
    setup::Setup,
};
use crate::{
    credential::{EndpointCredential, Param, TokenEndpoint, TokenRequest},
    error::{AcquireError, AcquireErrorKind, BoxError, ConfigError, ConfigErrorKind, ErrorCode},
    secret::{SecretSource, all_at_hand},
    token::{AccessToken, Acquire, Credential, Description},
    transport::Transport,
};

/// The credential that the builders of this module make. Clones share everything.
///
/// A refresh token that came with a token is used before the grant itself, except with client credentials. Where
/// the server says `invalid_client` to a secret that comes from a source, the source is read again, and if it has
/// another secret by then, that one is tried once.
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AuthLayer, BoxError, Origin, Signatures, Transport,
///     oauth2::{ClientAuthentication, RefreshToken},
/// };
/// # async fn save(token: secrecy::SecretString) -> Result<(), BoxError> { Ok(()) }
///
/// fn layer(token: String, transport: Transport) -> Result<AuthLayer, BoxError> {
///     let credential =
///         RefreshToken::new("https://login.example.com/token", ClientAuthentication::public("my-app"), token)
///             .persist(save)
///             .build(transport)?;
///     let health = credential.clone();
///     std::thread::spawn(move || assert!(health.unsaved().is_none()));
///     let origin = Origin::parse("https://api.example.com")?;
///     Ok(AuthLayer::new(origin, credential).signatures(Signatures::oauth2()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct OAuth2Credential {
    inner: Arc<Inner>,
}

/// Of this there may be one for each of a million users.
#[derive(Debug)]
struct Inner {
    plan: Arc<Plan>,
    grant: Grant,
    refused: Mutex<Option<Box<Refused>>>,
}

/// What is the same whoever logs in.
#[derive(Debug)]
struct Plan {
    name: Cow<'static, str>,
    setup: Setup,
    transport: Transport,
    discovered: OnceCell<Endpoints>,
}

/// The secret that the server refused last.
#[derive(Debug)]
enum Refused {
    Client(SecretString),
    Grant(SecretString),
}

impl OAuth2Credential {
    pub(super) fn new(mut setup: Setup, grant: Grant, transport: Transport) -> Result<Self, ConfigError> {
        let name = setup.name.take();
        let name = name.unwrap_or_else(|| format!("{} ({})", setup.server.host(), grant.name()).into());
        let plan = Plan { name, setup, transport, discovered: OnceCell::new() };
        Self::checked(Arc::new(plan), grant)
    }

    fn checked(plan: Arc<Plan>, grant: Grant) -> Result<Self, ConfigError> {
        let inner = Inner { plan, grant, refused: Mutex::default() };
        // Anything wrong with a request shows when it is written.
        let Setup { server, client, .. } = &inner.plan.setup;
        let request = inner.grant_request(server.peek(), &inner.grant.peek()?, client.peek()?.as_ref());
        inner.endpoint(server.peek(), &request)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same with the refresh token of another user, which nothing [saves](super::RefreshToken::persist). What is the same
    /// for all users exists once for both: client, server and what its metadata says, options, transport. So that is how many
    /// [tenants](crate::Tenants) are made, from a credential whose refresh token is an [input](SecretSource::input).
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{
    ///     BoxError, ConfigError, SecretSource, Tenant, Tenants, Transport,
    ///     oauth2::{ClientAuthentication, RefreshToken},
    /// };
    /// # async fn saved_by(id: &str) -> Result<String, BoxError> { Ok(id.to_owned()) }
    ///
    /// fn tenants(transport: Transport) -> Result<Tenants<String>, ConfigError> {
    ///     let client = ClientAuthentication::public("my-app");
    ///     let anybody =
    ///         RefreshToken::new("https://login.example.com/token", client, SecretSource::input("login")).build(transport)?;
    ///     Ok(Tenants::new(move |id: String| {
    ///         let anybody = anybody.clone();
    ///         async move { Ok(Tenant::new(anybody.with_refresh_token(saved_by(&id).await?)?)) }
    ///     }))
    /// }
    /// # let _ = tenants;
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] of kind [`Secret`](crate::ConfigErrorKind::Secret) if it is empty or can't be read, and
    /// [`Declaration`](crate::ConfigErrorKind::Declaration) if this credential isn't made by
    /// [`RefreshToken`](super::RefreshToken).
    pub fn with_refresh_token(&self, refresh_token: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        self.with_login(refresh_token.into(), None)
    }

    /// As [`with_refresh_token`](Self::with_refresh_token), with what saves each one that comes after it: see
    /// [`RefreshToken::persist`](super::RefreshToken::persist).
    ///
    /// # Errors
    ///
    /// Those of [`with_refresh_token`](Self::with_refresh_token).
    pub fn with_persisted_refresh_token<F, Fut>(
        &self,
        refresh_token: impl Into<SecretSource>,
        save: F,
    ) -> Result<Self, ConfigError>
    where
        F: Fn(SecretString) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.with_login(refresh_token.into(), Some(Arc::new(move |token| Box::pin(save(token)))))
    }

    fn with_login(
        &self,
        SecretSource(initial): SecretSource,
        persist: Option<Persist>,
    ) -> Result<Self, ConfigError> {
        if self.inner.grant.rotation().is_none() {
            let words = format!("{} is no login by a refresh token", self.inner.plan.name);
            return Err(ConfigError::new(ConfigErrorKind::Declaration, words));
        }
        let grant = Grant::RefreshToken(Rotation::new(initial, persist));
        Self::checked(self.inner.plan.clone(), grant)
    }

    /// The newest refresh token, if it could not be saved. Only [`RefreshToken`](super::RefreshToken) saves any. Who
    /// has the cache sees it in [`CacheState::unsaved_since`](crate::CacheState::unsaved_since).
    #[must_use]
    pub fn unsaved(&self) -> Option<Unsaved> {
        self.inner.grant.rotation().and_then(Rotation::unsaved)
    }

    /// The refresh token that the server sent last, for a program that saves it in its own time. `None` before the
    /// first rotation, and for other grants than [`RefreshToken`](super::RefreshToken).
    #[must_use]
    pub fn refresh_token(&self) -> Option<SecretString> {
        self.inner.grant.rotation().and_then(Rotation::rotated)
    }

    /// Tries again to save the newest refresh token, if that has failed. Acquiring does the same.
    pub async fn save(&self) {
        if let Some(rotation) = self.inner.grant.rotation() {
            // Not beside another save, which could be of a newer one and end first.
            let _turn = rotation.turn().await;
            rotation.save().await;
        }
    }
}

impl Credential for OAuth2Credential {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let inner = &*self.inner;
        match inner.grant.rotation() {
            Some(rotation) => {
                let _turn = rotation.turn().await;
                rotation.save().await;
                inner.acquire(acquire).await
            }
            None => inner.acquire(acquire).await,
        }
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        self.inner.revoke(token).await
    }

    fn has_new_secret(&self) -> bool {
        match self.inner.refused().as_deref() {
            Some(Refused::Client(secret)) => self.inner.plan.setup.client.has_other_secret(secret),
            Some(Refused::Grant(secret)) => self.inner.grant.has_other_secret(secret),
            None => false,
        }
    }

    /// Of a refresh token that is rotated the processes know by their store what has become of it.
    fn current_secret(&self) -> Option<SecretString> {
        let inner = &*self.inner;
        all_at_hand(
            inner
                .plan
                .setup
                .client
                .supply()
                .into_iter()
                .chain(inner.grant.lasting_supplies())
                .map(|(_, supply)| supply),
        )
    }

    fn describe(&self) -> Description {
        let inner = &*self.inner;
        let description = Description::new(inner.plan.name.clone())
            .renewal(inner.plan.setup.renewal)
            .grants(inner.grant.uses())
            .unsaved_since(self.unsaved().map(|unsaved| unsaved.since()))
            .endpoint(inner.plan.setup.server.identity().1.to_owned());
        let asked = self.inner.clone();
        let description =
            description.told_by(move |description| identify(description, &asked.plan.setup, &asked.grant));
        let Some(rotation) = inner.grant.rotation() else { return description };
        let description = description.refresh_tokens(rotation.refresh_tokens().clone());
        let description =
            if rotation.is_saved_by_program() { description.saved_by_program() } else { description };
        if Arc::strong_count(&inner.plan) > 1 {
            let own = size_of::<Inner>() + 2 * size_of::<usize>();
            description.heap_bytes(own + rotation.heap_bytes())
        } else {
            description
        }
    }
}

impl Inner {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let client = &self.plan.setup.client;
        let endpoints = self.endpoints().await?;
        let renewed = acquire.previous().filter(|token| {
            acquire.may_refresh() && self.grant.may_refresh() && token.refresh_token().is_some()
        });
        let mut secrets = match renewed {
            Some(_) => Vec::new(),
            None => self.grant.secrets(&endpoints.audience).await?,
        };
        let mut client_secret = client.secret(&endpoints.audience).await?;
        // Each is read anew at most once.
        let (mut client_changed, mut replaced, mut refused) = (false, false, None);
        loop {
            let request = match renewed.and_then(AccessToken::refresh_token) {
                Some(refresh_token) => {
                    self.refresh_request(&endpoints.token, refresh_token, client_secret.as_ref())
                }
                None => self.grant_request(&endpoints.token, &secrets, client_secret.as_ref()),
            };
            let endpoint = self.endpoint(&endpoints.token, &request).map_err(unusable)?;
            let error = match endpoint.obtain(&request, renewed, acquire.previous()).await {
                Ok(token) => {
                    client.accept(client_secret.as_ref());
                    self.grant.accept(&secrets);
                    if let (Some(rotation), Some(sent)) = (self.grant.rotation(), secrets.first()) {
                        rotation.rotate(sent, refused.as_ref(), token.refresh_token()).await;
                    }
                    return Ok(token);
                }
                Err(error) => error,
            };
            if let (Some(rotation), Some(sent), Some(received)) =
                (self.grant.rotation(), secrets.first(), error.refresh_token())
            {
                rotation.rotate(sent, refused.as_ref(), Some(received)).await;
            }
            match error.code() {
                _ if error.kind() != AcquireErrorKind::Rejected => return Err(error),
                Some(ErrorCode::InvalidClient) if !client_changed => {
                    let Some(changed) =
                        client.changed_secret(client_secret.as_ref(), &endpoints.audience).await
                    else {
                        return Err(self.refuse(error, client_secret, secrets));
                    };
                    (client_changed, client_secret) = (true, Some(changed));
                    if renewed.is_none() && self.grant.is_used_once() {
                        secrets = self.grant.secrets(&endpoints.audience).await?;
                    }
                }
                // RFC 8693 §2.2.2 has a subject token that isn't good called an invalid request.
                Some(ErrorCode::InvalidGrant | ErrorCode::InvalidRequest)
                    if self.grant.rotation().is_none() && !replaced =>
                {
                    let Some(others) = self.grant.replaced(&secrets, &endpoints.audience).await else {
                        return Err(self.refuse(error, client_secret, secrets));
                    };
                    (replaced, secrets) = (true, others);
                    client_secret = client.secret(&endpoints.audience).await?;
                }
                Some(ErrorCode::InvalidGrant) if refused.is_none() => {
                    let changed = match self.grant.rotation() {
                        Some(rotation) => rotation.changed(secrets.first()).await,
                        None => None,
                    };
                    let Some(changed) = changed else {
                        return Err(self.refuse(error, client_secret, secrets));
                    };
                    refused = std::mem::replace(&mut secrets, vec![changed]).pop();
                    // An assertion is good for one attempt.
                    client_secret = client.secret(&endpoints.audience).await?;
                }
                _ => return Err(self.refuse(error, client_secret, secrets)),
            }
        }
    }

    /// Takes down what `error` refuses for good, so that another secret can be told from it.
    fn refuse(
        &self,
        error: AcquireError,
        client_secret: Option<SecretString>,
        secrets: Vec<SecretString>,
    ) -> AcquireError {
        let is_grant = matches!(error.code(), Some(ErrorCode::InvalidGrant | ErrorCode::InvalidRequest));
        let grant = secrets.into_iter().next().filter(|_| is_grant).map(Refused::Grant);
        *self.refused() = grant.or_else(|| client_secret.map(Refused::Client)).map(Box::new);
        error
    }

    fn refused(&self) -> MutexGuard<'_, Option<Box<Refused>>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// RFC 7009 §2: the refresh token first, since a server that revokes it also revokes what came of it.
    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        let endpoints = self.endpoints().await?;
        let Some(url) = endpoints.revocation else {
            let words = format!("no revocation endpoint of {} is known", self.plan.name);
            return Err(AcquireError::unsupported(words));
        };
        let rotation = self.grant.rotation();
        let rotated = rotation.and_then(Rotation::rotated);
        let refresh_token = rotated.as_ref().or(token.refresh_token());
        if let Some(refresh_token) = refresh_token {
            let request = revocation(&url, refresh_token.clone(), "refresh_token");
            self.send_revocation(&url, &endpoints.audience, request, token).await?;
        }
        if let Some(rotation) = rotation {
            rotation.forget();
        }
        let request = revocation(&url, token.expose_secret().to_owned().into(), "access_token");
        match self.send_revocation(&url, &endpoints.audience, request, token).await {
            // Not all servers can revoke access tokens.
            Err(error)
                if refresh_token.is_some() && error.code() == Some(ErrorCode::UnsupportedTokenType) =>
            {
                Ok(())
            }
            revoked => revoked,
        }
    }

    async fn send_revocation(
        &self,
        url: &str,
        audience: &str,
        request: TokenRequest,
        token: &AccessToken,
    ) -> Result<(), AcquireError> {
        let client_secret = self.plan.setup.client.secret(audience).await?;
        let request = self.plan.setup.client.authenticate(request, client_secret.as_ref());
        let endpoint = self.declare(url, &request).map_err(unusable)?.revoke(request);
        endpoint.build(self.plan.transport.clone()).map_err(unusable)?.revoke(token).await
    }

    async fn endpoints(&self) -> Result<Endpoints, AcquireError> {
        let endpoints = self.plan.setup.server.endpoints(&self.plan.transport, &self.plan.discovered).await?;
        Ok(if self.plan.setup.client.is_by_tls() { endpoints.by_tls() } else { endpoints })
    }

    fn grant_request(
        &self,
        url: &str,
        secrets: &[SecretString],
        client_secret: Option<&SecretString>,
    ) -> TokenRequest {
        let (grant, options) = (self.grant.fields(secrets), self.plan.setup.options());
        // The order of RFC 8693's example, and of everybody else's.
        let (first, then) = match self.grant {
            Grant::TokenExchange(_) => (options, grant),
            _ => (grant, options),
        };
        let request = TokenRequest::post(url.to_owned());
        let request = match self.grant.grant_type() {
            Some(name) => request.form("grant_type", Param::text(name)),
            None => request,
        };
        self.plan.setup.client.authenticate(with_fields(with_fields(request, first), then), client_secret)
    }

    /// RFC 6749 §6. By default without a scope: so it is the one that was granted, which may be less than was asked
    /// for.
    fn refresh_request(
        &self,
        url: &str,
        refresh_token: &SecretString,
        client_secret: Option<&SecretString>,
    ) -> TokenRequest {
        let request = TokenRequest::post(url.to_owned())
            .form("grant_type", "refresh_token")
            .form("refresh_token", refresh_token.clone());
        self.plan
            .setup
            .client
            .authenticate(with_fields(request, self.plan.setup.refresh_options()), client_secret)
    }

    fn endpoint(&self, url: &str, request: &TokenRequest) -> Result<EndpointCredential, ConfigError> {
        self.declare(url, request)?.build(self.plan.transport.clone())
    }

    fn declare(&self, url: &str, request: &TokenRequest) -> Result<TokenEndpoint, ConfigError> {
        let server = &self.plan.setup.server;
        let origin = server.origin_of(url)?.to_string();
        let endpoint = TokenEndpoint::new(self.plan.name.clone(), origin, request.clone());
        Ok(endpoint.plaintext(server.plaintext()).shaped(self.plan.setup.shape.clone()))
    }
}

fn with_fields(request: TokenRequest, fields: Fields) -> TokenRequest {
    fields.into_iter().fold(request, |request, (name, value)| request.form(name, value))
}

/// RFC 7009 §2.1.
fn revocation(url: &str, token: SecretString, hint: &'static str) -> TokenRequest {
    TokenRequest::post(url.to_owned()).form("token", token).form("token_type_hint", hint)
}

/// A request that can't be written with the secrets of this moment. Others may come.
fn unusable(error: ConfigError) -> AcquireError {
    AcquireError::transient("the token request can't be written").with_source(error)
}
