//! [`ExtensionGrant`]: a grant that has no builder of its own.

use std::borrow::Cow;

use super::{
    client_authentication::ClientAuthentication,
    grant::Grant,
    methods::{refresh_methods, setup_methods},
    server::AuthorizationServer,
    setup::Setup,
};

/// Tokens by a grant that has no builder here (RFC 6749 §4.5): its name, and its parameters as
/// [`acquire_param`](Self::acquire_param). So are the ends of a login: an authorization code (RFC 6749 §4.1.3) and a device
/// code (RFC 8628 §3.4), which are good once.
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AccessToken, Acquire, BoxError, Credential, Param, Reason, Transport,
///     oauth2::{ClientAuthentication, ExtensionGrant},
/// };
///
/// async fn redeem(code: String, verifier: String, transport: Transport) -> Result<AccessToken, BoxError> {
///     let client = ClientAuthentication::public("my-app");
///     let code = ExtensionGrant::new("https://login.example.com/token", client, "authorization_code")
///         .acquire_param("code", Param::secret(code))
///         .acquire_param("redirect_uri", "http://127.0.0.1:8080/")
///         .acquire_param("code_verifier", Param::secret(verifier))
///         .build(transport)?;
///     // By itself, and in no cache: it is good once.
///     Ok(code.acquire(Acquire::new(Reason::Cold, None)).await?)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ExtensionGrant {
    setup: Setup,
    grant: Cow<'static, str>,
}

impl ExtensionGrant {
    /// Tokens of `server` for `client`, by the grant of this name.
    pub fn new(
        server: impl Into<AuthorizationServer>,
        client: ClientAuthentication,
        grant_type: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { setup: Setup::new(server, client), grant: grant_type.into() }
    }
}

setup_methods!(ExtensionGrant, |grant_type| Grant::Extension { grant_type });
refresh_methods!(ExtensionGrant);
