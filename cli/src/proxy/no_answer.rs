//! [`no_answer`]: what a client is told where an error takes the place of the vendor's answer.

use http::StatusCode;
use tokio::time::Instant;
use tower_reauth::{
    AuthError, AuthErrorKind, BoxError,
    client::{ClientError, ClientErrorKind},
};

use super::problem::Problem;
use crate::message::chain;

/// Why there is no answer, for the client.
pub(super) fn no_answer(error: &BoxError) -> Problem {
    if let Some(error) = AuthError::find(&**error) {
        let kind = match error.kind() {
            AuthErrorKind::CredentialsRejected | AuthErrorKind::EndpointUnusable => {
                "proxy_configuration_error"
            }
            _ => "proxy_internal_error",
        };
        let wait = error.retry_at().map(|at| at.saturating_duration_since(Instant::now()));
        let detail = format!("there is no token for the vendor: {}", chain(error));
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail).with_retry_after(wait);
    }
    let (status, kind) = match error.downcast_ref::<ClientError>().map(ClientError::kind) {
        Some(ClientErrorKind::Connect | ClientErrorKind::Proxy) => {
            (StatusCode::BAD_GATEWAY, "destination_unavailable")
        }
        Some(ClientErrorKind::MetadataHost) => (StatusCode::BAD_GATEWAY, "destination_ip_prohibited"),
        Some(ClientErrorKind::ConnectTimedOut) => (StatusCode::GATEWAY_TIMEOUT, "connection_timeout"),
        _ => (StatusCode::BAD_GATEWAY, "connection_terminated"),
    };
    Problem::new(status, kind, format!("the vendor did not answer: {}", chain(&**error)))
}
