//! Declarations, through a server that gives one answer and remembers the request.

mod answers;
mod any;
mod config;
mod inputs;
mod recorded;
mod requests;
mod secrets;
mod sources;
mod text;

use super::{super::scripted::Scripted, EndpointCredential, JsonValue, Param, TokenEndpoint, TokenRequest};
use crate::{
    error::AcquireError,
    observe::Reason,
    token::{AccessToken, Acquire, Credential},
};

const API: &str = "https://api.example.com";

fn plain() -> TokenRequest {
    TokenRequest::post("/token")
}

fn endpoint(acquire: TokenRequest) -> TokenEndpoint {
    TokenEndpoint::new("Acme", API, acquire)
}

fn renewing() -> TokenEndpoint {
    let refresh = TokenRequest::post("/refresh").json("refreshToken", Param::refresh_token());
    endpoint(plain()).refresh(refresh)
}

fn previous() -> AccessToken {
    AccessToken::new("old-access").unwrap().with_refresh_token("old-refresh")
}

async fn cold(endpoint: TokenEndpoint, server: &Scripted) -> Result<AccessToken, AcquireError> {
    ask(endpoint.build(server.transport()).unwrap(), Reason::Cold, None).await
}

async fn renew(endpoint: TokenEndpoint, server: &Scripted) -> Result<AccessToken, AcquireError> {
    ask(endpoint.build(server.transport()).unwrap(), Reason::Expired, Some(previous())).await
}

async fn ask(
    credential: EndpointCredential,
    reason: Reason,
    previous: Option<AccessToken>,
) -> Result<AccessToken, AcquireError> {
    Credential::acquire(&credential, Acquire::new(reason, previous.as_ref())).await
}
