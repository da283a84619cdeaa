//! Identities that a cloud gives to a machine: tokens from the metadata service that the machine has, without a secret.
//!
//! | where the program runs | | |
//! |---|---|---|
//! | Google Compute Engine, GKE, Cloud Run, App Engine, Cloud Functions | [`GoogleMetadata`] | access tokens and ID tokens of the service account |
//! | Azure virtual machines, scale sets, Container Instances, AKS nodes | [`AzureVm`] | tokens of a managed identity |
//! | Azure App Service, Functions, Container Apps | [`AzureAppService`] | tokens of a managed identity |
//!
//! AWS isn't here, as what its service hands out are keys to sign requests with, and not bearer tokens.
//!
//! # Where requests go
//!
//! A metadata service hands out its machine's credentials to whoever asks from inside. So nothing in this crate connects to
//! one, neither [`Client`](crate::Client) nor any URL that is configured, but these credentials. Each has a client of its own
//! that knows one host and is handed out to nobody. It goes through no proxy, follows no redirect, and connects to this
//! machine and its links alone: to loopback and link-local addresses, and to the one that Google has for IPv6, whatever a name
//! leads to. What a tenant's data has to do with goes there neither: see [`Tenants`](crate::Tenants).
//!
//! # A machine's first minute
//!
//! Such a service may not be ready when the program starts. What may pass is asked again within the same flight, as its
//! documentation says; all who wait for a token wait for that, each no longer than its own timeout.
//!
//! | | what is asked again | after |
//! |---|---|---|
//! | [`AzureVm`] | 404, 410, 429, no answer | 2 s, 4 s, 8 s… up to a minute |
//! | | 5xx | 1 s, 2 s, 4 s… |
//! | [`GoogleMetadata`], [`AzureAppService`] | 429, 5xx, no answer | 1 s, 2 s, 4 s… |
//!
//! When a flight's [attempts](crate::RefreshPolicy::attempts) are used up (3 by default), or its
//! [deadline](crate::RefreshPolicy::flight_deadline) would come first (30 s), it fails as
//! [transient](crate::AcquireErrorKind::Transient), and the next one begins after as long again. Everything else, such as an
//! identity that isn't there, is the same at the next attempt. It is tried once, and says what to look at.
//!
//! # Tokens
//!
//! The services cache tokens, and give the same one until shortly before it expires. Where a server has rejected it before,
//! another one can't be had by asking, so that acquiring is paused: see [`AuthErrorKind::Paused`](crate::AuthErrorKind::Paused).
//! They are not shared by a [store](crate::store), since each machine has its own.

mod azure_app_service;
mod azure_vm;
mod google;
mod host;
mod managed_identity;
mod metadata_credential;
mod service;

pub use azure_app_service::AzureAppService;
pub use azure_vm::AzureVm;
pub use google::GoogleMetadata;
pub use managed_identity::ManagedIdentity;
pub use metadata_credential::MetadataCredential;
