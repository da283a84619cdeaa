//! The table `metadata`: a machine's own identity, by the name of the service that has it.
//!
//! A file says which service it is, and never where it is: no file leads to a metadata service.

use secrecy::ExposeSecret;

use super::{
    value::{Table, Value},
    word::source,
};
use crate::{
    credential::metadata::{AzureAppService, AzureVm, GoogleMetadata, ManagedIdentity, MetadataCredential},
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
};

const KEYS: [&str; 8] =
    ["service", "audience", "scopes", "account", "resource", "client_id", "object_id", "resource_id"];

/// What is asked for, and of which service.
#[derive(Clone, Debug)]
pub(super) enum Metadata {
    Google { audience: Option<SecretSource>, scopes: Vec<SecretSource>, account: Option<SecretSource> },
    AzureVm { resource: SecretSource, identity: Option<Identity> },
    AzureAppService { resource: SecretSource, identity: Option<Identity> },
}

/// A managed identity, by the key that names it.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    by: fn(String) -> ManagedIdentity,
    value: SecretSource,
}

/// What the table `metadata` declares.
pub(super) fn metadata(value: Value) -> Result<Metadata, ConfigError> {
    let mut table = value.table(&KEYS)?;
    let service = table.need("service")?;
    let found = match service.text()? {
        "google" => google(&mut table)?,
        "azure-vm" => {
            Metadata::AzureVm { resource: source(&table.need("resource")?)?, identity: identity(&mut table)? }
        }
        "azure-app-service" => Metadata::AzureAppService {
            resource: source(&table.need("resource")?)?,
            identity: identity(&mut table)?,
        },
        _ => return Err(service.refuse("there are google, azure-vm and azure-app-service")),
    };
    table.end(service.text()?)?;
    Ok(found)
}

fn google(table: &mut Table) -> Result<Metadata, ConfigError> {
    let account = table.take("account").as_ref().map(source).transpose()?;
    let (audience, scopes) = match table.take_one_of(&["audience", "scopes"])? {
        None => (None, Vec::new()),
        Some((key, value)) if key == "audience" => (Some(source(&value)?), Vec::new()),
        Some((_, value)) => (None, value.one_or_more()?.iter().map(source).collect::<Result<Vec<_>, _>>()?),
    };
    Ok(Metadata::Google { audience, scopes, account })
}

fn identity(table: &mut Table) -> Result<Option<Identity>, ConfigError> {
    let Some((key, value)) = table.take_one_of(&["client_id", "object_id", "resource_id"])? else {
        return Ok(None);
    };
    let by: fn(String) -> ManagedIdentity = match &*key {
        "client_id" => ManagedIdentity::client_id,
        "object_id" => ManagedIdentity::object_id,
        _ => ManagedIdentity::resource_id,
    };
    Ok(Some(Identity { by, value: source(&value)? }))
}

impl Metadata {
    /// The credential, which logs call `name`.
    pub(super) fn build(self, name: String) -> Result<MetadataCredential, ConfigError> {
        match self {
            Self::Google { audience, scopes, account } => {
                let google = match audience {
                    Some(audience) => GoogleMetadata::id_token(text("audience", &audience)?),
                    None => GoogleMetadata::access_token(),
                };
                let mut google = google.host_from_env().name(name);
                for scope in &scopes {
                    google = google.scope(text("scopes", scope)?);
                }
                match account {
                    Some(account) => google.service_account(text("account", &account)?).build(),
                    None => google.build(),
                }
            }
            Self::AzureVm { resource, identity } => {
                let vm = AzureVm::new(text("resource", &resource)?).name(name);
                match identity {
                    Some(identity) => vm.identity(identity.named()?).build(),
                    None => vm.build(),
                }
            }
            Self::AzureAppService { resource, identity } => {
                let app = AzureAppService::new(text("resource", &resource)?).name(name);
                match identity {
                    Some(identity) => app.identity(identity.named()?).build(),
                    None => app.build(),
                }
            }
        }
    }
}

impl Identity {
    fn named(self) -> Result<ManagedIdentity, ConfigError> {
        Ok((self.by)(text("identity", &self.value)?))
    }
}

/// What is there now, and can't be another one later.
fn text(key: &str, source: &SecretSource) -> Result<String, ConfigError> {
    if source.0.is_asked_for() {
        let words = format!(
            "metadata: its {key} has to be known when the layer is built; give it as text, or by a variable or a file"
        );
        return Err(ConfigError::new(ConfigErrorKind::Input, words));
    }
    Ok(source.0.peek(key)?.expose_secret().to_owned())
}
