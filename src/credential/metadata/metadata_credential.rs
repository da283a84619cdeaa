//! [`MetadataCredential`]: asks a metadata service, and says what its failures mean.

use std::fmt;

use bytes::Bytes;
use http::{Response, uri::Authority};
use secrecy::SecretString;

use super::service::Service;
use crate::{
    auth::{AuthLayer, Origin},
    credential::{EndpointCredential, TokenEndpoint},
    error::{AcquireError, ConfigError},
    signature::Signatures,
    token::{AccessToken, Acquire, Credential, Description},
    transport::{Read, near},
};

/// A credential that asks a metadata service: what [`GoogleMetadata`](super::GoogleMetadata),
/// [`AzureVm`](super::AzureVm) and [`AzureAppService`](super::AzureAppService) build.
///
/// # Errors
///
/// An acquisition's error says what to look at, has the service's own words in its source, and no secret. See
/// [the module](super#a-machines-first-minute) for what is asked again.
///
/// # Examples
///
/// As the assertion that another cloud takes in place of a client's secret:
///
/// ```
/// use tower_reauth::{ConfigError, SecretSource, TokenCache, metadata::GoogleMetadata};
///
/// fn assertion() -> Result<SecretSource, ConfigError> {
///     let credential = GoogleMetadata::id_token("api://AzureADTokenExchange").build()?;
///     Ok(SecretSource::tokens(TokenCache::new(credential)))
/// }
/// ```
#[derive(Clone)]
pub struct MetadataCredential {
    endpoint: EndpointCredential,
    service: &'static Service,
}

impl MetadataCredential {
    /// Asks what `endpoint` declares of `service`, at `authority`. Of its answers `read` makes what they are to be taken for.
    pub(super) fn new(
        service: &'static Service,
        authority: Authority,
        endpoint: TokenEndpoint,
        read: fn(Response<Bytes>) -> Read,
    ) -> Result<Self, ConfigError> {
        let endpoint = endpoint.build_for_metadata(&authority, near(authority.clone(), read))?;
        Ok(Self { endpoint, service })
    }

    /// The layer for an API at `origin`, with the signatures of RFC 6750.
    pub(super) fn layer(self, origin: &str) -> Result<AuthLayer, ConfigError> {
        Ok(AuthLayer::new(Origin::parse(origin)?, self).signatures(Signatures::oauth2()))
    }
}

impl fmt::Debug for MetadataCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataCredential").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Credential for MetadataCredential {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        self.endpoint.acquire(acquire).await.map_err(|error| self.service.advise(error))
    }

    fn has_new_secret(&self) -> bool {
        self.endpoint.has_new_secret()
    }

    fn current_secret(&self) -> Option<SecretString> {
        self.endpoint.current_secret()
    }

    fn describe(&self) -> Description {
        // Each machine has its own.
        self.endpoint.describe().whole().never_shared()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        credential::metadata::AzureVm, error::ConfigErrorKind, store::SharedSlot, testing::MemoryStore,
    };

    #[test]
    fn a_machines_identity_is_shared_with_no_other_machine() {
        let slot = SharedSlot::plain(MemoryStore::new(), "test").expect("a name").subject("us");
        let layer = AzureVm::new("r").layer("https://api.example.com").expect("valid");
        let error = layer.shared(slot).expect_err("nothing to share");
        assert_eq!(error.kind(), ConfigErrorKind::Store);
        assert!(error.to_string().contains("that one's own"), "{error}");
    }
}
