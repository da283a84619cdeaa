//! Asks the token endpoint for what a login has earned.

use tokio::time::timeout;
use tower_reauth::{
    AccessToken, Acquire, AcquireError, Client, Credential, Param, Reason, oauth2::ExtensionGrant,
};

use super::failure::Failure;
use crate::registration::Registration;

/// The grant of this type, with these parameters, of which some are secret.
pub(super) async fn redeem(
    registration: &Registration,
    client: &Client,
    grant_type: &'static str,
    params: Vec<(&'static str, Param)>,
) -> Result<AccessToken, AcquireError> {
    let (server, authentication) = (registration.server.clone(), registration.authentication.clone());
    let grant = ExtensionGrant::new(server, authentication, grant_type);
    let grant = params.into_iter().fold(grant, |grant, (name, value)| grant.acquire_param(name, value));
    let grant = grant
        .name(registration.login.name.clone())
        .build(client.clone())
        .map_err(|error| AcquireError::unsupported("the token can't be asked for").with_source(error))?;
    in_time(registration, grant.acquire(Acquire::new(Reason::Cold, None))).await
}

/// Waits for what a server is asked, and not for ever.
pub(super) async fn in_time<T>(
    registration: &Registration,
    asked: impl Future<Output = Result<T, AcquireError>>,
) -> Result<T, AcquireError> {
    let limit = registration.patience;
    timeout(limit, asked).await.unwrap_or_else(|_| {
        Err(AcquireError::transient(format!("there was no answer within {} s", limit.as_secs())))
    })
}

/// A URL that the configuration has, or else the server's metadata.
pub(super) fn endpoint(given: Option<&str>, found: Option<&str>, key: &str) -> Result<String, Failure> {
    given.or(found).map(str::to_owned).ok_or_else(|| {
        Failure::Server(format!(
            "the server's metadata has no such endpoint, or login.issuer isn't set; give login.{key}, or log in in \
             another way, by --by"
        ))
    })
}
