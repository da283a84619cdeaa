//! Vervoe: keys are exchanged for a short-lived token with a GET; there is no refresh.

use std::time::Duration;

use http::{Method, StatusCode, header::AUTHORIZATION};

use super::{
    answer::Answer,
    engine::{Engine, Vendor, X_API_TOKEN},
    fake::fake,
    forge,
    plan::Endpoint,
    recorded::{Presented, Recorded},
    refusal::Violation,
    tokens::{Standing, Tokens},
};

/// A fake of Vervoe.
///
/// - `GET /api/public/ats-api/token` with `Authorization: Basic` of API key and secret key answers with a token of 10
///   minutes. Without keys, or with an empty one, the answer is 400, to wrong ones 401.
/// - API calls take `Authorization: Bearer <token>`; everything else is answered 401 `Invalid credentials.`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::testing::FakeVervoe;
///
/// let vervoe = FakeVervoe::new("apiKey", "secret:Kéy");
/// vervoe.controls().set_lifetime(Duration::from_secs(1));
/// ```
#[derive(Clone, Debug)]
pub struct FakeVervoe {
    engine: Engine<Vervoe>,
}

impl FakeVervoe {
    /// A fake that accepts these keys.
    #[must_use]
    pub fn new(api_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        let vendor = Vervoe { api_key: api_key.into(), secret_key: secret_key.into() };
        Self { engine: Engine::new(vendor, Some(Duration::from_secs(600))) }
    }

    /// Accepts these keys from now on, and no others. Tokens stay as they are.
    pub fn set_keys(&self, api_key: impl Into<String>, secret_key: impl Into<String>) {
        self.engine.with(|vendor, state| {
            *vendor = Vervoe { api_key: api_key.into(), secret_key: secret_key.into() };
            state.tokens.restore_credentials();
        });
    }
}

fake!(FakeVervoe);

/// The errors that Vervoe answers.
///
/// The contract leaves out the `msg` of [`KeysMissing`](Self::KeysMissing), which here repeats `errors`, and most of
/// the `type` of [`Unauthorized`](Self::Unauthorized).
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{FakeVervoe, On, Times, VervoeError};
///
/// let vervoe = FakeVervoe::new("key", "secret");
/// vervoe.controls().fail(On::Acquire, Times::Next(1), VervoeError::NoToken);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VervoeError {
    /// 400 `Provide apiKey/secret please.`, of the token endpoint
    KeysMissing,
    /// 401 `Unauthorized`, of the token endpoint
    Unauthorized,
    /// 200 with `"success":false`, of the token endpoint
    NotSuccessful,
    /// 200 with `"success":true` and no token, of the token endpoint
    NoToken,
    /// 401 `Invalid credentials.`, of an API call
    InvalidCredentials,
    /// 403 `Access denied`, of an API call
    AccessDenied,
}

impl VervoeError {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::KeysMissing,
        Self::Unauthorized,
        Self::NotSuccessful,
        Self::NoToken,
        Self::InvalidCredentials,
        Self::AccessDenied,
    ];
}

impl From<VervoeError> for Answer {
    fn from(error: VervoeError) -> Self {
        let (status, body) = match error {
            VervoeError::KeysMissing => (
                StatusCode::BAD_REQUEST,
                r#"{"success":false,"errors":"Provide apiKey/secret please.","msg":"Provide apiKey/secret please."}"#,
            ),
            VervoeError::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                r#"{"type":"https://tools.ietf.org/html/rfc2616#section-10","title":"An error occurred","status":401,"detail":"Unauthorized"}"#,
            ),
            VervoeError::NotSuccessful => (StatusCode::OK, r#"{"success":false}"#),
            VervoeError::NoToken => (StatusCode::OK, r#"{"success":true,"data":{}}"#),
            VervoeError::InvalidCredentials => {
                (StatusCode::UNAUTHORIZED, r#"{"success":false,"msg":"Invalid credentials."}"#)
            }
            VervoeError::AccessDenied => {
                (StatusCode::FORBIDDEN, r#"{"success":false,"errors":"Access denied","msg":"Access denied"}"#)
            }
        };
        Self::json(status, body)
    }
}

struct Vervoe {
    api_key: String,
    secret_key: String,
}

/// The keys presented, if any were.
struct Grant(Option<(String, String)>);

const TOKEN: &str = "/api/public/ats-api/token";

impl Vendor for Vervoe {
    type Grant = Grant;
    type Denial = VervoeError;

    const MALFORMED: &'static str = r#"{"success":true,"data":{"tok"#;

    fn endpoint(&self, path: &str) -> Endpoint {
        if path == TOKEN { Endpoint::Acquire } else { Endpoint::Api }
    }

    fn read(&self, _: Endpoint, request: &Recorded) -> Result<Grant, Violation> {
        request.expect_token_request(&Method::GET)?;
        request.expect_no_body()?;
        match request.presented(&AUTHORIZATION) {
            Presented::Basic { user, password } => Ok(Grant(Some((user, password)))),
            Presented::Nothing => Ok(Grant(None)),
            Presented::Bearer(_) | Presented::Garbage => Err(Violation::WrongScheme),
        }
    }

    fn exchange(&self, Grant(keys): Grant, tokens: &mut Tokens) -> Answer {
        let Some((api_key, secret_key)) = keys.filter(|(api, secret)| !api.is_empty() && !secret.is_empty())
        else {
            return VervoeError::KeysMissing.into();
        };
        let known = api_key == self.api_key && secret_key == self.secret_key;
        if !known || tokens.credentials_are_removed() {
            return VervoeError::Unauthorized.into();
        }
        let family = tokens.new_family();
        let token = tokens.issue(family, forge::base64url(374));
        Answer::json(StatusCode::OK, format!(r#"{{"success":true,"data":{{"token":"{token}"}}}}"#))
    }

    fn check(&self, request: &Recorded) -> Result<(), Violation> {
        if request.path().strip_suffix('/') == Some(TOKEN) {
            return Err(Violation::Path);
        }
        if request.headers().contains_key(X_API_TOKEN) { Err(Violation::WrongHeader) } else { Ok(()) }
    }

    fn authorise(&self, request: &Recorded, tokens: &Tokens) -> Result<(), VervoeError> {
        match request.presented(&AUTHORIZATION) {
            Presented::Bearer(token) if tokens.standing(&token) == Standing::Valid => Ok(()),
            _ => Err(VervoeError::InvalidCredentials),
        }
    }
}
