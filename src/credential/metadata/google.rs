//! [`GoogleMetadata`]: service accounts of Google's machines, by their metadata server.
//!
//! "View and query VM metadata" and "Authenticate workloads to Google Cloud APIs using service accounts", Google Compute
//! Engine; "Get an ID token", Google Cloud. All read on 29 November 2026. That only the server itself answers with
//! `Metadata-Flavor: Google` is what Google's clients go by: `testOnGCE` of cloud.google.com/go/compute/metadata, and `ping` of
//! google-auth's `compute_engine/_metadata.py`, which also have the variable `GCE_METADATA_HOST`.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{HeaderName, Response};

use super::{
    host::{authority, variable},
    metadata_credential::MetadataCredential,
    service::{Advice, Service, Taken},
};
use crate::{
    auth::AuthLayer,
    credential::{AnswerField, Param, TokenEndpoint, TokenRequest},
    error::{AcquireError, AcquireErrorKind, ConfigError},
    secret::encode,
    transport::Read,
};

const HOST: &str = "metadata.google.internal";
const HOST_VARIABLE: &str = "GCE_METADATA_HOST";
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");

const UNWELL: Duration = Duration::from_secs(1);

static SERVICE: Service = Service {
    name: "google's metadata server",
    silence: Advice {
        taken: Taken::Passes(UNWELL),
        words: "can't be asked; check whether this runs in google cloud, and whether a firewall or a network policy here lets \
                connections to metadata.google.internal pass; in a new pod it takes some seconds to be there",
    },
    answers: &[
        (
            404..=404,
            Advice {
                taken: Taken::Missing,
                words: "has no such service account; check whether one is attached to this machine, and its name",
            },
        ),
        (
            429..=429,
            Advice {
                taken: Taken::Passes(UNWELL),
                words: "is asked too often, by whatever runs on this machine, and is asked again later; share one layer \
                        among all calls",
            },
        ),
        (500..=599, Advice { taken: Taken::Passes(UNWELL), words: "failed, and is asked again" }),
        (
            400..=499,
            Advice {
                taken: Taken::Refused,
                words: "refused; check the audience or the scopes that are asked for, and whether the service account is \
                        allowed to have them, or with gke whether the pod's may use it",
            },
        ),
    ],
};

/// Tokens of the service account that a machine on Google Cloud has.
///
/// An answer without `Metadata-Flavor: Google` isn't the metadata server's, and no token is taken from it.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthLayer, ConfigError, metadata::GoogleMetadata};
///
/// fn storage() -> Result<AuthLayer, ConfigError> {
///     GoogleMetadata::access_token().layer("https://storage.googleapis.com")
/// }
///
/// // A service on Cloud Run, which wants to know who calls it.
/// fn mine() -> Result<AuthLayer, ConfigError> {
///     let url = "https://my-service-abc123-ew.a.run.app";
///     GoogleMetadata::id_token(url).layer(url)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GoogleMetadata {
    wanted: Wanted,
    account: Cow<'static, str>,
    /// By default Google's name for it.
    host: Host,
    name: Cow<'static, str>,
}

#[derive(Clone, Debug)]
enum Wanted {
    Access { scopes: Vec<Cow<'static, str>> },
    Id { audience: Cow<'static, str> },
}

#[derive(Clone, Debug)]
enum Host {
    Given(Cow<'static, str>),
    Environment,
}

impl GoogleMetadata {
    /// Access tokens, for Google's APIs.
    pub fn access_token() -> Self {
        Self::new(Wanted::Access { scopes: Vec::new() })
    }

    /// ID tokens for `audience`: for Cloud Run, Identity-Aware Proxy, and whatever else takes the account's identity, such as
    /// another cloud.
    pub fn id_token(audience: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Wanted::Id { audience: audience.into() })
    }

    fn new(wanted: Wanted) -> Self {
        let (account, host, name) = ("default".into(), Host::Given(HOST.into()), "Google metadata".into());
        Self { wanted, account, host, name }
    }

    /// Adds a scope that access tokens are asked for. By default they have all that the machine or the account has. ID tokens
    /// have none.
    pub fn scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        if let Wanted::Access { scopes } = &mut self.wanted {
            scopes.push(scope.into());
        }
        self
    }

    /// Sets which of the machine's service accounts it is, by its address. By default `default`.
    pub fn service_account(mut self, account: impl Into<Cow<'static, str>>) -> Self {
        self.account = account.into();
        self
    }

    /// Sets where the server is, as host and port, for one that stands in for it: a loopback or link-local address, or a name
    /// that leads to one. By default `metadata.google.internal`.
    pub fn host(mut self, host: impl Into<Cow<'static, str>>) -> Self {
        self.host = Host::Given(host.into());
        self
    }

    /// Takes the host from the variable `GCE_METADATA_HOST`, as Google's own libraries do, if it is set when this is built.
    pub fn host_from_env(mut self) -> Self {
        self.host = Host::Environment;
        self
    }

    /// Sets the name for logs and errors. By default `Google metadata`.
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
        let authority = match self.host {
            Host::Given(host) => authority("the host of google's metadata server", &host)?,
            Host::Environment => match variable(HOST_VARIABLE)? {
                Some(host) => authority(HOST_VARIABLE, &host)?,
                None => authority(HOST_VARIABLE, HOST)?,
            },
        };
        let account = encode::percent(&self.account);
        let request = |what| {
            TokenRequest::get(format!("/computeMetadata/v1/instance/service-accounts/{account}/{what}"))
                .header("Metadata-Flavor", "Google")
        };
        let endpoint = match self.wanted {
            Wanted::Access { scopes } => {
                let request = request("token");
                let request = match scopes.is_empty() {
                    true => request,
                    false => request.query("scopes", Param::text(scopes.join(","))),
                };
                TokenEndpoint::new(self.name, "", request)
            }
            Wanted::Id { audience } => {
                let request = request("identity").query("audience", Param::text(audience));
                TokenEndpoint::new(self.name, "", request).token(AnswerField::body()).jwt_lifetime()
            }
        };
        MetadataCredential::new(&SERVICE, authority, endpoint, flavored)
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

/// The answer, if it is the metadata server's.
fn flavored(answer: Response<Bytes>) -> Read {
    if answer.headers().get(FLAVOR).is_some_and(|flavor| flavor == "Google") {
        return Ok(answer);
    }
    // Without its status, which says nothing of the server that was meant.
    Err(AcquireError::new(
        AcquireErrorKind::Unintelligible,
        format!(
            "what answered in place of google's metadata server isn't it: its answer, with status {}, has no \
             metadata-flavor: Google; check whether this runs in google cloud, what metadata.google.internal leads to here, \
             and what GCE_METADATA_HOST says",
            answer.status().as_u16()
        ),
    ))
}
