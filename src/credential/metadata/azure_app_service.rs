//! [`AzureAppService`]: managed identities of apps, by the token service that App Service and Container Apps give them.
//!
//! "How to use managed identities for App Service and Azure Functions", Microsoft Learn, 27 June 2023, REST endpoint
//! reference. Container Apps have the same ("Managed identities in Azure Container Apps"). What its refusals look like was
//! seen in azure-cli's issue 20196.

use std::{borrow::Cow, time::Duration};

use http::Uri;

use super::{
    host::{authority, variable},
    managed_identity::ManagedIdentity,
    metadata_credential::MetadataCredential,
    service::{Advice, Service, Taken},
};
use crate::{
    auth::AuthLayer,
    credential::{Param, TokenEndpoint, TokenRequest},
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
};

const ENDPOINT: &str = "IDENTITY_ENDPOINT";
const HEADER: &str = "IDENTITY_HEADER";

const UNWELL: Duration = Duration::from_secs(1);

static SERVICE: Service = Service {
    name: "the app's token service",
    silence: Advice {
        taken: Taken::Passes(UNWELL),
        words: "can't be asked; check whether the app has a managed identity, and the variables IDENTITY_ENDPOINT and \
                IDENTITY_HEADER that azure then sets",
    },
    answers: &[
        (
            429..=429,
            Advice {
                taken: Taken::Passes(UNWELL),
                words: "is asked too often, and is asked again later; share one layer among all calls to one resource",
            },
        ),
        (
            500..=599,
            Advice {
                taken: Taken::Passes(UNWELL),
                words: "failed, and is asked again; if that lasts, check the app's managed identity",
            },
        ),
        (
            401..=403,
            Advice {
                taken: Taken::Refused,
                words: "refused; check whether IDENTITY_HEADER is that of this app, and whether the app has the identity",
            },
        ),
        (
            400..=499,
            Advice {
                taken: Taken::Refused,
                words: "refused; check the resource that is asked for, and whether the identity is assigned to the app; a \
                        user-assigned one has to be named",
            },
        ),
    ],
};

/// Tokens of a managed identity of an app on Azure App Service, Functions or Container Apps, for one resource.
///
/// Where the app's token service is, and what it wants to be shown, is in the variables `IDENTITY_ENDPOINT` and
/// `IDENTITY_HEADER`. The second is read for each token, since Azure changes it.
///
/// # Examples
///
/// ```no_run
/// use tower_reauth::{AuthLayer, ConfigError, metadata::AzureAppService};
///
/// fn layer() -> Result<AuthLayer, ConfigError> {
///     AzureAppService::new("https://vault.azure.net").layer("https://my-vault.vault.azure.net")
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AzureAppService {
    resource: Cow<'static, str>,
    identity: Option<ManagedIdentity>,
    /// The environment's by default.
    endpoint: Option<Cow<'static, str>>,
    header: SecretSource,
    name: Cow<'static, str>,
}

impl AzureAppService {
    /// Tokens for `resource`, which is its App ID URI: `https://management.azure.com/`, `https://vault.azure.net` and so on.
    pub fn new(resource: impl Into<Cow<'static, str>>) -> Self {
        Self {
            resource: resource.into(),
            identity: None,
            endpoint: None,
            header: SecretSource::env(HEADER),
            name: "Azure App Service".into(),
        }
    }

    /// Sets which user-assigned identity it is. By default the system-assigned one.
    pub fn identity(mut self, identity: ManagedIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets the token service's URL and what is to be shown to it, in place of the two variables.
    pub fn endpoint(mut self, url: impl Into<Cow<'static, str>>, header: impl Into<SecretSource>) -> Self {
        (self.endpoint, self.header) = (Some(url.into()), header.into());
        self
    }

    /// Sets the name for logs and errors. By default `Azure App Service`.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The credential.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Url`] if there is no `IDENTITY_ENDPOINT`, or if it is no `http` URL, has a query, or is elsewhere
    ///   than on this machine and its links.
    /// - [`ConfigErrorKind::Secret`] if there is no `IDENTITY_HEADER`.
    pub fn build(self) -> Result<MetadataCredential, ConfigError> {
        let refuse = |why: &str| ConfigError::new(ConfigErrorKind::Url, format!("{ENDPOINT} {why}"));
        let url = match self.endpoint {
            Some(url) => url,
            None => variable(ENDPOINT)?
                .ok_or_else(|| refuse("is not set; give the app a managed identity, and start it again"))?
                .into(),
        };
        let uri: Uri = url.parse().map_err(|error| refuse("can't be parsed").with_source(error))?;
        let (Some("http"), Some(host), None) = (uri.scheme_str(), uri.authority(), uri.query()) else {
            return Err(refuse("has to be an http url without a query, as azure sets it"));
        };
        let authority = authority(ENDPOINT, host.as_str())?;
        let request = TokenRequest::get(uri.path().to_owned())
            .header("X-IDENTITY-HEADER", Param::secret(self.header))
            .query("api-version", "2019-08-01")
            .query("resource", Param::text(self.resource));
        let request = match self.identity {
            Some(identity) => identity.name_in(request, "mi_res_id"),
            None => request,
        };
        let endpoint = TokenEndpoint::new(self.name, "", request)
            .lifetime("/expires_on")
            .message("/message")
            .message("/error")
            .message("/error_description");
        MetadataCredential::new(&SERVICE, authority, endpoint, Ok)
    }

    /// The layer for an API at `origin`, with the signatures of RFC 6750.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and [`Origin::parse`](crate::Origin::parse).
    pub fn layer(self, origin: &str) -> Result<AuthLayer, ConfigError> {
        self.build()?.layer(origin)
    }
}
