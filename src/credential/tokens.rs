//! [`SecretSource::tokens`]: a secret that is another credential's token.

use std::{fmt, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    observe::Reason,
    secret::{Ask, SecretSource, Supplied, Supply},
    token::TokenCache,
};

impl SecretSource {
    /// The token that `cache` has, for what takes another credential's token as its secret: an exchange of tokens (RFC 8693),
    /// an assertion that a platform signs (RFC 7523), a request with an `Authorization` header.
    ///
    /// It is acquired, kept and renewed as any other. Where a server refuses what was got with it, `cache` takes that as a
    /// rejection of its token, and if it gets another one, that one is sent once. What the cache can't acquire, nobody waits
    /// for longer than an attempt; the error says that there is [no secret](crate::AcquireErrorKind::NoSecret), has the cache's as its
    /// source, and where that says when to try again, nobody does before.
    ///
    /// A credential can't be asked for itself in this way, since its cache is there only after it.
    ///
    /// # Examples
    ///
    /// A service account's token for another service account, as Google's IAM Credentials API hands them out:
    ///
    /// ```
    /// use tower_reauth::{
    ///     AuthLayer, BoxError, EndpointCredential, SecretSource, TokenCache, TokenEndpoint, TokenRequest, Transport,
    /// };
    ///
    /// fn impersonating(first: TokenCache, client: Transport) -> Result<EndpointCredential, BoxError> {
    ///     let request = TokenRequest::post("/v1/projects/-/serviceAccounts/NAME:generateAccessToken")
    ///         .bearer(SecretSource::tokens(first))
    ///         .json("scope", vec!["https://www.googleapis.com/auth/cloud-platform"]);
    ///     Ok(TokenEndpoint::new("google", "https://iamcredentials.googleapis.com", request)
    ///         .token("/accessToken")
    ///         .lifetime("/expireTime")
    ///         .build(client)?)
    /// }
    /// ```
    pub fn tokens(cache: TokenCache) -> Self {
        Self(Supply::Ask(Arc::new(Tokens(cache))))
    }
}

/// A cache's tokens.
struct Tokens(TokenCache);

impl Ask for Tokens {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[another credential's token]")
    }

    fn ask(&self, _: &str) -> Supplied {
        let cache = self.0.clone();
        Box::pin(async move { Ok(cache.get(Duration::ZERO).await?.token().expose_secret().into()) })
    }

    fn differs_from(&self, made: &str) -> bool {
        self.0.usable_now().is_some_and(|entry| entry.token.expose_secret() != made)
    }

    fn accept(&self, secret: &SecretString) {
        if let Some(generation) = self.generation(secret) {
            self.0.mark_accepted(generation);
        }
    }

    /// Where there is another one by now, that is it.
    fn refuse(&self, secret: &SecretString) -> bool {
        if let Some(generation) = self.generation(secret) {
            self.0.mark_rejected(generation, Reason::Rejected);
        }
        true
    }
}

impl Tokens {
    /// The newest token's, if it is `secret`.
    fn generation(&self, secret: &SecretString) -> Option<u64> {
        let lease = self.0.try_get()?;
        (lease.token().expose_secret() == secret.expose_secret()).then(|| lease.generation())
    }
}
