//! [`TokenEndpoint`]: a vendor declared as data, and what is built from it.

use std::borrow::Cow;

use http::Response;
#[cfg(feature = "client")]
use http::uri::Authority;

use super::{
    answer_methods::answer_methods, asked::Asked, base_url::BaseUrl, contract::Contract,
    endpoint_credential::EndpointCredential, judgement::Sent, request::TokenRequest, shape::Shape,
};
use crate::{
    auth::{AuthLayer, Origin, Placement, Plaintext},
    credential::parts::Parts,
    error::{AcquireError, ConfigError},
    secret::SecretSource,
    signature::Signatures,
    token::{AccessToken, Renewal},
    transport::Transport,
};

/// A vendor, declared as data: how its tokens are obtained, renewed and revoked, where its answers have what,
/// where its tokens go, and which of its API's responses mean what.
///
/// By default answers are read as RFC 6749 §5 has them: the token at `/access_token`, its lifetime in seconds at
/// `/expires_in`, the refresh token at `/refresh_token`, any 2xx is a success, and `/error` and
/// `/error_description` are shown in errors. Nothing is checked before the declaration is built.
///
/// A file can say the same, with the feature `serde`: see `Declaration`.
///
/// # Examples
///
/// Zoom, for an app of the kind "server-to-server OAuth". Its answers are those of RFC 6749, but for the parameters
/// of the request, and the words for an expired token: one code has two meanings, so the rule looks at the message
/// too.
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::{
///     AuthLayer, ConfigError, Rule, SecretSource, Signatures, TokenEndpoint, TokenRequest, Transport,
///     signature::json,
/// };
///
/// fn zoom(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let request = TokenRequest::post("https://zoom.us/oauth/token")
///         .query("grant_type", "account_credentials")
///         .query("account_id", SecretSource::env("ZOOM_ACCOUNT_ID"))
///         .basic(SecretSource::env("ZOOM_CLIENT_ID"), SecretSource::env("ZOOM_CLIENT_SECRET"));
///     let expired = json("/code").is(124).and(json("/message").is("Access token is expired."));
///     let expired = Rule::expired().status(StatusCode::UNAUTHORIZED).when(expired);
///     TokenEndpoint::new("Zoom", "https://api.zoom.us", request)
///         .signatures(Signatures::new().rule(expired).reason("/message"))
///         .layer(transport)
/// }
/// ```
///
/// Feishu, with the token of a tenant (for Lark the host is `open.larksuite.com`). Token and lifetime have names of
/// their own, and failures come with a 200 and a code:
///
/// ```
/// # use http::StatusCode;
/// # use tower_reauth::{
/// #     AuthLayer, ConfigError, Param, Rule, SecretSource, Signatures, TokenEndpoint, TokenRequest, Transport,
/// #     signature::json,
/// # };
/// fn feishu(app_id: String, secret: SecretSource, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let request = TokenRequest::post("/open-apis/auth/v3/tenant_access_token/internal")
///         .json("app_id", Param::text(app_id))
///         .json("app_secret", secret);
///     let expired = Rule::expired().status(StatusCode::BAD_REQUEST).when(json("/code").is(99991663));
///     TokenEndpoint::new("Feishu", "https://open.feishu.cn", request)
///         .token("/tenant_access_token")
///         .lifetime("/expire")
///         .success("/code", 0)
///         .message("/msg")
///         .signatures(Signatures::new().rule(expired).reason("/msg"))
///         .layer(transport)
/// }
/// ```
///
/// Marketo, whose host is each customer's own, and in whose answers a token expires with a 200. The codes are
/// strings; only JSON is looked at, so that downloads stream:
///
/// ```
/// # use http::StatusCode;
/// # use tower_reauth::{
/// #     AuthLayer, ConfigError, Rule, SecretSource, Signatures, TokenEndpoint, TokenRequest, Transport,
/// #     signature::{json, media_type},
/// # };
/// fn marketo(instance: String, secret: SecretSource, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let request = TokenRequest::get("/identity/oauth/token")
///         .query("grant_type", "client_credentials")
///         .query("client_id", SecretSource::env("MARKETO_CLIENT_ID"))
///         .query("client_secret", secret);
///     let in_200 = |rule: Rule| rule.status(StatusCode::OK).read_success_bodies().when(media_type("json"));
///     let signatures = Signatures::new()
///         .rule(in_200(Rule::expired()).when(json("/errors/*/code").is("602")))
///         .rule(in_200(Rule::invalid()).when(json("/errors/*/code").is("601")))
///         .reason("/errors/0/message");
///     TokenEndpoint::new("Marketo", instance, request).signatures(signatures).layer(transport)
/// }
/// ```
///
/// A vendor that isn't there, whose tokens can be renewed and given back. Its answers don't say how long they last:
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::{AuthLayer, ConfigError, Param, SecretSource, TokenEndpoint, TokenRequest, Transport};
///
/// fn acme(transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let key = SecretSource::file("/run/secrets/acme");
///     let open = TokenRequest::post("/v2/sessions").json("key", key).json("scope", "videos");
///     let renew = TokenRequest::new(http::Method::PUT, "/v2/sessions").bearer(Param::access_token());
///     let close = TokenRequest::new(http::Method::DELETE, "/v2/sessions").bearer(Param::access_token());
///     TokenEndpoint::new("Acme", "https://api.acme.example", open)
///         .refresh(renew)
///         .revoke(close)
///         .token("/session/id")
///         .fixed_lifetime(Duration::from_secs(30 * 60))
///         .success("/ok", true)
///         .message("/problem")
///         .layer(transport)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenEndpoint {
    base_url: Cow<'static, str>,
    /// Where else tokens go.
    others: Vec<Cow<'static, str>>,
    plaintext: Plaintext,
    contract: Contract,
    signatures: Signatures,
    placement: Placement,
}

impl TokenEndpoint {
    /// Declares the vendor `name`, whose API is at the origin `base_url` and whose tokens are obtained by
    /// `acquire`. The origin may have a path, such as a gateway's: it comes before every path of the vendor, and
    /// tokens go nowhere else.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        base_url: impl Into<Cow<'static, str>>,
        acquire: TokenRequest,
    ) -> Self {
        Self {
            base_url: base_url.into(),
            others: Vec::new(),
            plaintext: Plaintext::default(),
            contract: Contract::new(name.into(), acquire),
            signatures: Signatures::oauth2(),
            placement: Placement::default(),
        }
    }

    /// The vendor's name, for logs and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.contract.name
    }

    /// Replaces the origin of the API: a staging host, a gateway, or a server on loopback in tests. Token requests
    /// that are declared with a path go there as well, beneath the origin's own path if it has one. Tokens go nowhere else
    /// then: [other origins](Self::other_origin) have to be named again.
    pub fn base_url(mut self, base_url: impl Into<Cow<'static, str>>) -> Self {
        self.base_url = base_url.into();
        self.others.clear();
        self
    }

    /// Adds an origin where tokens go as well, such as an upload host: see [`Origin::with_other`]. Token requests don't.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{Param, SecretSource, TokenEndpoint, TokenRequest};
    ///
    /// let login = TokenRequest::post("/oauth2/token").form("key", SecretSource::env("ACME_KEY"));
    /// let acme = TokenEndpoint::new("Acme", "https://api.acme.example", login)
    ///     .other_origin("https://content.acme.example");
    /// ```
    pub fn other_origin(mut self, origin: impl Into<Cow<'static, str>>) -> Self {
        self.others.push(origin.into());
        self
    }

    /// Lets secrets and tokens travel in plain text over `http` to any host, in token requests and to the API. By
    /// default `http` is for loopback alone, since anybody on the way could read them. Metadata services are refused
    /// whatever is said.
    pub fn allow_plaintext_secrets(mut self) -> Self {
        self.plaintext = Plaintext::Allowed;
        self
    }

    /// Sets the request that renews a token. It is tried first where the previous token has what it sends; if it
    /// fails, a token is acquired from scratch.
    pub fn refresh(mut self, request: TokenRequest) -> Self {
        self.contract.refresh = Some(request);
        self
    }

    /// Sets the request that makes the vendor forget a token: a logout.
    pub fn revoke(mut self, request: TokenRequest) -> Self {
        self.contract.revoke = Some(request);
        self
    }

    /// Says who logs in: not a secret, though it may come from where secrets do.
    pub(in crate::credential) fn user(mut self, user: SecretSource) -> Self {
        self.contract.user = Some(user);
        self
    }

    /// Judges answers by the letter of RFC 6749 §5, beside their status.
    ///
    /// - A `token_type` other than `Bearer`, in whatever case, makes an answer useless, unless the vendor's name for it was
    ///   [given](Self::token_type); an absent one is `Bearer`. Types that are bound to a key are refused in any case.
    /// - Tokens are strings. Otherwise whole numbers will do, digit for digit.
    /// - `invalid_client` in the answer to a refresh refuses the credentials, and not only that grant.
    /// - `error_uri` is shown too.
    pub fn strict(mut self) -> Self {
        self.contract.shape.strict = true;
        self
    }

    /// Sets whether secrets may travel in plain text.
    #[cfg(feature = "oauth2")]
    pub(in crate::credential) fn plaintext(mut self, plaintext: Plaintext) -> Self {
        self.plaintext = plaintext;
        self
    }

    /// Has answers read by `shape`.
    #[cfg(feature = "oauth2")]
    pub(in crate::credential) fn shaped(mut self, shape: Shape) -> Self {
        self.contract.shape = shape;
        self
    }

    /// Sets what renewing a token means to the one it replaces. By default that stays valid.
    pub fn renewal(mut self, renewal: Renewal) -> Self {
        self.contract.renewal = renewal;
        self
    }

    /// Sets which responses of the API mean what. By default those of RFC 6750.
    pub fn signatures(mut self, signatures: Signatures) -> Self {
        self.signatures = signatures;
        self
    }

    /// Sets where in a request the token goes. By default `Authorization: Bearer`.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Checks the declaration, and makes a credential of it that sends its requests with `transport`.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Url`](crate::ConfigErrorKind::Url): `base_url` is no origin, or a request's URL
    ///   can't be parsed.
    /// - [`ConfigErrorKind::InsecureUrl`](crate::ConfigErrorKind::InsecureUrl): one of them is `http` to a
    ///   host that is not loopback, and [`allow_plaintext_secrets`](Self::allow_plaintext_secrets) wasn't said.
    /// - [`ConfigErrorKind::MetadataHost`](crate::ConfigErrorKind::MetadataHost): one of them is at a metadata
    ///   service.
    /// - [`ConfigErrorKind::Secret`](crate::ConfigErrorKind::Secret): a secret is empty, its variable or file
    ///   can't be read, or it has to go into a header that can't carry it.
    /// - [`ConfigErrorKind::UserId`](crate::ConfigErrorKind::UserId): a Basic user-id has a colon.
    /// - [`ConfigErrorKind::Header`](crate::ConfigErrorKind::Header): a header's name or value is not valid.
    /// - [`ConfigErrorKind::Declaration`](crate::ConfigErrorKind::Declaration): a request has two kinds of
    ///   body or of authorization, the request for the first token uses a previous one, or a JSON Pointer is
    ///   none.
    pub fn build(self, transport: impl Into<Transport>) -> Result<EndpointCredential, ConfigError> {
        let base = BaseUrl::parse(&self.base_url, self.plaintext)?;
        self.build_at(base, transport.into())
    }

    /// The credential of a metadata service, whose requests have paths alone.
    #[cfg(feature = "client")]
    pub(in crate::credential) fn build_for_metadata(
        self,
        authority: &Authority,
        transport: Transport,
    ) -> Result<EndpointCredential, ConfigError> {
        self.build_at(BaseUrl::of_metadata(authority), transport)
    }

    fn build_at(self, base: BaseUrl, transport: Transport) -> Result<EndpointCredential, ConfigError> {
        let shape = self.shape();
        let mut contract = self.contract;
        contract.check(&base)?;
        contract.shape = shape;
        Ok(EndpointCredential::new(contract, base, transport))
    }

    /// The token that `response` brings, if the request for the first token were answered like that: to try the declaration
    /// out against recorded answers. Nothing is sent, and no secret is read.
    ///
    /// # Errors
    ///
    /// What a flight would be told: [`AcquireErrorKind::Rejected`](crate::AcquireErrorKind::Rejected) for a refusal, and so
    /// on. [`AcquireErrorKind::Unsupported`](crate::AcquireErrorKind::Unsupported) if the declaration itself is wrong.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::Response;
    /// use tower_reauth::{AcquireErrorKind, Param, SecretSource, TokenEndpoint, TokenRequest};
    ///
    /// let request = TokenRequest::post("/token").json("key", SecretSource::env("ACME_KEY"));
    /// let acme = TokenEndpoint::new("Acme", "https://api.acme.example", request).refusal("/code", 17);
    ///
    /// let recorded = Response::new(r#"{"access_token":"abc","expires_in":3600}"#);
    /// let token = acme.read_answer(&recorded).expect("a token");
    /// assert_eq!(token.lifetime(), Some(std::time::Duration::from_secs(3600)));
    ///
    /// let recorded = Response::builder().status(400).body(r#"{"code":17}"#)?;
    /// let error = acme.read_answer(&recorded).expect_err("a refusal");
    /// assert_eq!(error.kind(), AcquireErrorKind::Rejected);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn read_answer<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<AccessToken, AcquireError> {
        self.read(&self.contract.acquire, None, response)
    }

    /// As [`read_answer`](Self::read_answer), of an answer to the request that renews `previous`. Without a
    /// [`refresh`](Self::refresh) that is the request for the first token, sent again.
    ///
    /// # Errors
    ///
    /// As those of [`read_answer`](Self::read_answer); but what is refused is the grant alone,
    /// [`AcquireErrorKind::GrantRejected`](crate::AcquireErrorKind::GrantRejected), where there is a refresh.
    pub fn read_refresh_answer<B: AsRef<[u8]>>(
        &self,
        previous: &AccessToken,
        response: &Response<B>,
    ) -> Result<AccessToken, AcquireError> {
        match &self.contract.refresh {
            Some(refresh) => self.read(refresh, Some(previous), response),
            None => self.read(&self.contract.acquire, None, response),
        }
    }

    fn read<B: AsRef<[u8]>>(
        &self,
        request: &TokenRequest,
        renewed: Option<&AccessToken>,
        response: &Response<B>,
    ) -> Result<AccessToken, AcquireError> {
        let wrong = |error| AcquireError::unsupported("the declaration is wrong").with_source(error);
        let base = BaseUrl::parse(&self.base_url, self.plaintext).map_err(wrong)?;
        let (method, uri) = request.line(&base).map_err(wrong)?;
        let sent = Sent::at(request, method, &uri);
        let contract = Contract { shape: self.shape(), ..self.contract.clone() };
        let asked = Asked { contract: &contract, request, sent: &sent, renewed, previous: renewed };
        asked.token(response)
    }

    /// How answers are read, by one who knows how the token is sent.
    fn shape(&self) -> Shape {
        Shape { scheme: self.placement.scheme().map(Into::into), ..self.contract.shape.clone() }
    }

    /// As [`build`](Self::build), with what belongs to the credential.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), of the [other origins](Self::other_origin) as well.
    pub fn parts(self, transport: impl Into<Transport>) -> Result<Parts<EndpointCredential>, ConfigError> {
        let Parts { credential: (), origin, signatures, placement } = self.parts_without_credential()?;
        Ok(Parts { credential: self.build(transport)?, origin, signatures, placement })
    }

    /// What belongs to a credential for this vendor's API, whichever it is.
    pub(crate) fn parts_without_credential(&self) -> Result<Parts<()>, ConfigError> {
        Ok(Parts {
            credential: (),
            origin: Origin::of_base_urls(&self.base_url, &self.others, self.plaintext)?,
            signatures: self.signatures.clone(),
            placement: self.placement.clone(),
        })
    }

    /// The layer for the vendor's API, with its origin, signatures and placement.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    pub fn layer(self, transport: impl Into<Transport>) -> Result<AuthLayer, ConfigError> {
        Ok(self.parts(transport)?.into_layer())
    }
}

answer_methods!(TokenEndpoint, contract.shape);
