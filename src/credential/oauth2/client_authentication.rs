//! [`ClientAuthentication`]: who we are to the authorization server, and how we prove it (RFC 6749 §2.3).

use secrecy::{ExposeSecret, SecretString};

use super::{
    assertion::Assertion,
    place::{Place, See},
    text::Text,
};
use crate::{
    credential::{
        Param, TokenRequest,
        endpoint::{BY_JWT, BY_SECRET},
    },
    error::{AcquireError, ConfigError, ConfigErrorKind},
    secret::{SecretSource, Supply},
};

/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client of an authorization server: its id, and how it authenticates at the token endpoint.
///
/// # Examples
///
/// ```
/// use tower_reauth::oauth2::{ClientAuthentication, SecretSource};
///
/// let usual = ClientAuthentication::secret_basic("s6BhdRkqt3", SecretSource::env("CLIENT_SECRET"));
/// let in_the_body = ClientAuthentication::secret_post("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw");
/// let both = ClientAuthentication::secret_basic("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw").with_id_in_body();
/// let by_certificate = ClientAuthentication::tls("s6BhdRkqt3");
/// let public = ClientAuthentication::public("s6BhdRkqt3");
/// ```
#[derive(Clone, Debug)]
pub struct ClientAuthentication {
    id: Option<Text>,
    method: Method,
    /// Whether the body has the id in any case.
    id_in_body: bool,
}

#[derive(Clone, Debug)]
enum Method {
    None,
    Tls,
    Basic(Supply),
    RawBasic(Supply),
    Post(Supply),
    Assertion(Supply),
}

/// The former name of [`ClientAuthentication`], by which it was taken for [`Client`](crate::Client), which sends
/// requests.
#[deprecated(note = "it is `ClientAuthentication` now; `tower_reauth::Client` is what sends requests")]
pub type Client = ClientAuthentication;

impl ClientAuthentication {
    /// `client_secret_basic`: HTTP Basic, with id and secret form-encoded first (RFC 6749 §2.3.1), `%20` for a
    /// space. This is what servers have to support.
    pub fn secret_basic(id: impl Into<Text>, secret: impl Into<SecretSource>) -> Self {
        Self::new(id, Method::Basic(secret.into().0))
    }

    /// HTTP Basic with id and secret as they are (RFC 7617), for servers that don't decode them. It makes a
    /// difference only if one of them has other characters than letters, digits and `-._~`.
    pub fn secret_basic_raw(id: impl Into<Text>, secret: impl Into<SecretSource>) -> Self {
        Self::new(id, Method::RawBasic(secret.into().0))
    }

    /// `client_secret_post`: id and secret in the body, for servers that don't take Basic.
    pub fn secret_post(id: impl Into<Text>, secret: impl Into<SecretSource>) -> Self {
        Self::new(id, Method::Post(secret.into().0))
    }

    /// `private_key_jwt`, or any other authentication by a JWT (RFC 7523 §2.2). With the feature `jwt`,
    /// `ClientAuthentication::private_key_jwt` signs them.
    pub fn assertion(id: impl Into<Text>, assertion: impl Into<Assertion>) -> Self {
        Self::new(id, Method::Assertion(assertion.into().0))
    }

    /// `tls_client_auth` and `self_signed_tls_client_auth`: a certificate, which the connection has shown by the time
    /// that the request comes (RFC 8705 §2). The body has the id alone.
    ///
    /// The certificate is the transport's: with the feature `client`, `ClientBuilder::identity`. Where the server's metadata has `mtls_endpoint_aliases`, those are asked
    /// (RFC 8705 §5).
    ///
    /// The server may bind tokens to the certificate (RFC 8705 §3). Nothing here looks at that: such a token is still
    /// sent as `Bearer`, and the API accepts it only over connections with the same certificate, which the client
    /// beneath the layer has to have then.
    pub fn tls(id: impl Into<Text>) -> Self {
        Self::new(id, Method::Tls)
    }

    /// `none`: a public client, which only says its id.
    pub fn public(id: impl Into<Text>) -> Self {
        Self::new(id, Method::None)
    }

    /// No client at all, where the grant alone says who asks: an assertion (RFC 7523 §2.1), a token to exchange.
    #[must_use]
    pub fn unidentified() -> Self {
        Self { id: None, method: Method::None, id_in_body: false }
    }

    /// Sends `client_id` in the body, also beside Basic, for servers that look for it there. The other methods have
    /// it there already.
    #[must_use]
    pub fn with_id_in_body(self) -> Self {
        Self { id_in_body: true, ..self }
    }

    fn new(id: impl Into<Text>, method: Method) -> Self {
        Self { id: Some(id.into()), method, id_in_body: false }
    }

    /// RFC 6749 §A.1.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.id.as_ref().map(Text::known) {
            Some(Some(id)) if id.is_empty() || id.chars().any(char::is_control) => Err(ConfigError::new(
                ConfigErrorKind::Declaration,
                "the client id is empty or has a control character; check where it comes from",
            )),
            None if self.id_in_body => Err(ConfigError::new(
                ConfigErrorKind::Declaration,
                "there is no client id to send in the body; use another client than an unidentified one",
            )),
            _ => Ok(()),
        }
    }

    /// The client's id, if there is a client.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_ref().and_then(Text::known)
    }

    /// Shows where it may have inputs.
    pub(super) fn places(&mut self, see: &mut See<'_>) {
        if let Some(id) = &mut self.id {
            see(Place::Text("client id", id));
        }
        match &mut self.method {
            Method::None | Method::Tls => {}
            Method::Basic(supply)
            | Method::RawBasic(supply)
            | Method::Post(supply)
            | Method::Assertion(supply) => see(Place::Secret(supply)),
        }
    }

    /// Whether its secret is filled in, and its id is not: then nobody can tell by the id whose secret it is.
    pub(super) fn is_told_by_secret(&self) -> bool {
        let has_open_secret = self.supply().is_some_and(|(_, supply)| supply.is_open());
        has_open_secret && !self.id.as_ref().is_some_and(Text::is_open)
    }

    /// Whether it is the connection that authenticates the client.
    pub(super) fn is_by_tls(&self) -> bool {
        matches!(self.method, Method::Tls)
    }

    /// The secret, or a fresh assertion for `audience`.
    pub(super) async fn secret(&self, audience: &str) -> Result<Option<SecretString>, AcquireError> {
        match self.supply() {
            Some((what, supply)) => supply.read(what, audience).await.map(Some),
            None => Ok(None),
        }
    }

    /// A secret for a request that is only looked at.
    pub(super) fn peek(&self) -> Result<Option<SecretString>, ConfigError> {
        self.supply().map(|(what, supply)| supply.peek_or_open(what)).transpose()
    }

    /// The secret, if it is another one than `refused` by now. A fresh assertion is no other secret, unless it is another
    /// for having been refused.
    pub(super) async fn changed_secret(
        &self,
        refused: Option<&SecretString>,
        audience: &str,
    ) -> Option<SecretString> {
        let (what, supply) = self.supply()?;
        let replaces = refused.is_some_and(|refused| supply.refuse(refused));
        let is_made_anew = matches!(self.method, Method::Assertion(_));
        if !supply.may_change() || (is_made_anew && !replaces) {
            return None;
        }
        let secret = supply.read(what, audience).await.ok()?;
        let same = refused.is_some_and(|refused| refused.expose_secret() == secret.expose_secret());
        (!same).then_some(secret)
    }

    /// Takes down that the server has taken `secret`.
    pub(super) fn accept(&self, secret: Option<&SecretString>) {
        if let (Some((_, supply)), Some(secret)) = (self.supply(), secret) {
            supply.accept(secret);
        }
    }

    /// Whether there is another secret than `refused` by now, as far as can be told without waiting.
    pub(super) fn has_other_secret(&self, refused: &SecretString) -> bool {
        match &self.method {
            Method::Basic(supply) | Method::RawBasic(supply) | Method::Post(supply) => {
                supply.differs_from(refused)
            }
            Method::Assertion(supply) => supply.was_replaced(refused),
            Method::None | Method::Tls => false,
        }
    }

    /// Adds what says and proves who we are.
    pub(super) fn authenticate(&self, request: TokenRequest, secret: Option<&SecretString>) -> TokenRequest {
        let request = request.client(self.look_at());
        let Some(id) = &self.id else { return request };
        let secret = || secret.cloned().unwrap_or_default();
        let id = || id.or_stand_in();
        let in_body = |request: TokenRequest| request.form("client_id", Param::text(id()));
        let beside_header = |request| if self.id_in_body { in_body(request) } else { request };
        match &self.method {
            Method::None | Method::Tls => in_body(request),
            Method::Basic(_) => beside_header(request).basic_form_encoded(Param::text(id()), secret()),
            Method::RawBasic(_) => beside_header(request).basic(id().into_owned(), secret()),
            Method::Post(_) => in_body(request).form("client_secret", Param::secret(secret())),
            Method::Assertion(_) => in_body(request)
                .form("client_assertion_type", JWT_BEARER)
                .form("client_assertion", Param::secret(secret())),
        }
    }

    /// What to look at if the server refuses the client.
    fn look_at(&self) -> &'static str {
        match self.method {
            Method::None if self.id.is_none() => "which client the server wants to know of; none was named",
            Method::None => "client id, and whether the server takes it without a secret",
            Method::Tls => "client id, and the certificate that the connection shows",
            Method::Basic(_) | Method::RawBasic(_) | Method::Post(_) => BY_SECRET,
            Method::Assertion(_) => BY_JWT,
        }
    }

    pub(super) fn supply(&self) -> Option<(&'static str, &Supply)> {
        match &self.method {
            Method::None | Method::Tls => None,
            Method::Basic(supply) | Method::RawBasic(supply) | Method::Post(supply) => {
                Some(("client secret", supply))
            }
            Method::Assertion(supply) => Some(("client assertion", supply)),
        }
    }
}
