//! [`DeviceAuthorization`]: somebody is asked to log in at another device, and [`DeviceCode`] is what is waited with.

use std::{borrow::Cow, fmt, time::Duration};

use secrecy::SecretString;

use super::{
    client_authentication::ClientAuthentication, grant::Grant, server::AuthorizationServer, setup::Setup,
    text::Text,
};
use crate::{
    credential::{AnswerField, Param},
    error::{AcquireError, AcquireErrorKind},
    observe::Reason,
    token::{AccessToken, Acquire, Credential},
    transport::Transport,
};

/// Between two requests for the token, if the server doesn't say it (RFC 8628 §3.2).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);

/// Asks a server for a code with which somebody can log in at another device (RFC 8628 §3.1). The token is asked for with an
/// [`ExtensionGrant`](super::ExtensionGrant) then, whose name is [`DeviceCode::GRANT_TYPE`].
///
/// # Examples
///
/// ```
/// use tower_reauth::{BoxError, Transport, oauth2::{ClientAuthentication, DeviceAuthorization}};
///
/// async fn begin(transport: Transport) -> Result<(), BoxError> {
///     let client = ClientAuthentication::public("my-app");
///     let code = DeviceAuthorization::new("https://login.example.com/device", client)
///         .scope("offline_access")
///         .request(transport)
///         .await?;
///     println!("go to {} and enter {}", code.verification_uri(), code.user_code());
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DeviceAuthorization {
    setup: Setup,
}

impl DeviceAuthorization {
    /// A request by `client` to the device authorization endpoint at `endpoint`.
    pub fn new(endpoint: impl Into<AuthorizationServer>, client: ClientAuthentication) -> Self {
        let mut setup = Setup::new(endpoint, client);
        setup.shape.token = "/device_code".into();
        let members = [
            ("user_code", "/user_code"),
            ("verification_uri", "/verification_uri"),
            // So it was called in drafts, and still is by some.
            ("verification_url", "/verification_url"),
            ("verification_uri_complete", "/verification_uri_complete"),
            ("interval", "/interval"),
        ];
        let members = members.into_iter().map(|(name, field)| (name.into(), AnswerField::pointer(field)));
        setup.shape.members.extend(members);
        Self { setup }
    }

    /// Sets the scope that is asked for, words with one space between them. By default none is sent.
    pub fn scope(mut self, scope: impl Into<Text>) -> Self {
        self.setup.scope = Some(scope.into());
        self
    }

    /// Adds a parameter of the server's own.
    pub fn param(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Param>) -> Self {
        self.setup.params.push((name.into(), value.into()));
        self
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`] if there is no code, or what is asked for can't be.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the request.
    pub async fn request(self, transport: impl Into<Transport>) -> Result<DeviceCode, AcquireError> {
        let credential = self.setup.build(Grant::DeviceAuthorization, transport);
        let credential = credential.map_err(|error| {
            AcquireError::unsupported("the device authorization can't be asked for").with_source(error)
        })?;
        DeviceCode::of(credential.acquire(Acquire::new(Reason::Cold, None)).await?)
    }
}

/// What is waited with while somebody logs in at another device (RFC 8628 §3.2). `Debug` shows no code.
#[derive(Clone)]
pub struct DeviceCode {
    device_code: SecretString,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    interval: Duration,
    lifetime: Option<Duration>,
}

impl DeviceCode {
    /// The name of the grant that asks for the token (RFC 8628 §3.4). Its parameter is `device_code`.
    pub const GRANT_TYPE: &'static str = "urn:ietf:params:oauth:grant-type:device_code";

    /// The code that the token is asked for with.
    #[must_use]
    pub fn device_code(&self) -> &SecretString {
        &self.device_code
    }

    /// The code that somebody is to enter.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where they are to enter it.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// Where they need not enter it, if there is such a place.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// How long to wait between two requests for the token, by default 5 s. After `slow_down`, 5 s longer (RFC 8628 §3.5).
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// How long the codes are good for.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    fn of(answer: AccessToken) -> Result<Self, AcquireError> {
        let member = |name: &str| answer.member(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let missing = |what: &str| {
            let words = format!("the authorization server's answer has a device code and no {what}");
            AcquireError::new(AcquireErrorKind::Unintelligible, words)
        };
        let interval = member("interval").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Ok(Self {
            device_code: answer.expose_secret().to_owned().into(),
            user_code: member("user_code").ok_or_else(|| missing("user code"))?,
            verification_uri: member("verification_uri")
                .or_else(|| member("verification_url"))
                .ok_or_else(|| missing("verification uri"))?,
            verification_uri_complete: member("verification_uri_complete"),
            interval: interval.unwrap_or(USUAL_INTERVAL),
            lifetime: answer.lifetime(),
        })
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("verification_uri", &self.verification_uri)
            .field("interval", &self.interval)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
