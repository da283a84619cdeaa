//! [`TokenRequest`]: a request to a token endpoint as data, and how it becomes an HTTP request.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::ExposeSecret;

use super::{
    base_url::BaseUrl,
    json::{JsonObject, JsonValue},
    param::{Param, usable},
};
use crate::{
    error::{AcquireError, ConfigError, ConfigErrorKind},
    secret::{SecretSource, encode},
    token::AccessToken,
};

/// A request that obtains, refreshes or revokes a token, declared as data.
///
/// It is checked when the [`TokenEndpoint`](super::TokenEndpoint) it belongs to is built. It is sent with
/// `Accept: application/json` unless another is given. Values that are secret, in headers, in the body or in the
/// query, are shown by no `Debug` and no error. Where a secret is wanted, text will do, or a [`SecretSource`], which
/// is read each time the request is sent.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Param, SecretSource, TokenRequest};
///
/// let exchange = TokenRequest::post("/auth/api-key").json("apiKey", SecretSource::env("API_KEY"));
/// let refresh = TokenRequest::post("/auth/refresh").json("refreshToken", Param::refresh_token());
/// let other = TokenRequest::post("https://login.example.com/token")
///     .basic("my client", SecretSource::file("/run/secrets/client"))
///     .form("grant_type", "client_credentials");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenRequest {
    method: Method,
    url: Cow<'static, str>,
    query: Vec<(Cow<'static, str>, Param)>,
    headers: Vec<(Cow<'static, str>, Param)>,
    authorization: Vec<Authorization>,
    json: JsonObject,
    json_body: Option<JsonValue>,
    pub(super) form: Vec<(Cow<'static, str>, Param)>,
    accepted: Vec<StatusCode>,
    /// What to look at if the client is refused.
    pub(super) client: Option<&'static str>,
}

/// What goes into `Authorization`.
#[derive(Clone, Debug)]
enum Authorization {
    Basic {
        user_id: SecretSource,
        password: SecretSource,
    },
    /// The same, with both form-encoded first (RFC 6749 §2.3.1).
    FormBasic {
        client_id: Param,
        client_secret: SecretSource,
    },
    Bearer(Param),
}

impl TokenRequest {
    /// A request with `method` to `url`: an absolute URL, or a path at the API's own origin. Secrets belong into
    /// [`query`](Self::query), not into `url`, which errors and `Debug` show.
    pub fn new(method: Method, url: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method,
            url: url.into(),
            query: Vec::new(),
            headers: Vec::new(),
            authorization: Vec::new(),
            json: JsonValue::object(),
            json_body: None,
            form: Vec::new(),
            accepted: Vec::new(),
            client: None,
        }
    }

    /// A `GET` request.
    pub fn get(url: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST` request.
    pub fn post(url: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::POST, url)
    }

    /// Adds a field to the JSON object that is the body: a value such as text or a secret, or [`JsonValue`] of any depth. Fields
    /// keep their order. A name that is there twice is refused when the endpoint is built.
    pub fn json(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<JsonValue>) -> Self {
        self.json = self.json.field(name, value);
        self
    }

    /// Sets the JSON that is the body as a whole, such as an array, or an object without fields. It replaces the one
    /// before it, and can't be beside fields of [`json`](Self::json).
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{JsonValue, SecretSource, TokenRequest};
    ///
    /// let call = JsonValue::object().field("method", "login").field("key", SecretSource::env("ACME_KEY"));
    /// let request = TokenRequest::post("/batch").json_body([call]);
    /// ```
    pub fn json_body(mut self, body: impl Into<JsonValue>) -> Self {
        self.json_body = Some(body.into());
        self
    }

    /// Adds a field to the body, which then is `application/x-www-form-urlencoded`. Spaces are sent as `%20`. A name may be
    /// there more than once, and is then sent as often.
    pub fn form(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Param>) -> Self {
        self.form.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the URL's query, percent-encoded.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Param>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header. It replaces those that would be sent by themselves, `Accept` and `Content-Type`.
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Param>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `Authorization: Basic` (RFC 7617), as UTF-8 and without any further encoding. A `user_id` with a
    /// colon is refused with [`ConfigErrorKind::UserId`] when the endpoint is built.
    pub fn basic(mut self, user_id: impl Into<SecretSource>, password: impl Into<SecretSource>) -> Self {
        let (user_id, password) = (user_id.into(), password.into());
        self.authorization.push(Authorization::Basic { user_id, password });
        self
    }

    /// Sends `Authorization: Basic` as OAuth 2.0 has it (RFC 6749 §2.3.1): both are form-encoded first, with
    /// `%20` for a space, so that they may hold any character.
    pub fn basic_form_encoded(
        mut self,
        client_id: impl Into<Param>,
        client_secret: impl Into<SecretSource>,
    ) -> Self {
        let (client_id, client_secret) = (client_id.into(), client_secret.into());
        self.authorization.push(Authorization::FormBasic { client_id, client_secret });
        self
    }

    /// Sends `Authorization: Bearer` (RFC 6750 §2.1): usually the token to be renewed,
    /// [`Param::access_token`].
    pub fn bearer(mut self, token: impl Into<Param>) -> Self {
        self.authorization.push(Authorization::Bearer(token.into()));
        self
    }

    /// Sets the statuses that mean success, instead of any 2xx.
    pub fn accepts(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.accepted = statuses.into_iter().collect();
        self
    }

    /// The same to another URL.
    pub(super) fn at(self, url: impl Into<Cow<'static, str>>) -> Self {
        Self { url: url.into(), ..self }
    }

    pub(super) fn is_success(&self, status: StatusCode) -> bool {
        if self.accepted.is_empty() { status.is_success() } else { self.accepted.contains(&status) }
    }

    /// Whether `previous` has what the request sends of it.
    pub(super) fn can_use(&self, previous: &AccessToken) -> bool {
        self.params().all(|param| param.is_known(Some(previous)))
    }

    /// The request with the secrets of this moment. Those that don't change need no copy.
    pub(super) async fn with_secrets(&self) -> Result<Cow<'_, Self>, AcquireError> {
        if !self.sources().any(|source| source.0.may_change()) {
            return Ok(Cow::Borrowed(self));
        }
        let mut request = self.clone();
        for source in request.sources_mut() {
            *source = SecretSource::fixed(source.0.read("secret", "").await?);
        }
        Ok(Cow::Owned(request))
    }

    /// The request with the secrets of this moment, and stand-ins for those that only asking could tell, or that are still to
    /// be filled in.
    pub(super) fn with_secrets_at_hand(&self) -> Result<Self, ConfigError> {
        let mut request = self.clone();
        for source in request.sources_mut() {
            *source = SecretSource::fixed(source.0.peek_or_open("secret")?);
        }
        Ok(request)
    }

    /// What the request says without its secrets: method, URL, headers and body.
    pub(super) fn without_secrets(&self, base: &BaseUrl) -> Option<String> {
        let mut request = self.clone();
        for source in request.sources_mut() {
            *source = SecretSource::fixed("-");
        }
        let (head, body) = request.render(base, None).ok()?.into_parts();
        let text = String::from_utf8_lossy;
        let lines = head.headers.iter().map(|(name, value)| format!("{name}: {}", text(value.as_bytes())));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        let body = text(&body);
        Some(format!("{} {}\n{}\n\n{body}", head.method, head.uri, lines.join("\n")))
    }

    /// Where the secrets come from that the request sends.
    pub(super) fn sources(&self) -> impl Iterator<Item = &SecretSource> {
        let authorization = self.authorization.iter().flat_map(|authorization| match authorization {
            Authorization::Basic { user_id, password } => [Some(user_id), Some(password)],
            Authorization::FormBasic { client_id, client_secret } => {
                [client_id.as_secret(), Some(client_secret)]
            }
            Authorization::Bearer(token) => [token.as_secret(), None],
        });
        self.fields().filter_map(Param::as_secret).chain(authorization.flatten())
    }

    pub(super) fn sources_mut(&mut self) -> impl Iterator<Item = &mut SecretSource> {
        let fields = [&mut self.query, &mut self.headers, &mut self.form];
        let json = self.json.params_mut().chain(self.json_body.iter_mut().flat_map(JsonValue::params_mut));
        let authorization = self.authorization.iter_mut().flat_map(|authorization| match authorization {
            Authorization::Basic { user_id, password } => [Some(user_id), Some(password)],
            Authorization::FormBasic { client_id, client_secret } => {
                [client_id.secret_mut(), Some(client_secret)]
            }
            Authorization::Bearer(token) => [token.secret_mut(), None],
        });
        let fields = fields.into_iter().flatten().map(|(_, value)| value).chain(json);
        fields.filter_map(Param::secret_mut).chain(authorization.flatten())
    }

    /// The secrets that the request sends, as far as they don't change, for redaction.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let secrets = self.sources().filter_map(|source| Some(source.0.fixed()?.expose_secret().into()));
        let pairs = self.authorization.iter().filter_map(|authorization| match authorization {
            Authorization::Basic { user_id, password } => {
                let (user_id, password) = (user_id.0.fixed()?, password.0.fixed()?);
                Some(format!("{}:{}", user_id.expose_secret(), password.expose_secret()).into())
            }
            Authorization::FormBasic { client_id, client_secret } => {
                let client_id = client_id.text_of(None).ok()?;
                Some(form_pair(&client_id, client_secret.0.fixed()?.expose_secret()).into())
            }
            Authorization::Bearer(_) => None,
        });
        secrets.chain(pairs)
    }

    /// Method and URL, without the query and so without any secret.
    pub(super) fn line(&self, base: &BaseUrl) -> Result<(&Method, Uri), ConfigError> {
        let uri = base.resolve(&self.url)?.parse();
        let uri = uri.map_err(|error| {
            ConfigError::new(ConfigErrorKind::Url, "a token request's url is not valid").with_source(error)
        })?;
        Ok((&self.method, uri))
    }

    /// The HTTP request. Anything wrong with the declaration shows here, so building an endpoint tries it once.
    pub(super) fn render(
        &self,
        base: &BaseUrl,
        previous: Option<&AccessToken>,
    ) -> Result<Request<Bytes>, ConfigError> {
        let (body, media_type) = self.body(previous)?;
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri(base, previous)?;
        let headers = request.headers_mut();
        self.write_headers(headers, previous)?;
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        if let Some(media_type) = media_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media_type));
        }
        Ok(request)
    }

    fn uri(&self, base: &BaseUrl, previous: Option<&AccessToken>) -> Result<Uri, ConfigError> {
        let mut url = base.resolve(&self.url)?;
        for (name, value) in &self.query {
            url.push(if url.contains('?') { '&' } else { '?' });
            push_pair(&mut url, name, value, previous)?;
        }
        url.parse().map_err(|error| {
            ConfigError::new(ConfigErrorKind::Url, "a token request's url is not valid").with_source(error)
        })
    }

    fn body(&self, previous: Option<&AccessToken>) -> Result<(Bytes, Option<&'static str>), ConfigError> {
        let refuse = |words| Err(ConfigError::new(ConfigErrorKind::Declaration, words));
        let json = match (&self.json_body, self.json.is_empty()) {
            (None, true) => None,
            (None, false) => Some(self.json.text(previous)?),
            (Some(body), true) => Some(body.text(previous)?),
            (Some(_), false) => {
                return refuse(
                    "a token request has json fields beside a whole json body; write them into it",
                );
            }
        };
        Ok(match (json, self.form.is_empty()) {
            (None, true) => (Bytes::new(), None),
            (Some(json), true) => (json.into(), Some("application/json")),
            (None, false) => {
                let mut form = String::new();
                for (name, value) in &self.form {
                    if !form.is_empty() {
                        form.push('&');
                    }
                    push_pair(&mut form, name, value, previous)?;
                }
                (form.into(), Some("application/x-www-form-urlencoded"))
            }
            (Some(_), false) => {
                return refuse("a token request has both json and form fields; use one kind");
            }
        })
    }

    fn write_headers(
        &self,
        headers: &mut HeaderMap,
        previous: Option<&AccessToken>,
    ) -> Result<(), ConfigError> {
        for (name, value) in &self.headers {
            let secret = !value.is_literal();
            let value = header_value(&value.text_of(previous)?, secret)?;
            headers.append(header_name(name)?, value);
        }
        for authorization in &self.authorization {
            let value = match authorization {
                Authorization::Basic { user_id, password } => {
                    let (user_id, password) = (usable(user_id)?, usable(password)?);
                    format!("Basic {}", encode::basic(user_id, password)?)
                }
                Authorization::FormBasic { client_id, client_secret } => {
                    let (client_id, secret) = (client_id.text_of(previous)?, usable(client_secret)?);
                    format!("Basic {}", BASE64_STANDARD.encode(form_pair(&client_id, secret)))
                }
                Authorization::Bearer(token) => format!("Bearer {}", token.text_of(previous)?),
            };
            headers.append(AUTHORIZATION, header_value(&value, true)?);
        }
        if headers.get_all(AUTHORIZATION).iter().count() > 1 {
            return Err(ConfigError::new(
                ConfigErrorKind::Declaration,
                "a token request has more than one authorization; use one of basic, bearer or a header",
            ));
        }
        Ok(())
    }

    pub(super) fn params(&self) -> impl Iterator<Item = &Param> {
        let authorization = self.authorization.iter().filter_map(|authorization| match authorization {
            Authorization::Bearer(param) | Authorization::FormBasic { client_id: param, .. } => Some(param),
            Authorization::Basic { .. } => None,
        });
        self.fields().chain(authorization)
    }

    /// The values of query, headers and body.
    fn fields(&self) -> impl Iterator<Item = &Param> {
        let fields = [&self.query, &self.headers, &self.form];
        let json = self.json.params().chain(self.json_body.iter().flat_map(JsonValue::params));
        fields.into_iter().flatten().map(|(_, value)| value).chain(json)
    }
}

/// Client id and secret as they are within Basic (RFC 6749 §2.3.1).
fn form_pair(client_id: &str, secret: &str) -> String {
    format!("{}:{}", encode::percent(client_id), encode::percent(secret))
}

/// The header's name, or an error that says that it is none.
pub(super) fn header_name(name: &str) -> Result<HeaderName, ConfigError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|error| {
        let message = format!("{name:?} is not a header name");
        ConfigError::new(ConfigErrorKind::Header, message).with_source(error)
    })
}

fn header_value(text: &str, secret: bool) -> Result<HeaderValue, ConfigError> {
    let kind = if secret { ConfigErrorKind::Secret } else { ConfigErrorKind::Header };
    let mut value = HeaderValue::from_str(text).map_err(|error| {
        ConfigError::new(kind, "a token request's header value has a character that no header can carry")
            .with_source(error)
    })?;
    value.set_sensitive(secret);
    Ok(value)
}

fn push_pair(
    text: &mut String,
    name: &str,
    value: &Param,
    previous: Option<&AccessToken>,
) -> Result<(), ConfigError> {
    text.extend(encode::percent(name));
    text.push('=');
    text.extend(encode::percent(&value.text_of(previous)?));
    Ok(())
}
