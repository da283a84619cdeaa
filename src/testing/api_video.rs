//! api.video: a key is exchanged for a token, and refresh tokens rotate.

use std::time::Duration;

use http::{
    HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName},
};
use serde_json::json;

use super::{
    answer::Answer,
    engine::{Engine, Vendor, X_API_TOKEN},
    fake::fake,
    forge,
    plan::Endpoint,
    recorded::{Presented, Recorded, field},
    refusal::Violation,
    tokens::{Family, Spent, Standing, Tokens},
};

/// A fake of api.video, with both its ways to authenticate.
///
/// - `POST /auth/api-key` exchanges the API key for an access token of 1 hour and a refresh token.
/// - `POST /auth/refresh` answers with new ones; both the access token and the refresh token before them are dead
///   from then on. A refresh token that is used again is answered 401 `The refresh token is invalid.`, and takes every
///   token with it that descends from the same exchange. One that was never issued is answered 400
///   `The user credentials were incorrect.`.
/// - API calls take `Authorization: Bearer <access token>`, or `Basic` with the API key and no password.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::FakeApiVideo;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let api_video = FakeApiVideo::new("your_api_key");
/// let served = api_video.serve().await?;
/// println!("api.video is at {}", served.origin());
/// api_video.assert_no_refusals();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FakeApiVideo {
    engine: Engine<ApiVideo>,
}

impl FakeApiVideo {
    /// A fake that accepts this API key.
    #[must_use]
    pub fn new(api_key: impl Into<String>) -> Self {
        let vendor = ApiVideo { api_key: api_key.into() };
        Self { engine: Engine::new(vendor, Some(Duration::from_secs(3600))) }
    }

    /// Accepts this API key from now on, and no other. Tokens stay as they are.
    pub fn set_api_key(&self, api_key: impl Into<String>) {
        self.engine.with(|vendor, state| {
            vendor.api_key = api_key.into();
            state.tokens.restore_credentials();
        });
    }
}

fake!(FakeApiVideo);

/// The errors that api.video answers.
///
/// The contract prints statuses and titles; `type` and `name` are invented. So are `error_description` and `message`
/// of older deployments.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{ApiVideoError, FakeApiVideo, On, Times};
///
/// let api_video = FakeApiVideo::new("key");
/// api_video.controls().fail(On::Api, Times::Next(1), ApiVideoError::SuspendedAccount);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiVideoError {
    /// 401 `The access token is invalid or expired.`
    AccessTokenInvalidOrExpired,
    /// 401 `The refresh token is invalid.`
    RefreshTokenInvalid,
    /// 400 `The user credentials were incorrect.`
    UserCredentialsIncorrect,
    /// 401 `The API key is invalid.`
    ApiKeyInvalid,
    /// 401 `The "Authorization" header value is invalid.`
    AuthorizationInvalid,
    /// 401 `The "Authorization" header is missing.`
    AuthorizationMissing,
    /// 401 `The upload token is invalid or expired.`
    UploadTokenInvalidOrExpired,
    /// 401 `The upload token is missing.`
    UploadTokenMissing,
    /// 403 `Suspended account`
    SuspendedAccount,
    /// 429 `Too many requests.` with `X-RateLimit-Retry-After: 1`
    TooManyRequests,
    /// 401 `access_denied` of older deployments, hint `Access token is invalid`
    OlderTokenInvalid,
    /// 401 `access_denied` of older deployments, hint `Access token could not be verified`
    OlderTokenNotVerified,
    /// 401 `access_denied` of older deployments, hint `Access token has been revoked`
    OlderTokenRevoked,
}

impl ApiVideoError {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::AccessTokenInvalidOrExpired,
        Self::RefreshTokenInvalid,
        Self::UserCredentialsIncorrect,
        Self::ApiKeyInvalid,
        Self::AuthorizationInvalid,
        Self::AuthorizationMissing,
        Self::UploadTokenInvalidOrExpired,
        Self::UploadTokenMissing,
        Self::SuspendedAccount,
        Self::TooManyRequests,
        Self::OlderTokenInvalid,
        Self::OlderTokenNotVerified,
        Self::OlderTokenRevoked,
    ];
}

impl From<ApiVideoError> for Answer {
    fn from(error: ApiVideoError) -> Self {
        use ApiVideoError as E;
        match error {
            E::AccessTokenInvalidOrExpired => problem(401, "The access token is invalid or expired."),
            E::RefreshTokenInvalid => problem(401, "The refresh token is invalid."),
            E::UserCredentialsIncorrect => problem(400, "The user credentials were incorrect."),
            E::ApiKeyInvalid => problem(401, "The API key is invalid."),
            E::AuthorizationInvalid => problem(401, "The \"Authorization\" header value is invalid."),
            E::AuthorizationMissing => problem(401, "The \"Authorization\" header is missing."),
            E::UploadTokenInvalidOrExpired => problem(401, "The upload token is invalid or expired."),
            E::UploadTokenMissing => problem(401, "The upload token is missing."),
            E::SuspendedAccount => problem(403, "Suspended account"),
            E::TooManyRequests => problem(429, "Too many requests.")
                .header(HeaderName::from_static("x-ratelimit-retry-after"), HeaderValue::from_static("1")),
            E::OlderTokenInvalid => access_denied("Access token is invalid"),
            E::OlderTokenNotVerified => access_denied("Access token could not be verified"),
            E::OlderTokenRevoked => access_denied("Access token has been revoked"),
        }
    }
}

struct ApiVideo {
    api_key: String,
}

enum Grant {
    ApiKey(String),
    RefreshToken(String),
}

impl Vendor for ApiVideo {
    type Grant = Grant;
    type Denial = ApiVideoError;

    const MALFORMED: &'static str = r#"{"token_type":"Bearer","expires_in":3600,"access_tok"#;

    fn endpoint(&self, path: &str) -> Endpoint {
        match path {
            "/auth/api-key" => Endpoint::Acquire,
            "/auth/refresh" => Endpoint::Refresh,
            _ => Endpoint::Api,
        }
    }

    fn read(&self, endpoint: Endpoint, request: &Recorded) -> Result<Grant, Violation> {
        request.expect_token_request(&Method::POST)?;
        request.expect_no_authorization()?;
        let name = if endpoint == Endpoint::Acquire { "apiKey" } else { "refreshToken" };
        let secret = field(&request.json_object(&[name])?, name)?;
        Ok(if endpoint == Endpoint::Acquire { Grant::ApiKey(secret) } else { Grant::RefreshToken(secret) })
    }

    fn exchange(&self, grant: Grant, tokens: &mut Tokens) -> Answer {
        let family = match grant {
            Grant::ApiKey(key) if key == self.api_key && !tokens.credentials_are_removed() => {
                tokens.new_family()
            }
            Grant::ApiKey(_) => return ApiVideoError::UserCredentialsIncorrect.into(),
            Grant::RefreshToken(token) => match tokens.rotate(&token) {
                Ok(family) => family,
                Err(Spent::Dead) => return ApiVideoError::RefreshTokenInvalid.into(),
                Err(Spent::Unknown) => return ApiVideoError::UserCredentialsIncorrect.into(),
            },
        };
        issue(family, tokens)
    }

    fn check(&self, request: &Recorded) -> Result<(), Violation> {
        if request.path().starts_with("/auth/") {
            return Err(Violation::Path);
        }
        if request.headers().contains_key(X_API_TOKEN) { Err(Violation::WrongHeader) } else { Ok(()) }
    }

    fn authorise(&self, request: &Recorded, tokens: &Tokens) -> Result<(), ApiVideoError> {
        Err(match request.presented(&AUTHORIZATION) {
            Presented::Bearer(token) if tokens.standing(&token) == Standing::Valid => return Ok(()),
            Presented::Bearer(_) => ApiVideoError::AccessTokenInvalidOrExpired,
            Presented::Basic { user, password } if password.is_empty() => {
                if user == self.api_key && !tokens.credentials_are_removed() {
                    return Ok(());
                }
                ApiVideoError::ApiKeyInvalid
            }
            Presented::Nothing => ApiVideoError::AuthorizationMissing,
            Presented::Basic { .. } | Presented::Garbage => ApiVideoError::AuthorizationInvalid,
        })
    }
}

fn issue(family: Family, tokens: &mut Tokens) -> Answer {
    let id = forge::hex(80);
    let header = json!({ "typ": "JWT", "alg": "RS256", "jti": id });
    let claims = json!({ "aud": "libcast", "jti": id, "sub": "usFake", "scopes": ["monitor.libcast.com"] });
    let access = tokens.issue(family, forge::jwt(&header, claims, tokens.lifetime(), 342));
    let refresh = tokens.issue_refresh(family, format!("def502{}", forge::hex(746)));
    let expires_in =
        tokens.expires_in().map_or(String::new(), |seconds| format!(r#""expires_in":{seconds},"#));
    let body = format!(
        r#"{{"token_type":"Bearer",{expires_in}"access_token":"{access}","refresh_token":"{refresh}"}}"#
    );
    Answer::json(StatusCode::OK, body)
}

fn problem(status: u16, title: &str) -> Answer {
    let title = json!(title);
    let body = format!(r#"{{"type":"about:blank","title":{title},"name":"","status":{status}}}"#);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Answer::json(status, body).header(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))
}

fn access_denied(hint: &str) -> Answer {
    let message = "The resource owner or authorization server denied the request.";
    let body = format!(
        r#"{{"error":"access_denied","error_description":"{message}","hint":"{hint}","message":"{message}"}}"#
    );
    Answer::json(StatusCode::UNAUTHORIZED, body)
}
