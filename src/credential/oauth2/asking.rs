//! [`Asking`]: how a server is asked with one grant, which secrets are tried, and when others are.

use std::{
    borrow::Cow,
    sync::{Mutex, MutexGuard, PoisonError},
};

use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::{
    endpoints::Endpoints,
    grant::{Fields, Grant},
    rotation::Rotation,
    setup::Setup,
};
use crate::{
    credential::{EndpointCredential, Param, TokenEndpoint, TokenRequest},
    error::{AcquireError, AcquireErrorKind, ConfigError, ErrorCode},
    token::{AccessToken, Acquire, Credential as _},
    transport::Transport,
};

/// Who asks for what, and which server, with all that was filled in.
pub(super) struct Asking<'a> {
    pub(super) name: &'a Cow<'static, str>,
    pub(super) setup: Cow<'a, Setup>,
    pub(super) grant: Cow<'a, Grant>,
    /// Where the grant is a refresh token.
    pub(super) rotation: Option<&'a Rotation>,
    pub(super) refused: &'a LastRefused,
    pub(super) transport: &'a Transport,
    pub(super) discovered: &'a OnceCell<Endpoints>,
}

/// The secret that the server refused last.
#[derive(Debug)]
pub(super) enum Refused {
    Client(SecretString),
    Grant(SecretString),
}

/// It, if there is one.
pub(super) type LastRefused = Mutex<Option<Box<Refused>>>;

impl Asking<'_> {
    /// Fails as a request would that can't be written.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.setup.check()?;
        let Setup { server, client, .. } = &*self.setup;
        let secrets = match self.rotation {
            Some(rotation) => vec![rotation.peek()?],
            None => self.grant.peek()?,
        };
        let request = self.grant_request(server.peek(), &secrets, client.peek()?.as_ref());
        self.endpoint(server.peek(), &request).map(drop)
    }

    /// Whether there is another secret than the one that was refused, as far as can be told without waiting.
    pub(super) fn has_new_secret(&self) -> bool {
        match (self.refused().as_deref(), self.rotation) {
            (Some(Refused::Client(secret)), _) => self.setup.client.has_other_secret(secret),
            (Some(Refused::Grant(secret)), Some(rotation)) => rotation.initial().differs_from(secret),
            (Some(Refused::Grant(secret)), None) => self.grant.has_other_secret(secret),
            (None, _) => false,
        }
    }

    /// The secrets that the next request sends.
    async fn secrets(&self, audience: &str) -> Result<Vec<SecretString>, AcquireError> {
        match self.rotation {
            Some(rotation) => Ok(vec![rotation.current().await?]),
            None => self.grant.secrets(audience).await,
        }
    }

    pub(super) async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let client = &self.setup.client;
        let endpoints = self.endpoints().await?;
        let renewed = acquire.previous().filter(|token| {
            acquire.may_refresh() && self.grant.may_refresh() && token.refresh_token().is_some()
        });
        let mut secrets = match renewed {
            Some(_) => Vec::new(),
            None => self.secrets(&endpoints.audience).await?,
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
                    if let (Some(rotation), Some(sent)) = (self.rotation, secrets.first()) {
                        rotation.initial().accept(sent);
                        rotation.rotate(sent, refused.as_ref(), token.refresh_token()).await;
                    }
                    return Ok(token);
                }
                Err(error) => error,
            };
            if let (Some(rotation), Some(sent), Some(received)) =
                (self.rotation, secrets.first(), error.refresh_token())
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
                        secrets = self.secrets(&endpoints.audience).await?;
                    }
                }
                // RFC 8693 §2.2.2 has a subject token that isn't good called an invalid request.
                Some(ErrorCode::InvalidGrant | ErrorCode::InvalidRequest)
                    if self.rotation.is_none() && !replaced =>
                {
                    let Some(others) = self.grant.replaced(&secrets, &endpoints.audience).await else {
                        return Err(self.refuse(error, client_secret, secrets));
                    };
                    (replaced, secrets) = (true, others);
                    client_secret = client.secret(&endpoints.audience).await?;
                }
                Some(ErrorCode::InvalidGrant) if refused.is_none() => {
                    let changed = match self.rotation {
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
    pub(super) async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        let endpoints = self.endpoints().await?;
        let Some(url) = endpoints.revocation else {
            let words = format!("no revocation endpoint of {} is known", self.name);
            return Err(AcquireError::unsupported(words));
        };
        let rotation = self.rotation;
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
        let client_secret = self.setup.client.secret(audience).await?;
        let request = self.setup.client.authenticate(request, client_secret.as_ref());
        let endpoint = self.declare(url, &request).map_err(unusable)?.revoke(request);
        endpoint.build(self.transport.clone()).map_err(unusable)?.revoke(token).await
    }

    async fn endpoints(&self) -> Result<Endpoints, AcquireError> {
        let endpoints = self.setup.server.endpoints(self.transport, self.discovered).await?;
        Ok(if self.setup.client.is_by_tls() { endpoints.by_tls() } else { endpoints })
    }

    fn grant_request(
        &self,
        url: &str,
        secrets: &[SecretString],
        client_secret: Option<&SecretString>,
    ) -> TokenRequest {
        let (grant, options) = (self.grant.fields(secrets), self.setup.options());
        // The order of RFC 8693's example, and of everybody else's.
        let (first, then) = match &*self.grant {
            Grant::TokenExchange(_) => (options, grant),
            _ => (grant, options),
        };
        let request = TokenRequest::post(url.to_owned());
        let request = match self.grant.grant_type() {
            Some(name) => request.form("grant_type", Param::text(name)),
            None => request,
        };
        self.setup.client.authenticate(with_fields(with_fields(request, first), then), client_secret)
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
        self.setup.client.authenticate(with_fields(request, self.setup.refresh_options()), client_secret)
    }

    fn endpoint(&self, url: &str, request: &TokenRequest) -> Result<EndpointCredential, ConfigError> {
        self.declare(url, request)?.build(self.transport.clone())
    }

    fn declare(&self, url: &str, request: &TokenRequest) -> Result<TokenEndpoint, ConfigError> {
        let server = &self.setup.server;
        let origin = server.origin_of(url)?.to_string();
        let endpoint = TokenEndpoint::new(self.name.clone(), origin, request.clone());
        Ok(endpoint.plaintext(server.plaintext()).shaped(self.setup.shape.clone()))
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
