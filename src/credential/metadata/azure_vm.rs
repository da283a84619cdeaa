//! [`AzureVm`]: managed identities of virtual machines, by Azure's Instance Metadata Service (IMDS).
//!
//! "How to use managed identities for Azure resources on an Azure VM to acquire an access token", Microsoft Learn,
//! 27 February 2025: requests, answers, error handling and retry guidance.

use std::{borrow::Cow, time::Duration};

use super::{
    host::authority,
    managed_identity::ManagedIdentity,
    metadata_credential::MetadataCredential,
    service::{Advice, Service, Taken},
};
use crate::{
    auth::AuthLayer,
    credential::{AnswerField, Param, TokenEndpoint, TokenRequest},
    error::ConfigError,
};

/// The address of IMDS. It has no name.
const HOST: &str = "169.254.169.254";

/// "Delta back-off 2 sec: attempt 2 - delay ~2 sec, attempt 3 - delay ~6 sec, attempt 4 - delay ~14 sec".
const BACK_OFF: Duration = Duration::from_secs(2);

/// "It's safe to retry after waiting for at least 1 second."
const UNWELL: Duration = Duration::from_secs(1);

static SERVICE: Service = Service {
    name: "azure's metadata service",
    silence: Advice {
        taken: Taken::Passes(BACK_OFF),
        words: "can't be asked; check whether this is a virtual machine of azure, and whether a firewall or a network policy \
                here lets connections to 169.254.169.254 pass",
    },
    answers: &[
        (
            404..=404,
            Advice {
                taken: Taken::Passes(BACK_OFF),
                words: "isn't ready or is being updated, and is asked again; if that lasts for more than a minute, check \
                        whether this is a virtual machine of azure",
            },
        ),
        (
            410..=410,
            Advice {
                taken: Taken::Passes(BACK_OFF),
                words: "is being updated, and is asked again; it is back within 70 seconds",
            },
        ),
        (
            429..=429,
            Advice {
                taken: Taken::Passes(BACK_OFF),
                words: "is asked too often, by whatever runs on this machine, and is asked again later; share one layer \
                        among all calls to one resource",
            },
        ),
        (
            500..=599,
            Advice {
                taken: Taken::Passes(UNWELL),
                words: "failed, and is asked again; if that lasts, check whether the machine has a managed identity, and the \
                        resource that is asked for",
            },
        ),
        (
            400..=499,
            Advice {
                taken: Taken::Refused,
                words: "refused; check the resource that is asked for, and whether the identity is assigned to this machine, \
                        which has to be named where there are several",
            },
        ),
    ],
};

/// Tokens of a managed identity of an Azure virtual machine, for one resource.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, ConfigError, metadata::{AzureVm, ManagedIdentity}};
///
/// fn layer() -> Result<AuthLayer, ConfigError> {
///     AzureVm::new("https://vault.azure.net")
///         .identity(ManagedIdentity::client_id("5e29463d-71da-4fe0-8e69-999b57db23b0"))
///         .layer("https://my-vault.vault.azure.net")
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AzureVm {
    resource: Cow<'static, str>,
    identity: Option<ManagedIdentity>,
    host: Cow<'static, str>,
    name: Cow<'static, str>,
}

impl AzureVm {
    /// Tokens for `resource`, which is its App ID URI: `https://management.azure.com/`, `https://vault.azure.net` and so on.
    pub fn new(resource: impl Into<Cow<'static, str>>) -> Self {
        Self { resource: resource.into(), identity: None, host: HOST.into(), name: "Azure VM".into() }
    }

    /// Sets which user-assigned identity it is. By default the system-assigned one, or the only one that the machine has.
    pub fn identity(mut self, identity: ManagedIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets where the service is, as host and port, for one that stands in for it: a loopback or link-local address, or a name
    /// that leads to one. By default 169.254.169.254.
    pub fn host(mut self, host: impl Into<Cow<'static, str>>) -> Self {
        self.host = host.into();
        self
    }

    /// Sets the name for logs and errors. By default `Azure VM`.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The credential.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`](crate::ConfigErrorKind::Url) if the [host](Self::host) is none, or is elsewhere than on this
    /// machine and its links.
    pub fn build(self) -> Result<MetadataCredential, ConfigError> {
        let authority = authority("the host of azure's metadata service", &self.host)?;
        let request = TokenRequest::get("/metadata/identity/oauth2/token")
            .header("Metadata", "true")
            .query("api-version", "2018-02-01")
            .query("resource", Param::text(self.resource));
        let request = match self.identity {
            Some(identity) => identity.name_in(request, "msi_res_id"),
            None => request,
        };
        let endpoint = TokenEndpoint::new(self.name, "", request)
            // `expires_in` counts from when the token was issued, which may be a while ago.
            .lifetime("/expires_on")
            .later(AnswerField::status(), 404)
            .later(AnswerField::status(), 410);
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
