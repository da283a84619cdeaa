//! What can be said of a request before its secrets are known: for declarations that come from a file.

use super::{base_url::BaseUrl, param::Param, request::TokenRequest};
use crate::{error::ConfigError, secret::SecretSource, token::AccessToken};

impl TokenRequest {
    /// Writes the request once, with stand-ins for secrets.
    pub(crate) fn check(&self, base: &BaseUrl, previous: Option<&AccessToken>) -> Result<(), ConfigError> {
        let mut request = self.clone();
        for source in request.sources_mut().filter(|source| source.0.may_change()) {
            *source = SecretSource::fixed("stand-in");
        }
        request.render(base, previous).map(drop)
    }

    /// Whether it sends anything of the token that is renewed or revoked.
    pub(crate) fn is_about_token(&self) -> bool {
        !self.params().all(|param: &Param| param.is_known(None))
    }
}
