//! VIDIZMO: a login answered with a bare string, and expiry that is answered 400.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};

use super::{
    answer::Answer,
    engine::{Engine, Vendor, X_API_TOKEN},
    fake::fake,
    forge,
    plan::Endpoint,
    recorded::{Presented, Recorded, field},
    refusal::Violation,
    tokens::{Standing, Tokens},
};

/// A fake of a VIDIZMO portal with one user.
///
/// - `POST /api/v1/user/authenticate` answers with a token of 1 day.
/// - `POST /api/v1/user/refresh-access-token` with a bearer token, valid or expired, answers with another one; the
///   former stays as it was. An invalid one, or one that was logged out, is answered 400 `InvalidAccessTokenException`.
/// - `POST /api/v1/user/logout` with a bearer token expires it. Its answer is invented: 200 without a body.
/// - API calls take `Authorization: Bearer <token>`; without it the answer is that to an invalid token.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{FakeVidizmo, FinalSlash, TokenText};
///
/// let vidizmo = FakeVidizmo::password("john.doe@gmail.com", "examplepassword");
/// vidizmo.set_refresh_path(FinalSlash::With);
/// vidizmo.set_token_text(TokenText::Raw);
/// ```
#[derive(Clone, Debug)]
pub struct FakeVidizmo {
    engine: Engine<Vidizmo>,
}

impl FakeVidizmo {
    /// A fake whose user logs in with a password.
    #[must_use]
    pub fn password(email_address: impl Into<String>, password: impl Into<String>) -> Self {
        Self::new(email_address.into(), Secret::Password(password.into()))
    }

    /// A fake whose user logs in with a client secret.
    #[must_use]
    pub fn client_secret(email_address: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new(email_address.into(), Secret::ClientSecret(client_secret.into()))
    }

    /// Accepts this password or client secret from now on, as which of the two the fake was made. Tokens stay as they
    /// are.
    pub fn set_secret(&self, secret: impl Into<String>) {
        self.engine.with(|vendor, state| {
            let (Secret::Password(current) | Secret::ClientSecret(current)) = &mut vendor.secret;
            *current = secret.into();
            state.tokens.restore_credentials();
        });
    }

    /// Sets which path the refresh endpoint has.
    pub fn set_refresh_path(&self, slash: FinalSlash) {
        self.engine.with(|vendor, _| vendor.slash = slash);
    }

    /// Sets how tokens are written.
    pub fn set_token_text(&self, text: TokenText) {
        self.engine.with(|vendor, _| vendor.text = text);
    }

    fn new(email_address: String, secret: Secret) -> Self {
        let vendor = Vidizmo { email_address, secret, slash: FinalSlash::Without, text: TokenText::Json };
        Self { engine: Engine::new(vendor, Some(Duration::from_secs(24 * 3600))) }
    }
}

fake!(FakeVidizmo);

/// Whether the path of VIDIZMO's refresh endpoint ends in a slash; its documentation has both.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::FinalSlash;
///
/// assert_eq!(FinalSlash::default(), FinalSlash::Without);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinalSlash {
    /// `/api/v1/user/refresh-access-token` only.
    #[default]
    Without,
    /// `/api/v1/user/refresh-access-token/` only.
    With,
    /// Both.
    Either,
}

/// How VIDIZMO writes a token.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::TokenText;
///
/// assert_eq!(TokenText::default(), TokenText::Json);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenText {
    /// As a JSON string, quotes and all.
    #[default]
    Json,
    /// As `text/plain`, without quotes.
    Raw,
}

/// The errors that VIDIZMO answers, each time with another `incidentId`.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{FakeVidizmo, On, Times, VidizmoError};
///
/// let vidizmo = FakeVidizmo::password("john.doe@gmail.com", "examplepassword");
/// vidizmo.controls().fail(On::Refresh, Times::Next(1), VidizmoError::InvalidAccessToken);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VidizmoError {
    /// 400 `ExpiredAccessTokenException`
    ExpiredAccessToken,
    /// 400 `InvalidAccessTokenException`
    InvalidAccessToken,
    /// 400 to a login with another address or secret; the name is invented.
    LoginFailed,
    /// 400 of an ordinary bad request; the name is invented.
    BadRequest,
    /// The same, with `ExpiredAccessTokenException` in its details, where it means nothing.
    ExpiredInDetails,
}

impl VidizmoError {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::ExpiredAccessToken,
        Self::InvalidAccessToken,
        Self::LoginFailed,
        Self::BadRequest,
        Self::ExpiredInDetails,
    ];
}

impl From<VidizmoError> for Answer {
    fn from(error: VidizmoError) -> Self {
        let make: fn() -> Bytes = match error {
            VidizmoError::ExpiredAccessToken => || exception("ExpiredAccessTokenException", ""),
            VidizmoError::InvalidAccessToken => || exception("InvalidAccessTokenException", ""),
            VidizmoError::LoginFailed => || exception("AuthenticationFailedException", ""),
            VidizmoError::BadRequest => || exception("ValidationException", ""),
            VidizmoError::ExpiredInDetails => {
                || exception("ValidationException", r#"{"name":"ExpiredAccessTokenException"}"#)
            }
        };
        Self::fresh(StatusCode::BAD_REQUEST, make)
    }
}

struct Vidizmo {
    email_address: String,
    secret: Secret,
    slash: FinalSlash,
    text: TokenText,
}

#[derive(PartialEq)]
enum Secret {
    Password(String),
    ClientSecret(String),
}

enum Grant {
    Login { email_address: String, secret: Secret },
    Refresh(Option<String>),
    Logout(Option<String>),
}

const AUTHENTICATE: &str = "/api/v1/user/authenticate";
const REFRESH: &str = "/api/v1/user/refresh-access-token";
const LOGOUT: &str = "/api/v1/user/logout";

impl Vendor for Vidizmo {
    type Grant = Grant;
    type Denial = VidizmoError;

    const MALFORMED: &'static str = r#""""#;

    fn endpoint(&self, path: &str) -> Endpoint {
        match path.strip_suffix('/').unwrap_or(path) {
            AUTHENTICATE => Endpoint::Acquire,
            REFRESH => Endpoint::Refresh,
            LOGOUT => Endpoint::Logout,
            _ => Endpoint::Api,
        }
    }

    fn read(&self, endpoint: Endpoint, request: &Recorded) -> Result<Grant, Violation> {
        let slash = if endpoint == Endpoint::Refresh { self.slash } else { FinalSlash::Without };
        let fits = match slash {
            FinalSlash::Without => !request.path().ends_with('/'),
            FinalSlash::With => request.path().ends_with('/'),
            FinalSlash::Either => true,
        };
        if !fits {
            return Err(Violation::Path);
        }
        match endpoint {
            Endpoint::Acquire => read_login(request),
            Endpoint::Refresh => {
                request.expect_token_request(&Method::POST)?;
                read_bearer(request).map(Grant::Refresh)
            }
            Endpoint::Logout => {
                request.expect_method(&Method::POST)?;
                read_bearer(request).map(Grant::Logout)
            }
            Endpoint::Api => Err(Violation::Path),
        }
    }

    fn exchange(&self, grant: Grant, tokens: &mut Tokens) -> Answer {
        match grant {
            Grant::Login { email_address, secret } => {
                let known = email_address == self.email_address && secret == self.secret;
                if known && !tokens.credentials_are_removed() {
                    self.issue(tokens)
                } else {
                    VidizmoError::LoginFailed.into()
                }
            }
            Grant::Refresh(token) => match token.map(|token| tokens.standing(&token)) {
                Some(Standing::Valid | Standing::Expired) => self.issue(tokens),
                _ => VidizmoError::InvalidAccessToken.into(),
            },
            Grant::Logout(token) => match judge(token.as_deref(), tokens) {
                Ok(token) => {
                    tokens.log_out(token);
                    Answer::new(StatusCode::OK)
                }
                Err(error) => error.into(),
            },
        }
    }

    fn check(&self, request: &Recorded) -> Result<(), Violation> {
        if request.headers().contains_key(X_API_TOKEN) { Err(Violation::WrongHeader) } else { Ok(()) }
    }

    fn authorise(&self, request: &Recorded, tokens: &Tokens) -> Result<(), VidizmoError> {
        let token = match request.presented(&AUTHORIZATION) {
            Presented::Bearer(token) => Some(token),
            _ => None,
        };
        judge(token.as_deref(), tokens).map(drop)
    }
}

impl Vidizmo {
    fn issue(&self, tokens: &mut Tokens) -> Answer {
        let family = tokens.new_family();
        let token = tokens.issue(family, forge::base32(184));
        match self.text {
            TokenText::Json => Answer::json(StatusCode::OK, format!("\"{token}\"")),
            TokenText::Raw => Answer::new(StatusCode::OK)
                .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
                .body(token),
        }
    }
}

fn judge<'a>(token: Option<&'a str>, tokens: &Tokens) -> Result<&'a str, VidizmoError> {
    let token = token.ok_or(VidizmoError::InvalidAccessToken)?;
    match tokens.standing(token) {
        Standing::Valid => Ok(token),
        Standing::Expired | Standing::LoggedOut => Err(VidizmoError::ExpiredAccessToken),
        Standing::Invalid | Standing::Removed | Standing::Unknown => Err(VidizmoError::InvalidAccessToken),
    }
}

fn read_login(request: &Recorded) -> Result<Grant, Violation> {
    request.expect_token_request(&Method::POST)?;
    request.expect_no_authorization()?;
    let login = request.json_object(&["emailAddress", "password", "clientSecret"])?;
    let email_address = field(&login, "emailAddress")?;
    let secret = match (login.contains_key("password"), login.contains_key("clientSecret")) {
        (true, true) => return Err(Violation::BothSecrets),
        (_, true) => Secret::ClientSecret(field(&login, "clientSecret")?),
        (_, false) => Secret::Password(field(&login, "password")?),
    };
    Ok(Grant::Login { email_address, secret })
}

fn read_bearer(request: &Recorded) -> Result<Option<String>, Violation> {
    request.expect_no_body()?;
    match request.presented(&AUTHORIZATION) {
        Presented::Bearer(token) => Ok(Some(token)),
        Presented::Nothing => Ok(None),
        Presented::Basic { .. } | Presented::Garbage => Err(Violation::WrongScheme),
    }
}

fn exception(name: &str, details: &str) -> Bytes {
    let id = forge::uuid();
    format!(r#"{{"name":"{name}","incidentId":"{id}","exceptionDetails":[{details}]}}"#).into()
}
