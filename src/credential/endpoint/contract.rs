//! [`Contract`]: what a declaration says of a vendor's token endpoint, without where it is and what becomes of the
//! tokens.

use std::{borrow::Cow, sync::Arc};

use secrecy::ExposeSecret;

use super::{base_url::BaseUrl, request::TokenRequest, shape::Shape};
use crate::{
    error::ConfigError,
    secret::{Fill, SecretSource},
    token::{AccessToken, Description, Renewal},
};

/// The requests to a token endpoint, and how its answers are read.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub(super) name: Cow<'static, str>,
    pub(super) acquire: TokenRequest,
    /// Who logs in, where it is known which of the request's values says so.
    pub(super) user: Option<SecretSource>,
    pub(super) refresh: Option<TokenRequest>,
    pub(super) revoke: Option<TokenRequest>,
    pub(super) shape: Shape,
    pub(super) renewal: Renewal,
}

impl Contract {
    pub(super) fn new(name: Cow<'static, str>, acquire: TokenRequest) -> Self {
        Self {
            name,
            acquire,
            user: None,
            refresh: None,
            revoke: None,
            shape: Shape::oauth2(),
            renewal: Renewal::default(),
        }
    }

    /// Says whose token it is, as far as that is known: by what the request for it has beside its secrets, and by what of the
    /// answer is taken. Who logs in is told by a secret, unless it was said.
    pub(super) fn identify(&self, description: Description, base: &BaseUrl) -> Description {
        let Some(request) = self.acquire.without_secrets(base) else { return description };
        let description =
            description.identity("request", request).identity("token", self.shape.token.declared());
        match self.user.as_ref().and_then(|user| user.0.lasting()) {
            Some(user) => description.identity("user", user.expose_secret().to_owned()),
            None => description.needs_subject(),
        }
    }

    /// The names of its inputs, each once.
    pub(super) fn inputs(&self) -> Box<[Arc<str>]> {
        let mut names = Vec::new();
        for name in self.sources().flat_map(|source| source.0.inputs()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.into()
    }

    /// The same with what `fill` has for its inputs.
    pub(super) fn filled(&self, fill: &Fill<'_>) -> Self {
        let mut filled = self.clone();
        let Self { acquire, user, refresh, revoke, .. } = &mut filled;
        let requests = [Some(acquire), refresh.as_mut(), revoke.as_mut()];
        let sources = requests.into_iter().flatten().flat_map(TokenRequest::sources_mut).chain(user);
        sources.for_each(|source| source.0.fill(fill));
        filled
    }

    fn sources(&self) -> impl Iterator<Item = &SecretSource> {
        let requests = [Some(&self.acquire), self.refresh.as_ref(), self.revoke.as_ref()];
        requests.into_iter().flatten().flat_map(TokenRequest::sources).chain(&self.user)
    }

    /// Checks everything by writing each request once, with a stand-in for the token that there isn't yet.
    pub(super) fn check(&self, base: &BaseUrl) -> Result<(), ConfigError> {
        self.shape.check()?;
        self.acquire.with_secrets_at_hand()?.render(base, None)?;
        let stand_in = AccessToken::new("stand-in").expect("visible ascii").with_refresh_token("stand-in");
        for request in self.refresh.iter().chain(&self.revoke) {
            request.with_secrets_at_hand()?.render(base, Some(&stand_in))?;
        }
        Ok(())
    }
}
