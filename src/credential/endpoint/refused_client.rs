//! What to look at where a client is refused, by the way in which it authenticates.

use super::request::TokenRequest;

/// By a secret.
pub(in crate::credential) const BY_SECRET: &str = "client id and secret";

/// By a JWT.
pub(in crate::credential) const BY_JWT: &str =
    "client id, the key that signs the jwt, its key id and its audience";

impl TokenRequest {
    /// Says what to look at if the client is refused.
    #[cfg(feature = "oauth2")]
    pub(in crate::credential) fn client(mut self, look_at: &'static str) -> Self {
        self.client = Some(look_at);
        self
    }

    /// What was said, or what the request has of RFC 7521 §4.2.
    pub(super) fn look_at_client(&self) -> &'static str {
        let has_assertion = || self.form.iter().any(|(name, _)| name == "client_assertion");
        match self.client {
            Some(look_at) => look_at,
            None if has_assertion() => BY_JWT,
            None => BY_SECRET,
        }
    }
}
