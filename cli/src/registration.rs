//! [`Registration`]: a client of OAuth 2.0 at its server, which has somebody log in.

use std::time::Duration;

use tower_reauth::{
    ConfigError,
    oauth2::{AuthorizationServer, ClientAuthentication},
};

use crate::{
    client,
    mistake::Mistake,
    options::{ATTEMPT, ClientAuth, LoginOptions, VendorOptions},
};

/// A client at its server, and how somebody logs in.
pub(crate) struct Registration {
    pub(crate) server: AuthorizationServer,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) id: String,
    pub(crate) token_url: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) login: LoginOptions,
    /// Whether everything may be http.
    pub(crate) is_plain: bool,
    /// How long one of its answers is waited for, with the command that prints its secret.
    pub(crate) patience: Duration,
    secret: Option<&'static str>,
}

impl Registration {
    /// Takes it out of the options, which have a login.
    pub(crate) fn new(login: LoginOptions, options: &mut VendorOptions) -> Result<Self, Mistake> {
        let need = |option| Mistake::new(format!("a login needs {option}"));
        let patience = ATTEMPT + options.longest_command();
        let id = options.client_id.take().ok_or_else(|| need("--client-id"))?;
        if options.client.client_auth.is_none() && options.client_secret.is_none() {
            // A program on somebody's own machine keeps no secret from them (RFC 8252 §8.4).
            options.client.client_auth = Some(ClientAuth::None);
        }
        let client::Client { authentication, secret } = client::Client::new(id.clone(), options)?;
        let token_url = options.token_url.take();
        let server = match (&token_url, &login.issuer) {
            (Some(url), Some(issuer)) => AuthorizationServer::new(url.clone()).issuer(issuer.clone()),
            (Some(url), None) => AuthorizationServer::new(url.clone()),
            (None, Some(issuer)) => AuthorizationServer::discover(issuer.clone()),
            (None, None) => return Err(need("login.issuer or --token-url")),
        };
        let is_plain = options.allow_plaintext_secrets;
        let server = if is_plain { server.allow_plaintext_secrets() } else { server };
        let server = match &login.revocation_url {
            Some(url) => server.revocation_endpoint(url.clone()),
            None => server,
        };
        Ok(Self {
            server,
            authentication,
            id,
            token_url,
            scope: options.scope.take(),
            login,
            is_plain,
            patience,
            secret,
        })
    }

    /// What is wrong with it, with the option that the client's secret is from, if it is about that.
    pub(crate) fn mistake(&self, error: ConfigError) -> Mistake {
        let url = if self.token_url.is_some() { "--token-url" } else { "login.issuer" };
        client::Client::mistake(self.secret, url, error)
    }
}
