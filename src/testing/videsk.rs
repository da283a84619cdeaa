//! Videsk: the API key is itself the token; there is nothing to exchange, refresh or log out of.

use std::convert::Infallible;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{
    HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    controls::State,
    engine::{Engine, Vendor, X_API_TOKEN},
    fake::fake,
    forge,
    plan::Endpoint,
    recorded::{Presented, Recorded},
    refusal::Violation,
    tokens::{Standing, Tokens},
};

/// A fake of Videsk, with as many API keys as are minted.
///
/// - API calls take `Authorization: Bearer <API key>`; `POST /reports/exports/…` takes `X-API-Token: Bearer <API key>`
///   instead. A body must be JSON.
/// - Keys are JWTs and last for ever, unless a lifetime is set before they are minted.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{FakeVidesk, Revoked};
///
/// let videsk = FakeVidesk::new();
/// videsk.controls().revoke(Revoked::Expired);
/// let key = videsk.mint();
/// assert_eq!(videsk.accepted_keys(), [key]);
/// assert_eq!(videsk.counts().acquires, 1);
/// ```
#[derive(Clone, Debug)]
pub struct FakeVidesk {
    engine: Engine<Videsk>,
}

impl FakeVidesk {
    /// A fake with one API key.
    #[must_use]
    pub fn new() -> Self {
        let fake = Self { engine: Engine::new(Videsk, None) };
        fake.engine.with(|_, state| issue(state));
        fake
    }

    /// The newest API key, accepted or not.
    #[must_use]
    pub fn key(&self) -> String {
        self.controls().tokens().pop().unwrap_or_default()
    }

    /// The API keys that are accepted now, oldest first.
    #[must_use]
    pub fn accepted_keys(&self) -> Vec<String> {
        self.engine.with(|_, state| {
            let mut keys = state.tokens.issued();
            keys.retain(|key| state.tokens.standing(key) == Standing::Valid);
            keys
        })
    }

    /// Makes another API key, as somebody does in Videsk's console. Counts as an acquire call.
    #[must_use]
    pub fn mint(&self) -> String {
        self.engine.with(|_, state| {
            state.counts.acquires += 1;
            issue(state)
        })
    }

    /// Accepts this API key as well, which needn't be a JWT.
    pub fn accept_key(&self, key: impl Into<String>) {
        self.engine.with(|_, state| {
            let family = state.tokens.new_family();
            state.tokens.issue(family, key.into());
        });
    }
}

impl Default for FakeVidesk {
    fn default() -> Self {
        Self::new()
    }
}

fake!(FakeVidesk);

/// The errors that Videsk answers.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{FakeVidesk, On, Times, VideskError};
///
/// let videsk = FakeVidesk::new();
/// videsk.controls().fail(On::Api, Times::UntilCleared, VideskError::NoAccess);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VideskError {
    /// 401 `jwt expired`
    JwtExpired,
    /// 401 `invalid signature`
    InvalidSignature,
    /// 401 `jwt malformed`
    JwtMalformed,
    /// 401 `Authorization header with valid JWT is required.`
    JwtRequired,
    /// 401 `Unexpected token ï¿½ in JSON at position 6`
    UnexpectedToken,
    /// 401 `jwt not active`
    JwtNotActive,
    /// 401 `invalid token`
    InvalidToken,
    /// 401 `The token is not valid any more.`, of an appointment's token and not of the key
    AppointmentOver,
    /// 403 `The integration token it's invalid or was removed.`
    KeyRemoved,
    /// 403 `You don't have access to /public/video-contact-center/segments. Please contact to your administrator.`
    NoAccess,
    /// 401 as `text/html`, which a client may get that doesn't say `Accept: application/json`; the page is invented
    Html,
}

impl VideskError {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::JwtExpired,
        Self::InvalidSignature,
        Self::JwtMalformed,
        Self::JwtRequired,
        Self::UnexpectedToken,
        Self::JwtNotActive,
        Self::InvalidToken,
        Self::AppointmentOver,
        Self::KeyRemoved,
        Self::NoAccess,
        Self::Html,
    ];
}

impl From<VideskError> for Answer {
    fn from(error: VideskError) -> Self {
        use VideskError as E;
        match error {
            E::JwtExpired => not_authenticated("jwt expired"),
            E::InvalidSignature => not_authenticated("invalid signature"),
            E::JwtMalformed => not_authenticated("jwt malformed"),
            E::JwtRequired => not_authenticated("Authorization header with valid JWT is required."),
            E::UnexpectedToken => not_authenticated("Unexpected token ï¿½ in JSON at position 6"),
            E::JwtNotActive => not_authenticated("jwt not active"),
            E::InvalidToken => not_authenticated("invalid token"),
            E::AppointmentOver => not_authenticated("The token is not valid any more."),
            E::KeyRemoved => forbidden("The integration token it's invalid or was removed."),
            E::NoAccess => forbidden(
                "You don't have access to /public/video-contact-center/segments. \
                 Please contact to your administrator.",
            ),
            E::Html => Self::new(StatusCode::UNAUTHORIZED)
                .header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
                .body("<!DOCTYPE html><html><body><h1>NotAuthenticated</h1><p>jwt expired</p></body></html>"),
        }
    }
}

struct Videsk;

impl Vendor for Videsk {
    type Grant = Infallible;
    type Denial = VideskError;

    const MALFORMED: &'static str = r#"{"name":"NotAuth"#;

    fn endpoint(&self, _: &str) -> Endpoint {
        Endpoint::Api
    }

    fn read(&self, _: Endpoint, _: &Recorded) -> Result<Infallible, Violation> {
        Err(Violation::Path)
    }

    fn exchange(&self, grant: Infallible, _: &mut Tokens) -> Answer {
        match grant {}
    }

    fn check(&self, request: &Recorded) -> Result<(), Violation> {
        let wrong = if is_export(request) {
            request.expect_method(&Method::POST)?;
            AUTHORIZATION
        } else {
            X_API_TOKEN
        };
        if request.headers().contains_key(wrong) {
            return Err(Violation::WrongHeader);
        }
        if request.body().is_empty() { Ok(()) } else { request.expect_json() }
    }

    fn authorise(&self, request: &Recorded, tokens: &Tokens) -> Result<(), VideskError> {
        let header = if is_export(request) { X_API_TOKEN } else { AUTHORIZATION };
        let Presented::Bearer(key) = request.presented(&header) else {
            return Err(VideskError::JwtRequired);
        };
        Err(match tokens.standing(&key) {
            Standing::Valid => return Ok(()),
            Standing::Expired | Standing::LoggedOut => VideskError::JwtExpired,
            Standing::Invalid => VideskError::InvalidSignature,
            Standing::Removed => VideskError::KeyRemoved,
            Standing::Unknown => judge_unknown(&key),
        })
    }
}

fn is_export(request: &Recorded) -> bool {
    request.path().starts_with("/reports/exports/")
}

/// What a JWT library says of a key that this server hasn't signed.
fn judge_unknown(key: &str) -> VideskError {
    let mut parts = key.split('.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return VideskError::JwtMalformed;
    };
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    match serde_json::from_slice::<Value>(&decoded) {
        Ok(_) => VideskError::InvalidSignature,
        Err(_) => VideskError::UnexpectedToken,
    }
}

fn issue(state: &mut State) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = json!({ "iss": "videsk", "sub": forge::hex(24), "jti": forge::uuid() });
    let family = state.tokens.new_family();
    let key = forge::jwt(&header, claims, state.tokens.lifetime(), 43);
    state.tokens.issue(family, key)
}

fn not_authenticated(message: &str) -> Answer {
    feathers(StatusCode::UNAUTHORIZED, "NotAuthenticated", message, "not-authenticated")
}

fn forbidden(message: &str) -> Answer {
    feathers(StatusCode::FORBIDDEN, "Forbidden", message, "forbidden")
}

fn feathers(status: StatusCode, name: &str, message: &str, class: &str) -> Answer {
    let (message, code) = (json!(message), status.as_u16());
    let body = format!(
        r#"{{"name":"{name}","message":{message},"code":{code},"className":"{class}","errors":{{}}}}"#
    );
    Answer::json(status, body)
}
