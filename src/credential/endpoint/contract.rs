//! [`Contract`]: what a declaration says of a vendor's token endpoint, without where it is and what becomes of the
//! tokens.

use std::borrow::Cow;

use super::{base_url::BaseUrl, request::TokenRequest, shape::Shape};
use crate::{
    error::ConfigError,
    token::{AccessToken, Renewal},
};

/// The requests to a token endpoint, and how its answers are read.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub(super) name: Cow<'static, str>,
    pub(super) acquire: TokenRequest,
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
            refresh: None,
            revoke: None,
            shape: Shape::oauth2(),
            renewal: Renewal::default(),
        }
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
